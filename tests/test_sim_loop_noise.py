"""Noise in the closed loop: variances, memory, what is common, and the same bits for the same seed."""

import math

import numpy as np
import pytest
from test_sim_loop import REFERENCE, SILENT, UNIT, X, as_layers, beta, constant, embedding, weights

from sim_backend.loop import Circuit, Keep, Layer, ReadNoise, Reverse, Schedule, Telegraph, evaluate, solve

POINTS = 20000
LOUD = 0.02
"""Choose a read noise that stands well above the resolution of float32."""


def noisy_hidden(tau, state=(0.1, -0.05), tick=5e-3, **more):
    """Return the first hidden layer (V) of many draws at one state, with all neurons conducting."""
    x = np.tile(state, (POINTS, 1))
    noise = ReadNoise(relative=LOUD, decades=1, taus=(tau,))
    return evaluate(
        as_layers(weights()), Circuit.ideal(), x, 0.0, 0.0, np.full(14, 5.0),
        rng=np.random.default_rng(1), read_noise=noise, tick=tick, **more,
    ).hidden1  # fmt: skip


def expected_variance(state=(0.1, -0.05)):
    """Return the variance (V^2) that cells and reference each give to a pre-activation, per column."""
    g = as_layers(weights())[0].conductance
    variance = np.square(state) @ ReadNoise(LOUD, decades=1).variance(g) / UNIT**2
    return variance[:-1], variance[-1]


@pytest.mark.parametrize(("tau", "share"), [(1e-2, 1.0), (1e-5, 2 * 1e-5 / 5e-3), (1e2, 1.0)])
def test_output_variance_is_the_sum_over_the_cells(tau, share):
    h = noisy_hidden(tau)
    cells, reference = expected_variance()
    # Relative standard error of a variance is sqrt(2/20000) = 1 %; 14 columns within 5 %: once in 1e5 seeds.
    np.testing.assert_allclose(h.var(axis=0), share * (cells + reference), rtol=0.05)


def test_noise_of_the_reference_is_common_to_the_outputs_of_a_layer():
    h = noisy_hidden(1e-2)
    cells, reference = expected_variance()
    covariance = np.cov(h.T)
    pairs = covariance[~np.eye(14, dtype=bool)]
    # Standard error of a covariance: below 1.2 % of the variance; 91 pairs within 6 %: once in 1e4 seeds.
    np.testing.assert_allclose(pairs, reference, atol=0.06 * (cells + reference).mean())
    assert pairs.mean() == pytest.approx(reference, rel=0.05)


def silent_run(noise, ticks=64, runs=512, **more):
    """Return the hidden layer (V) of runs whose state stands still, (runs, ticks, 14)."""
    schedule = Schedule(5e-3, np.zeros(ticks), np.zeros(ticks), np.full((ticks, 14), 0.99))
    x = np.tile([0.1, -0.05], (runs, 1))
    circuit = Circuit.ideal(embedding_full_scale=0.5)
    return solve(
        as_layers(weights()), circuit, schedule, x, rng=np.random.default_rng(2), read_noise=noise,
        keep=Keep(range(runs)), **more,
    ).waveforms.hidden1[:, :ticks]  # fmt: skip


def test_middle_bands_forget_with_their_time_constant():
    h = silent_run(ReadNoise(LOUD, decades=1, taus=(1e-2,)))
    h = h - silent_run(None).mean(axis=(0, 1))
    for lag in (1, 3):
        seen = (h[:, lag:] * h[:, :-lag]).mean() / (h**2).mean()
        # About 512 * 64 / 4 independent draws of 14 half-common columns: 5 standard errors are 0.06.
        assert seen == pytest.approx(math.exp(-lag * 0.5), abs=0.06)


def test_slow_bands_stay_for_the_run_and_differ_between_runs():
    h = silent_run(ReadNoise(LOUD, decades=1, taus=(1e3,)))
    assert np.ptp(h, axis=1).max() == 0.0
    assert h[:, 0].std(axis=0).min() > 1e-4


def test_white_amplifier_noise_has_the_variance_of_its_bandwidth():
    circuit = Circuit.ideal(tia_noise=20e-9)
    x = np.zeros((POINTS, 2))
    h = evaluate(
        as_layers(SILENT), circuit, x, 0.0, 0.0, np.full(14, 2.0), rng=np.random.default_rng(3), tick=5e-3
    ).hidden1
    # The amplifier of the reference adds as much; 14 variances within 5 %: once in 1e5 seeds.
    expected = 2 * (20e-9 / UNIT) ** 2 / (2 * 5e-3)
    np.testing.assert_allclose(h.var(axis=0), expected, rtol=0.05)


def test_telegraph_cells_jump_between_two_levels_at_their_rate():
    layers = as_layers(weights())
    amplitude = [np.zeros_like(layer.conductance) for layer in layers]
    dwell = [np.ones_like(layer.conductance) for layer in layers]
    amplitude[0][0, 3], dwell[0][0, 3] = 4e-6, 0.2
    h = silent_run(None, ticks=200, telegraph=Telegraph(tuple(amplitude), tuple(dwell)))
    levels = 0.1 * 4e-6 / UNIT
    assert np.ptp(h[:, :, 3]) == pytest.approx(levels, rel=0.02)
    assert np.ptp(h[:, :, [0, 1, 2, 4]], axis=(0, 1)).max() < 1e-6
    high = h[:, :, 3] > h[:, :, 3].mean()
    flips = (high[:, 1:] != high[:, :-1]).mean()
    # 101 888 chances of 2.5 %: the standard error is 0.0005, 5 of them once in 2e6 seeds.
    assert flips == pytest.approx(0.5 * (1 - math.exp(-2 * 5e-3 / 0.2)), abs=0.0025)
    assert high.mean() == pytest.approx(0.5, abs=0.06)  # 512 runs of some three independent states


def test_held_noise_has_the_deviation_asked_for_and_the_resolution_of_the_converter():
    circuit = Circuit(noise_full_scale=1.0)
    ticks = 64
    schedule = constant(0.0, ticks=ticks, tick=5e-3, noise=np.full(ticks, 0.15))
    runs = 1000
    found = solve(
        as_layers(SILENT), circuit, schedule, np.zeros((runs, 2)), rng=np.random.default_rng(4),
        keep=Keep(range(runs)), dtype=np.float64,
    ).waveforms  # fmt: skip
    held = found.slope[:, :ticks]
    # 128 000 draws: the standard error of the deviation is 0.2 %, 5 of them once in 2e6 seeds.
    assert held.std() == pytest.approx(0.15, rel=0.01)
    steps = (held + 1) * 2048
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-9)
    assert np.abs(held).max() <= 0.9
    assert abs((held[:, 1:] * held[:, :-1]).mean()) < 5 * 0.15**2 / math.sqrt(126000)
    assert abs((held[..., 0] * held[..., 1]).mean()) < 5 * 0.15**2 / math.sqrt(64000)


def test_held_noise_converges_to_the_stochastic_equation():
    circuit = Circuit.ideal(noise_full_scale=10.0)
    plan = Reverse(beta, embedding, stochastic=True)
    growth = math.exp(beta(0.5))  # the integral of beta, which is linear in t
    x = np.full((4096, 2), 0.1)
    for ticks in (25, 100, 400):
        end = solve(
            as_layers(SILENT), circuit, plan.held(circuit, ticks), x, rng=np.random.default_rng(ticks)
        ).end
        bias = 1.5 / ticks  # first order in the tick
        # 8192 ends: standard errors 1.6 % of the variance, 1.1 % of a deviation; 5 of them once in 3e5 seeds.
        assert end.var() / 0.01 == pytest.approx(growth - 1, rel=0.08 + bias)
        assert end.mean() == pytest.approx(0.1 * math.sqrt(growth), abs=0.1 * (0.055 + bias))


def test_the_same_seed_gives_the_same_bits_for_any_threads_and_any_batch():
    circuit = Circuit()
    schedule = Reverse(beta, embedding, stochastic=True).held(circuit, 30)
    x = 0.1 * np.random.default_rng(5).normal(size=(300, 2))

    def run(threads, runs=300):
        rng = np.random.default_rng(6)
        return solve(
            as_layers(weights()),
            circuit,
            schedule,
            x[:runs],
            rng=rng,
            read_noise=ReadNoise(),
            threads=threads,
        ).end

    one = run(1)
    assert (one == run(2)).all() and (one == run(3)).all()
    assert (one[:70] == run(1, 70)).all()
    other = solve(
        as_layers(weights()), circuit, schedule, x, rng=np.random.default_rng(7), read_noise=ReadNoise()
    ).end
    assert (one != other).any()


def test_read_noise_of_the_default_device_moves_samples_little():
    circuit = Circuit()
    schedule = Reverse(beta, embedding).held(circuit)
    quiet = solve(as_layers(weights()), circuit, schedule, 0.1 * X).end
    noisy = solve(
        as_layers(weights()), circuit, schedule, 0.1 * X, rng=np.random.default_rng(8), read_noise=ReadNoise()
    ).end
    assert 1e-5 < np.abs(noisy - quiet).mean() < 5e-3


def test_a_bank_sums_to_the_stated_deviation():
    noise = ReadNoise()
    assert math.sqrt(6 * noise.variance(np.array(50e-6))) == pytest.approx(0.2e-6)
    bands = noise.split(5e-3, 1.0)
    assert bands.memory.size == 3 and bands.frozen == pytest.approx(math.sqrt(2))
    assert bands.white == pytest.approx(math.sqrt(2 * 1.111e-3 / 5e-3))


def test_randomness_must_be_given():
    with pytest.raises(ValueError, match="give rng="):
        evaluate(as_layers(SILENT), Circuit(), [[0.0, 0.0]], 0.0, 0.0, np.zeros(14), read_noise=ReadNoise())
    layer = Layer(np.full((2, 15), REFERENCE), UNIT)
    assert layer.outputs == 14
