"""Draw the frozen differences between cells: device-to-device spread, bad cells, telegraph noise."""

import numpy as np
from numpy.typing import NDArray

from sim_backend.cells import GOOD, STUCK_LRS, UNFORMABLE, ByteArray, Cells, FloatArray, HalfArray
from sim_backend.preset import Preset


def draw_cells(preset: Preset, n: int, rng: np.random.Generator) -> Cells:
    """Draw `n` pristine, unformed cells of a technology."""
    v, f = preset.variation, preset.forming
    amplitude, tau = _telegraph(preset, n, rng)
    status = _status(preset, n, rng)
    shorted = status == STUCK_LRS
    stuck = preset.yields.stuck_conductance * _lognormal(preset.yields.stuck_spread, n, rng)
    return Cells(
        conductance=np.where(shorted, stuck, f.g_fresh).astype(np.float64),
        anchor=np.zeros(n),
        cycles=np.zeros(n),
        noise_at=np.zeros(n),
        bank=np.zeros((n, preset.relaxation.decades), np.float32),
        noise=rng.standard_normal((n, preset.noise.decades), np.float32),
        telegraph=amplitude,
        telegraph_tau=tau,
        telegraph_state=np.where(rng.random(n) < 0.5, 1, -1).astype(np.int8),
        status=status,
        fresh=np.where(shorted, 0, 1).astype(np.uint8),
        set_factor=_lognormal(v.set_device, n, rng),
        reset_factor=_lognormal(v.reset_device, n, rng),
        vt=_normal(preset.transistor.vt0, v.vt_device, n, rng),
        chi_factor=np.maximum(_normal(1.0, v.chi_device, n, rng), 0.0),
        series=_series(preset, n, rng),
        v_form=_normal(f.v_mean, f.v_sigma, n, rng),
        ceil_factor=_ceil(preset, n, rng),
        spread=_unit_variance(preset.relaxation.spread, n, rng),
    )


def delivered_conductance(preset: Preset, n: int, rng: np.random.Generator) -> FloatArray:
    """Draw the conductance (S) of `n` cells formed and RESET to the HRS."""
    d = preset.delivery
    # Two sigma is where whoever delivers would have pulsed again.
    z = np.clip(rng.standard_normal(n), -2.0, 2.0)
    return np.asarray(d.g_median * np.exp(d.g_spread * z))


def _normal(mean: float, sigma: float, n: int, rng: np.random.Generator) -> HalfArray:
    return np.asarray(mean + sigma * rng.standard_normal(n, np.float32), np.float32)


def _series(preset: Preset, n: int, rng: np.random.Generator) -> HalfArray:
    spread = np.maximum(_normal(1.0, preset.variation.series_device, n, rng), 0.1)
    return np.asarray(preset.transistor.series_ohm * spread, np.float32)


def _lognormal(sigma: float, n: int, rng: np.random.Generator) -> HalfArray:
    return np.asarray(np.exp(sigma * rng.standard_normal(n, np.float32)), np.float32)


def _unit_variance(sigma: float, n: int, rng: np.random.Generator) -> HalfArray:
    # "Mean-corrected": the mean square is 1, so that the variance law keeps its constant C1.
    return np.asarray(_lognormal(sigma, n, rng) * np.exp(-(sigma**2)), np.float32)


def _status(preset: Preset, n: int, rng: np.random.Generator) -> ByteArray:
    y = preset.yields
    u = rng.random(n)
    status = np.full(n, GOOD, np.uint8)
    status[u < y.unformable] = UNFORMABLE
    status[(u >= y.unformable) & (u < y.unformable + y.stuck_lrs)] = STUCK_LRS
    return status


def _ceil(preset: Preset, n: int, rng: np.random.Generator) -> HalfArray:
    # "Lognormal 0.4 of nominal" is read as median 0.4 with a log spread of 0.4: the harder reading.
    y = preset.yields
    reduced: NDArray[np.bool_] = rng.random(n) < y.reduced
    low = y.reduced_ceil * _lognormal(y.reduced_spread, n, rng)
    return np.where(reduced, np.minimum(low, 1.0), 1.0).astype(np.float32)


def _telegraph(preset: Preset, n: int, rng: np.random.Generator) -> tuple[HalfArray, HalfArray]:
    t = preset.telegraph
    u = rng.random(n)
    common = t.amplitude * _lognormal(t.spread, n, rng)
    strong = rng.uniform(t.strong_min, t.strong_max, n)
    amplitude = np.where(
        u < t.strong_fraction, strong, np.where(u < t.strong_fraction + t.fraction, common, 0.0)
    )
    tau = t.tau_min * (t.tau_max / t.tau_min) ** rng.random(n)
    return amplitude.astype(np.float32), tau.astype(np.float32)
