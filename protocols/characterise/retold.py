"""Go over what an earlier process of a run measured, and go on at the bench."""

from collections import deque
from collections.abc import Iterable
from math import inf
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from rramlab.backend import Backend
from rramlab.cells import Cells
from rramlab.contents import KEEP
from rramlab.errors import RunError
from rramlab.pulse import Columns, PulseTrain
from rramlab.reading import Curve, ReadSpec, Staircase
from rramlab.recorder import Event

FloatArray = NDArray[np.float64]


@final
class Retold:
    """Answer from the record of a run as long as it lasts, and from the bench from then on.

    A procedure that asks the same in the same order is taken in this way to the point where it was cut off,
    with the readings and the times of then, and ends as if nobody had cut it off. A request that was never
    answered is asked again.
    """

    def __init__(self, backend: Backend, events: Iterable[Event] = ()) -> None:
        listed = list(events)
        answers = {event.number: event for event in listed if event.stage == "result"}
        asked = [event for event in listed if event.stage == "request" and event.number in answers]
        self._backend = backend
        self._spec: ReadSpec | None = None
        self._told = deque((event, answers[event.number]) for event in asked)
        self._time = asked[0].bench_time if asked else 0.0
        notes = [event for event in listed if event.stage == "note" and event.verb == KEEP]
        self._kept = {str(event.facts["name"]): event.number for event in notes}

    @property
    def backend(self) -> Backend:
        """Return the bench itself, for a procedure with a way of its own to go on."""
        return self._backend

    @property
    def is_live(self) -> bool:
        """Tell whether the record is at its end, so that the bench answers."""
        return not self._told

    def now(self) -> float:
        """Return the time of the bench (s), or that of the last answer told."""
        return self._time if self._told else self._backend.now()

    def read(self, cells: Cells, spec: ReadSpec) -> FloatArray:
        """Return the conductance (S) of each cell."""
        self._spec = spec
        answer = self._answer("read", cells)
        if answer is None:
            return self._backend.read(cells, spec)
        return np.asarray(answer["conductance"], float)

    def pulse(self, train: PulseTrain) -> NDArray[np.uint8]:
        """Apply one pulse per listed cell and return its `Delivery`."""
        answer = self._answer("pulse", train.cells)
        return self._backend.pulse(train) if answer is None else np.asarray(answer["delivery"], np.uint8)

    def sweep(self, cell: Cells, staircase: Staircase) -> Curve:
        """Return the quasi-static I-V of one cell; a cell that is to go negative has a reading before."""
        answer = self._answer("sweep", cell)
        if answer is not None:
            return Curve.from_columns(answer)
        if (staircase.voltages < 0).any() and np.isnan(self._backend.last_reading[cell.row, cell.col]).any():
            self._backend.read(cell, self._spec)  # an interrupted sweep left it without
        return self._backend.sweep(cell, staircase)

    def wait_until(self, time: float, most: float = inf) -> None:
        """Let time pass up to a time of the bench (s), `most` at most; nothing, if that time is over."""
        seconds = min(time - self.now(), most)
        if seconds > 0 and self._answer("wait", None) is None:
            self._backend.wait(seconds)

    def pass_over(self, name: str) -> bool:
        """Leave out what the record holds up to the result of this name; tell whether it was kept.

        Without the result all that follows in the record was on the way to it.
        """
        last = self._kept.get(name)
        while self._told and (last is None or self._told[0][0].number <= last):
            self._time = self._told.popleft()[1].bench_time
        return last is not None

    def _answer(self, verb: str, cells: Cells | None) -> Columns | None:
        if not self._told:
            return None
        asked, answered = self._told.popleft()
        if asked.verb != verb or not _is_about(asked.columns, cells):
            raise RunError(
                f"request {asked.number} of this run was a '{asked.verb}' where a '{verb}' of {cells} "
                f"is due: the run was made by another version of the command; begin a new one"
            )
        self._time = answered.bench_time
        return answered.columns


def _is_about(columns: Columns, cells: Cells | None) -> bool:
    if cells is None:
        return "row" not in columns
    found: list[Any] = [columns.get("row"), columns.get("col")]
    return np.array_equal(found[0], cells.row) and np.array_equal(found[1], cells.col)
