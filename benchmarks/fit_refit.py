"""Refit simulated macros with hidden parameters, and count how often the 95 % intervals hold the truth.

Each trial draws a hidden device around the default one, measures it (gate staircase, SL ladder and width
sweep twice over; I-V; an hour of readings), fits, and looks. Goal: 90 to 98 % of all intervals.

    python benchmarks/fit_refit.py [--trials 40]
"""

import argparse
from collections import defaultdict
from collections.abc import Callable

import numpy as np

from sim_backend.fit.conduction import Curves
from sim_backend.fit.experiment import Experiment
from sim_backend.fit.fitting import Settings, fit
from sim_backend.fit.parameter import Parameter, changed
from sim_backend.fit.pulses import Pulses, ReadSetting
from sim_backend.fit.relaxation import Relaxing
from sim_backend.fit.synthetic import curve_table, pulse_table, relaxation_table, staircases
from sim_backend.preset import Preset

SETTING = ReadSetting()
GOOD = {"yields.unformable": 0.0, "yields.stuck_lrs": 0.0, "yields.reduced": 0.0}
SWITCHING = {
    "kinetics.set_v0": 0.05,
    "kinetics.set_slope": 0.15,
    "kinetics.reset_v0": 0.05,
    "kinetics.reset_slope": 0.15,
    "kinetics.v_activation": 0.15,
    "variation.set_device": 0.3,
    "variation.reset_device": 0.3,
    "variation.set_cycle": 0.3,
    "variation.reset_cycle": 0.3,
}
RELAXING = {
    "relaxation.variance_per_decade": 0.4,
    "relaxation.spread": 0.3,
    "relaxation.drift": 0.05,
    "noise.white_current": 0.3,
}
CURVES = {"conduction.chi0": 0.2, "conduction.g_chi": 0.2, "variation.chi_device": 0.3}
Maker = Callable[[Preset, np.random.Generator], Experiment]


def switching(hidden: Preset, rng: np.random.Generator) -> Experiment:
    table = pulse_table(hidden, 128, staircases(), SETTING, rng)
    return Pulses(table, SETTING, np.zeros(len(table), bool), least=100)


def relaxing(hidden: Preset, rng: np.random.Generator) -> Experiment:
    times = np.array([0.1, 1.0, 10.0, 100.0, 3600.0])
    table = relaxation_table(hidden, 512, times, SETTING, rng)
    bands = 1e-6 * np.array([15.0, 30.0, 45.0, 60.0, 80.0])
    return Relaxing(table, SETTING, np.zeros(len(table), bool), bands)


def curves(hidden: Preset, rng: np.random.Generator) -> Experiment:
    table = curve_table(hidden, 512, np.array([0.1, 0.2, 0.3, 0.35]), SETTING, rng)
    return Curves(table, SETTING, np.zeros(len(table), bool), 1e-6 * np.array([8.0, 20.0, 40.0, 60.0, 90.0]))


def trial(base: Preset, widths: dict[str, float], make: Maker, seed: int) -> dict[str, tuple[bool, float]]:
    """Return, by parameter, whether its interval holds the truth, and its z."""
    rng = np.random.default_rng([seed, 404])
    parameters = [Parameter(name, width) for name, width in widths.items()]
    truth = {p.name: p.decode(p.encode(p.read(base)) + p.prior * rng.standard_normal()) for p in parameters}
    experiment = make(changed(base, truth), rng)
    found = fit(base, [experiment], parameters, Settings(copies=3, rounds=6, resamplings=100, seed=seed))
    held = {}
    for p, e in zip(parameters, found.estimates, strict=True):
        sd = (p.encode(e.high) - p.encode(e.low)) / 3.92
        z = (p.encode(e.value) - p.encode(truth[p.name])) / sd
        held[p.name] = (e.low <= truth[p.name] <= e.high, z)
    return held


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=40)
    trials = parser.parse_args().trials
    base = Preset.load("taox180").override(GOOD)
    found: dict[str, list[tuple[bool, float]]] = defaultdict(list)
    for widths, make in ((SWITCHING, switching), (RELAXING, relaxing), (CURVES, curves)):
        for seed in range(trials):
            for name, held in trial(base, widths, make, seed).items():
                found[name].append(held)
    print(f"{'parameter':34s} {'inside 95 %':>12s} {'sd of z':>8s} {'mean z':>8s}   ({trials} trials)")
    for name, rows in found.items():
        z = np.array([r[1] for r in rows])
        print(f"{name:34s} {np.mean([r[0] for r in rows]):12.1%} {z.std():8.2f} {z.mean():+8.2f}")
    everything = [r[0] for rows in found.values() for r in rows]
    share = float(np.mean(everything))
    error = np.sqrt(share * (1.0 - share) / len(everything))
    print(f"{'all':34s} {share:12.1%} +- {error:.1%}   goal 90 to 98 %: {0.90 <= share <= 0.98}")


if __name__ == "__main__":
    main()
