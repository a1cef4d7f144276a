"""The closed loop on simulated macros is the equation that it stands for, imperfection by imperfection."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sim_worlds import IDEAL, bench, network, place, still

from protocols.sampling import Sampling
from rramlab.diffusion.network import ScoreWeights, score
from rramlab.diffusion.sampler import sample
from rramlab.errors import InputError
from rramlab.loop import Coefficients, LoopResult, LoopRun, Region
from rramlab.network_mapping import NetworkMapping
from sim_backend.analog import CHUNK, PAUSE, draw_circuit, region_index
from sim_backend.backend import SimBackend
from sim_backend.options import LoopOptions
from sim_backend.product import GATE

FloatArray = NDArray[np.float64]
VOLTS = 0.05
START = np.clip(np.random.default_rng(5).normal(size=(64, 2)), -2.4, 2.4)
NET = network()


@pytest.fixture
def preset(tmp_path: Path) -> str:
    return still(tmp_path)


def perfect(preset: str, **more: float) -> SimBackend:
    return bench(preset, IDEAL.model_copy(update=more), r_line=0.0, r_switch=0.0)


def solved(
    backend: SimBackend, start: FloatArray = START, net: ScoreWeights = NET, **sampling: object
) -> tuple[LoopRun, LoopResult]:
    plan = Sampling(volts=VOLTS, kept=len(start), **sampling)  # type: ignore[arg-type]
    run = plan.declare(net, place(backend, net, plan.volts), start)
    with backend:
        return run, backend.solve(run)


def digital(start: FloatArray, net: ScoreWeights = NET, steps: int = 2000) -> FloatArray:
    """Return the ends of the reverse ODE by the midpoint rule."""
    x, h = start.copy(), 1.0 / steps

    def slope(x: FloatArray, t: float) -> FloatArray:
        return 0.5 * float(net.sampling_schedule.beta(t)) * (x + score(net, x, t))

    for k in range(steps):
        t = 1.0 - k * h
        x = x + h * slope(x + 0.5 * h * slope(x, t), t - 0.5 * h)
    return x


# The equation.


def test_the_perfect_loop_is_the_reverse_ode(preset: str) -> None:
    run, result = solved(perfect(preset))
    moved = np.abs(result.end - START).max()
    assert moved > 0.3  # a loop that does nothing is not an agreement
    # Zero-order hold of 200 ticks and single precision; Euler with 4000 steps.
    np.testing.assert_allclose(result.end, digital(START), atol=5e-4)
    np.testing.assert_allclose(result.end, sample(NET, 64, steps=4000, start=START).points, atol=2e-3)
    np.testing.assert_allclose(result.state[:, 0], START, atol=1e-6)
    np.testing.assert_allclose(result.state[:, -1], result.end, atol=1e-6)
    assert result.time[-1] == pytest.approx(run.coefficients.duration)


@pytest.mark.parametrize("change", [{"volts": 0.08}, {"volts": 0.03}, {"seconds": 2.0}, {"tick": 2.5e-3}])
def test_volts_seconds_and_tick_change_the_scale_and_not_the_answer(preset: str, change: dict) -> None:
    backend = perfect(preset)
    plan = replace(Sampling(volts=VOLTS), **change)
    run = plan.declare(NET, place(backend, NET, plan.volts), START)
    with backend:
        np.testing.assert_allclose(backend.solve(run).end, digital(START), atol=5e-4)


def test_gain_and_noise_rates_come_from_the_network(preset: str) -> None:
    net = replace(NET, gain=2.5, scale=1.5)
    _, result = solved(perfect(preset), net=net)
    np.testing.assert_allclose(result.end, digital(START, net), atol=5e-4)
    assert np.abs(result.end - digital(START)).max() > 0.05


def test_copies_share_the_work(preset: str) -> None:
    backend = perfect(preset)
    mapping = place(backend, NET, VOLTS, (2, 2, 2))
    with backend:
        result = backend.solve(Sampling(volts=VOLTS).declare(NET, mapping, START))
    np.testing.assert_allclose(result.end, digital(START), atol=5e-4)


def test_the_stochastic_loop_has_mean_and_variance_of_the_reverse_sde(preset: str) -> None:
    start = np.tile([0.8, -0.4], (4096, 1))
    _, result = solved(perfect(preset, dac_bits=12), start, kind="sde")
    paths = sample(NET, 8192, steps=200, kind="sde", seed=1, start=np.tile(start[:1], (8192, 1))).points
    deviation = paths.std(axis=0)
    # Standard error of a mean: 1/64 and 1/90 of a deviation, together 0.019; of a deviation that over
    # sqrt(2). Bounds at five of them and 1 % for the tick: four comparisons, once in 4e5 seeds.
    assert np.abs(result.end.mean(axis=0) - paths.mean(axis=0)).max() < (0.095 + 0.01) * deviation.max()
    np.testing.assert_allclose(result.end.std(axis=0), deviation, rtol=0.068 + 0.01)


def test_converters_that_cut_off_do_not_pull_the_noise_down(preset: str) -> None:
    backend = perfect(preset, dac_bits=12)
    mapping, ticks = place(backend, NET, VOLTS), 50
    still_net = Coefficients(
        5e-3, np.zeros(ticks), np.zeros(ticks), np.zeros((ticks, 14)), np.full(ticks, 0.25)
    )
    run = LoopRun(mapping.regions(), (1e-5,) * 3, 5.0, VOLTS, np.zeros((8192, 2)), still_net, kept=1)
    with backend:
        end = backend.solve(run).end
    # Deviation 0.25 sqrt(0.25) = 0.125; half a code lost would be 0.012. Standard error 0.0014, five sigma.
    assert np.abs(end.mean(axis=0)).max() < 5 * 0.125 / np.sqrt(8192)
    np.testing.assert_allclose(end.std(axis=0), 0.125, rtol=0.04)


def test_what_does_not_fit_the_converters_is_refused_in_one_sentence(preset: str) -> None:
    backend = perfect(preset, dac_bits=12)
    run = Sampling(volts=VOLTS, seconds=0.1).declare(NET, place(backend, NET, VOLTS), START)
    with backend, pytest.raises(InputError, match="does not fit the converter"):
        backend.solve(run)
    with backend, pytest.raises(InputError, match="at least one"):
        backend.solve(replace(run, start=np.zeros((0, 2))))


# Imperfections, one at a time. The circuit's errors are set by hand, so that sign and size are known.


def altered(backend: SimBackend, **circuit: object) -> SimBackend:
    backend._loop = replace(backend.loop, circuit=replace(backend.loop.circuit, **circuit))
    return backend


def silent(backend: SimBackend, drift: float = 0.0, drive: float = 0.0, ticks: int = 200) -> LoopResult:
    """Return runs with constant coefficients and no embedding."""
    mapping = place(backend, NET, VOLTS)
    flat = np.ones(ticks)
    c = Coefficients(5e-3, drift * flat, drive * flat, np.zeros((ticks, 14)), 0.0 * flat)
    scale = tuple(layer.scale for layer in mapping.layers)
    run = LoopRun(mapping.regions(), scale, 5.0, VOLTS, START, c, kept=len(START))
    with backend:
        return backend.solve(run)


def test_state_grows_with_its_own_rate_and_the_multipliers_gain(preset: str) -> None:
    np.testing.assert_allclose(silent(perfect(preset), 0.25).end, START * np.exp(0.25), rtol=1e-4)
    circuit = perfect(preset).loop.circuit
    f = replace(circuit.f_multiplier, gain_error=np.array([0.1, -0.2]), offset=np.array([1e-3, 0.0]))
    end = silent(altered(perfect(preset), f_multiplier=f), 0.25).end
    growth = np.exp(0.25 * np.array([1.1, 0.8]))
    offset = np.array([1e-3 / VOLTS, 0.0]) * (growth - 1) / (0.25 * np.array([1.1, 0.8]))
    np.testing.assert_allclose(end, START * growth + offset, rtol=1e-4, atol=1e-5)


def test_integrators_drift_leak_and_run_at_their_own_speed(preset: str) -> None:
    part = perfect(preset).loop.circuit.integrator
    off = silent(altered(perfect(preset), integrator=replace(part, offset=np.array([1e-3, -2e-3])))).end
    np.testing.assert_allclose(off - START, np.tile([0.02, -0.04], (64, 1)), atol=1e-5)
    leak = silent(altered(perfect(preset), integrator=replace(part, leak=5.0))).end
    np.testing.assert_allclose(leak, START * np.exp(-0.2), rtol=1e-4)
    slow = silent(altered(perfect(preset), integrator=replace(part, rc_error=np.array([0.25, 0.0]))), 0.5).end
    np.testing.assert_allclose(slow, START * np.exp([0.4, 0.5]), rtol=1e-4)


def test_the_gain_of_the_score_multiplier_scales_the_slope(preset: str) -> None:
    circuit = perfect(preset).loop.circuit
    g = replace(circuit.g_multiplier, gain_error=np.array([0.1, 0.0]))
    plain = silent(perfect(preset), drive=0.25, ticks=1).end - START
    more = silent(altered(perfect(preset), g_multiplier=g), drive=0.25, ticks=1).end - START
    np.testing.assert_allclose(more, plain * [1.1, 1.0], rtol=5e-3, atol=1e-6)


def test_hidden_units_are_clamped_and_states_held_between_the_rails(preset: str) -> None:
    _, free = solved(perfect(preset))
    _, held = solved(perfect(preset, clamp=0.06))
    assert max(h.max() for h in free.hidden) > 0.06 / VOLTS
    assert max(h.max() for h in held.hidden) == pytest.approx(0.06 / VOLTS)
    assert min(h.min() for h in held.hidden) == 0.0
    assert np.abs(silent(perfect(preset, rail=0.06), 0.9).end).max() == pytest.approx(0.06 / VOLTS)


def test_converters_round_the_embedding_to_their_resolution(preset: str) -> None:
    _, exact = solved(perfect(preset))
    errors = [np.abs(solved(perfect(preset, dac_bits=bits))[1].end - exact.end).max() for bits in (8, 12)]
    assert 4 < errors[0] / errors[1] < 64
    # A code of the embedding is 0.2 V / 2048 = 0.002 units of a pre-activation; the network makes less of it.
    assert errors[1] < 0.01


def test_finite_amplifiers_lose_their_noise_gain(preset: str) -> None:
    backend = perfect(preset, opamp_gain=1e3)
    _, result = solved(backend)
    _, exact = solved(perfect(preset))
    apart = np.abs(result.end - exact.end).max()
    assert 1e-4 < apart < 0.1
    # The integrator's three input resistors load it: 1 + 2 + 10 of its gain, as a leak.
    lost = silent(perfect(preset, opamp_gain=1e3)).end
    np.testing.assert_allclose(lost, START * np.exp(-13e-3 / 1.001), rtol=1e-4)


def test_the_drawn_errors_have_the_deviation_asked_for() -> None:
    options = LoopOptions(rc_error=0.05, offset=0.01, multiplier_gain=0.03, multiplier_offset=0.02)
    many = [draw_circuit(options, np.random.default_rng([chip, 2])) for chip in range(500)]
    for found, sigma in (
        ([c.integrator.rc_error for c in many], 0.05),
        ([c.integrator.offset for c in many], 0.01),
        ([c.f_multiplier.gain_error for c in many], 0.03),
        ([c.g_multiplier.offset for c in many], 0.02),
    ):
        # 1000 draws: the standard error is 2.2 %; four of 5 of them once in 4e5 seeds.
        assert np.std(found) == pytest.approx(sigma, rel=0.11)


# What the loop multiplies with.


@pytest.mark.parametrize(("r_line", "r_switch"), [(0.0, 0.0), (1.0, 10.0), (5.0, 200.0)])
def test_the_matrix_measured_row_by_row_is_the_matrix_of_the_loop(
    preset: str, r_line: float, r_switch: float
) -> None:
    backend = bench(preset, r_line=r_line, r_switch=r_switch)
    mapping = place(backend, NET, VOLTS, (2, 2, 2))
    vectors = np.tile(VOLTS * np.eye(32), (100, 1))
    with backend:
        for macro, region in enumerate(mapping.regions()):
            measured = backend.multiply(vectors, macro).reshape(100, 32, 32).mean(axis=0) / VOLTS
            rows = np.array(region.rows) % 32
            seen = measured[np.ix_(rows, np.array(region.cols))]
            seen = seen.reshape(region.copies, region.inputs, -1).sum(axis=0)
            used = backend.loop._effective(region, backend.now(), VOLTS)
            # Noise: 20 nA and 0.25 uS per cell, two copies, a hundred products: 0.066 uS. 450 entries within
            # six of them: once in 1e6 seeds.
            assert np.abs(seen - used).max() < 6 * 0.066e-6
            # The wires are in both: they take more than the noise where they are long.
            bare = backend.array.population.conductance(
                region_index(backend.array, region).ravel(), VOLTS, GATE, backend.now()
            )
            lost = bare.sum() / used.sum() - 1
            assert (lost > 0.004) if r_line else abs(lost) < 1e-12


# Energy, age, noise.


@pytest.mark.parametrize("copies", [(1, 1, 1), (2, 2, 2)])
def test_energy_is_that_of_the_recorded_voltages_on_all_cells(
    preset: str, copies: tuple[int, int, int]
) -> None:
    backend = perfect(preset)
    mapping = place(backend, NET, VOLTS, copies)
    with backend:
        r = backend.solve(Sampling(volts=VOLTS, kept=64).declare(NET, mapping, START))
    total = np.zeros(len(START))
    for region, inputs in zip(mapping.regions(), (r.state, *r.hidden), strict=True):
        index = region_index(backend.array, region)
        # At each recorded voltage the cells' own conductance, row by row: V^2 G of every cell, reference too.
        g = backend.array.population.conductance(index.ravel(), VOLTS, GATE, 0.0).reshape(index.shape)
        volts = np.tile(inputs * VOLTS, (1, 1, region.copies))
        power = (volts**2 * g.sum(axis=1)).sum(axis=-1)
        total += np.trapezoid(power, r.time, axis=1)
    np.testing.assert_allclose(r.energy, total, rtol=0.02)


def ages(backend: SimBackend, runs: int) -> list[float]:
    """Return the times (s) at which the loop looked at the cells."""
    seen: list[float] = []
    population = backend.array.population
    real = population.conductance

    def spy(index: object, v: object, gate: object, at: float, *rest: object) -> FloatArray:
        seen.append(float(at))
        return real(index, v, gate, at, *rest)  # type: ignore[arg-type]

    population.conductance = spy  # type: ignore[method-assign, assignment]
    mapping = NetworkMapping.fit(NET)
    with backend:
        backend.wait(1000.0)
        backend.solve(Sampling(volts=VOLTS, tick=0.1).declare(NET, mapping, np.zeros((runs, 2))))
    return sorted(set(seen))


def test_each_run_meets_cells_of_its_own_age(preset: str) -> None:
    assert ages(perfect(preset), 1) == pytest.approx([1000.0, 1001.0])
    period = 1.0 + PAUSE
    few = ages(perfect(preset), 11)
    assert few == pytest.approx([1000 + 5 * period, 1001 + 5 * period])
    many = ages(perfect(preset), CHUNK + 3)
    middle = [0.5 * (CHUNK - 1), CHUNK + 1]
    assert many == pytest.approx([1000 + m * period + e for m in middle for e in (0.0, 1.0)])


def test_a_loop_that_is_relaxing_shifts_by_what_its_weights_do(tmp_path: Path) -> None:
    # One decade of time moves each weight by the preset's drift: the effective matrix shows it.
    backend = perfect(still(tmp_path))
    region = place(backend, NET, VOLTS).regions()[1]
    first, last = (backend.loop._effective(region, t, VOLTS) for t in (0.0, 1e6))
    np.testing.assert_allclose(last, first, rtol=1e-4)  # thermal loss only
    drifting = tmp_path / "drifting.toml"
    drifting.write_text(Path(still(tmp_path)).read_text().replace("drift = 0.0", "drift = -0.2e-6"))
    backend = perfect(str(drifting))
    region = place(backend, NET, VOLTS).regions()[1]
    early, late = (backend.loop._effective(region, t, VOLTS)[:, -1].mean() for t in (1e2, 1e4))
    # The reference of 50 uS is a filament of 56 uS: 2 decades of -0.22 uS, of which the path shows 0.79.
    assert late - early == pytest.approx(-2 * 0.225e-6 * 0.79, rel=0.1)


def test_noise_of_the_loop_is_that_of_readings(tmp_path: Path) -> None:
    loop = IDEAL.model_copy(update={"read_noise": True})
    quiet_meter = "[noise]\nwhite_current = 0.0\n"
    backend = bench(still(tmp_path, quiet_meter), loop, r_line=0.0, r_switch=0.0)
    place(backend, NET, VOLTS)
    region = Region(tuple(range(14)), tuple(range(15)))
    noise = backend.loop._read_noise((region,), backend.now(), VOLTS)
    assert noise is not None and len(noise.taus) == 9
    index = region_index(backend.array, region).ravel()
    path = backend.array.population.conductance(index, VOLTS, GATE, 0.0)
    stated = np.sqrt((noise.variance(path) * noise.decades).mean())
    # Readings far apart in time: 0.4 % of a filament at 50 uS, through transistor and lines.
    rng, at, seen = np.random.default_rng(1), 0.0, []
    for _ in range(300):
        at += 1e4
        seen.append(backend.array.population.read(index, VOLTS, GATE, at, 1e-3, 0.0, rng))
    measured = np.sqrt(np.var(seen, axis=0).mean())
    # 63 000 draws: standard error 0.3 %; the rest is nonlinearity and the bank's edge at 1 ms.
    assert stated == pytest.approx(measured, rel=0.04)


def test_telegraph_cells_jump_as_far_and_as_often_in_the_loop_as_in_readings(tmp_path: Path) -> None:
    text = Path(still(tmp_path)).read_text()
    loud = text.replace("fraction = 0.0\nstrong_fraction = 0.0", "fraction = 1.0\nstrong_fraction = 0.0")
    file = tmp_path / "loud.toml"
    file.write_text(loud + "[noise]\nwhite_current = 0.0\nrelative = 0.0\n")
    backend = bench(str(file), IDEAL.model_copy(update={"read_noise": True}), r_line=0.0, r_switch=0.0)
    place(backend, NET, VOLTS)
    region = Region((0,), tuple(range(15)))
    found = backend.loop._telegraph((region,), 0.0, VOLTS)
    assert found is not None
    index, cells = region_index(backend.array, region).ravel(), backend.array.population.cells
    cells.telegraph_tau[index] = 0.05
    found = backend.loop._telegraph((region,), 0.0, VOLTS)
    rng, step = np.random.default_rng(2), 0.01
    g = np.array(
        [backend.array.population.read(index, VOLTS, GATE, k * step, 1e-6, 0.0, rng) for k in range(4000)]
    )
    high = g > 0.5 * (g.max(axis=0) + g.min(axis=0))
    np.testing.assert_allclose(np.ptp(g, axis=0), found.amplitude[0][0], rtol=0.05)
    flips = (high[1:] != high[:-1]).mean()
    # 60 000 chances of 9 %: standard error 0.0012.
    assert flips == pytest.approx(found.flips(0, step).mean(), abs=0.006)
