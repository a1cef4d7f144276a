"""Compare the default device with the figures listed for its model: run, read the last column.

The listed figures are those of the model's first (prototype) implementation with the same parameters,
1 024 cells with device-to-device and cycle-to-cycle variation. Goal: within 10 %.

That implementation took explicit Euler steps of 4 % + 0.3 uS. With such steps this device gives its figures
within 1 %; solved exactly, SET lands 2 % lower, RESET 2 to 4 % higher, and 13 % higher at 2 uS.
"""

import sys
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from sim_backend.population import Population
from sim_backend.preset import Preset

CELLS = 16_384
INDEX = np.arange(CELLS)
GOOD = {"yields.unformable": 0.0, "yields.stuck_lrs": 0.0, "yields.reduced": 0.0}
STILL = {"relaxation.variance_per_decade": 0.0, "relaxation.drift": 0.0, "relaxation.drift_low": 0.0}
NO_TELEGRAPH = {"telegraph.fraction": 0.0, "telegraph.strong_fraction": 0.0}
GOAL = 0.10
SYSTEM_NOISE = 0.1
"""White noise (uS rms) of a 1 ms read at 0.2 V."""

Row = tuple[str, float, float, float]
Values = NDArray[np.float64]


class Lab:
    """Hold a population and pulse it by single experiments; microsiemens outside."""

    def __init__(self, changes: dict[str, float]) -> None:
        self.rng = np.random.default_rng(2024)
        self.cells = Population.draw(Preset.load("taox180").override(GOOD | changes), CELLS, self.rng)

    def load(self, g_us: float) -> None:
        """Put every cell to `g_us` (uS) by hand."""
        self.cells.load(g_us * 1e-6, self.rng)

    def pulse(self, v_bl: float, v_sl: float, gate: float, width: float = 1e-6) -> Values:
        """Pulse every cell and return the conductance (uS) it is left with."""
        self.cells.bias(INDEX, v_bl, v_sl, gate, width, 0.0, 0.0, self.rng)
        return self.cells.cells.conductance * 1e6

    def composite(self) -> Values:
        """Return the conductance (uS) of the whole path at the usual read voltage."""
        return self.cells.conductance(INDEX, 0.2, 3.3, 1e-6) * 1e6


def gate_staircase(lab: Lab) -> Iterable[Row]:
    listed = [9.1, 15.9, 25.7, 38.1, 53.1, 69.7, 86.3, 103, 120, 135, 147]
    read = [10, 16.7, 25.7, 36.2, 47.9, 59.8, 71.0, 81.5, 91.6, 99.8, 105.9]
    for k, gate in enumerate(np.arange(1.0, 2.05, 0.1)):
        lab.load(8.0)
        g = lab.pulse(2.0, 0.0, gate)
        yield f"SET from 8 uS, gate {gate:.1f} V: G (uS)", listed[k], g.mean(), 0.05
        yield f"SET from 8 uS, gate {gate:.1f} V: G_read (uS)", read[k], lab.composite().mean(), 0.05


def one_shot_spread(lab: Lab) -> Iterable[Row]:
    # "9-13 %" is listed for the staircase: the upper end belongs to its lower end and vice versa.
    for gate, listed in ((1.2, 13.0), (1.3, 13.0), (1.8, 9.0)):
        lab.load(8.0)
        g = lab.pulse(2.0, 0.0, gate)
        yield f"one-shot sigma, gate {gate:.1f} V (%)", listed, 100 * g.std() / g.mean(), 0.5


def reset_ladder(lab: Lab) -> Iterable[Row]:
    listed = [
        100,
        97.7,
        83.5,
        62.9,
        46.1,
        34.0,
        24.8,
        18.2,
        13.4,
        9.9,
        7.4,
        5.5,
        4.2,
        3.3,
        2.6,
        2.2,
        1.8,
        1.6,
        1.5,
    ]
    lab.load(100.0)
    for k, volt in enumerate(np.arange(0.6, 2.45, 0.1)):
        g = lab.pulse(0.0, volt, 3.3)
        yield f"RESET ladder from 100 uS, SL {volt:.1f} V: G (uS)", listed[k], g.mean(), 0.05
        if k == 3:
            yield "RESET ladder: sigma at 63 uS (uS)", 10.0, g.std(), 0.5


def amplitude_ladder(lab: Lab) -> Iterable[Row]:
    listed = [20, 20.9, 30.3, 47, 64.5, 81.1, 96.4, 111, 124, 137, 148, 159]
    lab.load(20.0)
    for k, volt in enumerate(np.arange(0.5, 1.65, 0.1)):
        g = lab.pulse(volt, 0.0, 2.5)
        yield f"SET ladder from 20 uS, gate 2.5 V, BL {volt:.1f} V: G (uS)", listed[k], g.mean(), 0.05


def identical_pulses(lab: Lab) -> Iterable[Row]:
    cases = (
        ("SET 0.9 V from 20 uS", 20.0, (0.9, 0.0, 2.5), [63.9, 69.1, 73.9, 78.5, 83.2, 88.0]),
        ("RESET 1.0 V from 100 uS", 100.0, (0.0, 1.0, 3.3), [47.6, 41.5, 36.2, 31.4, 26.9, 22.7]),
    )
    for name, start, lines, listed in cases:
        lab.load(start)
        for count in range(1, 33):
            g = lab.pulse(*lines)
            if count in (1, 2, 4, 8, 16, 32):
                yield f"{name}, x{count}: G (uS)", listed[count.bit_length() - 1], g.mean(), 0.05


def widths(lab: Lab) -> Iterable[Row]:
    for width, listed in ((20e-9, 44.0), (1e-7, 47.7), (1e-6, 53.1), (1e-5, 58.6), (1e-4, 64.6)):
        lab.load(8.0)
        yield (
            f"SET gate 1.4 V, width {width:.0e} s: G (uS)",
            listed,
            lab.pulse(2.0, 0.0, 1.4, width).mean(),
            0.05,
        )


def read_disturb(lab: Lab) -> Iterable[Row]:
    for volt, listed, digit in ((0.3, 0.002, 0.0005), (0.35, 3.8, 0.05)):
        lab.load(50.0)
        yield (
            f"read disturb of 50 uS, {volt} V for 1e6 s (uS)",
            listed,
            lab.pulse(volt, 0, 3.3, 1e6).mean() - 50,
            digit,
        )


def onset(lab: Lab) -> Iterable[Row]:
    # A staircase of 10 mV and 10 ms; onset is where the mean conductance has changed by a tenth.
    for name, start, sign, gate, listed in (("SET", 20.0, 1, 2.5, 0.50), ("RESET", 100.0, -1, 3.3, 0.62)):
        lab.load(start)
        for volt in np.arange(0.2, 1.5, 0.01):
            g = lab.pulse(max(sign * volt, 0.0), max(-sign * volt, 0.0), gate, 1e-2)
            if abs(g.mean() / start - 1.0) > 0.1:
                yield f"DC onset of {name} (V)", listed, volt, 0.005
                break


def relaxation(lab: Lab) -> Iterable[Row]:
    listed = {1e-2: 0.37, 1.0: 0.57, 10.0: 0.66, 600.0: 0.78, 3600.0: 0.83, 86_400.0: 0.90, 1e6: 0.97}
    lab.load(50.0)
    start = lab.cells.filament(INDEX, 1e-4)
    for t, sigma in listed.items():
        moved = (lab.cells.filament(INDEX, t) - start) * 1e6
        yield f"relaxation sigma of 50 uS from 0.1 ms to {t:g} s (uS)", sigma, moved.std(), 0.005
    kurtosis = ((moved - moved.mean()) ** 4).mean() / moved.var() ** 2
    yield "relaxation kurtosis at 1e6 s", 5.5, kurtosis, 0.5


def drift(lab: Lab) -> Iterable[Row]:
    lab.load(50.0)
    moved = lab.cells.filament(INDEX, 1e6) - lab.cells.filament(INDEX, 1e-3)
    yield "mean drift of 50 uS, 1 ms to 1e6 s (uS)", -1.8, moved.mean() * 1e6, 0.05


def read_noise(lab: Lab) -> Iterable[Row]:
    lab.load(50.0)
    quiet = lab.composite()
    reads = [lab.cells.read(INDEX, 0.2, 3.3, 1e4 * k, 1e-3, 0.0, lab.rng) * 1e6 for k in range(1, 9)]
    composite = float(np.std(np.array(reads) - quiet))
    # The listed figure adds the filament's noise, before the transistor, to the system's.
    slope = float(np.mean(_composite_at(lab, 50.5) - _composite_at(lab, 49.5)))
    filament = np.sqrt(composite**2 - SYSTEM_NOISE**2) / slope
    yield (
        "read noise, 50 uS, 1 ms, filament + system (uS)",
        0.22,
        float(np.hypot(filament, SYSTEM_NOISE)),
        0.005,
    )
    print(f"(the same as seen in G_read, through the transistor: {composite:.3f} uS)")


def _composite_at(lab: Lab, g_us: float) -> Values:
    lab.load(g_us)
    return lab.composite()


def show(rows: Iterable[Row]) -> int:
    misses = 0
    for what, listed, ours, digit in rows:
        # A listed figure is known to half of its last digit, no better.
        ok = abs(ours - listed) <= GOAL * abs(listed) + digit
        misses += not ok
        print(f"{what:<62} {listed:>8.4g} {ours:>9.4g} {ours / listed:>7.3f} {'' if ok else '  MISSES'}")
    return misses


def main() -> int:
    print(f"{'goal: within 10 %':<62} {'listed':>8} {'ours':>9} {'ratio':>7}")
    lab = Lab({})
    misses = 0
    pulsed = (gate_staircase, one_shot_spread, reset_ladder, amplitude_ladder, identical_pulses, widths)
    for experiment in (*pulsed, relaxation, drift):
        misses += show(experiment(lab))
    misses += show(read_disturb(Lab(STILL))) + show(onset(Lab(STILL)))
    misses += show(read_noise(Lab(STILL | NO_TELEGRAPH)))
    print(f"{misses} figures miss the goal")
    return 0


if __name__ == "__main__":
    sys.exit(main())
