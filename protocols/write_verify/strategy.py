"""Say what every strategy does: look at a reading, choose a pulse, learn from what it did."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from rramlab.cells import Cells
from rramlab.pulse import Columns, Polarity, PulseTrain

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
Arrays = dict[str, NDArray[Any]]
Which = NDArray[np.bool_] | NDArray[np.intp]


@final
@dataclass(frozen=True, eq=False)
class Choice:
    """Hold one pulse per cell (polarity, V, V, s); `strong` marks those that any living cell answers."""

    polarity: NDArray[np.uint8]
    drive: FloatArray
    gate: FloatArray
    width: FloatArray
    strong: BoolArray

    @property
    def is_set(self) -> BoolArray:
        """Return which pulses are SET."""
        return np.asarray(self.polarity == Polarity.SET)

    def take(self, which: Which) -> "Choice":
        """Return the chosen ones of these pulses."""
        drive, gate, width = self.drive[which], self.gate[which], self.width[which]
        return Choice(self.polarity[which], drive, gate, width, self.strong[which])

    def train(self, cells: Cells) -> PulseTrain:
        """Return the request that sends these pulses to these cells."""
        return PulseTrain(cells, self.polarity, self.drive, self.gate, self.width)


@final
class State:
    """Hold what a strategy remembers: `cells` one entry per open cell, `shared` what all cells teach."""

    def __init__(self, cells: Arrays, shared: Arrays) -> None:
        self.cells = cells
        self.shared = shared

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.cells[name]

    def keep(self, which: Which) -> None:
        """Drop all cells but the chosen ones."""
        for name, column in self.cells.items():
            self.cells[name] = column[which]

    def columns(self) -> Columns:
        """Return the memory as named columns for a resume point."""
        own = {f"cell_{name}": column for name, column in self.cells.items()}
        return own | {f"shared_{name}": column for name, column in self.shared.items()}

    @classmethod
    def from_columns(cls, columns: Columns) -> "State":
        """Return the memory of a resume point."""
        parts: tuple[Arrays, Arrays] = ({}, {})
        for name, column in columns.items():
            kind, _, rest = name.partition("_")
            if kind in ("cell", "shared"):
                parts[kind == "shared"][rest] = np.array(column)
        return cls(*parts)


class Strategy(ABC):
    """Choose pulses for many cells at once; the object holds settings, all memory is in the `State`."""

    name: ClassVar[str]
    remembers: ClassVar[tuple[str, ...]] = ()
    """Names of the state's columns that are kept for a cell from pass to pass."""

    scouts: ClassVar[int] = 0
    """Cells that are programmed before all others, so that what they teach helps the others."""

    def share(self) -> Arrays:
        """Return what all cells of a run share before the first pulse."""
        return {}

    @abstractmethod
    def init(self, targets: FloatArray, memory: Arrays, shared: Arrays) -> State:
        """Return the state for cells with these targets (S); `memory` is what was kept of them."""

    @abstractmethod
    def next_pulses(self, state: State, targets: FloatArray, reading: FloatArray) -> Choice:
        """Return one pulse per open cell for its reading (S); the engine keeps it inside the limits."""

    @abstractmethod
    def learn(
        self, state: State, before: FloatArray, sent: Choice, after: FloatArray, known: BoolArray
    ) -> None:
        """Take in what the pulses did; `known` marks those that were surely applied and read."""
