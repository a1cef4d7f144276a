"""Write and check bench files."""

from pathlib import Path
from typing import Annotated

import typer

from rramlab.errors import BenchFileError

bench = typer.Typer(
    help="Write and check bench files.\n\nExample: rramlab bench init mine.toml",
    no_args_is_help=True,
    add_completion=False,
)


@bench.command()
def init(
    ctx: typer.Context,
    path: Annotated[Path, typer.Argument(help="Where to write it.")] = Path("bench.toml"),
) -> None:
    """Write a commented copy of the simulated bench, ready to be changed.

    Example: rramlab bench init mine.toml && rramlab --bench mine.toml demo
    """
    from rramlab.bench import embedded

    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(embedded())
    except FileExistsError:
        raise BenchFileError(f"{path} exists already and is left as it is; name another file") from None
    except OSError as error:
        raise BenchFileError(f"{path} cannot be written: {error.strerror}") from None
    ctx.obj.terminal.say(f"wrote {path}; next: rramlab --bench {path} bench check")
    ctx.obj.terminal.document({"path": str(path)})


@bench.command()
def check(ctx: typer.Context) -> None:
    """Open the bench, ask who answers, read a few cells and say what it can do.

    Example: rramlab --bench mine.toml bench check
    """
    from rramlab.cells import Cells

    session = ctx.obj
    bench_file = session.bench()
    with bench_file.open() as backend:
        corner = Cells.grid(range(2), range(2))
        readings = backend.read(corner, bench_file.reading.spec()) if "read" in backend.capabilities else []
        facts = {
            "bench": bench_file.bench.id,
            **backend.identify(),
            "shape": f"{backend.shape[0]} x {backend.shape[1]}",
            "can": ", ".join(sorted(backend.capabilities)),
            "first cells": ", ".join(f"{g * 1e6:.2f} uS" for g in readings),
        }
    session.terminal.table("Bench", ["what", "answer"], [[name, value] for name, value in facts.items()])
    session.terminal.document(facts)
