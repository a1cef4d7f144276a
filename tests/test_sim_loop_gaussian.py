"""Random numbers in lanes: distribution, tails, independence."""

import numpy as np
from scipy import stats

from sim_backend.loop.gaussian import LANES, seeds, whole_block


def draw(seed, rows, kind):
    state = np.ascontiguousarray(seeds(np.random.default_rng(seed), LANES).T)
    out = np.empty((rows, LANES), np.float32)
    whole_block(state, out, kind)
    return out.astype(np.float64)


def test_normals_are_normal():
    z = draw(1, 31250, 0).ravel()  # 2 000 000 numbers
    # Four moments within 5 standard errors: a false alarm once in 4e5 seeds.
    n = z.size
    assert abs(z.mean()) < 5 / np.sqrt(n)
    assert abs(z.var() - 1) < 5 * np.sqrt(2 / n)
    assert abs((z**3).mean()) < 5 * np.sqrt(15 / n)
    assert abs((z**4).mean() - 3) < 5 * np.sqrt(96 / n)
    # Kolmogorov-Smirnov: a false alarm once in 1e5 seeds.
    assert stats.kstest(z, "norm").pvalue > 1e-5


def test_tails_have_the_right_weight():
    z = np.abs(draw(2, 62500, 0).ravel())
    for edge in (3.0, 4.0, 4.5):
        expected = z.size * 2 * stats.norm.sf(edge)
        # Poisson counts within 5 standard deviations: once in 5e5 seeds.
        assert abs(np.count_nonzero(z > edge) - expected) < 5 * np.sqrt(expected) + 1
    assert z.max() < 6.7


def test_lanes_and_neighbours_are_independent():
    z = draw(3, 20000, 0)
    # 2016 pairs of lanes and 64 lags within 5.5 standard errors: once in 1e4 seeds.
    between = np.corrcoef(z.T) - np.eye(LANES)
    assert np.abs(between).max() < 5.5 / np.sqrt(len(z))
    for lag in (1, 2):
        along = (z[lag:] * z[:-lag]).mean(axis=0)
        assert np.abs(along).max() < 5.5 / np.sqrt(len(z))
    squares = z**2 - 1
    assert abs((squares[1::2] * squares[::2]).mean()) < 5 * 2 / np.sqrt(z.size / 2)


def test_the_two_numbers_of_a_pair_fill_the_plane_evenly():
    z = draw(4, 20000, 0)
    octant = np.floor((np.arctan2(z[1::2], z[::2]) + np.pi) * 4 / np.pi).astype(int) % 8
    # Chi-square over eight octants: a false alarm once in 1e5 seeds.
    assert stats.chisquare(np.bincount(octant.ravel(), minlength=8)).pvalue > 1e-5


def test_the_board_generator_is_bounded_and_of_unit_variance():
    z = draw(5, 8000, 1).ravel()
    assert np.abs(z).max() <= 6
    # Mean 12/16384 and variance 1 within 5 standard errors: once in 1e6 seeds.
    assert abs(z.mean() - 12 / 16384) < 5 / np.sqrt(z.size)
    assert abs(z.var() - 1) < 5 * np.sqrt(1.9 / z.size)
    # A sum of twelve uniforms has kurtosis 3 - 0.1.
    assert abs((z**4).mean() - 2.9) < 5 * np.sqrt(90 / z.size)


def test_uniforms_are_uniform():
    u = draw(6, 8000, 2).ravel()
    assert u.min() >= 0 and u.max() < 1
    assert stats.kstest(u, "uniform").pvalue > 1e-5


def test_a_run_has_its_stream_whatever_the_size_of_the_batch():
    few = seeds(np.random.default_rng(7), 10)
    many = seeds(np.random.default_rng(7), 1000)
    assert (few == many[:10]).all()
    assert len(np.unique(many, axis=0)) == 1000
