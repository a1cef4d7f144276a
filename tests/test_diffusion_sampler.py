import numpy as np
import pytest

from rramlab.diffusion import ScoreWeights, VpSchedule, ring_weights, score
from rramlab.diffusion.sampler import sample


def linear_network(slope: float, rate: float = 1.0) -> ScoreWeights:
    """A network whose score is exactly -slope * x: pairs of ReLU units carry x and -x through.

    Frequencies of 0 make the embedding 0 (sines) and 1 (cosines); the sines' channels carry the signal, and
    the cosines' channels, which are 1 everywhere, are left unread.
    """
    w1, w2, w3 = np.zeros((2, 14)), np.zeros((14, 14)), np.zeros((14, 2))
    for axis in range(2):
        up, down = 2 * axis, 2 * axis + 1
        w1[axis, [up, down]] = 1.0, -1.0
        w2[[up, down], [up, down]] = 1.0
        w3[[up, down], axis] = -slope / 5.0, slope / 5.0
    return ScoreWeights(w1, w2, w3, np.zeros(7), schedule=VpSchedule(rate, rate), scale=1.0)


def test_linear_network_has_a_linear_score():
    x = np.random.default_rng(0).normal(size=(20, 2))
    np.testing.assert_allclose(score(linear_network(3.0), x, 0.4), -3.0 * x)


@pytest.mark.parametrize(("kind", "slope"), [("ode", 4.0), ("sde", 4.0), ("sde", 1.0)])
def test_gaussian_data_have_the_right_mean_and_variance(kind, slope):
    rate, steps, count = 1.0, 400, 40_000
    points = sample(linear_network(slope, rate), count, steps=steps, kind=kind, seed=5).points
    # Of the exact equation dx = a x ds + b dW over s = 1 from N(0, 1): Ornstein-Uhlenbeck.
    a = 0.5 * rate - rate * slope * (0.5 if kind == "ode" else 1.0)
    spread = rate if kind == "sde" else 0.0
    variance = np.exp(2 * a) + spread * (np.exp(2 * a) - 1) / (2 * a)
    # Standard error of the variance is 0.7 % here; 4 % leaves room for the Euler error (below 1 %) and
    # 4 of the former: odds of a false alarm below 1e-4.
    np.testing.assert_allclose(points.var(axis=0), variance, rtol=0.04)
    # 4.5 standard errors in each of 2 x 3 means: odds 4e-5.
    assert np.abs(points.mean(axis=0)).max() < 4.5 * np.sqrt(variance / count)


def test_euler_error_falls_with_the_first_power_of_the_step():
    start = np.random.default_rng(1).normal(size=(100, 2))
    exact = start * np.exp(0.5 - 0.5 * 4.0)
    errors = [
        np.abs(sample(linear_network(4.0), 100, steps=n, start=start).points - exact).max()
        for n in (50, 100, 200)
    ]
    assert errors[0] / errors[1] == pytest.approx(2.0, rel=0.1)
    assert errors[1] / errors[2] == pytest.approx(2.0, rel=0.1)


def test_sampler_follows_the_published_step():
    w, steps = ring_weights(), 12
    x = np.random.default_rng(2).normal(size=(30, 2))
    found = sample(w, 30, steps=steps, start=x).points
    dt = (1 - 1e-4) / steps
    for t in np.linspace(1, 1e-4, steps):
        beta = w.sampling_schedule.beta(t)
        x = x - dt * (-0.5 * beta * x - 0.5 * beta * score(w, x, t))
    np.testing.assert_allclose(found, x, rtol=0, atol=1e-4)


@pytest.mark.parametrize("kind", ["ode", "sde"])
def test_same_seed_gives_the_same_bits(kind):
    w = ring_weights()
    first, again, other = (sample(w, 64, steps=10, kind=kind, seed=s).points for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_trajectory_begins_at_the_start():
    start = np.random.default_rng(3).normal(size=(10, 2)).astype(np.float32)
    found = sample(ring_weights(), 10, steps=40, start=start, frames=5)
    assert found.trajectory.shape == (5, 10, 2)
    assert found.times[0] == 1.0
    assert found.times[-1] == pytest.approx(1e-4)
    np.testing.assert_array_equal(found.trajectory[0], start)
    assert sample(ring_weights(), 10, steps=40, start=start).trajectory.shape == (0, 10, 2)


def test_impossible_requests_are_refused():
    w = ring_weights()
    with pytest.raises(ValueError, match="count >= 1"):
        sample(w, 0)
    with pytest.raises(ValueError, match="'ode' and 'sde'"):
        sample(w, 1, kind="heun")
    with pytest.raises(ValueError, match="initial states"):
        sample(w, 3, start=np.zeros((2, 2)))
