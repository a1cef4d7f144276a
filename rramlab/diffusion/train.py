"""Noise-aware training of the score network: score matching, then tuning through the sampler."""

import json
from collections.abc import Callable, Iterator
from typing import final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rramlab.diffusion.condition_form import ConditionForm
from rramlab.diffusion.data import ring_points
from rramlab.diffusion.network import ScoreWeights
from rramlab.diffusion.objective import Objective, SampleMatching, ScoreMatching
from rramlab.diffusion.replica import GAIN, Replicas
from rramlab.diffusion.schedule import VpSchedule
from rramlab.diffusion.settings import TrainCurve, TrainSettings
from rramlab.diffusion.threads import one_thread

Progress = Callable[[int, int, float], None]

HIDDEN = 14
LAYERS = 3
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
    run = Training(settings, draw, progress or (lambda *_: None))
    points = torch.from_numpy(data).float()
    run.both(
        ScoreMatching(points, frequencies, schedule, settings, draw),
        SampleMatching([data], frequencies, schedule.scaled(scale), settings, draw),
    )
    return run.weights(frequencies, schedule, scale, command), run.curve


@final
class Training:
    """Hold the weights on their way through the stages, their running mean and the curve.

    With a `form` its parameters are trained along with the layers.
    """

    def __init__(
        self,
        settings: TrainSettings,
        draw: torch.Generator,
        progress: Progress,
        form: ConditionForm | None = None,
    ) -> None:
        self._settings, self._draw, self._progress, self._form = settings, draw, progress, form
        self.mean = _first_layers(settings, draw) + ([] if form is None else form.first(draw))
        self._points: list[tuple[int, float, str]] = []

    @property
    def curve(self) -> TrainCurve:
        """Return the curve so far."""
        step, loss, stage = zip(*self._points, strict=True)
        return TrainCurve(np.array(step), np.array(loss), np.array(stage))

    @property
    def table(self) -> Tensor | None:
        """Return the vectors of the classes so far, None without classes."""
        return None if self._form is None else self._form.table(self.mean[LAYERS:])

    def weights(self, frequencies: Tensor, schedule: VpSchedule, scale: float, command: str) -> ScoreWeights:
        """Return the network so far, without classes, and how it came about."""
        settings = self._settings
        notes = {"command": command, "seed": str(settings.seed), "steps": str(settings.total_steps)}
        notes |= {"loss": f"{self.curve.loss[-1]:.6g}", "settings": json.dumps(settings.to_dict())}
        w1, w2, w3 = (layer.double().numpy() for layer in self.mean[:LAYERS])
        numbers = frequencies.double().numpy()
        return ScoreWeights(w1, w2, w3, numbers, GAIN, schedule, scale, settings.activation_limit, notes)

    def both(self, match: Objective, tune: Objective) -> None:
        """Go through both stages: score matching, then tuning through the sampler."""
        s = self._settings
        self.stage("match", match, s.match_steps, s.match_rate, 1.0)
        self.stage("tune", tune, s.tune_steps, s.tune_rate, TUNE_WEIGHT)

    def stage(self, name: str, objective: Objective, steps: int, rate: float, weight: float) -> None:
        """Minimise one objective, from the mean weights of the stage before to new mean weights."""
        if not steps:
            return
        trained = [each.clone().requires_grad_() for each in self.mean]
        losses: list[float] = []
        done = self._points[-1][0] if self._points else 0
        keep = 1.0 - 1.0 / max(1.0, 0.02 * steps)
        for step, loss in enumerate(self._descend(trained, objective, steps, rate, weight), 1):
            for mean, each in zip(self.mean, trained, strict=True):
                mean.lerp_(each.detach(), 1.0 - keep)
            losses.append(loss)
            if step % EVERY == 0 or step == steps:
                self._points.append((done + step, float(np.mean(losses)), name))
                self._progress(done + step, self._settings.total_steps, self._points[-1][1])
                losses.clear()

    def _descend(
        self, trained: list[Tensor], objective: Objective, steps: int, rate: float, weight: float
    ) -> Iterator[float]:
        """Take Adam steps with a one-cycle rate, giving the loss of each; the weights stay within reach."""
        layers, form = trained[:LAYERS], self._form
        adam = torch.optim.Adam(trained, lr=rate, betas=(0.9, 0.99))
        cycle = torch.optim.lr_scheduler.OneCycleLR(adam, rate, total_steps=steps + 1, pct_start=0.25)
        for _ in range(steps):
            table = None if form is None else form.table(trained[LAYERS:])
            loss, excess = objective(Replicas(layers, self._settings, self._draw, table))
            adam.zero_grad()
            torch.autograd.backward(weight * loss + self._settings.saturation * excess)
            torch.nn.utils.clip_grad_norm_(trained, 1.0)
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
