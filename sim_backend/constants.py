"""Gather the numbers that the compiled kernels need at one temperature."""

import math
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim_backend.preset import Preset
from sim_backend.technology import Relaxation

FloatArray = NDArray[np.float64]

BOLTZMANN = 8.617333e-5
"""Boltzmann constant (eV/K)."""

T_REFERENCE = 298.15
"""Temperature (K) to which the state of every cell refers."""


class Constants(NamedTuple):
    """Hold the constants of the kernels, SI units, at one temperature."""

    chi: float
    g_chi: float
    v_nl_squared: float
    t_delta: float
    tc_conductance: FloatArray
    tc_per_kelvin: FloatArray
    beta: float
    vt0: float
    lam: float
    gamma: float
    phi: float
    series_ohm: float
    sl_ohm: float
    rate: float
    v_activation: float
    set_v0: float
    set_slope: float
    set_power: float
    set_onset: float
    set_onset_g: float
    reset_v_activation: float
    reset_v0: float
    reset_slope: float
    reset_onset: float
    reset_power: float
    reset_v_min: float
    reset_gain: float
    g_ref: float
    g_floor: float
    g_ceil: float
    set_cycle: float
    reset_cycle: float
    increment_cycle: float
    g_fresh: float
    form_per_decade: float
    form_reference: float
    g_formed: float
    stuck_current: float
    stuck_probability: float
    relax_variance: float
    relax_peak: float
    relax_h_min: float
    quiet_above: float
    quiet_variance: float
    relax_tau_slow: float
    redraw_full: float
    drift: float
    drift_reference: float
    drift_g_high: float
    drift_low: float
    drift_g_low: float
    curve_g: FloatArray
    curve_core: FloatArray
    curve_down: FloatArray
    curve_up: FloatArray
    curve_loss: FloatArray
    jump_up: float
    loss_rate: float
    noise_relative: float
    noise_reference: float
    noise_tau_slow: float
    wear_after: float
    wear_per_decade: float
    wear_swing: float


def arrhenius(energy_ev: float, temperature: float, reference: float = T_REFERENCE) -> float:
    """Return exp(-(Ea/k)(1/T - 1/Tref)): the speed-up from `reference` to `temperature` (K)."""
    return math.exp(-energy_ev / BOLTZMANN * (1.0 / temperature - 1.0 / reference))


def constants(preset: Preset, temperature: float) -> Constants:
    """Return the kernel constants of `preset` at `temperature` (K)."""
    p = preset
    values: dict[str, Any] = {
        "tc_conductance": np.array(p.retention.tc_conductance),
        "tc_per_kelvin": np.array(p.retention.tc_per_kelvin),
        "chi": p.conduction.chi0 * p.conduction.chi_scale,
        "v_nl_squared": p.conduction.v_limit**2,
        "t_delta": temperature - T_REFERENCE,
        "beta": p.transistor.kp * p.transistor.w_over_l,
        "reset_v_activation": p.kinetics.reset_v_activation or p.kinetics.v_activation,
        "rate": p.kinetics.rate * arrhenius(p.kinetics.activation_ev, temperature),
        "relax_tau_slow": _slowest_tau(p, temperature),
        "loss_rate": p.retention.loss_rate
        * arrhenius(p.retention.loss_ev, temperature, p.retention.loss_temperature),
        "noise_relative": p.noise.relative / math.sqrt(p.noise.effective_decades),
        "noise_tau_slow": p.noise.tau_min * 10.0 ** (p.noise.decades - 1),
    }
    return Constants(**(_direct(p) | values | _curves(p.relaxation)))


def _curves(r: Relaxation) -> dict[str, FloatArray]:
    # A normal number beyond a threshold is a jump: thresholds, negative and positive, from the shares.
    share = np.clip(r.jump_share, 1e-9, 0.98)
    down = [-_quantile(s * (1.0 - r.jump_up_part)) for s in share]
    up = [-_quantile(s * r.jump_up_part) for s in share]
    curves = {"curve_g": r.curve_conductance, "curve_core": r.curve_core, "curve_loss": r.jump_down}
    curves |= {"curve_down": tuple(down), "curve_up": tuple(up)}
    return {name: np.array(values, np.float64) for name, values in curves.items()}


def _quantile(share: float) -> float:
    return NormalDist().inv_cdf(min(max(share, 1e-12), 0.499))


def _slowest_tau(p: Preset, temperature: float) -> float:
    slowest = p.relaxation.tau_min * 10.0 ** (p.relaxation.decades - 1)
    return slowest / arrhenius(p.retention.tau_ev, temperature)


_RENAMED = {
    "variation": {},
    "conduction": {},
    "transistor": {},
    "kinetics": {},
    "retention": {},
    "forming": {"v_per_decade": "form_per_decade", "t_reference": "form_reference", "g_after": "g_formed"},
    "relaxation": {"variance_per_decade": "relax_variance", "peak": "relax_peak", "h_min": "relax_h_min"},
    "noise": {"g_reference": "noise_reference"},
    "wear": {"after_cycles": "wear_after", "shift_per_decade": "wear_per_decade", "full_swing": "wear_swing"},
}


def _direct(p: Preset) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for section, renamed in _RENAMED.items():
        for key, value in vars(getattr(p, section)).items():
            name = renamed.get(key, key)
            if name in Constants._fields:
                found[name] = value
    return found
