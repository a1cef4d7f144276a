"""Say what is asked of a run of programming."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, final

from protocols.asked import within_reason
from protocols.write_verify.adaptive import Adaptive
from protocols.write_verify.gate_staircase import GateStaircase
from protocols.write_verify.ispva import Ispva
from protocols.write_verify.ping_pong import PingPong
from protocols.write_verify.spec import Spec
from protocols.write_verify.strategy import Strategy
from rramlab.bench import Bench
from rramlab.errors import InputError, did_you_mean

STRATEGIES: dict[str, type[Strategy]] = {
    "adaptive": Adaptive,
    "ping-pong": PingPong,
    "gate-staircase": GateStaircase,
    "ispva": Ispva,
}


@final
@dataclass(frozen=True)
class Request:
    """Hold what the command was asked for (SI)."""

    targets: Path | None
    at: str = "r0c0"
    unit: str = "auto"
    strategy: str = "adaptive"
    tolerance: float = 1e-6
    passes: int = 3
    wait: float = 60.0
    max_pulses: int = 100

    def parameters(self) -> dict[str, Any]:
        """Return the options that a continued run must share."""
        return {name: value for name, value in asdict(self).items() if name not in ("targets", "at", "unit")}

    def spec(self, bench: Bench) -> Spec:
        """Return what write-verify is to reach on this bench."""
        return within_reason(
            Spec(
                tolerance=self.tolerance,
                window=(bench.window.low, bench.window.high),
                reading=bench.reading.spec(),
                max_pulses=self.max_pulses,
                passes=self.passes,
                wait=self.wait,
            )
        )

    def strategy_object(self) -> Strategy:
        """Return the strategy of this name."""
        if self.strategy not in STRATEGIES:
            hint = did_you_mean(self.strategy, list(STRATEGIES))
            raise InputError(f"there is no strategy '{self.strategy}'; {hint}")
        return STRATEGIES[self.strategy]()
