"""Training with classes: what a class adds, who is told it, and what is learnt."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from rramlab.diffusion import VpSchedule
from rramlab.diffusion.condition import nearest_centre
from rramlab.diffusion.condition_form import ConditionForm, ProjectionForm, TrainedForm
from rramlab.diffusion.objective import Objective, SampleMatching, ScoreMatching
from rramlab.diffusion.replica import Replicas
from rramlab.diffusion.sampler import sample
from rramlab.diffusion.settings import TrainSettings
from rramlab.diffusion.train_latent import LatentSettings, train_latent
from rramlab.letters import Latents, class_centres

SHORT = TrainSettings(
    match_steps=250, match_batch=256, tune_steps=8, tune_batch=64, sampler_steps=12, replicas=4
)
QUIET = replace(SHORT, write_noise=0.0, reference_noise=0.0)
FREQUENCIES = torch.linspace(0.2, 2.0, 7)


def draw(seed: int = 7) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def gaussians(count: int = 1500, seed: int = 1) -> Latents:
    """Return what an autoencoder aims at: spread 1 around the centres, in network units."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    x = (class_centres(3)[labels] + rng.normal(size=(count, 2))) / 8
    return Latents(x, labels, ("H", "K", "U"), "gaussian")


def layers_of(seed: int) -> list[torch.Tensor]:
    shapes = (2, 14), (14, 14), (14, 2)
    return [0.4 * torch.randn(shape, generator=draw(seed)) for shape in shapes]


def objective_of(stage: str, latents: Latents, settings: TrainSettings, dropout: float = 0.1) -> Objective:
    if stage == "match":
        points, labels = torch.tensor(latents.x).float(), torch.tensor(latents.labels)
        return ScoreMatching(points, FREQUENCIES, VpSchedule(), settings, draw(), labels, dropout)
    groups = [latents.of_class(name) for name in latents.classes]
    return SampleMatching(groups, FREQUENCIES, VpSchedule().scaled(1.5), settings, draw(), dropout)


def test_the_trained_form_is_linear_gelu_linear_of_the_one_hot_class():
    form = TrainedForm(3, 14)
    first, bias_1, second, bias_2 = parameters = form.first(draw())
    one, two = torch.nn.Linear(3, 14), torch.nn.Linear(14, 14)
    with torch.no_grad():
        for linear, weight, bias in ((one, first, bias_1), (two, second, bias_2)):
            linear.weight.copy_(weight.T)
            linear.bias.copy_(bias)
        wanted = two(torch.nn.functional.gelu(one(torch.eye(3))))
    torch.testing.assert_close(form.table(parameters), wanted)
    assert sum(each.numel() for each in parameters) == 266  # as published


def test_the_projection_is_drawn_once_and_not_trained():
    form = ProjectionForm(4, 14, draw())
    assert form.first(draw()) == []
    torch.testing.assert_close(form.table([]), form.table([]), rtol=0, atol=0)
    assert form.table([]).shape == (4, 14)


@pytest.mark.parametrize("stage", ["match", "tune"])
def test_a_table_of_zeros_is_no_condition(stage):
    latents, layers = gaussians(300), layers_of(2)
    if stage == "match":
        plain: Objective = ScoreMatching(
            torch.tensor(latents.x).float(), FREQUENCIES, VpSchedule(), QUIET, draw()
        )
    else:
        plain = SampleMatching([latents.x], FREQUENCIES, VpSchedule().scaled(1.5), QUIET, draw())
        latents = Latents(latents.x, 0 * latents.labels, ("X",), "gaussian")
    zeros = torch.zeros(len(latents.classes), 14)
    found, excess = objective_of(stage, latents, QUIET, 0.0)(Replicas(layers, QUIET, draw(), zeros))
    wanted, other = plain(Replicas(layers, QUIET, draw()))
    torch.testing.assert_close((found, excess), (wanted, other), rtol=1e-5, atol=1e-7)


def test_points_of_which_all_drop_their_class_teach_it_nothing():
    latents, table = gaussians(300), torch.randn(3, 14, generator=draw(3))
    losses = [
        objective_of("match", latents, QUIET, 1.0)(Replicas(layers_of(2), QUIET, draw(), t))[0]
        for t in (table, -table)
    ]
    torch.testing.assert_close(*losses, rtol=0, atol=0)
    told = [
        objective_of("match", latents, QUIET, 0.0)(Replicas(layers_of(2), QUIET, draw(), t))[0]
        for t in (table, -table)
    ]
    assert abs(float(told[0] - told[1])) > 1e-3


def test_all_classes_of_a_copy_meet_the_same_errors():
    replicas = Replicas(layers_of(2), SHORT, draw())
    several = replicas.each(3)
    for before, after in zip(replicas.layers, several.layers, strict=True):
        for copy in range(SHORT.replicas):
            for group in range(3):
                assert torch.equal(after[3 * copy + group], before[copy])


@pytest.mark.parametrize("stage", ["match", "tune"])
def test_gradient_of_the_table_is_the_slope_of_the_loss(stage):
    latents = gaussians(300)

    def loss(table: torch.Tensor) -> torch.Tensor:
        return objective_of(stage, latents, SHORT)(Replicas(layers_of(5), SHORT, draw(9), table))[0]

    table = (0.5 * torch.randn(3, 14, generator=draw(4))).requires_grad_()
    torch.autograd.backward(loss(table))
    assert table.grad is not None
    way, step = table.grad / table.grad.norm(), 2e-3
    ends = [float(loss(table.detach() + s * way)) for s in (step, -step)]
    assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(float(table.grad.norm()), rel=0.05)


@pytest.mark.parametrize("form", ["trained", "projection"])
def test_short_training_tells_the_classes_apart(form):
    latents, seen = gaussians(), []
    settings = LatentSettings(form=form, train=SHORT)
    weights, curve = train_latent(latents, settings, lambda *now: seen.append(now))
    centres = [latents.of_class(name).mean(axis=0) for name in latents.classes]
    for label, name in enumerate(weights.classes):
        points = sample(weights, 500, steps=30, name=name).points
        # A third would be chance.
        assert (nearest_centre(points, centres) == label).mean() > 0.8
    assert seen[-1][:2] == (258, 258)
    assert set(curve.stage) == {"match", "tune"}
    assert weights.condition is not None
    assert (weights.condition.form, weights.classes, weights.scale) == (form, ("H", "K", "U"), 1.5)
    assert weights.metadata["command"] == "rramlab train latent"
    assert weights.metadata["latents"] == "1500 of gaussian letters"


def test_the_same_settings_give_the_same_bits_and_another_seed_others():
    brief = replace(SHORT, match_steps=10, tune_steps=2)
    one, same, other = (
        train_latent(gaussians(300), LatentSettings(train=replace(brief, seed=seed)))[0] for seed in (1, 1, 2)
    )
    for mine, again in zip((*one.layers, one.condition), (*same.layers, same.condition), strict=True):
        np.testing.assert_array_equal(getattr(mine, "table", mine), getattr(again, "table", again))
    assert one.condition is not None
    assert other.condition is not None
    assert (one.condition.table != other.condition.table).any()


def test_a_fixed_projection_stays_what_it_was():
    tables = []
    for steps in (4, 40):
        brief = replace(SHORT, match_steps=steps, tune_steps=1)
        weights, _ = train_latent(gaussians(300), LatentSettings(form="projection", train=brief))
        assert weights.condition is not None
        tables.append(weights.condition.table)
    np.testing.assert_array_equal(*tables)


def test_forms_are_of_one_kind():
    assert all(issubclass(form, ConditionForm) for form in (TrainedForm, ProjectionForm))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"form": "learnt"}, "possible are trained and projection"),
        ({"dropout": 1.0}, "dropout=1.0 was asked for; possible is 0 up to less than 1"),
        ({"scale": 0.0}, "scale=0.0"),
        ({"scale": float("nan")}, "scale=nan"),
    ],
)
def test_impossible_settings_are_refused(change, said):
    with pytest.raises(ValueError, match=said):
        replace(LatentSettings(), **change)
