"""The loop is calibrated against circuits whose errors are known, and corrected so that nothing is left."""

from dataclasses import replace

import numpy as np
import pytest
from loop_benches import (
    FAULTLESS,
    POOR,
    QUIET,
    amplified,
    bench,
    hold,
    scattered,
    shut_output,
    true_record,
    truth,
    wiring,
)
from scipy.stats import t as student

from calibration.loop.multipliers_fit import Multipliers
from calibration.loop.multipliers_network import Network, chosen
from calibration.loop.procedure import (
    REPEATS,
    Loop,
    alike,
    integrators,
    multipliers,
    multipliers_fit,
    together,
)
from calibration.loop.products import of_products, slopes_of
from calibration.loop.runs import Batch, Wiring, carried_out, played, widened
from rramlab.corrections.correction import Correction
from rramlab.corrections.loop import corrected
from rramlab.corrections.record import Record
from rramlab.errors import Unsupported
from rramlab.loop import LoopRun
from rramlab.reading import ReadSpec
from sim_backend.backend import SimBackend
from sim_backend.options import Options

TICK = 5e-3


@pytest.mark.parametrize("dof", [5, 7, 10, 20])
def test_few_degrees_of_freedom_widen_the_interval_as_student_says(dof: int) -> None:
    assert widened(dof) == pytest.approx((student.ppf(0.975, dof) / 1.959964) ** 2, rel=0.005)


def test_integrators_without_converters_are_found_exactly() -> None:
    backend = bench(3, **{**POOR, **QUIET})
    with backend:
        found = integrators.found(integrators.measure(backend, wiring(), np.random.default_rng(1)))
        true = truth(backend)
    for k, name in enumerate(("offset", "leak", "noise_gain", "drift_gain", "drift_cut")):
        # What is left is single precision, and Heun's rule in the circuit.
        assert found.values[:, k] == pytest.approx(np.broadcast_to(true[name], 2), rel=1e-5, abs=3e-7), name


@pytest.fixture(scope="module")
def measured() -> list[tuple[integrators.Integrators, dict[str, np.ndarray]]]:
    """Return what was found of the integrators of two benches, and what is true."""
    both = []
    for seed in (21, 22):
        with bench(seed, **POOR) as backend:
            columns = integrators.measure(backend, wiring(), np.random.default_rng(seed))
            both.append((integrators.found(columns), truth(backend)))
    return both


def test_integrators_lie_within_their_intervals(measured) -> None:
    outside = 0
    for found, true in measured:
        u = np.sqrt(np.einsum("ikik->ik", found.covariance))
        names = ("offset", "leak", "noise_gain", "drift_gain", "drift_cut")
        wanted = np.stack([np.broadcast_to(true[name], 2) for name in names], axis=1)
        outside += int(np.count_nonzero(np.abs(found.values - wanted) > 1.96 * u))
    # Twenty numbers in 95 % intervals. Were they independent, six or more outside would be 1 in 3000; the two
    # dimensions share the converter of the drift, so that it is rather 1 in 300.
    assert outside < 6


def test_the_converter_of_the_drift_is_seen_to_cut_off_half_a_code(measured) -> None:
    for found, _ in measured:
        assert found.values[:, 4] == pytest.approx(0.5 / 2048, rel=0.02)  # 5 of its standard uncertainties


def test_multipliers_of_a_quiet_loop_are_found_as_well_as_its_network_is_known() -> None:
    backend = bench(5, **{**POOR, **QUIET, "tia_offset": 5e-5})
    with backend:
        hold(backend, scattered())
        columns = multipliers.measure(backend, np.random.default_rng(1))
        true = truth(backend)
        found = multipliers_fit.found(columns, true["offset"], true["leak"])
        output = shut_output(backend, Wiring.of(columns))
    # The products that tell the network are noisy: 0.3 % of a gain in one part; five times that.
    assert found.values[:2] == pytest.approx(true["drive_gain"], rel=0.015)
    # What a part takes for cut off the drive, of 0.9 1/s, is noisy by 3e-4 1/s; three times that.
    assert found.values[2:4] == pytest.approx(true["drive_gain"] * output, rel=1e-3)
    assert np.abs(output).max() > 1e-3


def test_multipliers_of_a_known_network_are_found_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = bench(6, **{**POOR, **QUIET})
    with backend:
        hold(backend, scattered())
        wired = wiring()
        exact = np.zeros((3, 32, 32))
        for k, layer in enumerate(wired.layers):
            rows = np.array(layer.rows) - 32 * k
            mean = backend.loop._effective(layer, backend.now(), 0.05) / layer.copies
            exact[k][np.ix_(rows, np.array(layer.cols))] = np.tile(mean, (layer.copies, 1))
        monkeypatch.setattr(multipliers, "products", lambda backend: exact)
        monkeypatch.setattr(multipliers, "chosen", lambda matrices: wired)
        columns = multipliers.measure(backend, np.random.default_rng(1))
        true = truth(backend)
        found = multipliers_fit.found(columns, true["offset"], true["leak"])
    assert found.values[:2] == pytest.approx(true["drive_gain"], rel=2e-5)
    assert found.values[4] == pytest.approx(0.0, abs=1e-6)


def still(noise: float, drive: float) -> LoopRun:
    """Return runs from zero that nothing should move, all hidden units shut."""
    wired = wiring()
    c = played(200, 14, TICK, noise=noise, drive=drive, embedding=-3.9)
    return LoopRun(wired.layers, wired.scale, wired.gain, 0.05, np.zeros((512, 2)), c, kept=0)


@pytest.mark.parametrize("noise", [0.0, 0.05])
def test_offsets_are_nulled_with_and_without_noise(noise: float) -> None:
    backend = bench(7, **{**POOR, "tia_offset": 5e-5})
    with backend:
        hold(backend, scattered())
        run = still(noise, drive=0.5)
        before = backend.solve(run).slope(run).mean(axis=0)
        backend.correction = Correction({"loop": true_record(backend, wiring())})
        after = backend.solve(run).slope(run).mean(axis=0)
    # In units per s: offsets of millivolts move the state by a tenth; what is left is a code of the noise
    # channel at the end of the run, or noise: 0.05 / sqrt(512), five times that.
    assert np.abs(before).max() > 0.05
    assert np.abs(after).max() < (0.001 if noise == 0.0 else 0.011)


def test_a_corrected_drift_does_what_was_asked() -> None:
    backend = bench(8, **{**POOR, "multiplier_gain": 0.0, "rc_error": 0.0, "leak_spread": 0.0})
    start = np.array([[1.0, 1.0], [-1.0, -1.0]])
    c = played(200, 14, TICK, drift=np.linspace(0.003, 0.5, 200))
    wired = wiring()
    run = LoopRun(wired.layers, wired.scale, wired.gain, 0.05, start, c, kept=0)
    wanted = start * np.exp(c.drift.sum() * TICK)
    with backend:
        before = np.abs(backend.solve(run).end - wanted).max()
        backend.correction = Correction({"loop": true_record(backend, wired)})
        after = np.abs(backend.solve(run).end - wanted).max()
    assert before > 0.02
    assert after < 1e-3


def test_a_record_without_what_converters_cut_off_corrects_as_well() -> None:
    with bench(9) as backend:
        record = true_record(backend, wiring())
    kept = {name: value for name, value in record.values.items() if not name.endswith("cut")}
    size = sum(value.size for value in kept.values())
    older = Record("loop", kept, dict.fromkeys(kept, "1"), np.zeros((size, size)), {}, 0.0, 1.0)
    run = still(0.0, 0.5)
    newer, plain = (corrected(run, one).coefficients for one in (record, older))
    assert newer.drive - plain.drive == pytest.approx(float(record["drive_cut"]))
    assert newer.drift - plain.drift == pytest.approx(float(record["drift_cut"]))


def test_the_parts_that_share_the_last_layer_tell_what_its_amplifiers_add() -> None:
    part = {"cols2": np.array([0, 1, 2]), "scale": np.array([1e-5, 1e-5, 2e-5])}
    other = {**part, "scale": np.array([1e-5, 1e-5, 4e-5])}
    none = np.zeros((1, 2))
    values = np.array([[1.0, 1.0, 2e-3, 1e-3, 0.0], [1.02, 1.0, 2e-3, 1e-3, 0.0], [1.01, 1.0, 9.0, 9.0, 0.0]])
    found = [Multipliers(one, none, none, none, 0) for one in values]
    mean, covariance = together(found, [part, part, other])
    assert alike([part, part, other]).tolist() == [True, True, False]
    assert mean == pytest.approx([1.01, 1.0, 2e-3, 1e-3, 0.0])
    assert np.sqrt(covariance[0, 0]) == pytest.approx(0.01 / np.sqrt(3.0) * np.sqrt(widened(2)))
    assert covariance[2, 2] == 0.0


def network_part() -> dict[str, np.ndarray]:
    """Return the columns that tell a network."""
    return {"products": scattered().reshape(3, 32, 32), **wiring().columns()}


def test_a_gain_of_the_last_layer_is_a_gain_of_the_drive() -> None:
    slopes = slopes_of(network_part(), axis=1)
    # Both outputs and the reference grow together: the output grows as much.
    assert slopes[:, 2].sum(axis=1) == pytest.approx([1.0, 1.0], rel=1e-6)
    assert slopes[:, 2, 3:].any() is np.False_


def test_what_is_not_known_of_products_is_carried_into_the_drive() -> None:
    part = network_part()
    names = {"adc_gain": np.zeros((3, 32)), "adc_inl": np.zeros((3, 2))}
    covariance = np.zeros((102, 102))
    covariance[64:96, 64:96] = 1e-6  # the gains of the last macro, all by the same unknown 0.1 %
    record = Record("product", names, dict.fromkeys(names, "1"), covariance, {}, 0.0, 1.0)
    found = of_products([part, part], {"product": record})
    assert found == pytest.approx(np.full((2, 2), 1e-6), rel=1e-3)
    assert not of_products([part], {}).any()


def test_a_wiring_keeps_to_sound_cells_and_is_the_same_for_a_little_noise() -> None:
    matrices = scattered().reshape(3, 32, 32).copy()
    matrices[0, :, 3], matrices[2, 5] = 400e-6, 0.0
    wired = chosen(matrices)
    assert 3 not in wired.layers[0].cols
    assert 64 + 5 not in wired.layers[2].rows
    blurred = chosen(matrices * (1.0 + 0.01 * np.random.default_rng(1).standard_normal(matrices.shape)))
    assert (blurred.layers, blurred.scale) == (wired.layers, wired.scale)


def test_cells_that_hold_little_get_larger_transimpedances() -> None:
    much = scattered().reshape(3, 32, 32)
    little = 6e-6 + (much - much.mean()) / 20.0
    assert max(np.array(chosen(little).scale) / chosen(much).scale) <= 0.5
    x = np.random.default_rng(1).uniform(-3, 3, (200, 2))
    output = Network.of(chosen(little), little).output(x, np.zeros(14))
    assert 0.1 < output.std() < 20.0


def test_runs_and_wiring_survive_as_columns() -> None:
    with bench(10, **FAULTLESS) as backend:
        batch = carried_out(backend, wiring(), np.ones((2, 2)), played(4, 14, TICK, bias=0.3))
    again = Batch.of(batch.columns("a"), "a")
    assert all((getattr(again, name) == getattr(batch, name)).all() for name in ("begin", "end", "bias"))
    one, other = Wiring.of(wiring().columns()), wiring()
    assert (one.layers, one.scale, one.gain) == (other.layers, other.scale, other.gain)


def test_a_bench_without_three_macros_is_told_so() -> None:
    with SimBackend(Options(macros=1)) as backend, pytest.raises(Unsupported, match="3 macros"):
        Loop(ReadSpec()).parts(backend)


@pytest.mark.slow
@pytest.mark.timeout(680)
def test_the_loop_lies_within_its_intervals() -> None:
    outside, count, nulled = {}, 0, []
    for seed in range(30, 34):
        backend = bench(seed, **{**POOR, "tia_offset": 2e-5})
        with backend:
            hold(backend, scattered(seed))
            loop = Loop(ReadSpec())
            parts = [loop.measure(backend, k) for k in range(1 + REPEATS)]
            found = loop.evaluate(parts, {})
            wired = Wiring.of(parts[1])
            wanted = truth(backend)
            wanted["drive_offset"] = wanted["drive_gain"] * shut_output(backend, wired)
            wanted["drive_gain"] = wanted["drive_gain"] * amplified(backend, wired, parts[1]["products"])
            record = Record("loop", found.values, found.units, found.covariance, {}, 0.0, 1.0)
            backend.correction = Correction({"loop": record})
            rest = played(200, 14, TICK, drive=0.5, embedding=-3.9)
            run = LoopRun(wired.layers, wired.scale, wired.gain, 0.05, np.zeros((4, 2)), rest, kept=0)
            nulled.append(np.abs(backend.solve(run).slope(run)).max())
        for name, value in found.values.items():
            off = np.abs(value - wanted[name]) > 1.96 * record.uncertainty(name)
            outside[name] = outside.get(name, 0) + int(np.count_nonzero(off))
            count += off.size
    # 56 numbers in 95 % intervals, some of them alike: 11 or more outside happen once in 1000 cases.
    assert count == 56
    assert sum(outside.values()) < 11, outside
    assert max(nulled) < 0.001


def test_moments_of_a_run_are_corrected_like_the_run() -> None:
    with bench(11, **POOR) as backend:
        record = true_record(backend, wiring())
    run = still(0.0, 0.5)
    whole, moment = corrected(run, record), corrected(run.moment(0.5), record)
    assert moment.coefficients.drive == pytest.approx(whole.coefficients.drive[100:101])
    assert replace(run, coefficients=whole.coefficients).coefficients.bias.shape == (200, 2)
