"""Benches with hidden errors, calibrated in memory, and the truth that this should have found."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calibration.procedure import Procedure
from calibration.readout.procedure import Readout
from rramlab.cells import Cells
from rramlab.corrections.correction import Correction
from rramlab.corrections.record import Record
from rramlab.pulse import Columns
from rramlab.reading import ReadSpec
from sim_backend.backend import SimBackend
from sim_backend.options import ErrorOptions, Options

FloatArray = NDArray[np.float64]

READING = ReadSpec()
DAY = 86400.0


def hidden_bench(seed: int, rows: int = 8, cols: int = 12, macros: int = 1, **options: Any) -> SimBackend:
    """Return a bench with hidden errors and a chip of its own."""
    errors = ErrorOptions(seed=seed)
    whole = Options(macros=macros, rows=rows, cols=cols, chip=seed + 1, errors=errors, **options)
    return SimBackend(whole, seed=seed)


def measured(backend: SimBackend, procedure: Procedure, known: dict[str, Record]) -> list[Columns]:
    """Return the parts of a procedure; the door corrects by what is known meanwhile."""
    backend.correction = Correction(known)
    return [procedure.measure(backend, part) for part in range(procedure.parts(backend))]


def recorded(
    procedure: Procedure,
    parts: Sequence[Columns],
    known: dict[str, Record],
    serial: str = "",
    made: float = 0.0,
) -> Record:
    """Return the record of what was measured."""
    found = procedure.evaluate(parts, known)
    return Record(
        procedure.name,
        found.values,
        found.units,
        found.covariance,
        {"board": serial},
        made,
        DAY,
        found.conditions,
        found.residuals,
    )


def calibrated(backend: SimBackend, procedure: Readout | None = None) -> tuple[list[Columns], Record]:
    """Return what was measured of a read chain, and its record."""
    procedure = Readout(READING, prepare=True) if procedure is None else procedure
    with backend:
        parts = measured(backend, procedure, {})
    return parts, recorded(procedure, parts, {}, backend.identify()["board"])


def truth(backend: SimBackend) -> dict[str, FloatArray]:
    """Return the hidden errors in the gauge of a record: mean gain of a macro's drivers zero."""
    e = backend.errors
    assert e is not None
    mean = e.dac.gain.mean(axis=1, keepdims=True)
    scale = 1.0 + mean
    return {
        "dac_gain": (e.dac.gain - mean) / scale,
        "dac_offset": e.dac.offset / scale,
        "dac_inl": e.dac.inl / scale,
        "adc_gain": (1.0 + e.adc_read.gain) * scale - 1.0,
        "adc_offset": e.adc_read.offset,
        "adc_inl": e.adc_read.inl,
        "white_current": np.array(backend.array.population.preset.noise.white_current),
    }


def deviations(backend: SimBackend, record: Record) -> dict[str, FloatArray]:
    """Return how far each value of a record lies from the truth, in its standard uncertainties."""
    return {
        name: np.ravel((record[name] - value) / record.uncertainty(name))
        for name, value in truth(backend).items()
    }


def reported(backend: SimBackend, cells: Cells, conductance_at: FloatArray, volts: FloatArray) -> FloatArray:
    """Return what the board would report (S) of paths without noise."""
    assert backend.errors is not None
    macro = cells.row // backend.macro_shape[0]
    current = volts * conductance_at
    return backend.errors.adc_read.convert(current, macro, cells.col) / READING.v_read


def conductance_errors(
    backend: SimBackend, records: dict[str, Record]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return corrected minus true, uncorrected minus true, and true conductance (S) of cells of 20 to 100 uS.

    No reading is noisy here: what is left is the calibration's.
    """
    assert backend.errors is not None
    cells = Cells.of_shape(backend.shape)
    rng, population = np.random.default_rng(1), backend.array.population
    population.load(rng.uniform(22e-6, 125e-6, len(cells)), rng, backend.now())
    index = np.arange(len(cells))
    rows = backend.macro_shape[0]
    volts = backend.errors.dac.convert(READING.v_read, cells.row // rows, cells.row % rows)
    true = backend.array.conductance(index, READING.v_read, READING.gate, backend.now())
    met = backend.array.conductance(index, volts, READING.gate, backend.now())
    raw = reported(backend, cells, met, volts)
    found = Correction(records).conductance(cells, READING, raw)
    inside = (true > 20e-6) & (true < 100e-6)
    return (found - true)[inside], (raw - true)[inside], true[inside]
