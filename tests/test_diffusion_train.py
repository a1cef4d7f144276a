from dataclasses import replace

import numpy as np
import pytest
import torch

from rramlab.diffusion import VpSchedule
from rramlab.diffusion.data import ring_points
from rramlab.diffusion.metrics import sliced_wasserstein
from rramlab.diffusion.network import ScoreWeights, score, time_embedding
from rramlab.diffusion.objective import SampleMatching, ScoreMatching, embed
from rramlab.diffusion.replica import Replicas, disturbed
from rramlab.diffusion.sampler import sample
from rramlab.diffusion.settings import TrainSettings
from rramlab.diffusion.train import train_ring

SHORT = TrainSettings(
    match_steps=400, match_batch=512, tune_steps=15, tune_batch=512, sampler_steps=15, replicas=4, points=2000
)
QUIET = replace(SHORT, write_noise=0.0, reference_noise=0.0)


def layers_of(seed: int) -> list[torch.Tensor]:
    draw = torch.Generator().manual_seed(seed)
    return [0.4 * torch.randn(shape, generator=draw) for shape in ((2, 14), (14, 14), (14, 2))]


def test_replicas_without_errors_agree_with_the_network():
    layers, frequencies = layers_of(1), torch.linspace(0.2, 2.0, 7)
    w = ScoreWeights(*(layer.double().numpy() for layer in layers), frequencies.double().numpy())
    x, t = torch.randn(4, 30, 2, generator=torch.Generator().manual_seed(2)), torch.rand(4, 30, 1)
    found, _ = Replicas(layers, QUIET, torch.Generator())(x, embed(t, frequencies))
    np.testing.assert_allclose(embed(t, frequencies), time_embedding(w, t[..., 0].numpy()), atol=1e-5)
    np.testing.assert_allclose(found, score(w, x.numpy(), t[..., 0].numpy()), atol=2e-4)


def test_errors_have_the_spread_that_was_asked_for():
    settings = replace(SHORT, replicas=2000, match_batch=2000, tune_batch=2000)
    settings = replace(settings, write_noise=0.02, reference_noise=0.05)
    copies = disturbed(torch.zeros(14, 14), 2.0, settings, torch.Generator().manual_seed(3))
    rows = copies.mean(dim=2)
    # Relative standard error 0.1 % for the cells and 0.4 % for the rows: 3 % is beyond 7 of them.
    assert float((copies - rows[..., None]).std()) == pytest.approx(0.04 * np.sqrt(13 / 14), rel=0.03)
    assert float(rows.std()) == pytest.approx(np.sqrt(0.1**2 + 0.04**2 / 14), rel=0.03)


def test_published_relative_noise_stays_inside_its_limit():
    settings = replace(QUIET, replicas=512, match_batch=512, tune_batch=512, relative_noise=0.1)
    copies = disturbed(torch.full((14, 14), -2.0), 2.0, settings, torch.Generator().manual_seed(3))
    relative = copies / -2.0 - 1.0
    assert float(relative.abs().max()) < 0.2 + 1e-6
    # Normal cut at two sigma, 4.6 % replaced by uniform ones: variance (0.7385 + 0.0607) 0.1^2. 100 352
    # draws have a standard error of about 0.25 %: 2 % is 8 of them.
    assert float(relative.std()) == pytest.approx(0.0894, rel=0.02)


def test_denoising_loss_of_no_network_is_one():
    layers = [torch.zeros(2, 14), torch.zeros(14, 14), torch.zeros(14, 2)]
    draw = torch.Generator().manual_seed(4)
    settings = replace(QUIET, match_batch=40_000)
    objective = ScoreMatching(torch.zeros(10, 2), torch.ones(7), VpSchedule(), settings, draw)
    loss, _ = objective(Replicas(layers, settings, draw))
    # z^2 has mean 1 and standard error 0.5 % over 80 000 numbers: 5 of them, odds 6e-7.
    assert float(loss) == pytest.approx(1.0, abs=0.025)


@pytest.mark.parametrize("stage", ["match", "tune"])
def test_gradient_is_the_slope_of_the_loss(stage):
    data = ring_points(500, np.random.default_rng(0))
    frequencies = torch.linspace(0.2, 2.0, 7)

    def loss(layers: list[torch.Tensor]) -> torch.Tensor:
        draw = torch.Generator().manual_seed(7)
        replicas = Replicas(layers, SHORT, draw)
        if stage == "match":
            points = torch.from_numpy(data).float()
            return ScoreMatching(points, frequencies, VpSchedule(), SHORT, draw)(replicas)[0]
        return SampleMatching([data], frequencies, VpSchedule().scaled(2.0), SHORT, draw)(replicas)[0]

    layers = [layer.requires_grad_() for layer in layers_of(5)]
    loss(layers).backward()
    way = [layer.grad / layer.grad.norm() for layer in layers if layer.grad is not None]
    step = 2e-3
    ends = [loss([w.detach() + s * d for w, d in zip(layers, way, strict=True)]) for s in (step, -step)]
    slope = sum(float((w.grad * d).sum()) for w, d in zip(layers, way, strict=True) if w.grad is not None)
    assert float(ends[0] - ends[1]) / (2 * step) == pytest.approx(slope, rel=0.05)


def test_short_training_learns_and_is_reproducible():
    seen: list[tuple[int, int, float]] = []
    weights, curve = train_ring(SHORT, lambda *now: seen.append(now))
    again, _ = train_ring(SHORT)
    for mine, other in zip(weights.layers, again.layers, strict=True):
        np.testing.assert_array_equal(mine, other)
    assert seen[-1][:2] == (415, 415)
    assert list(curve.step) == [now[0] for now in seen]
    assert set(curve.stage) == {"match", "tune"}
    untrained, _ = train_ring(replace(SHORT, match_steps=1, tune_steps=0))
    data = ring_points(4000, np.random.default_rng(1))
    before, after = (sliced_wasserstein(sample(w, 4000, steps=50).points, data) for w in (untrained, weights))
    assert after < 0.5 * before


def test_trained_weights_stay_within_reach_and_tell_their_origin():
    weights, _ = train_ring(replace(SHORT, match_steps=30, tune_steps=2, reach=(0.5, 0.4, 0.3)))
    for layer, reach in zip(weights.layers, (0.5, 0.4, 0.3), strict=True):
        assert layer.max() <= reach + 1e-6
        assert layer.min() >= -0.6 * reach - 1e-6
    assert weights.metadata["command"] == "rramlab train ring"
    assert weights.metadata["seed"] == str(SHORT.seed)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"match_steps": 0}, "match_steps=0 was asked for; possible is at least 1"),
        ({"write_noise": -0.1}, "write_noise=-0.1"),
        ({"match_rate": float("nan")}, "match_rate=nan"),
        ({"replicas": 7}, "a multiple of `replicas`"),
        ({"reach": (1.0, 0.0, 1.0)}, "three numbers above 0"),
    ],
)
def test_impossible_settings_are_refused(change, said):
    with pytest.raises(ValueError, match=said):
        replace(TrainSettings(), **change)
