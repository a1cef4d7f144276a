"""Training of a conditional network: the stages of the ring network, with the class of each point told."""

import json
from dataclasses import asdict, dataclass, replace
from typing import Literal, final

import numpy as np
import torch

from rramlab.diffusion.condition import FORMS, Condition
from rramlab.diffusion.condition_form import form_of
from rramlab.diffusion.network import ScoreWeights
from rramlab.diffusion.objective import SampleMatching, ScoreMatching
from rramlab.diffusion.schedule import VpSchedule
from rramlab.diffusion.settings import TrainCurve, TrainSettings
from rramlab.diffusion.threads import one_thread
from rramlab.diffusion.train import HIDDEN, Progress, Training
from rramlab.letters.latents import Latents

SCALE = 1.5
USUAL = TrainSettings(match_steps=8000, tune_steps=1000)
COMMAND = "rramlab train latent"


@final
@dataclass(frozen=True)
class LatentSettings:
    """Hold how a conditional network is trained.

    `form` of the condition is "trained" or "projection"; `dropout` the share of points that pass as of no
    class; `scale` multiplies the noise rates in sampling (published: 1.5).
    """

    form: Literal["trained", "projection"] = "trained"
    dropout: float = 0.1
    scale: float = SCALE
    train: TrainSettings = USUAL

    def __post_init__(self) -> None:
        """Refuse numbers that no training can use."""
        if self.form not in FORMS:
            raise ValueError(f"form={self.form!r} was asked for; possible are {' and '.join(FORMS)}")
        if not 0.0 <= self.dropout < 1.0:
            raise ValueError(f"dropout={self.dropout!r} was asked for; possible is 0 up to less than 1")
        if not 0.0 < self.scale < np.inf:
            raise ValueError(f"scale={self.scale!r} was asked for; possible is finite and above 0")


def train_latent(
    latents: Latents, settings: LatentSettings | None = None, progress: Progress | None = None
) -> tuple[ScoreWeights, TrainCurve]:
    """Train a conditional network on latent points and return its weights with the training curve.

    The same latents and settings give the same weights to the bit on one machine.
    """
    settings = settings or LatentSettings()
    with one_thread():
        return _trained(latents, settings, progress or (lambda *_: None))


def _trained(
    latents: Latents, settings: LatentSettings, progress: Progress
) -> tuple[ScoreWeights, TrainCurve]:
    """Go through both stages with the classes told."""
    inner = settings.train
    draw = torch.Generator().manual_seed(inner.seed)
    schedule, frequencies = VpSchedule(), torch.randn(HIDDEN // 2, generator=draw)
    form = form_of(settings.form, len(latents.classes), HIDDEN, draw)
    run = Training(inner, draw, progress, form)
    groups = [latents.of_class(name) for name in latents.classes]
    points, labels = torch.from_numpy(latents.x.copy()).float(), torch.from_numpy(latents.labels.copy())
    run.both(
        ScoreMatching(points, frequencies, schedule, inner, draw, labels, settings.dropout),
        SampleMatching(groups, frequencies, schedule.scaled(settings.scale), inner, draw, settings.dropout),
    )
    found = run.weights(frequencies, schedule, settings.scale, COMMAND)
    assert run.table is not None
    condition = Condition(latents.classes, run.table.double().numpy(), settings.form)
    origin = f"{len(latents)} of {latents.source} letters"
    notes = {"settings": json.dumps(asdict(settings)), "latents": origin}
    return replace(found, condition=condition, metadata=found.metadata | notes), run.curve
