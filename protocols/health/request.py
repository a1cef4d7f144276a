"""Say what is asked of a look at the rig."""

from dataclasses import asdict, dataclass
from typing import Any, final

from protocols.rig.condition import Bounds
from rramlab.errors import InputError

MOST_SAMPLES = 10_000


@final
@dataclass(frozen=True)
class Request:
    """Hold what the command was asked for: cells as text, samples per reading, test pulses, bounds (S)."""

    cells: str = "all"
    samples: int = 4
    test: bool = False
    open_below: float = 1e-6
    short_above: float = 150e-6

    def __post_init__(self) -> None:
        self.bounds()
        if not 1 <= self.samples <= MOST_SAMPLES:
            raise InputError(f"--samples {self.samples} is not possible; give 1 to {MOST_SAMPLES}")

    def bounds(self) -> Bounds:
        """Return the readings between which a cell is a cell."""
        return Bounds(self.open_below, self.short_above)

    def parameters(self) -> dict[str, Any]:
        """Return the options that a continued run must share."""
        return asdict(self)
