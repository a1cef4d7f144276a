"""Noise-aware training of the score network: score matching, then tuning through the sampler."""

import json
from collections.abc import Callable, Iterator
from typing import final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rramlab.diffusion.data import ring_points
from rramlab.diffusion.network import ScoreWeights
from rramlab.diffusion.objective import Objective, SampleMatching, ScoreMatching
from rramlab.diffusion.replica import GAIN, Replicas
from rramlab.diffusion.schedule import VpSchedule
from rramlab.diffusion.settings import TrainCurve, TrainSettings
from rramlab.diffusion.threads import one_thread

Progress = Callable[[int, int, float], None]

HIDDEN = 14
SCALE = 2.0
EVERY = 50
TUNE_WEIGHT = 50.0
"""Weight of the squared distance, which brings its gradient to the size of that of the penalty."""


def train_ring(
    settings: TrainSettings | None = None, progress: Progress | None = None
) -> tuple[ScoreWeights, TrainCurve]:
    """Train the ring network and return its weights with the training curve.

    `progress`, when given, is called with (step, total steps, mean loss) about every 50 steps. The same
    settings give the same weights to the bit on one machine.
    """
    settings = settings or TrainSettings()
    data = ring_points(settings.points, np.random.default_rng(settings.seed))
    with one_thread():
        return train(data, settings, progress, command="rramlab train ring")


def train(
    data: NDArray[np.float64],
    settings: TrainSettings,
    progress: Progress | None = None,
    *,
    scale: float = SCALE,
    command: str = "rramlab.diffusion.train",
) -> tuple[ScoreWeights, TrainCurve]:
    """Train a network on points (n, 2) and return its weights with the training curve."""
    draw = torch.Generator().manual_seed(settings.seed)
    schedule = VpSchedule()
    frequencies = torch.randn(HIDDEN // 2, generator=draw)
    run = _Training(_first_layers(settings, draw), settings, draw, progress or (lambda *_: None))
    points = torch.from_numpy(data).float()
    run.stage(
        "match",
        ScoreMatching(points, frequencies, schedule, settings, draw),
        settings.match_steps,
        settings.match_rate,
        1.0,
    )
    tuning = SampleMatching(data, frequencies, schedule.scaled(scale), settings, draw)
    run.stage("tune", tuning, settings.tune_steps, settings.tune_rate, TUNE_WEIGHT)
    notes = {"command": command, "seed": str(settings.seed), "steps": str(settings.total_steps)}
    notes |= {"loss": f"{run.curve.loss[-1]:.6g}", "settings": json.dumps(settings.to_dict())}
    w1, w2, w3 = (layer.double().numpy() for layer in run.mean)
    return ScoreWeights(
        w1, w2, w3, frequencies.double().numpy(), GAIN, schedule, scale, settings.activation_limit, notes
    ), run.curve


@final
class _Training:
    """Hold the weights on their way through the stages, their running mean and the curve."""

    def __init__(
        self, layers: list[Tensor], settings: TrainSettings, draw: torch.Generator, progress: Progress
    ) -> None:
        self.mean, self._settings, self._draw, self._progress = layers, settings, draw, progress
        self._points: list[tuple[int, float, str]] = []

    @property
    def curve(self) -> TrainCurve:
        """Return the curve so far."""
        step, loss, stage = zip(*self._points, strict=True)
        return TrainCurve(np.array(step), np.array(loss), np.array(stage))

    def stage(self, name: str, objective: Objective, steps: int, rate: float, weight: float) -> None:
        """Minimise one objective, from the mean weights of the stage before to new mean weights."""
        if not steps:
            return
        layers = [layer.clone().requires_grad_() for layer in self.mean]
        losses: list[float] = []
        done = self._points[-1][0] if self._points else 0
        keep = 1.0 - 1.0 / max(1.0, 0.02 * steps)
        for step, loss in enumerate(self._descend(layers, objective, steps, rate, weight), 1):
            for mean, layer in zip(self.mean, layers, strict=True):
                mean.lerp_(layer.detach(), 1.0 - keep)
            losses.append(loss)
            if step % EVERY == 0 or step == steps:
                self._points.append((done + step, float(np.mean(losses)), name))
                self._progress(done + step, self._settings.total_steps, self._points[-1][1])
                losses.clear()

    def _descend(
        self, layers: list[Tensor], objective: Objective, steps: int, rate: float, weight: float
    ) -> Iterator[float]:
        """Take Adam steps with a one-cycle rate, giving the loss of each; the weights stay within reach."""
        adam = torch.optim.Adam(layers, lr=rate, betas=(0.9, 0.99))
        cycle = torch.optim.lr_scheduler.OneCycleLR(adam, rate, total_steps=steps + 1, pct_start=0.25)
        for _ in range(steps):
            loss, excess = objective(Replicas(layers, self._settings, self._draw))
            adam.zero_grad()
            torch.autograd.backward(weight * loss + self._settings.saturation * excess)
            torch.nn.utils.clip_grad_norm_(layers, 1.0)
            adam.step()
            cycle.step()
            _clamp(layers, self._settings)
            yield loss.item()


def _first_layers(settings: TrainSettings, draw: torch.Generator) -> list[Tensor]:
    """Draw initial weights, N(0, 1 / inputs), half that for the last layer, clamped to the reach."""
    shapes = ((2, HIDDEN, 1.0), (HIDDEN, HIDDEN, 1.0), (HIDDEN, 2, 0.5))
    layers = [torch.randn(n, m, generator=draw) * (share / n**0.5) for n, m, share in shapes]
    _clamp(layers, settings)
    return layers


def _clamp(layers: list[Tensor], settings: TrainSettings) -> None:
    """Bring every weight back into the range that its layer can be programmed to."""
    with torch.no_grad():
        for layer, reach in zip(layers, settings.reach, strict=True):
            layer.clamp_(-settings.below * reach, reach)
