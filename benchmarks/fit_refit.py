"""Refit simulated macros with hidden parameters from the bench's own protocols; count where the truth lies.

Each trial draws a hidden device around the default one and lets the commands measure it through the door, bad
cells and all: `response` (gate staircase, SL ladder, width sweep), `iv` below switching, `retention` for an
hour. All are fitted together. Goal: the 95 % intervals hold the truth in 90 to 98 % of all cases.

    python benchmarks/fit_refit.py [--trials 30] [--first 0] [--keep trials.jsonl]

With --keep each trial is written down when it ends, and those that stand there are not done again: so a run
that was cut off goes on, and two processes share the work with --first.
"""

import argparse
import json
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import numpy as np

from protocols.iv.request import Request as IvRequest
from protocols.iv.run import carry_out as sweep
from protocols.response.request import Request as ResponseRequest
from protocols.response.run import carry_out as respond
from protocols.retention.request import Request as RetentionRequest
from protocols.retention.run import carry_out as watch
from rramlab.bench import embedded
from rramlab.session import Session
from rramlab.terminal import Terminal
from sim_backend.fit.experiment import Experiment
from sim_backend.fit.fitting import Settings, fit
from sim_backend.fit.parameter import Parameter, changed
from sim_backend.fit.plan import TablePlan
from sim_backend.fit.record import preset_text
from sim_backend.fit.stages import GOOD_CELLS
from sim_backend.preset import Preset

HIDDEN = {
    "transistor.kp": 0.1,
    "transistor.vt0": 0.03,
    "kinetics.set_v0": 0.05,
    "kinetics.set_slope": 0.15,
    "kinetics.reset_v0": 0.05,
    "kinetics.reset_slope": 0.15,
    "kinetics.v_activation": 0.15,
    "variation.set_device": 0.3,
    "variation.reset_device": 0.3,
    "variation.set_cycle": 0.3,
    "variation.reset_cycle": 0.3,
    "relaxation.variance_per_decade": 0.4,
    "relaxation.spread": 0.3,
    "relaxation.drift": 0.05,
    "noise.white_current": 0.3,
    "conduction.chi0": 0.2,
    "conduction.g_chi": 0.2,
    "variation.chi_device": 0.3,
}
"""What is hidden and fitted, and how far it is drawn from the default (of ln(value); the drift in uS)."""
BESIDE = {"transistor.series_ohm": 0.2}
"""Fitted as well, but not judged: it takes up the lines of the array, which the preset does not know."""
CELLS, WATCHED = "r0-3,c0-31", "r8-15,c0-31"
RESPONSE = ResponseRequest(
    cells=CELLS,
    gates=(1.1, 1.4, 1.9),
    ladder=(0.9, 1.3, 1.8),
    widths=(1e-7, 1e-5),
)
QUIET_IV = IvRequest(CELLS, 1, v_set=0.2, gate_set=3.3, v_reset=0.2, skip=0)
HOUR = RetentionRequest(WATCHED, reads=12, first=0.3, last=3600.0)
SETTINGS = {"copies": 3, "rounds": 14, "resamplings": 100}


def drawn(base: Preset, seed: int) -> dict[str, float]:
    """Return the hidden numbers of a trial."""
    rng = np.random.default_rng([seed, 404])
    parameters = [Parameter(name, width) for name, width in HIDDEN.items()]
    return {p.name: p.decode(p.encode(p.read(base)) + p.prior * rng.standard_normal()) for p in parameters}


def measured(hidden: Preset, seed: int, folder: Path) -> list[Experiment]:
    """Return what the bench's commands measure of a device."""
    (folder / "hidden.toml").write_text(preset_text(hidden, [], "hidden"))
    text = embedded().replace('preset = "taox180"', f'preset = "{folder / "hidden.toml"}"')
    (folder / "bench.toml").write_text(text.replace("chip = 1", f"chip = {seed + 1}"))
    session = Session(folder / "bench.toml", Terminal(quiet=True))
    with ExitStack() as pages:  # nobody looks at them
        for command in ("response", "iv", "retention"):
            pages.enter_context(patch(f"protocols.{command}.run.draw"))
        respond(session, RESPONSE, folder / "response", None, None, seed)
        sweep(session, QUIET_IV, folder / "iv", None, folder / "response", seed)
        watch(session, HOUR, folder / "hour", None, None, seed)
    return [TablePlan(run=name, least=50).load(folder) for name in ("response", "iv", "hour")]


def trial(seed: int) -> dict[str, Any]:
    """Return truth, estimate and standard deviation (coordinates), and whether it is inside, by parameter."""
    base = Preset.load("taox180")
    truth = drawn(base, seed)
    with TemporaryDirectory() as place:
        experiments = measured(changed(base, truth), seed, Path(place))
    parameters = [Parameter(name, width) for name, width in (HIDDEN | BESIDE).items()]
    found = fit(base.override(GOOD_CELLS), experiments, parameters, Settings(**SETTINGS, seed=seed))
    held = {}
    for p, e in zip(parameters, found.estimates, strict=True):
        if p.name in truth:
            sd = (p.encode(e.high) - p.encode(e.low)) / 3.92
            off = p.encode(e.value) - p.encode(truth[p.name])
            held[p.name] = {
                "inside": bool(e.low <= truth[p.name] <= e.high),
                "off": float(off),
                "sd": float(sd),
            }
    return {"seed": seed, "misfit": found.misfit, "rounds": found.rounds, "held": held}


def trials(first: int, count: int, keep: Path | None) -> list[dict[str, Any]]:
    """Return so many trials; those that `keep` holds are not done again."""
    lines = keep.read_text().splitlines() if keep is not None and keep.exists() else []
    done = {row["seed"]: row for row in map(json.loads, lines)}
    for seed in range(first, count):
        if seed not in done:
            done[seed] = trial(seed)
            if keep is not None:
                with keep.open("a") as file:
                    file.write(json.dumps(done[seed]) + "\n")
    return [done[seed] for seed in sorted(done)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=30)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--keep", type=Path)
    asked = parser.parse_args()
    rows = trials(asked.first, asked.trials, asked.keep)
    print(f"{'parameter':34s} {'inside 95 %':>12s} {'sd of z':>8s} {'mean z':>8s} {'sd / prior':>10s}")
    for name, width in HIDDEN.items():
        mine = [row["held"][name] for row in rows]
        z, sd = np.array([m["off"] / m["sd"] for m in mine]), np.array([m["sd"] for m in mine])
        share = np.mean([m["inside"] for m in mine])
        print(f"{name:34s} {share:12.1%} {z.std():8.2f} {z.mean():+8.2f} {np.median(sd) / width:10.2f}")
    everything = [m["inside"] for row in rows for m in row["held"].values()]
    share = float(np.mean(everything))
    error = np.sqrt(share * (1.0 - share) / len(everything))
    print(f"{'all':34s} {share:12.1%} +- {error:.1%}   goal 90 to 98 %: {0.90 <= share <= 0.98}")
    print(f"{len(rows)} macros, {len(everything)} cases; misfit {np.median([r['misfit'] for r in rows]):.2f}")


if __name__ == "__main__":
    main()
