"""Hold the cells that are being programmed; finished ones are dropped from the arrays."""

from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from protocols.write_verify.ledger import FloatArray, Index, Ledger
from protocols.write_verify.strategy import BoolArray, Choice, State
from rramlab.outcome import Outcome
from rramlab.pulse import Columns, Delivery

SILENT = 2
"""Strong pulses in a row without an answer after which a cell is left alone."""

LOST = 5
"""Pulses in a row of which nobody knows whether they arrived, after which a cell is left alone."""

ANSWER = 0.5e-6
"""Least change (S) in the direction of the pulse that counts as an answer; four sigma of a read."""


@final
class OpenCells:
    """Hold one entry per open cell: its place in the ledger, its last reading (S), what it owes an answer."""

    def __init__(self, index: Index, state: State) -> None:
        self.index = index
        self.state = state
        self.reading: FloatArray = np.full(index.size, np.nan)
        self.silent = np.zeros(index.size, np.uint8)
        self.lost = np.zeros(index.size, np.uint8)
        self.moved = np.zeros(index.size, bool)

    def __len__(self) -> int:
        return int(self.index.size)

    def keep(self, which: BoolArray) -> None:
        """Drop all cells but the chosen ones."""
        if which.all():
            return
        for name in ("index", "reading", "silent", "lost", "moved"):
            setattr(self, name, getattr(self, name)[which])
        self.state.keep(which)

    def hear(self, sent: Choice, after: FloatArray, delivery: NDArray[np.uint8]) -> None:
        """Take in the readings after a pulse, and count the pulses that went unanswered."""
        known = delivery == Delivery.APPLIED
        change = np.where(sent.is_set, after - self.reading, self.reading - after)
        answered = known & (change > ANSWER)
        mute = known & sent.strong & ~answered
        self.silent = np.where(answered, 0, self.silent + mute).astype(np.uint8)
        self.lost = np.where(known, 0, self.lost + 1).astype(np.uint8)
        self.moved |= answered
        self.reading = after

    def verdict(self, sent: Choice) -> NDArray[np.uint8]:
        """Return the outcome of cells that cannot go on, PENDING for the others."""
        stuck = np.where(sent.is_set, Outcome.STUCK_LOW, Outcome.STUCK_HIGH)
        mute = np.where(self.moved, Outcome.NO_RESPONSE, stuck)
        verdict = np.where(self.silent >= SILENT, mute, Outcome.PENDING)
        return np.where(self.lost >= LOST, Outcome.UNKNOWN, verdict).astype(np.uint8)

    def columns(self) -> Columns:
        """Return the open cells as named columns for a resume point."""
        own: dict[str, NDArray[Any]] = {
            "open": self.index,
            "silent": self.silent,
            "lost": self.lost,
            "moved": self.moved,
        }
        return own | dict(self.state.columns())

    @classmethod
    def from_columns(cls, columns: Columns) -> "OpenCells":
        """Return the open cells of a resume point; they have yet to be read."""
        cells = cls(np.array(columns["open"], dtype=np.intp), State.from_columns(columns))
        cells.silent = np.array(columns["silent"], dtype=np.uint8)
        cells.lost = np.array(columns["lost"], dtype=np.uint8)
        cells.moved = np.array(columns["moved"], dtype=bool)
        return cells

    @classmethod
    def of(cls, ledger: Ledger, index: Index, state: State) -> "OpenCells":
        """Return cells that begin a pass."""
        cells = cls(index, state)
        cells.moved[:] = ledger.pulses[index] > 0
        return cells
