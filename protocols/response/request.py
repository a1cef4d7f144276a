"""Say what is asked of a measurement of the pulse response, and plan it within the limits."""

from dataclasses import asdict, dataclass
from typing import Any, final

from protocols.response.steps import Step, sequence
from rramlab.bench import Bench
from rramlab.cells import Cells
from rramlab.errors import InputError, LimitExceeded
from rramlab.limits import Limits
from rramlab.quantity import format_quantity, parse_quantity
from rramlab.reading import MOST_SAMPLES, ReadSpec

MOST_REPEATS = 100
_LISTS = {"gates": "V", "ladder": "V", "widths": "s"}


@final
@dataclass(frozen=True)
class Request:
    """Hold what the command was asked for (SI); None takes what the bench says."""

    cells: str = "r0-7,c0-31"
    gates: tuple[float, ...] = (1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9)
    ladder: tuple[float, ...] = (0.6, 0.8, 1.0, 1.2, 1.4, 1.6, 1.8, 2.0)
    widths: tuple[float, ...] = (1e-7, 3e-7, 1e-6, 3e-6, 1e-5)
    repeats: int = 2
    v_set: float = 2.0
    gate_width: float = 1.4
    v_erase: float = 2.0
    gate_reset: float | None = None
    width: float = 1e-6
    samples: int | None = None

    def __post_init__(self) -> None:
        for name, unit in _LISTS.items():
            object.__setattr__(self, name, tuple(getattr(self, name)))  # a list, where it is from a record
            _refuse_unordered(name, getattr(self, name), unit)
        if not self.gates:
            raise InputError("no gates were asked for; the staircase is what all else begins from: 1V,1.4V")
        if not 1 <= self.repeats <= MOST_REPEATS:
            raise InputError(f"{self.repeats} repeats were asked for; 1 to {MOST_REPEATS} are possible")
        if self.samples is not None and not 1 <= self.samples <= MOST_SAMPLES:
            raise InputError(f"--samples {self.samples} is not possible; give 1 to {MOST_SAMPLES}")

    def parameters(self) -> dict[str, Any]:
        """Return the options that a continued run must share."""
        return asdict(self) | {name: list(getattr(self, name)) for name in _LISTS}

    def reading(self, bench: Bench) -> ReadSpec:
        """Return how each cell is read."""
        usual = bench.reading.spec()
        return usual if self.samples is None else ReadSpec(usual.v_read, usual.gate, self.samples)

    def steps(self, limits: Limits) -> list[Step]:
        """Return all steps in order; LimitExceeded if the door would refuse one, or if cells would wear."""
        steps = sequence(
            self.gates,
            self.ladder,
            self.widths,
            self.repeats,
            v_set=self.v_set,
            v_erase=self.v_erase,
            gate_width=self.gate_width,
            gate_reset=limits.gate if self.gate_reset is None else self.gate_reset,
            width=self.width,
        )
        one = Cells.grid(range(1), range(1))
        for step in steps:
            for turn in range(len(step.gates)):
                limits.check_train(step.train(one, turn))
        if len(steps) > limits.pulses_per_cell:
            raise LimitExceeded(
                f"{self.repeats} repeats are {len(steps)} pulses a cell, and {limits.pulses_per_cell} are "
                f"allowed; nothing was sent. Ask for fewer repeats, gates or widths, or raise "
                f"pulses_per_cell under [limits] in the bench file"
            )
        return steps


def parse_list(text: str, unit: str) -> tuple[float, ...]:
    """Return the quantities (SI) of a list such as "1V,1.2V"; none of an empty text."""
    return tuple(parse_quantity(part, unit) for part in text.split(",") if part.strip())


def _refuse_unordered(name: str, values: tuple[float, ...], unit: str) -> None:
    if not all(value > 0 for value in values) or list(values) != sorted(set(values)):
        told = ",".join(format_quantity(value, unit) for value in values)
        example = "1V,1.2V,1.4V" if unit == "V" else "100ns,1us"
        raise InputError(f"--{name} {told} was asked for; give rising values above zero, such as {example}")
