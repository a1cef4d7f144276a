"""Tell what the main job found: one screen, and JSON for scripts."""

from pathlib import Path

from protocols.ledger.account import energy_text
from protocols.ledger.power import stated
from protocols.sample.outcome import Outcome, facts_of, weight_error
from rramlab.session import Session

MEASURES = {
    "sliced_wasserstein": "sliced Wasserstein",
    "kl": "KL, 40 x 40 bins",
    "kl_published": "KL, as published",
    "histogram": "histogram L2",
}


def show(session: Session, found: Outcome, folder: Path) -> None:
    """Print one screen of summary."""
    terminal, facts = session.terminal, facts_of(found) | {"run": str(folder)}
    if found.programmed:
        terminal.table("Programmed weights", ["what", "value"], programming_rows(found))
    terminal.table("Quality (distance to the data, smaller is better)", *quality_table(found))
    rows = energy_rows(found)
    terminal.table(f"Energy per sample (all of it: rramlab ledger {folder})", ["what", "energy"], rows)
    analog, digital = found.account.seconds, found.comparison.digital_seconds
    terminal.say(
        f"Per sample: {analog:.3g} s on this bench (5 ms ticks), {digital * 1e6:.3g} us in a digital batch."
    )
    terminal.say(f"page: {folder}/index.html   run file: {folder}/run.h5")
    terminal.document(facts)


def energy_rows(found: Outcome) -> list[list[str]]:
    """Return the energy per sample by group, the sum, and the digital baseline at its stated power."""
    digital = stated("cpu").watt * found.comparison.digital_seconds
    sums = {**found.account.groups(), "analog, sum": found.account.joule, "digital, stated power": digital}
    return [[name, energy_text(joule)] for name, joule in sums.items()]


def programming_rows(found: Outcome) -> list[list[str]]:
    """Return what programming the weights took and reached, the trim included."""
    first, last = found.programmed[0], found.programmed[-1]
    pulses = sum(int(run.pulses.sum()) for run in found.programmed) / len(first.cells)
    alive = last.error[last.converged]
    sigma = f"{1e6 * alive.std():.3f} uS" if alive.size > 1 else "of fewer than two: none"
    weights = sum(layer.size for layer in found.score.layers)
    clipped = found.macro.clipped
    return [
        ["weights, cells", f"{weights}, {len(first.cells)}"],
        ["converged", f"{100 * first.success:.2f} %"],
        ["within tolerance after the last wait", f"{100 * last.within(found.request.tolerance):.2f} %"],
        *([["targets clipped to the window", f"{clipped}"]] if clipped else []),
        ["sigma of the error of a cell", sigma],
        ["pulses per cell", f"{pulses:.2f}"],
        ["error of a weight in use, rms", f"{weight_error(found):.4f}"],
    ]


def quality_table(found: Outcome) -> tuple[list[str], list[list[str]]]:
    """Return head and rows of the distances; 'data' is the floor: fresh data against fresh data."""
    sets = found.comparison.quality
    names = {name: "floor" if name == "data" else name for name in sets}
    rows = [
        [label, *(f"{getattr(sets[name], measure):.4f}" for name in sets)]
        for measure, label in MEASURES.items()
    ]
    return ["measure", *names.values()], rows
