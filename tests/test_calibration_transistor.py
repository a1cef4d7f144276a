"""Transistors: beta and threshold from readings at several gates."""

from dataclasses import replace

import numpy as np
import pytest
from product_benches import hidden, measured, off_by, read_chain, recorded, true_transistor

from calibration.transistor.fit import fit
from calibration.transistor.model import GateData
from calibration.transistor.procedure import Transistor
from rramlab.corrections.record import Record
from rramlab.errors import CalibrationError
from rramlab.pulse import Columns
from rramlab.reading import ReadSpec
from sim_backend.backend import SimBackend

READING = ReadSpec()
Measured = tuple[SimBackend, Record, list[Columns]]


@pytest.fixture(scope="module")
def bench() -> Measured:
    backend = hidden(3, 10, 8, macros=2)
    readout = read_chain(backend, 3)
    return backend, readout, measured(Transistor(READING), backend, readout)


def quiet(backend: SimBackend, cols: int) -> GateData:
    """Return noise-free readings of the well conducting cells of a macro."""
    index = np.arange(len(backend.array))
    g = backend.array.conductance(index, 0.2, 3.3, 0.0)
    index = index[(g > 30e-6) & (g < 120e-6)]
    gate = np.repeat([1.4, 1.6, 1.9, 2.4, 3.3], 2)
    asked = np.tile([0.2, 0.1], 5)
    found = [backend.array.conductance(index, v, w, 0.0) for v, w in zip(asked, gate, strict=True)]
    ohm = 1.0 / np.array(found).T
    volts = np.broadcast_to(asked, ohm.shape)
    return GateData(0, index // cols, index % cols, gate, asked, volts, ohm, 1e-3 * ohm)


def test_without_noise_a_chip_of_equal_transistors_is_found() -> None:
    backend = hidden(5, 12, 12)
    truth = backend.array.population.constants
    backend.array.population.cells.vt[:] = truth.vt0
    found = fit([quiet(backend, 12)], read_chain(backend, 5, share=0.0))
    assert found.beta == pytest.approx(truth.beta, rel=2e-4)
    assert found.vt == pytest.approx(truth.vt0, abs=1e-4)


def test_transistors_that_differ_give_their_mean_and_how_sure_it_is() -> None:
    backend = hidden(6, 12, 12)
    data = quiet(backend, 12)
    truth, vt = backend.array.population.constants, backend.array.population.cells.vt
    found = fit([data], read_chain(backend, 6, share=0.0))
    used = found.data[0]
    assert found.beta == pytest.approx(truth.beta, rel=6e-4)
    assert found.vt == pytest.approx(vt[used.row * 12 + used.col].mean(), abs=2e-3)
    # 20 mV among so many cells; the estimate of a standard deviation from 80 or more is good to 8 %.
    assert np.sqrt(found.covariance[1, 1]) == pytest.approx(0.02 / np.sqrt(len(used.row)), rel=0.4)


def test_the_fit_comes_from_afar() -> None:
    backend = hidden(7, 10, 10)
    data, readout = quiet(backend, 10), read_chain(backend, 7, share=0.0)
    for beta, vt in ((90e-6, 0.5), (320e-6, 0.9)):
        # The same cells behind other transistors.
        old, new = backend.array.population.constants, (beta, vt)
        change = [1.0 / (b * (data.gate - v - 0.02)) for b, v in ((old.beta, old.vt0), new)]
        ohm = data.resistance - change[0] + change[1]
        found = fit([replace(data, resistance=ohm, noise=1e-3 * ohm)], readout)
        assert found.beta == pytest.approx(beta, rel=0.1)
        assert found.vt == pytest.approx(vt, abs=0.06)


def test_the_same_parts_give_the_same_bits_and_stay_as_they_are(bench: Measured) -> None:
    _, readout, parts = bench
    before = [{name: np.array(value) for name, value in part.items()} for part in parts]
    first, again = (Transistor(READING).evaluate(parts, {"readout": readout}) for _ in range(2))
    np.testing.assert_array_equal(first.covariance, again.covariance)
    assert all(first.values[name] == again.values[name] for name in first.values)
    for part, kept in zip(parts, before, strict=True):
        for name, value in kept.items():
            np.testing.assert_array_equal(part[name], value)


def test_truth_lies_within_the_intervals_of_a_few_benches() -> None:
    off: dict[str, list[float]] = {}
    for seed in range(60, 66):
        backend = hidden(seed, 10, 10)
        readout = read_chain(backend, seed)
        parts = measured(Transistor(READING), backend, readout)
        found = recorded(Transistor(READING).evaluate(parts, {"readout": readout}), "transistor")
        for name, z in off_by(found, true_transistor(backend)).items():
            off.setdefault(name, []).extend(z)
    # One of 6 beyond 4.5 has odds below 1 : 10 000, an rms of 6 beyond 2.1 or below 0.2 of 1 : 5000.
    for name, z in off.items():
        assert np.abs(z).max() < 4.5, name
        assert 0.2 < np.sqrt(np.mean(np.square(z))) < 2.1, name


def test_a_wrong_gain_of_all_columns_makes_beta_wrong_by_as_much(bench: Measured) -> None:
    _, readout, parts = bench
    found = Transistor(READING).evaluate(parts, {"readout": readout})
    place = readout.index("adc_gain").ravel()
    more = np.array(readout.covariance)
    more[np.ix_(place, place)] += 0.01**2
    unsure = Transistor(READING).evaluate(parts, {"readout": replace(readout, covariance=more)})
    beta = np.sqrt(unsure.covariance[0, 0] - found.covariance[0, 0]) / found.values["beta"]
    assert beta == pytest.approx(0.01, rel=0.1)


def test_noisy_cells_are_left_out_and_counted(bench: Measured) -> None:
    _, readout, parts = bench
    rng = np.random.default_rng(4)
    wrong = np.array(parts[0]["conductance"])
    wrong[:, 3] *= 1.0 + np.array([0.0, 0.3])[rng.integers(0, 2, wrong[:, 3].shape)]
    # The same in all rounds: nothing but the fit tells that this cell is no transistor and a resistor.
    wrong[:, 7] *= 1.0 + 0.2 * rng.standard_normal(wrong.shape[2])
    noisy = [{**parts[0], "conductance": wrong}, *parts[1:]]
    calm, found = (Transistor(READING).evaluate(p, {"readout": readout}) for p in (parts, noisy))
    assert found.conditions["cells_left_out"] > calm.conditions["cells_left_out"]
    spread = np.sqrt(np.diag(calm.covariance))
    moved = [float(found.values[name] - calm.values[name]) for name in found.values]
    assert np.all(np.abs(moved) < spread)


def test_too_few_conductive_cells_are_refused_with_what_to_do() -> None:
    backend = hidden(8, 4, 4, low=2e-6, high=5e-6)
    readout = read_chain(backend, 8)
    parts = measured(Transistor(READING), backend, readout)
    with pytest.raises(CalibrationError, match="program some"):
        Transistor(READING).evaluate(parts, {"readout": readout})


def test_figures_show_the_gate_and_the_residuals(bench: Measured) -> None:
    _, readout, parts = bench
    record = recorded(Transistor(READING).evaluate(parts, {"readout": readout}), "transistor")
    found = Transistor(READING).figures(parts, record)
    assert set(found) == {"transistor-gate", "transistor-residuals"}
    assert all(len(caption) > 50 and figure.axes for figure, caption in found.values())


@pytest.mark.slow
def test_truth_lies_within_the_intervals_of_many_benches() -> None:
    inside: dict[str, list[bool]] = {}
    for seed in range(200, 300):
        backend = hidden(seed, 12, 12)
        readout = read_chain(backend, seed)
        parts = measured(Transistor(READING), backend, readout)
        found = recorded(Transistor(READING).evaluate(parts, {"readout": readout}), "transistor")
        for name, z in off_by(found, true_transistor(backend)).items():
            inside.setdefault(name, []).append(bool(np.abs(z).max() < 1.96))
    # Of 100 benches with 95 % each, fewer than 87 has odds of about 1 : 1000.
    for name, share in inside.items():
        assert np.mean(share) >= 0.87, f"{name}: {np.mean(share)}"
