"""Tell what a run of letters found: one screen, and JSON for scripts."""

from pathlib import Path

from protocols.letters.outcome import ANALOG, DATA, DIGITAL, Outcome, facts_of
from rramlab.session import Session

CAPTION = "Letters of the right class (%), and sliced Wasserstein distance to the latents"
MANY = 0.05
"""Share of clipped conductances from which on the readings of a bench cannot be right."""
HEAD = ["class", "right, analog", "digital", "data", "distance, analog", "digital", "floor", "ratio"]


def show(session: Session, found: Outcome, folder: Path) -> None:
    """Print one screen of summary."""
    terminal = session.terminal
    terminal.table(CAPTION, HEAD, class_rows(found))
    terminal.say(
        f"Against {found.judge.source}, right class: {100 * found.mean(ANALOG, 'accuracy'):.1f} % analog, "
        f"{100 * found.mean(DIGITAL, 'accuracy'):.1f} % digital. "
        f"Distance to the latents, analog over digital: {found.distance_ratio:.2f}."
    )
    if found.programmed and found.macro.clipped > MANY * len(found.programmed[0].cells):
        terminal.say(
            f"{found.macro.clipped} conductances did not fit into the window and were clipped: this bench "
            "hardly measures what it programs. Find its errors first: rramlab calibrate all --prepare"
        )
    terminal.say(
        f"Per sample: {found.sampling.seconds:.3g} s on this bench (5 ms ticks), "
        f"{found.digital_seconds * 1e6:.3g} us in a digital batch."
    )
    terminal.say(f"page: {folder}/index.html   run file: {folder}/run.h5")
    terminal.document(facts_of(found) | {"run": str(folder)})


def class_rows(found: Outcome) -> list[list[str]]:
    """Return the figures of each class, and their means."""
    rows = []
    for name, drawn in found.classes.items():
        sets = [drawn.verdicts[which] for which in (ANALOG, DIGITAL, DATA)]
        rows.append(_row(name, [v.accuracy for v in sets], [v.sliced_wasserstein for v in sets]))
    which = (ANALOG, DIGITAL, DATA)
    means = [[found.mean(w, figure) for w in which] for figure in ("accuracy", "sliced_wasserstein")]
    return [*rows, _row("mean", *means)]


def _row(name: str, accuracy: list[float], distance: list[float]) -> list[str]:
    shares = [f"{100 * value:.1f}" for value in accuracy]
    return [name, *shares, *(f"{value:.4f}" for value in distance), f"{distance[0] / distance[1]:.2f}"]
