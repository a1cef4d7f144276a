"""What training minimises: the denoising loss, and the distance of samples drawn through the sampler."""

import math
from collections.abc import Callable, Sequence
from typing import final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rramlab.diffusion.replica import Replicas
from rramlab.diffusion.sampler import FIRST_TIME, LAST_TIME
from rramlab.diffusion.schedule import VpSchedule
from rramlab.diffusion.settings import TrainSettings

Objective = Callable[[Replicas], tuple[Tensor, Tensor]]
EARLIEST = 1e-5
DIRECTIONS = 16


def embed(times: Tensor, frequencies: Tensor) -> Tensor:
    """Return the Fourier embedding (..., 14) of times (..., 1)."""
    phase = 2.0 * math.pi * times * frequencies
    return torch.cat([phase.sin(), phase.cos()], dim=-1)


@final
class ScoreMatching:
    """Measure the published denoising loss mean((std score + z)^2) of fresh points, times and noise z.

    With `labels` the class of each point is added to the embedding, but for a share `dropout` of points that
    pass as of no class (classifier-free guidance, Ho and Salimans, 2021).
    """

    def __init__(
        self,
        data: Tensor,
        frequencies: Tensor,
        schedule: VpSchedule,
        settings: TrainSettings,
        draw: torch.Generator,
        labels: Tensor | None = None,
        dropout: float = 0.0,
    ) -> None:
        self._data, self._frequencies, self._draw, self._settings = data, frequencies, draw, settings
        self._schedule, self._dropout = schedule, dropout
        self._classes = None if labels is None else torch.nn.functional.one_hot(labels).float()

    def __call__(self, replicas: Replicas) -> tuple[Tensor, Tensor]:
        """Return the loss and the excess of activations for one batch."""
        copies = self._settings.replicas
        shape = (copies, self._settings.match_batch // copies)
        chosen = torch.randint(len(self._data), shape, generator=self._draw)
        noise = torch.randn((*shape, 2), generator=self._draw)
        times = self._times(shape)
        mean, std = self._moments(times)
        embedding = embed(times, self._frequencies)
        if self._classes is not None and replicas.table is not None:
            told = torch.rand((*shape, 1), generator=self._draw) >= self._dropout
            embedding = embedding + (self._classes[chosen] * told) @ replicas.table
        score, excess = replicas(self._data[chosen] * mean + std * noise, embedding)
        return (score * std + noise).square().mean(), excess

    def _times(self, shape: tuple[int, int]) -> Tensor:
        """Draw times (copies, n, 1), one from each of n equal parts of 0..1 for every copy: less variance."""
        part = (torch.arange(shape[1]) + torch.rand(shape, generator=self._draw)) / shape[1]
        return part[..., None].clamp(min=EARLIEST)

    def _moments(self, times: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean factor and standard deviation of the forward process."""
        s = self._schedule
        integral = times * (s.beta_0 + 0.5 * times * (s.beta_1 - s.beta_0))
        return torch.exp(-0.5 * integral), torch.sqrt(-torch.expm1(-integral))


@final
class SampleMatching:
    """Measure the squared sliced Wasserstein-2 distance between data and points that a few steps draw.

    Each replica must reproduce the data by itself, so that errors of its weights which displace or deform
    what it draws are counted. The start states are an even set of N(0, 1), shifted afresh each time: they
    carry far less chance than independent ones. The times are those of the sampler; every fourth replica
    solves the SDE, the others the ODE, so that one network serves both. `data` has one set of points for each
    class, and each class is drawn and compared by itself; one set alone for a network without classes.
    A share `dropout` of the measure belongs to points of no class, compared with those of all classes.
    """

    def __init__(
        self,
        data: Sequence[NDArray[np.float64]],
        frequencies: Tensor,
        schedule: VpSchedule,
        settings: TrainSettings,
        draw: torch.Generator,
        dropout: float = 0.0,
    ) -> None:
        copies, count = settings.replicas, settings.tune_batch // settings.replicas
        shares = [(1.0 - dropout) / len(data)] * len(data)
        if dropout:
            data, shares = [*data, np.concatenate(data)], [*shares, dropout]
        self._weight = torch.tensor(shares)[:, None, None] * len(shares)
        times = np.linspace(FIRST_TIME, LAST_TIME, settings.sampler_steps)
        self._groups, self._draw = len(data), draw
        self._shape = (copies * len(data), 1, 2)
        self._step = schedule.beta(times) * (FIRST_TIME - LAST_TIME) / len(times)
        self._kick = np.append(np.sqrt(self._step[:-1]), 0.0)
        self._embedding = embed(torch.from_numpy(times).float()[:, None], frequencies)
        self._even = _even_points(count)
        clamp, noisy = torch.full((copies, 1, 1), math.inf), torch.zeros((copies, 1, 1))
        clamp[::2], noisy[3::4] = settings.clamp, 1.0
        self._clamp, self._noisy = (each.repeat_interleave(len(data), dim=0) for each in (clamp, noisy))
        self._share = 0.5 * (1.0 + self._noisy)
        angle = np.pi * (np.arange(DIRECTIONS) + 0.5) / DIRECTIONS
        fan = np.stack([np.cos(angle), np.sin(angle)])
        parts = (np.arange(count) + 0.5) / count
        wanted = np.stack([np.quantile(points @ fan, parts, axis=0) for points in data])
        self._fan, self._wanted = torch.from_numpy(fan).float(), torch.from_numpy(wanted).float()

    def __call__(self, replicas: Replicas) -> tuple[Tensor, Tensor]:
        """Return the squared distance, averaged over replicas, and the excess of activations on the way."""
        x, excess = self._start(), torch.zeros(())
        several, copies = replicas.each(self._groups), len(x) // self._groups
        added = self._added(replicas.table)
        for step, kick, time in zip(self._step, self._kick, self._embedding, strict=True):
            embedding = (time + added).repeat(copies, 1)[:, None]
            score, over = several(x, embedding, self._clamp)
            noise = torch.randn(x.shape, generator=self._draw) * self._noisy
            x = float(1.0 + 0.5 * step) * x + self._share * (float(step) * score) + float(kick) * noise
            excess = excess + over / len(self._step)
        drawn = (x @ self._fan).sort(dim=1).values.view(copies, *self._wanted.shape)
        return (self._weight * (drawn - self._wanted).square()).mean(), excess

    def _added(self, table: Tensor | None) -> Tensor:
        """Return what each set of points adds to the embedding; that of no class, the last one, nothing."""
        if table is None:
            return torch.zeros(1, 1)
        return torch.cat([table, torch.zeros(self._groups - len(table), table.shape[1])])

    def _start(self) -> Tensor:
        """Draw start states (copies, n, 2)."""
        uniform = (self._even + torch.rand(self._shape, generator=self._draw)) % 1.0
        return math.sqrt(2.0) * torch.erfinv((2.0 * uniform - 1.0).clamp(-0.99999, 0.99999))


def _even_points(count: int) -> Tensor:
    """Return points (count, 2) spread evenly over the unit square (R2 recurrence of Roberts, 2018)."""
    plastic = 1.32471795724474602596
    steps = np.arange(1, count + 1)[:, None] * np.array([1.0 / plastic, 1.0 / plastic**2])
    return torch.from_numpy(steps % 1.0).float()
