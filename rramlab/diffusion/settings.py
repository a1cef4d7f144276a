"""Settings of the training of a score network, and the curve that comes out of it."""

from dataclasses import asdict, dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray


@final
@dataclass(frozen=True)
class TrainSettings:
    """Hold how a network is trained: first by score matching, then through the sampler.

    `reach` is the largest weight of each layer and `below` the share of it that negative weights may use:
    the room of the conductance window under and over the reference (30 and 50 uS). Every training step sees
    `replicas` programmed copies, each with its own errors: `write_noise` of every weight and
    `reference_noise` common to a row, both as shares of the reach, because an error of a conductance is an
    absolute one. `relative_noise` and `noise_limit` are the multiplicative noise of the published recipe
    (arXiv 2404.05648: 0.10 and 0.20), which is 0 here since it describes other errors than those of
    write-verify. `saturation` weighs hidden activations above `activation_limit`; half of the replicas in
    the second stage pass amplifiers that clamp at `clamp`.
    """

    seed: int = 1
    points: int = 10_000
    match_steps: int = 15_000
    match_batch: int = 2048
    match_rate: float = 1e-2
    tune_steps: int = 1400
    tune_batch: int = 2048
    tune_rate: float = 1e-2
    sampler_steps: int = 30
    replicas: int = 16
    reach: tuple[float, float, float] = (2.0, 1.5, 0.8)
    below: float = 0.6
    write_noise: float = 0.02
    reference_noise: float = 0.002
    relative_noise: float = 0.0
    noise_limit: float = 0.20
    saturation: float = 0.3
    activation_limit: float = 1.5
    clamp: float = 2.0

    def __post_init__(self) -> None:
        """Refuse numbers that no training can use, with the range that it can."""
        counts = ("points", "match_steps", "match_batch", "tune_batch", "sampler_steps", "replicas")
        above = ("match_rate", "tune_rate", "below", "noise_limit", "activation_limit", "clamp")
        shares = ("tune_steps", "write_noise", "reference_noise", "relative_noise", "saturation", "seed")
        rules = [(name, getattr(self, name) >= 1, "at least 1") for name in counts]
        rules += [(name, 0.0 < getattr(self, name) < np.inf, "finite and above 0") for name in above]
        rules += [(name, 0.0 <= getattr(self, name) < np.inf, "finite and at least 0") for name in shares]
        rules += [("reach", len(self.reach) == 3 and min(self.reach) > 0.0, "three numbers above 0")]
        for batch in ("match_batch", "tune_batch"):
            rules.append((batch, getattr(self, batch) % self.replicas == 0, "a multiple of `replicas`"))
        for name, good, possible in rules:
            if not good:
                raise ValueError(f"{name}={getattr(self, name)!r} was asked for; possible is {possible}")

    @property
    def total_steps(self) -> int:
        """Return the steps of both stages together."""
        return self.match_steps + self.tune_steps

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain numbers, as they are stored with the weights."""
        return asdict(self)


@final
@dataclass(frozen=True, eq=False)
class TrainCurve:
    """Hold the training curve: `step` (n,), `loss` (n,) as means since the step before, `stage` (n,).

    The loss of stage "match" is the denoising loss (dimensionless, published as 0.68 for the ring), that of
    "tune" the squared sliced Wasserstein-2 distance of one batch; they do not compare.
    """

    step: NDArray[np.int64]
    loss: NDArray[np.float64]
    stage: NDArray[np.str_]
