"""Say what is asked of a run of the main job."""

from dataclasses import dataclass
from typing import Literal, final

from protocols.asked import within_reason
from protocols.write_verify.spec import Spec
from rramlab.bench import Bench
from rramlab.diffusion.network import ScoreWeights
from rramlab.diffusion.store import load_weights, ring_weights
from rramlab.errors import InputError

MOST_RUNS = 100_000
"""Closed-loop runs of one request: their course stands in one event of the record."""


@final
@dataclass(frozen=True)
class Request:
    """Hold what was asked for (SI); `weights` a file, or None for the ring network that ships.

    `after` names a run whose macro and network are taken over.
    """

    weights: str | None = None
    after: str | None = None
    runs: int = 1000
    kind: Literal["ode", "sde"] = "ode"
    tolerance: float = 1e-6
    passes: int = 3
    wait: float = 60.0

    def __post_init__(self) -> None:
        if self.kind not in ("ode", "sde"):
            raise InputError(f"--kind {self.kind} is not known; possible: ode, sde")
        if self.weights is not None and self.after is not None:
            raise InputError("--after takes over the network of its run; leave out --weights")
        if not 1 <= self.runs <= MOST_RUNS:
            raise InputError(f"{self.runs} runs were asked for; 1 to {MOST_RUNS} are possible")

    def spec(self, bench: Bench) -> Spec:
        """Return what write-verify is to reach on this bench."""
        return within_reason(
            Spec(
                tolerance=self.tolerance,
                window=(bench.window.low, bench.window.high),
                reading=bench.reading.spec(),
                passes=self.passes,
                wait=self.wait,
            )
        )

    def score(self) -> ScoreWeights:
        """Return the network that was asked for."""
        return ring_weights() if self.weights is None else load_weights(self.weights)
