import numpy as np

from rramlab.diffusion import ring_weights, score
from rramlab.diffusion.compensate import compensated
from rramlab.diffusion.sampler import sample


def test_nothing_changes_without_errors():
    w = ring_weights()
    np.testing.assert_allclose(compensated(w, w).w3, w.w3, atol=1e-12)


def test_compensation_lessens_what_the_errors_do_along_the_path():
    w, before, after = ring_weights(), 0.0, 0.0
    found = sample(w, 500, steps=50, seed=9, frames=20)
    for seed in range(5):
        rng = np.random.default_rng(seed)
        off = w.with_layers(*(layer + rng.normal(0, 0.03, layer.shape) for layer in w.layers))
        fitted = compensated(w, off)
        np.testing.assert_array_equal(fitted.w1, off.w1)
        np.testing.assert_array_equal(fitted.w2, off.w2)
        plain = off.with_layers(off.w1, off.w2, w.w3)
        for x, t in zip(found.trajectory, found.times, strict=True):
            before += w.schedule.beta(t) * np.square(score(plain, x, t) - score(w, x, t)).mean()
            after += w.schedule.beta(t) * np.square(score(fitted, x, t) - score(w, x, t)).mean()
    assert after < 0.7 * before
