"""Cells for calibration: every line has low and high ones, and nothing is overwritten unasked."""

import numpy as np
import pytest

from calibration.cells import BANDS, LEVELS, Pattern, make_ready, reading_of, within
from rramlab.cells import Cells
from rramlab.errors import CalibrationError
from rramlab.reading import ReadSpec
from sim_backend.backend import SimBackend
from sim_backend.options import Options

READING = ReadSpec()


@pytest.mark.parametrize("shape", [(32, 32), (8, 8), (16, 12), (12, 20), (32, 8)])
def test_every_line_has_its_share_of_low_and_high_cells(shape: tuple[int, int]) -> None:
    pattern = Pattern(*shape)
    plane = pattern.targets()
    for axis in (0, 1):
        assert np.isfinite(plane).sum(axis=axis).min() >= min(7, *shape)
        for level in LEVELS:
            assert (plane == level).sum(axis=axis).min() >= 2
    assert pattern.lacking(plane) == []


def test_rows_and_columns_hang_together() -> None:
    plane = np.isfinite(Pattern(32, 32).targets())
    reached = np.zeros(32, dtype=bool)
    reached[0] = True
    steps = 0
    while not reached.all():
        reached = plane[:, plane[reached].any(axis=0)].any(axis=1)
        steps += 1
    assert steps <= 2


def test_the_best_cells_of_a_column_are_taken_as_they_are() -> None:
    rng = np.random.default_rng(2)
    plane = rng.choice([5e-6, *LEVELS, 200e-6], (32, 32))
    pattern = Pattern(32, 32)
    rows, cols = pattern.chosen(plane, range(4, 8))
    assert set(cols) == set(range(4, 8))
    assert all(within(plane[rows, cols], band).sum() == 16 for band in BANDS)
    assert len(set(zip(rows.tolist(), cols.tolist(), strict=True))) == 32


def test_a_macro_without_such_cells_is_refused_and_not_touched() -> None:
    backend = SimBackend(Options(macros=2, rows=12, cols=8))
    with backend, pytest.raises(CalibrationError, match=r"macro 0.*25uS and 90uS.*overwrites") as refusal:
        make_ready(backend, range(2), READING, prepare=False)
    assert "--prepare" in str(refusal.value)
    assert not backend.pulses.any()


def test_what_is_no_calibration_cell_keeps_what_it_holds() -> None:
    backend = SimBackend(Options(macros=2, rows=16, cols=16, chip=3))
    with backend:
        programmed = make_ready(backend, range(1, 2), READING, prepare=True)
        plane = Pattern(16, 16).targets()
        assert programmed == np.isfinite(plane).sum()
        assert not backend.pulses[:16].any()
        assert not backend.pulses[16:][np.isnan(plane)].any()
        found = reading_of(backend, 1, READING)
        # Of 128 cells about 2 % do not answer, and read noise is below 1 uS: 10 would be 5 sigma.
        assert (np.abs(found - plane) > 8e-6).sum() <= 10
        assert make_ready(backend, range(1, 2), READING, prepare=False) == 0


def test_one_dead_line_does_not_keep_the_others_from_being_calibrated() -> None:
    plane = Pattern(16, 16).targets()
    plane[5] = 1e-9
    backend = SimBackend(Options(macros=1, rows=16, cols=16, chip=3))
    assert Pattern(16, 16).lacking(plane) == ["row 5"]
    with backend:
        population = backend.array.population
        filament = np.where(np.isfinite(plane), plane, 5e-6).ravel()
        filament = filament / (1 - 2.8e3 * np.minimum(filament, 100e-6))
        population.load(filament, np.random.default_rng(0), backend.now())
        assert make_ready(backend, range(1), READING, prepare=False) == 0


def test_cells_of_a_macro_are_read_in_its_own_rows() -> None:
    backend = SimBackend(Options(macros=2, rows=4, cols=3))
    with backend:
        cells = Cells.parse("r4-7,c0-2")
        assert reading_of(backend, 1, READING) == pytest.approx(
            backend.read(cells, READING).reshape(4, 3), abs=2e-6
        )
