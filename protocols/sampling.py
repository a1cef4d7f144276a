"""Sample a score network in closed loop: coefficients of the reverse equation, start states, one request."""

from dataclasses import dataclass
from typing import Literal, final

import numpy as np
from numpy.typing import NDArray

from rramlab.diffusion.network import ScoreWeights, time_embedding
from rramlab.loop import Coefficients, LoopRun
from rramlab.network_mapping import NetworkMapping

FloatArray = NDArray[np.float64]

# Start states beyond four standard deviations (1 in 16 000) would read cells above their limit; they are
# drawn again, as the converters that set them have a range too.
START_RANGE = 4.0


@final
@dataclass(frozen=True)
class Sampling:
    """Declare closed-loop sampling: runs, equation, seconds per run, tick (s), volts per network unit (V)."""

    runs: int = 1000
    kind: Literal["ode", "sde"] = "ode"
    seconds: float = 1.0
    tick: float = 5e-3
    volts: float = 0.05
    kept: int = 8
    stride: int = 1

    def declare(self, weights: ScoreWeights, mapping: NetworkMapping, start: FloatArray) -> LoopRun:
        """Return the request for these start states (runs, 2), in network units."""
        return LoopRun(
            layers=mapping.regions(),
            scale=tuple(layer.scale for layer in mapping.layers),
            gain=weights.gain,
            volts=self.volts,
            start=start,
            coefficients=self.coefficients(weights),
            kept=min(self.kept, len(start)),
            stride=self.stride,
        )

    def coefficients(self, weights: ScoreWeights) -> Coefficients:
        """Return what the converters play: the reverse VP-SDE at the middle of each tick, t from 1 to 0.

        dx/ds = (beta/2 x + share beta score + sqrt(beta) noise) |dt/ds|, share 1/2 for the ODE, 1 for the SDE
        (Song et al., 2021). The middle of the tick, so that holding a value for a tick causes no lag.
        """
        ticks = round(self.seconds / self.tick)
        t = 1.0 - (np.arange(ticks) + 0.5) / ticks
        beta = weights.sampling_schedule.beta(t) / self.seconds
        stochastic = self.kind == "sde"
        return Coefficients(
            tick=self.tick,
            drift=0.5 * beta,
            drive=(1.0 if stochastic else 0.5) * beta,
            embedding=time_embedding(weights, t),
            noise=np.sqrt(beta) if stochastic else np.zeros(ticks),
        )


def starts(runs: int, rng: np.random.Generator) -> FloatArray:
    """Draw start states (runs, 2) from N(0, 1), within the range of the converters."""
    values = rng.standard_normal((runs, 2))
    while (beyond := np.abs(values) > START_RANGE).any():
        values[beyond] = rng.standard_normal(int(beyond.sum()))
    return values
