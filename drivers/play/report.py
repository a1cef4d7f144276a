"""Tell what a board with the published firmware played: one screen, and JSON for scripts."""

from pathlib import Path

from drivers.play.outcome import Outcome, facts_of
from rramlab.session import Session

CAPTION = "End states (network units), as the oscilloscope saw them"
HEAD = ["table", "runs", "V per unit", "coef", "noise", "x1", "x2"]


def show(session: Session, found: Outcome, folder: Path) -> None:
    """Print one screen of summary."""
    terminal, facts = session.terminal, facts_of(found)
    terminal.table(CAPTION, HEAD, end_rows(found))
    lost = sum(each["off_screen"] for each in facts["tables"].values())
    if lost:
        terminal.hint(
            f"{lost} runs ended off the screen: raise volts_per_div in [backend.options.board.extras]"
        )
    terminal.say(f"{facts['commands']} commands, and to each the reply, are in the record.")
    terminal.say(f"page: {folder}/index.html   run file: {folder}/run.h5")
    terminal.document(facts | {"run": str(folder)})


def end_rows(found: Outcome) -> list[list[str]]:
    """Return settings and end states (mean and standard deviation of the runs) of each table."""
    rows = []
    for each in facts_of(found)["tables"].values():
        settings = [
            f"{each['v_bias']:g}",
            f"{each['coef']:g}",
            f"{each['noise']:g}" if each["noise"] else "off",
        ]
        mean, spread = each["end_mean"], each["end_spread"]
        ends = ["off the screen"] * 2
        if mean is not None:
            ends = [f"{m:.3f} +- {s:.3f}" for m, s in zip(mean, spread, strict=True)]
        rows.append([each["name"], str(found.request.runs), *settings, *ends])
    return rows
