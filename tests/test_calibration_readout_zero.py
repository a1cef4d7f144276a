"""The zero of the columns: a drift since the read chain was calibrated is found in seconds and taken out."""

from dataclasses import replace

import numpy as np
import pytest
from read_chains import READING, calibrated, conductance_errors, hidden_bench, measured, recorded

from calibration.zero.procedure import Zero
from rramlab.cells import Cells
from rramlab.corrections.correction import Correction
from rramlab.corrections.record import Record
from rramlab.errors import InputError
from rramlab.reading import ReadSpec
from sim_backend.backend import SimBackend

DRIFT = 1e-7
Drifted = tuple[SimBackend, Record, np.ndarray]


@pytest.fixture(scope="module")
def drifted() -> Drifted:
    """Return a bench whose zeros have moved since it was calibrated, its record, and by how much (A)."""
    backend = hidden_bench(21, rows=8, cols=16)
    _, record = calibrated(backend)
    assert backend.errors is not None
    shift = np.random.default_rng(4).normal(0.0, DRIFT, (1, 16))
    backend.errors.adc_read.offset[...] += shift
    return backend, record, shift


def found_zero(backend: SimBackend, record: Record) -> tuple[Record, float]:
    """Return the record of the zeros, and how long it took (s)."""
    with backend:
        begin = backend.now()
        parts = measured(backend, Zero(READING), {"readout": record})
        seconds = backend.now() - begin
        backend.correction = Correction()
    return recorded(Zero(READING), parts, {"readout": record}, made=1.0), seconds


def test_the_drift_is_found_within_its_uncertainty_and_in_seconds(drifted: Drifted) -> None:
    backend, record, shift = drifted
    zero, seconds = found_zero(backend, record)
    u = zero.uncertainty("adc_offset")
    # 16 normal deviates beyond 4.5: once in 9 000.
    assert np.abs((zero["adc_offset"] - shift) / u).max() < 4.5
    assert u.max() < 0.03 * DRIFT
    assert seconds < 10.0
    assert zero.conditions["signs"] == "both"


def test_with_the_zero_the_conductances_are_right_again(drifted: Drifted) -> None:
    backend, record, _ = drifted
    zero, _ = found_zero(backend, record)
    old, _, true = conductance_errors(backend, {"readout": record})
    new, _, _ = conductance_errors(backend, {"readout": record, "zero": zero})
    allowed = 0.002 * true + 0.05e-6
    assert np.sqrt(np.mean((old / allowed) ** 2)) > 1.5
    assert np.sqrt(np.mean((new / allowed) ** 2)) < 0.7


def test_a_zero_adds_its_own_uncertainty(drifted: Drifted) -> None:
    backend, record, _ = drifted
    zero, _ = found_zero(backend, record)
    cells, g = Cells.of_shape(backend.shape), np.full(128, 50e-6)
    spec = ReadSpec(samples=1000)
    alone = Correction({"readout": record}).uncertainty(cells, spec, g)
    both = Correction({"readout": record, "zero": zero}).uncertainty(cells, spec, g)
    added = zero.uncertainty("adc_offset")[0, cells.col] / spec.v_read
    assert np.sqrt(both**2 - alone**2) == pytest.approx(added, rel=0.08)


def test_a_zero_from_before_the_read_chain_was_calibrated_is_not_used(drifted: Drifted) -> None:
    backend, record, _ = drifted
    zero, _ = found_zero(backend, record)
    later = replace(record, made=5.0)
    cells, raw = Cells.parse("r0c0-3"), np.full(4, 50e-6)
    alone = Correction({"readout": later}).conductance(cells, READING, raw)
    assert (Correction({"readout": later, "zero": zero}).conductance(cells, READING, raw) == alone).all()
    assert (Correction({"readout": record, "zero": zero}).conductance(cells, READING, raw) != alone).all()


def test_a_board_without_negative_voltages_is_read_at_two_positive_ones(
    drifted: Drifted, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend, record, shift = drifted
    plain = SimBackend._read

    def only_positive(self: SimBackend, cells: Cells, spec: ReadSpec) -> np.ndarray:
        if spec.v_read < 0:
            raise InputError("this board reads at positive voltages only")
        return plain(self, cells, spec)

    monkeypatch.setattr(SimBackend, "_read", only_positive)
    zero, _ = found_zero(backend, record)
    assert zero.conditions["signs"] == "positive voltages only"
    assert np.abs((zero["adc_offset"] - shift) / zero.uncertainty("adc_offset")).max() < 4.5


def test_the_same_measurement_gives_the_same_bits_and_a_figure(drifted: Drifted) -> None:
    backend, record, _ = drifted
    with backend:
        parts = measured(backend, Zero(READING), {"readout": record})
        backend.correction = Correction()
    first, second = (Zero(READING).evaluate(parts, {"readout": record}) for _ in range(2))
    assert (first.values["adc_offset"] == second.values["adc_offset"]).all()
    assert (first.covariance == second.covariance).all()
    made = recorded(Zero(READING), parts, {"readout": record})
    assert list(Zero(READING).figures(parts, made)) == ["zero-shift"]
