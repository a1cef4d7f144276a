import numpy as np
import pytest

from rramlab.diffusion.data import ring_points
from rramlab.diffusion.metrics import histogram_distance, kl_divergence, quality, sliced_wasserstein


def cloud(count: int = 4000, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.2, (count, 2))


def test_ring_has_the_published_radius():
    radius = np.hypot(*ring_points(20_000, np.random.default_rng(1)).T)
    # 5 standard errors each: odds 1e-6.
    assert radius.mean() == pytest.approx(0.7, abs=5 * 0.04 / np.sqrt(20_000))
    assert radius.std() == pytest.approx(0.04, abs=5 * 0.04 / np.sqrt(40_000))


def test_distances_of_a_sample_to_itself_vanish():
    x = cloud()
    found = quality(x, x)
    assert found.sliced_wasserstein == found.kl == found.kl_published == found.histogram == 0.0


def test_sliced_wasserstein_of_a_shift_is_its_mean_projection():
    x = cloud()
    shift = 0.3 * np.array([np.cos(0.7), np.sin(0.7)])
    # The mean of |cos| over directions is 2 / pi.
    assert sliced_wasserstein(x, x + shift) == pytest.approx(0.3 * 2 / np.pi, rel=1e-3)


def test_sliced_wasserstein_is_symmetric_and_takes_other_sizes():
    x, y = cloud(3000), cloud(1700, 1) * 1.5
    assert sliced_wasserstein(x, y) == pytest.approx(sliced_wasserstein(y, x), rel=1e-12)
    # Each point three times is the same distribution, up to interpolation between order statistics.
    assert sliced_wasserstein(x, np.repeat(x, 3, axis=0)) < 1e-3
    assert sliced_wasserstein(np.zeros((1, 2)), np.zeros((5, 2))) == 0.0


def test_histogram_distance_of_disjoint_points():
    assert histogram_distance(np.full((5, 2), 0.105), np.full((7, 2), -0.105)) == pytest.approx(np.sqrt(2))


def test_kl_of_two_known_histograms():
    low, high = np.array([-0.5, 0.5]), np.array([0.5, 0.5])
    data = np.array([low] * 3 + [high])
    samples = np.array([low, high])
    wanted = 0.75 * np.log(0.75 / 0.5) + 0.25 * np.log(0.25 / 0.5)
    assert kl_divergence(data, samples, bins=2, extent=1.0) == pytest.approx(wanted, rel=1e-6)
    # Points outside are clipped to the border, not lost.
    assert kl_divergence(data, samples * 9.0, bins=2, extent=1.0) == pytest.approx(wanted, rel=1e-6)


def test_kl_punishes_bins_that_only_the_data_fill():
    data = np.array([[-0.5, 0.5], [0.5, 0.5]])
    assert kl_divergence(data, data[:1], bins=2, extent=1.0) == pytest.approx(
        np.log(0.5) + 0.5 * np.log(1e10), rel=1e-3
    )


def test_floor_of_the_ring():
    first, second = (ring_points(20_000, np.random.default_rng(s)) for s in (1, 2))
    found = quality(first, second)
    # Over 50 pairs of seeds: 0.003 to 0.011 and 0.016 to 0.034.
    assert 0.001 < found.sliced_wasserstein < 0.02
    assert 0.005 < found.kl < 0.06


@pytest.mark.parametrize("points", [np.zeros((0, 2)), np.zeros((3, 3)), np.zeros(4), [[np.nan, 0.0]]])
def test_what_is_no_sample_is_refused(points):
    with pytest.raises(ValueError, match="possible are finite points"):
        sliced_wasserstein(points, cloud(10))
