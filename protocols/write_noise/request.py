"""Say what is asked of a measurement of write noise, and part the pulses that a session allows."""

from dataclasses import asdict, dataclass
from typing import Any, final

from protocols.asked import within_reason
from protocols.write_verify.spec import Spec
from rramlab.bench import Bench
from rramlab.errors import InputError, LimitExceeded
from rramlab.limits import Limits

LEAST_PULSES = 10
"""Pulses per write below which write-verify is not worth beginning."""
MOST_PULSES = 100


@final
@dataclass(frozen=True)
class Request:
    """Hold what the command was asked for (SI); no `writes` or no `single` leaves that part out."""

    cells: str = "r0-3,c0-31"
    levels: int = 8
    single: int = 3
    writes: int = 4
    waits: tuple[float, ...] = (1.0, 60.0, 600.0)
    tolerance: float = 1e-6
    samples: int = 16

    def __post_init__(self) -> None:
        object.__setattr__(self, "waits", tuple(self.waits))
        if not (
            2 <= self.levels <= 256 and self.single >= 0 and self.writes >= 0 and self.single + self.writes
        ):
            raise InputError(
                f"{self.levels} levels, {self.single} single pulses and {self.writes} writes were asked for; "
                f"give 2 to 256 levels, and single pulses or writes"
            )
        if not 1 <= self.samples <= 10_000:
            raise InputError(f"--samples {self.samples} is not possible; give 1 to 10000")

    def parameters(self) -> dict[str, Any]:
        """Return the options that a continued run must share."""
        return asdict(self) | {"waits": list(self.waits)}

    def pulses_per_write(self, limits: Limits) -> int:
        """Return how many pulses write-verify may spend on a cell; LimitExceeded where they are too few."""
        alone = 2 * self.levels * self.single
        each = (limits.pulses_per_cell - alone) // max(self.writes, 1)
        if alone > limits.pulses_per_cell or (self.writes and each < LEAST_PULSES):
            raise LimitExceeded(
                f"{self.single} times {self.levels} levels by single pulses are {alone} pulses per cell, and "
                f"{self.writes} writes want {LEAST_PULSES} or more each; pulses_per_cell allows "
                f"{limits.pulses_per_cell} a session, so nothing was sent. Ask for fewer, or raise "
                f"pulses_per_cell under [limits] in the bench file"
            )
        return min(each, MOST_PULSES)

    def spec(self, bench: Bench) -> Spec:
        """Return how cells are written: one pass, no wait, a share of the pulses of a session."""
        window, pulses = (bench.window.low, bench.window.high), self.pulses_per_write(bench.limits)
        spec = Spec(tolerance=self.tolerance, window=window, reading=bench.reading.spec(), final_samples=1)
        return within_reason(
            Spec(**{**vars(spec), "passes": 1, "wait": 0.0, "max_pulses": pulses, "max_energy": 1e-6})
        )
