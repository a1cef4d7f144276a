"""Tell what a reproduction found: one screen, and JSON for scripts."""

from typing import Any

import typer

from protocols.reproduce.run import PAGE
from protocols.reproduce.state import Reproduction
from protocols.reproduce.table import counts, rows
from rramlab.session import Session

SHORT = ("panel", "published", "ours", "agrees")


def finish(session: Session, found: Reproduction) -> None:
    """Print the table; exit with 1 when an experiment failed."""
    terminal, listed = session.terminal, rows(found)
    table = [[row.panel, row.published, row.value, row.verdict] for row in listed]
    terminal.table(f"Published, and found here ({found.plan.size})", SHORT, table)
    terminal.say(", ".join(f"{verdict}: {count}" for verdict, count in counts(listed).items() if count))
    terminal.say(f"page, with conditions and rules: {found.plan.folder / PAGE}")
    terminal.document(facts_of(found))
    if found.failed:
        names = ", ".join(each.name for each in found.failed)
        terminal.error(
            f"{len(found.failed)} of {len(found.experiments)} experiments gave no result ({names}); see the "
            f"table, and try them again with: rramlab reproduce --resume --out {found.plan.folder}"
        )
        raise typer.Exit(1)


def facts_of(found: Reproduction) -> dict[str, Any]:
    """Return the reproduction as plain numbers and texts."""
    listed = rows(found)
    return {
        "size": found.plan.size,
        "seed": found.plan.seed,
        "rows": [row.facts() for row in listed],
        "counts": counts(listed),
        "experiments": {
            name: {
                "run": str(done.folder),
                "seconds": done.seconds,
                "error": done.error,
                "figures": done.facts,
            }
            for name, done in found.done.items()
        },
        "page": str(found.plan.folder / PAGE),
    }
