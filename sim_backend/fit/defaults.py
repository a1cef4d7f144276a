"""Say what is fitted to which kind of table when nothing else is asked, and from where it starts."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from sim_backend.fit.conduction import Curves
from sim_backend.fit.experiment import Experiment
from sim_backend.fit.pulses import Pulses
from sim_backend.fit.relaxation import Relaxing
from sim_backend.preset import Preset

SET = (
    "transistor.kp",
    "transistor.vt0",
    "transistor.lam",
    "transistor.series_ohm",
    "kinetics.rate",
    "kinetics.v_activation",
    "kinetics.set_v0",
    "kinetics.set_slope",
    "kinetics.set_power",
    "kinetics.set_onset",
    "kinetics.set_onset_g",
    "variation.set_device",
    "variation.vt_device",
    "variation.increment_cycle",
    "variation.series_device",
)
RESET = (
    "transistor.gamma",
    "transistor.sl_ohm",
    "kinetics.reset_v0",
    "kinetics.reset_slope",
    "kinetics.reset_v_activation",
    "kinetics.reset_onset",
    "kinetics.reset_power",
    "kinetics.reset_gain",
    "kinetics.g_floor",
    "variation.reset_device",
)
REPEATED = ("variation.set_cycle", "variation.reset_cycle")
STEPS = (
    "transistor.kp",
    "transistor.vt0",
    "transistor.lam",
    "transistor.series_ohm",
    "transistor.gamma",
    "kinetics.v_activation",
    "kinetics.set_v0",
    "kinetics.set_slope",
    "kinetics.set_power",
    "kinetics.reset_v0",
    "kinetics.reset_slope",
    "kinetics.g_floor",
    "variation.set_device",
    "variation.reset_device",
    "variation.vt_device",
    "variation.series_device",
    "variation.increment_cycle",
)
"""What the step by step record of a run tells of cells that switch gradually; onsets are for who asks."""
LAW = (
    "relaxation.variance_per_decade",
    "relaxation.spread",
    "relaxation.drift",
    "noise.white_current",
)
"""What some hundreds of cells tell of relaxation; `CELLS` and more tell curves over the conductance."""
CELLS = 4000
RELAXATION = (
    "relaxation.curve_core",
    "relaxation.jump_share",
    "relaxation.jump_down",
    "relaxation.jump_up",
    "relaxation.jump_up_part",
    "relaxation.spread",
    "relaxation.drift",
    "relaxation.drift_low",
    "noise.white_current",
)
CONDUCTION = (
    "conduction.chi0",
    "conduction.g_chi",
    "variation.chi_device",
    "noise.white_current",
)

_SWITCHED_ON = {
    "kinetics.set_onset": 0.1,
    "kinetics.reset_onset": 0.2,
    "kinetics.reset_gain": 0.8,
    "transistor.sl_ohm": 5e3,
    "relaxation.jump_up": 4e-6,
}
_UP_PART, _LOSS, _SPREAD = 0.4, 0.15, 0.2
_FEW, _FAR = 20, 4.0


def parameters_for(experiments: Sequence[Experiment], preset: Preset) -> list[str]:
    """Return the names of what is fitted to tables by default, from this preset on."""
    names: list[str] = []
    for e in experiments:
        names += [name for name in _of(e, preset) if name not in names]
    return names


def _of(experiment: Experiment, preset: Preset) -> tuple[str, ...]:
    if isinstance(experiment, Relaxing):
        few = int(experiment.cells.max()) < CELLS and preset.relaxation.curve_conductance[-1] == 0.0
        return LAW if few else RELAXATION
    if isinstance(experiment, Curves):
        return CONDUCTION[:-1] if experiment.quiet else CONDUCTION
    assert isinstance(experiment, Pulses)
    if "part" in experiment.table.columns:
        return STEPS + (REPEATED if experiment.repeated else ())
    drive = experiment.table["v_bl"] - experiment.table["v_sl"]
    names = (SET if np.any(drive > 0.0) else ()) + (RESET if np.any(drive < 0.0) else ())
    return names + (REPEATED[:1] if np.any(drive > 0.0) and experiment.repeated else ())


def switched_on(preset: Preset, names: Sequence[str], experiments: Sequence[Experiment]) -> dict[str, Any]:
    """Return changes that give terms which are off in the preset, and are to be fitted, a start."""
    changes: dict[str, Any] = {}
    for name in names:
        section, _, key = name.partition(".")
        if name in _SWITCHED_ON and getattr(getattr(preset, section), key) == 0.0:
            changes[name] = _SWITCHED_ON[name]
    if "kinetics.reset_v_activation" in names and preset.kinetics.reset_v_activation == 0.0:
        changes["kinetics.reset_v_activation"] = preset.kinetics.v_activation
    if "relaxation.curve_core" in names and preset.relaxation.curve_conductance[-1] == 0.0:
        changes |= _curves(next(e for e in experiments if isinstance(e, Relaxing)))
    return changes


def _curves(e: Relaxing) -> dict[str, Any]:
    """Return curves over the middles of the bands: cores from early changes, jumps from late ones."""
    starts = [_core_and_share(e, k) for k in range(len(e.bands) - 1)]
    many = len(starts)
    return {
        "relaxation.curve_conductance": tuple(0.5 * (e.bands[1:] + e.bands[:-1])),
        "relaxation.curve_core": tuple(core for core, _ in starts),
        "relaxation.jump_share": tuple(share for _, share in starts),
        "relaxation.jump_down": (_LOSS,) * many,
        "relaxation.jump_up": _SWITCHED_ON["relaxation.jump_up"],
        "relaxation.jump_up_part": _UP_PART,
        "relaxation.spread": _SPREAD,
        "relaxation.drift": 0.0,
        "relaxation.drift_low": 0.0,
    }


def _core_and_share(e: Relaxing, k: int) -> tuple[float, float]:
    mine = (np.digitize(e.table["programmed"], e.bands) - 1 == k) & ~e.held
    times = np.unique(e.nominal[~e.held])
    early, late = (e.measured()[mine & (e.nominal == t)] for t in (times[0], times[-1]))
    if min(len(early), len(late)) < _FEW:
        return 0.3e-6, 0.01
    low, high = np.quantile(early, [0.25, 0.75])
    sigma = max(float(high - low) / 1.349, 0.1e-6)
    first, last = (np.log10(1.0 + t / e.setting.delay) for t in (times[0], times[-1]))
    share = float(np.mean(np.abs(late) > _FAR * sigma)) / last
    return 0.7 * sigma / float(np.sqrt(first)), min(max(share, 0.003), 0.4)
