"""Say what is asked of a run of retention."""

from dataclasses import asdict, dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from protocols.ageing.schedule import log_spaced
from protocols.asked import within_reason
from protocols.write_verify.spec import Spec
from rramlab.bench import Bench
from rramlab.cells import Cells
from rramlab.errors import InputError
from rramlab.quantity import parse_quantity
from rramlab.reading import ReadSpec

FloatArray = NDArray[np.float64]

MOST_LEVELS = 256
MOST_SAMPLES = 10_000
_ICE = 273.15


@final
@dataclass(frozen=True)
class Request:
    """Hold what the command was asked for (SI); 0 levels are the cells as they are."""

    cells: str = "all"
    levels: int = 8
    reads: int = 60
    first: float = 1.0
    last: float = 1e6
    samples: int | None = None
    temperature: float | None = None
    tolerance: float = 1e-6
    passes: int = 1

    def __post_init__(self) -> None:
        self.times()
        if not 0 <= self.levels <= MOST_LEVELS:
            raise InputError(
                f"{self.levels} levels are not possible; give 1 to {MOST_LEVELS}, or 0 for as they are"
            )
        if self.samples is not None and not 1 <= self.samples <= MOST_SAMPLES:
            raise InputError(f"--samples {self.samples} is not possible; give 1 to {MOST_SAMPLES}")

    def parameters(self) -> dict[str, Any]:
        """Return the options that a continued run must share."""
        return asdict(self)

    def times(self) -> FloatArray:
        """Return when reads are due (s after programming)."""
        return log_spaced(self.first, self.last, self.reads)

    def chosen(self, shape: tuple[int, int]) -> Cells:
        """Return the cells that are watched, on a bench of this shape."""
        return Cells.of_shape(shape) if self.cells == "all" else Cells.parse(self.cells)

    def reading(self, bench: Bench) -> ReadSpec:
        """Return how each cell is read."""
        usual = bench.reading.spec()
        return usual if self.samples is None else ReadSpec(usual.v_read, usual.gate, self.samples)

    def spec(self, bench: Bench) -> Spec:
        """Return how the levels are programmed: verified by single reads, so that the watch begins soon."""
        return within_reason(
            Spec(
                tolerance=self.tolerance,
                window=(bench.window.low, bench.window.high),
                reading=bench.reading.spec(),
                final_samples=1,
                passes=self.passes,
                wait=0.0 if self.passes == 1 else 60.0,
            )
        )


def parse_temperature(text: str) -> float:
    """Return the temperature (K) of a text such as "25C" or "298.15K"; a bare number could be either."""
    stripped = text.strip()
    if not stripped.endswith(("C", "K")):
        raise InputError(f"'{text}' is no temperature with its unit; write for example 25C or 298K")
    celsius = stripped.endswith("C")
    kelvin = parse_quantity(stripped.removesuffix("C").removesuffix("°"), "K") + (_ICE if celsius else 0.0)
    if not 1 <= kelvin <= 1000:
        raise InputError(f"a temperature of '{text}' is not possible; write for example 25C or 298K")
    return kelvin
