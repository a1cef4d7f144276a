"""The 2-14-14-2 score network as plain numbers, and its forward pass in numpy."""

from dataclasses import dataclass, field, replace
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rramlab.diffusion.condition import Condition
from rramlab.diffusion.schedule import VpSchedule
from rramlab.errors import InputError

FloatArray = NDArray[np.float64]


@final
@dataclass(frozen=True, eq=False)
class ScoreWeights:
    """Hold one trained score network: three weight matrices without bias and the fixed time embedding.

    Inputs are rows: `w1` has shape (n_in, n_hidden), `w2` (n_hidden, n_hidden), `w3` (n_hidden, n_in).
    `frequencies` (n_hidden / 2,) are in cycles per unit of time. `gain` multiplies the output, `scale` the
    noise rates during sampling, and `activation_limit` is the hidden activation (in units of the state)
    that training keeps the network under, because an analog amplifier saturates there. `condition` holds the
    classes of a conditional network, None for one without.
    """

    w1: FloatArray
    w2: FloatArray
    w3: FloatArray
    frequencies: FloatArray
    gain: float = 5.0
    schedule: VpSchedule = field(default_factory=VpSchedule)
    scale: float = 2.0
    activation_limit: float = 1.5
    metadata: dict[str, str] = field(default_factory=dict)
    condition: Condition | None = None

    def __post_init__(self) -> None:
        """Freeze the arrays and refuse shapes or numbers that no network can have."""
        for name in ("w1", "w2", "w3", "frequencies"):
            object.__setattr__(self, name, _frozen(name, getattr(self, name)))
        inputs, hidden = self.w1.shape if self.w1.ndim == 2 else (0, 0)
        wanted: dict[str, tuple[int, ...]] = {"w1": (inputs, hidden), "w2": (hidden, hidden)}
        wanted |= {"w3": (hidden, inputs), "frequencies": (hidden // 2,)}
        for name, shape in wanted.items():
            found = getattr(self, name).shape
            if found != shape or 0 in shape or hidden % 2:
                raise ValueError(
                    f"{name} of shape {found} does not fit w1 of shape {self.w1.shape}; "
                    "possible are w1 (n, m), w2 (m, m), w3 (m, n), frequencies (m/2,) with m even"
                )
        for name in ("gain", "scale", "activation_limit"):
            if not 0.0 < getattr(self, name) < float("inf"):
                raise ValueError(
                    f"{name}={getattr(self, name)!r} was asked for; it must be finite and above 0"
                )
        if self.condition is not None and self.condition.table.shape[1] != hidden:
            raise ValueError(
                f"a condition of {self.condition.table.shape[1]} numbers does not fit {hidden} hidden units"
            )

    @property
    def layers(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the three weight matrices in the order in which a signal passes them."""
        return self.w1, self.w2, self.w3

    @property
    def classes(self) -> tuple[str, ...]:
        """Return the names of the classes, none for a network without condition."""
        return () if self.condition is None else self.condition.classes

    @property
    def sampling_schedule(self) -> VpSchedule:
        """Return the noise rates used for sampling: the training rates times `scale`."""
        return self.schedule.scaled(self.scale)

    def with_layers(self, w1: ArrayLike, w2: ArrayLike, w3: ArrayLike) -> "ScoreWeights":
        """Return the same network with other weight matrices, for example those read back from a macro."""
        changed: dict[str, Any] = {"w1": np.asarray(w1), "w2": np.asarray(w2), "w3": np.asarray(w3)}
        return replace(self, **changed)


def time_embedding(weights: ScoreWeights, t: ArrayLike) -> FloatArray:
    """Return the fixed Fourier embedding of times t: shape (..., m), m/2 sines before m/2 cosines.

    Each channel is sin or cos of 2 pi f t, with the frequencies drawn once from N(0, 1).
    """
    phase = 2.0 * np.pi * np.asarray(t, float)[..., None] * weights.frequencies
    return np.concatenate([np.sin(phase), np.cos(phase)], axis=-1)


def class_embedding(weights: ScoreWeights, t: ArrayLike, name: str | None = None) -> FloatArray:
    """Return the embedding of times t under a class, shape (..., m): what the converters play.

    None is the null token: the embedding of the time alone.
    """
    embedding = time_embedding(weights, t)
    if name is None:
        return embedding
    if weights.condition is None:
        raise InputError(f"class '{name}' was asked of a network without classes; leave the class out")
    return embedding + weights.condition.vector(name)


def forward(
    weights: ScoreWeights, x: ArrayLike, embedding: ArrayLike, limit: float | None = None
) -> FloatArray:
    """Return the output of the network before the gain, shape (..., n), for states x and embeddings.

    The embedding (..., m) is added to the pre-activations of both hidden layers, and the activation is
    the ReLU. `limit`, when given, clamps the hidden activations as a saturating amplifier does.
    """
    return network_inputs(weights, x, embedding, limit)[2] @ weights.w3


def network_inputs(
    weights: ScoreWeights, x: ArrayLike, embedding: ArrayLike, limit: float | None = None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return what enters each of the three layers: the state and the two hidden activations."""
    added = np.asarray(embedding, float)
    state = np.asarray(x, float)
    hidden_1 = np.clip(state @ weights.w1 + added, 0.0, limit)
    hidden_2 = np.clip(hidden_1 @ weights.w2 + added, 0.0, limit)
    return state, hidden_1, hidden_2


def score(weights: ScoreWeights, x: ArrayLike, t: ArrayLike, limit: float | None = None) -> FloatArray:
    """Return the estimated score grad log p_t(x), shape (..., n), of states x (..., n) at times t."""
    return weights.gain * forward(weights, x, time_embedding(weights, t), limit)


def _frozen(name: str, values: ArrayLike) -> FloatArray:
    """Return a read-only copy as float64, or refuse what is not a finite number."""
    array = np.array(values, dtype=np.float64)
    if not np.isfinite(array).all():
        raise ValueError(
            f"{name} holds {np.count_nonzero(~np.isfinite(array))} values that are not finite numbers"
        )
    array.flags.writeable = False
    return array
