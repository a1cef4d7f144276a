"""What the converters play, and where the runs begin."""

import numpy as np
import pytest

from protocols.network import place
from protocols.sampling import START_RANGE, Sampling, starts
from protocols.write_verify import Spec
from rramlab.diffusion.network import time_embedding
from rramlab.diffusion.store import ring_weights

SCORE = ring_weights()
LOW, HIGH = SCORE.scale * SCORE.schedule.beta_0, SCORE.scale * SCORE.schedule.beta_1


def test_the_schedule_runs_backwards_and_is_taken_in_the_middle_of_each_tick():
    c = Sampling(seconds=1.0, tick=0.25).coefficients(SCORE)
    beta = LOW + (HIGH - LOW) * np.array([0.875, 0.625, 0.375, 0.125])
    np.testing.assert_allclose(c.drift, beta / 2, rtol=1e-12)
    assert c.tick == 0.25
    np.testing.assert_allclose(c.embedding, time_embedding(SCORE, [0.875, 0.625, 0.375, 0.125]), rtol=1e-12)


def test_the_ode_takes_half_of_the_score_and_no_noise_the_sde_all_of_it():
    ode, sde = (Sampling(kind=kind).coefficients(SCORE) for kind in ("ode", "sde"))
    np.testing.assert_allclose(ode.drive, ode.drift, rtol=1e-12)
    np.testing.assert_allclose(sde.drive, 2 * sde.drift, rtol=1e-12)
    np.testing.assert_array_equal(ode.drift, sde.drift)
    assert not ode.noise.any()
    np.testing.assert_allclose(sde.noise**2, 2 * sde.drift, rtol=1e-12)


@pytest.mark.parametrize("kind", ["ode", "sde"])
def test_a_slower_run_plays_the_same_equation(kind):
    # Rates are per second of wall time, noise per square root of it: over the run all add up to the same.
    fast, slow = (Sampling(kind=kind, seconds=s).coefficients(SCORE) for s in (0.5, 4.0))
    assert (len(fast.drift), len(slow.drift)) == (100, 800)
    for one in (fast, slow):
        assert one.tick * one.drift.sum() == pytest.approx(0.25 * (LOW + HIGH), rel=1e-9)
        assert one.duration == pytest.approx(one.tick * len(one.drift))
    for name in ("drift", "drive"):
        assert getattr(slow, name).sum() == pytest.approx(getattr(fast, name).sum())
    assert (slow.noise**2).sum() == pytest.approx((fast.noise**2).sum())


@pytest.mark.parametrize("kind", ["ode", "sde"])
def test_data_that_are_noise_already_stay_what_they_are(kind):
    # The score of N(0, 1) is -x, and the process keeps that distribution: its variance stays 1.
    c = Sampling(kind=kind).coefficients(SCORE)
    variance = 1.0
    for drift, drive, noise in zip(c.drift, c.drive, c.noise, strict=True):
        variance = (1 + c.tick * (drift - drive)) ** 2 * variance + c.tick * noise**2
    assert variance == pytest.approx(1.0, abs=1e-3)  # Euler: of the order of beta times a tick


def test_a_request_tells_places_scales_and_units():
    mapping = place(SCORE, np.ones((96, 32), bool), Spec(window=(20e-6, 100e-6)), 50e-6)
    start = np.zeros((5, 2))
    run = Sampling(kept=8, volts=0.04).declare(SCORE, mapping, start)
    assert run.layers == mapping.regions()
    assert run.scale == tuple(layer.scale for layer in mapping.layers)
    assert (run.gain, run.volts, run.kept) == (SCORE.gain, 0.04, 5)
    np.testing.assert_array_equal(run.start, start)
    assert Sampling(kept=2).declare(SCORE, mapping, start).kept == 2


def test_start_states_lie_in_the_range_of_the_converters_and_are_normal():
    runs = 100_000
    raw = np.random.default_rng(5).standard_normal((runs, 2))
    beyond = np.abs(raw) > START_RANGE
    assert beyond.any()  # otherwise this seed would show nothing
    found = starts(runs, np.random.default_rng(5))
    assert found.shape == (runs, 2)
    assert np.abs(found).max() <= START_RANGE
    np.testing.assert_array_equal(found[~beyond], raw[~beyond])
    assert np.median(np.abs(found[beyond])) < 2  # drawn again, not cut at the edge
    # 200 000 values: standard errors 0.0022 of the mean, 0.0032 of the variance (cut at 4 sigma: 0.9989),
    # 0.0005 of the share beyond 2 sigma (0.0454), 0.0022 of the correlation; five of each, odds 1e-6.
    assert abs(found.mean()) < 0.0112
    assert found.var() == pytest.approx(0.9989, abs=0.0158)
    assert (np.abs(found) > 2).mean() == pytest.approx(0.0454, abs=0.0024)
    assert abs(np.corrcoef(found.T)[0, 1]) < 0.0158


def test_the_same_seed_gives_the_same_starts():
    one, two, other = (starts(50, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, other)
