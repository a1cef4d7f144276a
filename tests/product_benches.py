"""Hidden benches for products and transistors: their truth, and a read chain known as well as can be."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from calibration.procedure import Found, Procedure
from rramlab.corrections.correction import Correction
from rramlab.corrections.record import Record
from rramlab.pulse import Columns
from sim_backend.backend import SimBackend
from sim_backend.options import ErrorOptions, Options

FloatArray = NDArray[np.float64]
UNITS = {
    "dac_gain": "1",
    "dac_offset": "V",
    "dac_inl": "1",
    "adc_gain": "1",
    "adc_offset": "A",
    "adc_inl": "1",
    "white_current": "A",
}
SPREAD = (2e-4, 2e-5, 2e-5, 3e-4, 2e-9, 3e-5, 2e-10)
COMMON = 1.4e-4
"""Standard uncertainty of the gain of all columns together, as a source meter leaves it."""


def hidden(
    seed: int, rows: int, cols: int, low: float = 20e-6, high: float = 100e-6, macros: int = 1
) -> SimBackend:
    """Return a bench of hidden errors whose good cells conduct `low` to `high` (S), ten minutes old."""
    options = Options(macros=macros, rows=rows, cols=cols, chip=seed + 1000, errors=ErrorOptions(seed=seed))
    backend, rng = SimBackend(options, seed=seed), np.random.default_rng([seed, 5])
    cells = backend.array.population
    cells.load(rng.uniform(low, high, len(cells)), rng, -600.0, cells.cells.status == 0)
    return backend


def read_chain(backend: SimBackend, seed: int, share: float = 1.0) -> Record:
    """Return a record 'readout' that is off the truth as its covariance says, or by a share of that."""
    e = backend.errors
    assert e is not None
    mean = 1.0 + e.dac.gain.mean(axis=1, keepdims=True)
    truth = (
        (1.0 + e.dac.gain) / mean - 1.0,
        e.dac.offset / mean,
        e.dac.inl / mean,
        (1.0 + e.adc_read.gain) * mean - 1.0,
        e.adc_read.offset,
        e.adc_read.inl,
        np.array(backend.array.population.preset.noise.white_current),
    )
    sizes = [value.size for value in truth]
    own = share * np.repeat(SPREAD, sizes)
    common = share * np.repeat([COMMON if name == "adc_gain" else 0.0 for name in UNITS], sizes)
    rng = np.random.default_rng([seed, 77])
    off = own * rng.standard_normal(own.size) + common * rng.standard_normal()
    parts = np.split(off, np.cumsum(sizes)[:-1])
    values = {name: v + d.reshape(v.shape) for name, v, d in zip(UNITS, truth, parts, strict=True)}
    return Record("readout", values, UNITS, np.diag(own**2) + np.outer(common, common), {}, 0.0, 1e9)


def measured(procedure: Procedure, backend: SimBackend, readout: Record) -> list[Columns]:
    """Return all parts, measured through a door that knows the read chain."""
    backend.correction = Correction({"readout": readout})
    with backend:
        return [procedure.measure(backend, part) for part in range(procedure.parts(backend))]


def recorded(found: Found, kind: str) -> Record:
    """Return what was found as a record."""
    return Record(kind, found.values, found.units, found.covariance, {}, 0.0, 1e9, found.conditions)


def off_by(record: Record, truth: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """Return by how many standard uncertainties each value is off the truth."""
    return {name: ((record[name] - truth[name]) / record.uncertainty(name)).ravel() for name in truth}


def true_product(backend: SimBackend) -> dict[str, FloatArray]:
    """Return the truth about products, in the gauge of the records."""
    e = backend.errors
    assert e is not None
    mean = 1.0 + e.dac.gain.mean(axis=1, keepdims=True)
    wide = e.adc_product
    lines = np.array(backend.array.r_line), np.array(backend.array.r_switch)
    found = ((1.0 + wide.gain) * mean - 1.0, wide.offset, wide.inl, *lines)
    return dict(zip(("adc_gain", "adc_offset", "adc_inl", "r_line", "r_switch"), found, strict=True))


def true_transistor(backend: SimBackend) -> dict[str, FloatArray]:
    """Return the truth about the transistors of the chip, the third number at a gate of 3.3 V."""
    c = backend.array.population.constants
    ohm = 1.0 / (c.beta * (3.3 - c.vt0))
    return {"beta": np.array(c.beta), "vt": np.array(c.vt0), "on_resistance": np.array(ohm)}
