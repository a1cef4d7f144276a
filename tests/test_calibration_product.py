"""Products: gains and lines found where nothing is noisy, and within their intervals where everything is."""

from dataclasses import replace

import numpy as np
import pytest
from product_benches import hidden, measured, off_by, read_chain, recorded, true_product

from calibration.product.data import MacroData
from calibration.product.fit import fit
from calibration.product.lines import Lines, Paths
from calibration.product.plan import LEVELS, PAIRS, folded, patterns, played
from calibration.product.procedure import Product, fitted, largest
from calibration.product.readout import carried
from rramlab.corrections.converter import PRODUCT_SCALE, erred, mended
from rramlab.corrections.correction import Correction
from rramlab.corrections.record import Record
from rramlab.limits import Limits
from rramlab.pulse import Columns
from rramlab.reading import ReadSpec
from sim_backend.backend import SimBackend
from sim_backend.product import polynomials, product
from sim_backend.wires import Wires, solve

READING = ReadSpec()
Measured = tuple[SimBackend, Record, list[Columns]]


@pytest.fixture(scope="module")
def bench() -> Measured:
    backend = hidden(3, 10, 8, macros=2)
    readout = read_chain(backend, 3)
    return backend, readout, measured(Product(READING), backend, readout)


def quiet(backend: SimBackend, rows: int, cols: int) -> MacroData:
    """Return what a bench without noise and with perfect row converters would have measured."""
    volts, index = 0.19 * np.array(LEVELS), np.arange(rows * cols)
    readings = [backend.array.conductance(index, v, 3.3, 0.0).reshape(rows, cols) for v in volts]
    wanted = 0.19 * patterns(rows)
    paths = polynomials(backend.array, 0, 0.0)
    currents = product(paths, wanted, backend.array.r_line, backend.array.r_switch).currents
    at = np.repeat(volts[:, None, None], rows, axis=1)
    return MacroData(0, volts, at, np.array(readings), wanted, currents, np.zeros_like(currents), 0.0)


# The model of the lines.


def test_linear_paths_give_what_the_network_solver_gives() -> None:
    rng = np.random.default_rng(1)
    g, rows = rng.uniform(10e-6, 150e-6, (12, 9)), rng.uniform(-0.2, 0.2, (5, 12))
    path = Paths(1.0 / (1.0 / g - 2500.0), np.zeros_like(g), np.zeros_like(g))
    found = path.columns(Lines(1.3, 14.0), rows)
    # The solver has its virtual grounds below the last row.
    exact = solve(g[::-1], rows[:, ::-1], Wires(1.3, 1.3, 7.0)).currents
    np.testing.assert_allclose(found, exact, rtol=1e-7)


def test_a_reading_is_taken_apart_into_path_and_lines() -> None:
    rng, lines = np.random.default_rng(2), Lines(1.3, 14.0)
    volts = np.full((4, 1), 0.2), np.full((4, 1), 0.1)
    large = rng.uniform(20e-6, 90e-6, (4, 5))
    bent = large, large * rng.uniform(0.96, 0.99, (4, 5))
    odd = rng.uniform(-1e-3, 1e-3, (4, 5))
    paths = Paths.without(lines, np.stack(volts), np.stack(bent), odd)
    # One cell in an array of open ones sees its own lines alone: that is how it was read.
    for sign in (1.0, -1.0):
        more = paths.factor(lines, sign * volts[0], bent[0] * (1.0 + sign * odd))
        np.testing.assert_allclose(more, 1.0, atol=1.5e-4)


def test_lines_that_take_everything_are_refused() -> None:
    g = np.full((16, 16), 100e-6)
    path = Paths(g, 0.0 * g, 0.0 * g)
    with pytest.raises(ValueError, match="do not settle"):
        path.columns(Lines(500.0, 10.0), np.full((1, 16), 0.2))


# The plan.


def test_every_row_is_driven_alone_at_every_level() -> None:
    for rows in (1, 2, 3, 12, 32):
        plan = patterns(rows)
        assert set(np.unique(plan)) <= {0.0, *LEVELS}
        for level in LEVELS:
            alone = plan[(np.count_nonzero(plan, axis=1) == 1) & (plan == level).any(axis=1)]
            assert np.count_nonzero(alone, axis=0).min() >= 1


def test_playings_fold_to_their_mean_and_its_variance() -> None:
    rng, wanted = np.random.default_rng(4), np.arange(4000.0)[:, None]
    mean, variance = folded(played(wanted) + 0.5 * rng.standard_normal((2 * PAIRS * 4000, 1)))
    # Ten standard deviations of 4000 values each.
    assert abs((mean - wanted).std() / (0.5 / np.sqrt(2 * PAIRS)) - 1.0) < 0.12
    assert abs(variance.mean() / (0.25 / (2 * PAIRS)) - 1.0) < 0.12
    drift = np.linspace(0.0, 1.0, 2 * PAIRS * 4000)[:, None]
    assert np.ptp(folded(played(wanted) + drift)[0] - wanted) < 1e-9


def test_products_and_readings_stay_within_the_limits() -> None:
    backend = hidden(3, 8, 8)
    readout = read_chain(backend, 3)
    values = {**readout.values, "dac_gain": readout["dac_gain"] - 0.08}
    backend.correction = Correction({"readout": replace(readout, values=values)})
    with backend:
        top = largest(backend, READING)
        asked = backend.correction.inputs(np.full(8, top), 0)
    assert np.abs(asked).max() <= Limits().v_read
    assert top > 0.8 * Limits().v_read


# What is found.


def test_without_noise_the_lines_and_the_wide_range_are_found() -> None:
    rng = np.random.default_rng(5)
    backend = hidden(11, 16, 12)
    data = quiet(backend, 16, 12)
    gain, offset, inl = rng.normal(0.0, 0.02, 12), rng.normal(0.0, 5e-6, 12), np.array([8e-4, -6e-4])
    found = fit([replace(data, reported=erred(data.reported, gain, offset, inl, PRODUCT_SCALE))]).wide
    assert found.lines.r_line == pytest.approx(backend.array.r_line, rel=2e-3)
    assert found.lines.r_switch == pytest.approx(backend.array.r_switch, rel=3e-3)
    # Over the currents that were there: the curve and the gain can hardly be told apart.
    current = np.linspace(-150e-6, 150e-6, 31)[:, None]
    reported = erred(current, gain, offset, inl, PRODUCT_SCALE)
    told = mended(reported, found.gain[0], found.offset[0], found.inl[0], PRODUCT_SCALE)
    assert np.abs(told - current).max() < 15e-9


def test_a_bench_without_lines_is_told_so() -> None:
    backend = hidden(12, 12, 12)
    backend.array.r_line = backend.array.r_switch = 0.0
    found = fit([quiet(backend, 12, 12)]).wide
    assert abs(found.lines.r_line) < 3e-3 and abs(found.lines.r_switch) < 0.05


def test_the_same_parts_give_the_same_bits_and_stay_as_they_are(bench: Measured) -> None:
    _, readout, parts = bench
    before = [{name: np.array(value) for name, value in part.items()} for part in parts]
    first, again = (Product(READING).evaluate(parts, {"readout": readout}) for _ in range(2))
    np.testing.assert_array_equal(first.covariance, again.covariance)
    for name in first.values:
        np.testing.assert_array_equal(first.values[name], again.values[name])
    for part, kept in zip(parts, before, strict=True):
        for name, value in kept.items():
            np.testing.assert_array_equal(part[name], value)


def test_what_the_read_chain_is_unsure_of_is_carried_on(bench: Measured) -> None:
    _, readout, parts = bench
    found = fitted(parts)
    sure = carried(found, replace(readout, covariance=0.0 * readout.covariance))
    assert np.abs(sure).max() == 0.0
    # A gain of a narrow column that is wrong by so much makes that of its wide range wrong by the same.
    alone = np.zeros_like(readout.covariance)
    place = readout.index("adc_gain")[1, 3]
    alone[place, place] = 1e-6
    moved = np.sqrt(np.diag(carried(found, replace(readout, covariance=alone))))
    assert moved[8 + 3] == pytest.approx(1e-3, rel=0.15)
    others = np.delete(moved[:16], 8 + 3)
    assert others.max() < 2e-4
    # A row's gain makes its readings and its products wrong alike: it cancels.
    alone = np.zeros_like(readout.covariance)
    place = readout.index("dac_gain")[1, 4]
    alone[place, place] = 1e-6
    assert np.sqrt(np.diag(carried(found, replace(readout, covariance=alone))))[:16].max() < 1e-4


def test_truth_lies_within_the_intervals_of_a_few_benches() -> None:
    off: dict[str, list[float]] = {}
    for seed in range(40, 44):
        backend = hidden(seed, 10, 10)
        readout = read_chain(backend, seed)
        parts = measured(Product(READING), backend, readout)
        found = recorded(Product(READING).evaluate(parts, {"readout": readout}), "product")
        for name, z in off_by(found, true_product(backend)).items():
            off.setdefault(name, []).extend(z)
    # One of 4 beyond 4.5 has odds below 1 : 10 000; an rms of 4 beyond 2.4 (0.15), the same.
    for name in ("r_line", "r_switch", "adc_inl"):
        assert np.abs(off[name]).max() < 4.5, name
        assert 0.15 < np.sqrt(np.mean(np.square(off[name]))) < 2.4, name
    for name in ("adc_gain", "adc_offset"):
        assert np.abs(off[name]).max() < 5.5, name


def test_cells_that_hardly_conduct_cannot_tell_the_lines_and_say_so() -> None:
    backend = hidden(21, 10, 10, low=3e-6, high=7e-6)
    readout = read_chain(backend, 21)
    parts = measured(Product(READING), backend, readout)
    found = recorded(Product(READING).evaluate(parts, {"readout": readout}), "product")
    truth = true_product(backend)
    assert found.uncertainty("r_line") > 0.5 * truth["r_line"]
    assert found.uncertainty("r_switch") > 0.5 * truth["r_switch"]
    # Odds below 1 : 10 000 for each.
    for name, z in off_by(found, truth).items():
        assert np.abs(z).max() < 4.5, name


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("rows", "cols"), [(1, 1), (1, 4), (4, 1), (3, 5)])
def test_the_smallest_macros_with_cells_that_read_nothing_are_no_accident(rows: int, cols: int) -> None:
    backend = hidden(31, rows, cols)
    readout = read_chain(backend, 31)
    parts = measured(Product(READING), backend, readout)
    empty = [{**part, "conductance": np.array(part["conductance"])} for part in parts]
    for part in empty:
        part["conductance"][:, 0, 0] = 0.0
    found = recorded(Product(READING).evaluate(empty, {"readout": readout}), "product")
    assert found.uncertainty("r_line") > 10.0


def test_noisy_cells_count_less_and_are_counted(bench: Measured) -> None:
    _, readout, parts = bench
    rng = np.random.default_rng(6)
    noisy = []
    for part in parts:
        wrong = np.array(part["conductance"])
        wrong[:, 2, 5] *= 1.0 + 0.1 * rng.standard_normal(4)
        noisy.append({**part, "conductance": wrong})
    calm, found = (Product(READING).evaluate(p, {"readout": readout}) for p in (parts, noisy))
    assert found.conditions["cells_that_count_less"] >= calm.conditions["cells_that_count_less"]
    assert found.conditions["cells_that_count_less"] >= 2
    spread = np.sqrt(np.diag(calm.covariance))[-2:]
    moved = [float(found.values[name] - calm.values[name]) for name in ("r_line", "r_switch")]
    assert np.all(np.abs(moved) < 1.5 * spread)


def test_figures_show_columns_lines_and_residuals(bench: Measured) -> None:
    _, readout, parts = bench
    record = recorded(Product(READING).evaluate(parts, {"readout": readout}), "product")
    found = Product(READING).figures(parts, record)
    assert set(found) == {"product-columns", "product-lines", "product-residuals"}
    assert all(len(caption) > 50 and figure.axes for figure, caption in found.values())


@pytest.mark.slow
@pytest.mark.timeout(680)
def test_truth_lies_within_the_intervals_of_many_benches() -> None:
    inside: dict[str, list[float]] = {}
    for seed in range(100, 200):
        backend = hidden(seed, 12, 12)
        readout = read_chain(backend, seed)
        parts = measured(Product(READING), backend, readout)
        found = recorded(Product(READING).evaluate(parts, {"readout": readout}), "product")
        for name, z in off_by(found, true_product(backend)).items():
            inside.setdefault(name, []).append(float(np.mean(np.abs(z) < 1.96)))
    # Of 100 benches with 95 % each, fewer than 87 has odds of about 1 : 1000. What columns share makes their
    # benches as good as one value each.
    for name, share in inside.items():
        assert np.mean(share) >= 0.87, f"{name}: {np.mean(share)}"
