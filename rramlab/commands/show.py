"""Show what a run holds, finished or not."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer


def show(
    ctx: typer.Context,
    run: Annotated[Path, typer.Argument(help="Folder of the run, or its run.h5.")],
    table: Annotated[str | None, typer.Option(help="Print a table as CSV, such as pulses or reads.")] = None,
) -> None:
    """Show what a run holds: how it ended, who answered, tables, kept results. Unfinished runs too.

    Example: rramlab show runs/moon

    Example: rramlab show runs/moon --table pulses > pulses.csv
    """
    from rramlab.runfile import RunFile

    file, terminal = RunFile.open(run), ctx.obj.terminal
    if table is not None:
        _print_table(file, table, terminal)
        return
    start, attributes = file.start, file.attributes
    head = {
        "command": start.command,
        "seed": start.seed,
        **{name: value for name, value in attributes.items() if name not in ("began", "ended")},
        **{name: value for who in file.contents.identities[-1:] for name, value in who.items()},
        "calibration": _calibration(start.calibration),
    }
    terminal.table(str(file.path), ["what", "value"], [[name, str(value)] for name, value in head.items()])
    sizes = [
        [name, f"{_rows(columns)}", ", ".join(columns)] for name, columns in file.tables.items() if columns
    ]
    terminal.table("Tables", ["table", "rows", "columns"], sizes)
    kept = [[name, ", ".join(_shape(n, a) for n, a in k.columns.items())] for name, k in file.kept.items()]
    terminal.table("Kept results", ["name", "arrays"], kept)
    if (page := file.path / "index.html").exists():
        terminal.say(f"page: {page}")
    facts = {name: dict(k.facts) for name, k in file.kept.items()}
    terminal.document({**head, "tables": {n: _rows(c) for n, c in file.tables.items()}, "kept": facts})


def _print_table(file: Any, table: str, terminal: Any) -> None:
    from rramlab.errors import InputError, did_you_mean

    if table not in file.tables:
        raise InputError(
            f"run '{file.path}' has no table '{table}'; {did_you_mean(table, list(file.tables))}"
        )
    columns = file.tables[table]
    terminal.document(columns)
    if terminal.as_json:
        return
    print(",".join(columns))
    for row in zip(*(column.tolist() for column in columns.values()), strict=True):
        print(",".join(str(value) for value in row))


def _calibration(records: Sequence[Mapping[str, Any]]) -> str:
    """Return by which calibration the readings of a run are corrected."""
    from rramlab.corrections.state import day

    told = [f"{record['kind']} of {day(record['made'])}" for record in records]
    return ", ".join(told) or "none: readings are as reported"


def _rows(columns: Any) -> int:
    return len(next(iter(columns.values()))) if columns else 0


def _shape(name: str, array: Any) -> str:
    return f"{name} {'x'.join(str(n) for n in array.shape) or 'value'}"
