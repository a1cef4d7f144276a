"""Drive a controller board: the part of a bench that addresses the cells."""

from abc import abstractmethod
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from drivers.instrument import Instrument
from drivers.oscilloscope import Oscilloscope
from drivers.spec import BoardSpec, ScopeSpec
from rramlab.cells import Cells
from rramlab.limits import Limits
from rramlab.loop import LoopResult, LoopRun
from rramlab.pulse import Columns, PulseTrain
from rramlab.reading import ReadSpec
from rramlab.recorder import Event

FloatArray = NDArray[np.float64]


class Note(Protocol):
    """Write a decision, or what was seen, into the record before anything depends on it."""

    def __call__(self, what: str, facts: dict[str, Any], columns: Columns | None = None, /) -> None:
        """Keep facts (plain JSON) and columns under a name."""
        ...


class Controller(Instrument):
    """Address the cells of a bench: opened, begun with the limits of the bench, used, closed.

    `number` is the number of the request in the record; it never comes twice. A controller raises LinkError;
    what it cannot do at all is missing in `capabilities`: read, pulse, multiply, connect, solve, wait.
    """

    @abstractmethod
    def __init__(self, spec: BoardSpec) -> None: ...

    @property
    @abstractmethod
    def capabilities(self) -> frozenset[str]:
        """Return what this board can do; known once it is open."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int, int]:
        """Return macros, and rows x columns of one macro; known once it is open."""

    def watch(self, scope: Oscilloscope, spec: ScopeSpec) -> None:
        """Take an oscilloscope as the witness of closed-loop runs; a board with telemetry needs none."""

    @abstractmethod
    def begin(self, limits: Limits, note: Note) -> None:
        """Give the board the limits and read them back; write into the record what `settle` will need."""

    @abstractmethod
    def now(self) -> float:
        """Return the time of the board (s), or of this computer where the board has none."""

    @abstractmethod
    def is_safe(self) -> bool:
        """Ask the board and tell whether no line is driven."""

    @abstractmethod
    def feed(self) -> None:
        """Tell the board that the host lives, while lines are driven; raise LinkError if it has tripped."""

    @abstractmethod
    def read(self, cells: Cells, spec: ReadSpec, number: int) -> FloatArray:
        """Return the conductance (S) of each cell."""

    @abstractmethod
    def pulse(self, train: PulseTrain, number: int) -> NDArray[np.uint8]:
        """Apply one pulse per cell and return its `Delivery`."""

    @abstractmethod
    def multiply(self, volts: FloatArray, macro: int, number: int) -> FloatArray:
        """Return the column currents (A), (vectors, columns), for row voltages (V), (vectors, rows)."""

    @abstractmethod
    def connect(self, cell: Cells, gate: float, number: int) -> None:
        """Bring BL and SL of one cell to the source meter, whose output is off, then raise its gate (V)."""

    @abstractmethod
    def gate(self, volts: float) -> None:
        """Set the gate (V) of the connected cell."""

    @abstractmethod
    def disconnect(self, number: int) -> None:
        """Take the gate down and open the route."""

    @abstractmethod
    def solve(self, run: LoopRun, number: int) -> LoopResult:
        """Run the closed loop once per start state."""

    @abstractmethod
    def wait(self, seconds: float) -> None:
        """Let time pass (s)."""

    @abstractmethod
    def settle(self, request: Event, notes: list[Event]) -> NDArray[np.uint8]:
        """Return the `Delivery` of a train that an earlier process left open in the record."""
