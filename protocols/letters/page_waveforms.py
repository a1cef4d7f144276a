"""Show the waveforms of a run of letters, and say who saw them."""

import numpy as np
from numpy.typing import NDArray

from protocols.letters.loop import ClassRuns
from protocols.letters.outcome import Outcome
from rramlab.figures import loop_signals, sampling
from rramlab.figures.loop_signals import Signals
from rramlab.page import Page

FloatArray = NDArray[np.float64]

CAPTURED = "captured by the oscilloscope"
SIMULATED, TOLD = "simulated", "told by the board"


def how_it_ran(page: Page, found: Outcome) -> None:
    """Add the waveforms of the integrators of each class, and all layers of one run of the first class."""
    name, drawn = next(iter(found.classes.items()))
    c, a, volts = found.sampling.coefficients(found.score), drawn.analog, found.sampling.volts
    ticks = c.tick * np.arange(len(c.drift))
    hidden = [a.hidden1[0], a.hidden2[0]]
    layers = sampling.waveforms(a.time, a.state[0], hidden, a.output[0], ticks, c.drift, c.drive, volts=volts)
    page.section("How it ran", source_of_waveforms(found))
    seen = CAPTURED if found.captured else teller(found)
    signals = loop_signals.loop_signals(signals_of(found), "board" if found.captured else "")
    page.figure(f"Waveforms {seen}: first run of each class", signals, name="waveforms")
    page.figure(f"All layers in that run of class {name}, {teller(found)}", layers)


def source_of_waveforms(found: Outcome) -> str:
    """Return in words where the waveforms come from, and of which runs."""
    first = f"the first of the {found.request.samples} runs of each class"
    if found.captured:
        missing = [name for name in found.classes if name not in found.captured]
        rest = f" Of {', '.join(missing)} it has no record." if missing else ""
        return (
            "As the oscilloscope on this bench captured them. It sees the first run of each batch, which is "
            f"{first}; all others are told by the board alone. Dashed: the same run, told by the board.{rest}"
        )
    if found.simulated:
        return f"Simulated, since no oscilloscope is on this bench. Shown is {first}."
    return f"Told by the board, since no oscilloscope sees the loop of this bench. Shown is {first}."


def teller(found: Outcome) -> str:
    """Return who tells the waveforms that no oscilloscope captured."""
    return SIMULATED if found.simulated else TOLD


def signals_of(found: Outcome) -> dict[str, Signals]:
    """Return the signals (V) of the first run of each class: as captured, else as told."""
    signals = {}
    for name, drawn in found.classes.items():
        runs, seen = drawn.analog, dict(found.captured.get(name, {}))
        told = told_volts(runs, found.sampling.volts)
        time = seen.pop("time", runs.time)
        signals[name] = Signals(time, seen, runs.time, told) if seen else Signals(time, told)
    return signals


def told_volts(runs: ClassRuns, volts: float) -> dict[str, FloatArray]:
    """Return states and outputs of the first kept run in volts, named as an oscilloscope names them."""
    pairs = ("x", runs.state[0]), ("out", runs.output[0])
    return {f"{sign}{k + 1}": volts * values[:, k] for sign, values in pairs for k in (0, 1)}
