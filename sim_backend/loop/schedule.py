"""Say what the converters do during a run: coefficients, embedding and noise, tick by tick.

Noise that is held for a tick h: with a fresh standard normal xi per tick, the step of the state is
noise_full_scale / rc * n * h. It equals sqrt(beta ds) xi of the stochastic equation, in volts, for

    sigma_n = v_bias * rc / noise_full_scale * sqrt(beta * speed / h),    speed = |dt/ds|,

so the deviation grows as 1/sqrt(h) when the tick is shortened, and with it the held noise converges to the
true equation (weakly, first order in h).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from sim_backend.loop.circuit import Circuit

FloatArray = NDArray[np.float64]
Curve = Callable[[FloatArray], FloatArray]


@final
@dataclass(frozen=True)
class Schedule:
    """Hold normalised converter values of a run.

    tick: time between two updates of the converters (s).
    f, g2: shape (rows,); embedding: (rows, hidden units).
    held: True: one row per tick, zero-order hold. False: continuous, 2 * ticks * substeps + 1 rows, sampled
        at the beginning, middle and end of each step.
    substeps: integration steps per tick.
    noise: deviation of the noise channels, shape (ticks,), or None.
    noise_offset: constant of each noise channel, with or without noise; or (ticks, channels).
    """

    tick: float
    f: FloatArray
    g2: FloatArray
    embedding: FloatArray
    held: bool = True
    substeps: int = 1
    noise: FloatArray | None = None
    noise_offset: float | FloatArray = 0.0

    def __post_init__(self) -> None:
        rows = np.shape(self.f)[0]
        if np.shape(self.g2) != (rows,) or np.ndim(self.embedding) != 2 or len(self.embedding) != rows:
            raise ValueError(
                f"f has {rows} rows, g2 {np.shape(self.g2)}, embedding {np.shape(self.embedding)}; "
                "give (rows,), (rows,) and (rows, hidden units)"
            )
        if not self.held and (rows - 1) % (2 * self.substeps):
            need = f"2 * ticks * {self.substeps} + 1"
            raise ValueError(f"{rows} rows of a continuous schedule; give {need}")
        if self.noise is not None and np.shape(self.noise) != (self.ticks,):
            raise ValueError(f"noise has shape {np.shape(self.noise)}; give one per tick ({self.ticks},)")

    @property
    def ticks(self) -> int:
        """Return the number of ticks."""
        rows = len(self.f)
        return rows if self.held else (rows - 1) // (2 * self.substeps)

    @property
    def duration(self) -> float:
        """Return the wall time of the run (s)."""
        return self.ticks * self.tick

    @property
    def noise_peak(self) -> float:
        """Return the largest value that a noise channel can take: the board's generator is bounded at 6."""
        peak = 0.0 if self.noise is None else 6.0 * float(np.max(self.noise))
        return peak + float(np.max(np.abs(self.noise_offset)))


@final
@dataclass(frozen=True)
class Reverse:
    """Hold the reverse equation of a variance-preserving diffusion, and turn it into converter values.

    dx/dtau = beta(t)/2 x + beta(t) (1/2 or 1) y + [sqrt(beta(t)) dW/dtau], t = t_start - tau, with y the
    amplified network output; 1/2 is the ordinary equation, 1 the stochastic one. `beta` is a function of t
    with its sampling scale included, `embedding` returns (len(t), hidden units) in units of a pre-activation.
    The run takes `duration` seconds from t_start to t_end.
    """

    beta: Curve
    embedding: Curve
    stochastic: bool = False
    duration: float = 1.0
    t_start: float = 1.0
    t_end: float = 0.0

    def held(self, circuit: Circuit, ticks: int = 200, substeps: int = 1) -> Schedule:
        """Return the schedule with coefficients held for each tick at their value at its beginning."""
        t = self.t_start - self.speed * self.duration / ticks * np.arange(ticks, dtype=np.float64)
        return self._at(t, circuit, ticks, substeps, held=True)

    def continuous(self, circuit: Circuit, ticks: int = 200, substeps: int = 1) -> Schedule:
        """Return the schedule with coefficients that move within the step; noise is still drawn per tick."""
        rows = 2 * ticks * substeps
        t = self.t_start - self.speed * self.duration / rows * np.arange(rows + 1, dtype=np.float64)
        return self._at(t, circuit, ticks, substeps, held=False)

    @property
    def speed(self) -> float:
        """Return how fast t falls (1/s)."""
        return (self.t_start - self.t_end) / self.duration

    def _at(self, t: FloatArray, circuit: Circuit, ticks: int, substeps: int, held: bool) -> Schedule:
        rate = self.beta(t) * self.speed * circuit.integrator.rc
        starts = t if held else t[:: 2 * substeps][:ticks]
        return Schedule(
            tick=self.duration / ticks,
            f=0.5 * rate / circuit.f_full_scale,
            g2=(1.0 if self.stochastic else 0.5) * rate / circuit.g_full_scale,
            embedding=self.embedding(t) * circuit.v_bias / circuit.embedding_full_scale,
            held=held,
            substeps=substeps,
            noise=self._noise(starts, circuit, self.duration / ticks) if self.stochastic else None,
        )

    def _noise(self, t: FloatArray, circuit: Circuit, tick: float) -> FloatArray:
        scale = circuit.v_bias * circuit.integrator.rc / circuit.noise_full_scale
        return np.asarray(scale * np.sqrt(self.beta(t) * self.speed / tick))
