"""Tell how a rig does: one screen, a page, a map."""

from pathlib import Path
from typing import Any

from protocols.rig.checkup import Checkup
from protocols.rig.condition import Condition
from protocols.rig.explain import LARGEST_ODDS
from rramlab.session import Session

METHOD = (
    "A part of the array (a line, a block of neighbouring lines, what an address bit or the exclusive or of "
    "two selects, a macro, a quadrant, the end of a line) is named when chance would gather as many failures "
    f"in it less often than 1 in {1 / LARGEST_ODDS:,.0f}: Fisher's exact test, times the number of parts "
    "tried. The simplest part wins: the gain in likelihood less the logarithm of the number of such parts."
)


def summarise(found: Checkup, place: Path) -> dict[str, Any]:
    """Return the figures of a look as plain numbers."""
    counts = {kind.name: found.count(kind) for kind in Condition if found.count(kind)}
    examined = found.condition.size - counts.pop("NOT_EXAMINED", 0)
    return {
        "run": str(place),
        "cells": examined,
        "answering_percent": 100 * found.count(Condition.ANSWERS) / max(examined, 1),
        "conditions": counts,
        "faults": [
            {
                "condition": fault.condition.name,
                "where": fault.explanation.where,
                "failed": fault.explanation.failed,
                "cells": fault.explanation.cells,
                "log10_odds_of_chance": fault.explanation.log10_odds,
                "sentence": fault.sentence,
            }
            for fault in found.faults
        ],
        "dead_address_bits": [bit.sentence for bit in found.dead_bits],
        "unexplained": found.unexplained(),
    }


def draw(found: Checkup, folder: Path) -> None:
    """Write the page of figures into the folder of the run."""
    from rramlab.figures.health import condition_map
    from rramlab.page import Page

    page = Page(
        "Rig health", f"{int((found.condition != Condition.NOT_EXAMINED).sum())} cells; run {folder.name}."
    )
    page.section("What is wrong", "\n\n".join(_told(found)))
    page.table("Cells by condition", ["condition", "cells", "what it means"], _counts(found))
    names = {int(kind): kind.words for kind in Condition}
    page.figure(
        "Condition of each cell, and what it reads",
        condition_map(found.conductance, found.condition, names),
        name="condition",
    )
    page.section("How it was decided", METHOD)
    page.write(folder / "index.html", pictures=True)


def show(session: Session, found: Checkup, summary: dict[str, Any]) -> None:
    """Print one screen: what is wrong, in words, then the counts."""
    terminal = session.terminal
    for sentence in _told(found):
        terminal.say(sentence)
    terminal.table(f"{summary['cells']} cells", ["condition", "cells", "what it means"], _counts(found))
    if (Path(summary["run"]) / "index.html").exists():
        terminal.say(f"page: {summary['run']}/index.html")
    terminal.document(summary)


def _told(found: Checkup) -> list[str]:
    left = found.unexplained()
    told = [sentence[0].upper() + sentence[1:] + "." for sentence in found.sentences()]
    if left:
        told.append(f"{left} cells at fault share nothing that chance would not give.")
    return told or ["Nothing: every cell that was looked at answers."]


def _counts(found: Checkup) -> list[list[str]]:
    present = [kind for kind in Condition if found.count(kind) and kind != Condition.NOT_EXAMINED]
    return [[kind.words, str(found.count(kind)), kind.cure] for kind in present]
