"""Give cells a sequence of pulses, and read them after each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from protocols.characterise.retold import Retold
from protocols.ending import Ending
from protocols.response.steps import Part, Step
from rramlab.cells import Cells
from rramlab.limits import Limits
from rramlab.pulse import Columns, Delivery, Polarity
from rramlab.reading import ReadSpec

FloatArray = NDArray[np.float64]

RATIO = 1.5
"""Factor by which a SET must raise, and a RESET lower, the median reading of a cell that switches."""
NOBODY = 10e-6
"""Conductance (S) between low and high where no cell switches that would show it."""
UNITS = {
    "drive": "V", "width": "s", "gate": "V", "reading": "S", "floor": "S",
    "pulsed_from": "s", "pulsed_to": "s", "read_from": "s", "read_to": "s", "duration": "s",
    "v_read": "V", "v_wl": "V",
}  # fmt: skip
"""Units of the columns of a record; the others are numbers."""


@final
class Responded(Ending):
    """Tell how a cell responded; `cure` is the sentence for the person at the bench."""

    SWITCHES = 0
    NO_SET = 1
    NO_RESET = 2
    UNFORMED = 3
    UNREADABLE = 4

    @property
    def cure(self) -> str:
        """Return what this outcome means and what to try."""
        return _CURES[self]


_CURES = {
    Responded.SWITCHES: "SETs raised it, erasures lowered it.",
    Responded.NO_SET: "The SET at the highest gate did not raise it. Raise --gates or --v-set, or leave it.",
    Responded.NO_RESET: "Erasures did not lower it: stuck, or too weak a RESET. Raise --v-erase.",
    Responded.UNFORMED: "It conducts less than 1 uS and was not pulsed. Form it: rramlab forming.",
    Responded.UNREADABLE: "A reading was no number. Look at its lines, then try again.",
}


@final
@dataclass(frozen=True, eq=False)
class Response:
    """Hold what pulses did: `reading` (S), (steps + 1, cells), before the first pulse and after each.

    `delivery` (steps, cells) is NOT_APPLIED where a cell was left out: below the `floor` (S) of RESET, or not
    to be pulsed at all. `pulsed` and `read` are when the requests began and ended (s), (steps, 2) and
    (steps + 1, 2); their cells took turns in between.
    """

    cells: Cells
    steps: Sequence[Step]
    reading: FloatArray
    delivery: NDArray[np.uint8]
    pulsed: FloatArray
    read: FloatArray
    spec: ReadSpec
    floor: float
    unformed: NDArray[np.bool_]

    def where(self, part: Part) -> NDArray[np.int64]:
        """Return the numbers of the steps of a part."""
        return np.flatnonzero([step.part == part for step in self.steps])

    def gate(self) -> FloatArray:
        """Return the WL voltage (V) of each pulse, (steps, cells)."""
        number = np.arange(len(self.cells))
        return np.array([np.array(step.gates)[number % len(step.gates)] for step in self.steps])

    def outcomes(self) -> NDArray[np.uint8]:
        """Return the `Responded` of each cell, by its medians after SETs at the highest gate and erasures."""
        top = max(step.gates[0] for step in self.steps if step.part == Part.GATE)
        tops = [i for i in self.where(Part.GATE) if self.steps[i].gates[0] == top]
        erased = self.where(Part.ERASE)
        low, high = (np.median(self.reading[np.asarray(rows) + 1], axis=0) for rows in (erased, tops))
        switches = high > RATIO * low
        # A cell that stays high was not lowered; one that stays low was not raised.
        stays = np.where(low > _middle(low[switches], high[switches]), Responded.NO_RESET, Responded.NO_SET)
        found = np.where(switches, Responded.SWITCHES, stays)
        found = np.where(self.unformed, Responded.UNFORMED, found)
        whole = np.isfinite(self.reading).all(axis=0)
        return np.where(whole, found, Responded.UNREADABLE).astype(np.uint8)

    def columns(self) -> Columns:
        """Return all as named columns for the record."""
        s = self.steps
        return {
            **self.cells.columns(),
            "outcome": self.outcomes(),
            "part": np.array([step.part for step in s], np.uint8),
            "repeat": np.array([step.repeat for step in s]),
            "polarity": np.array([step.polarity for step in s], np.uint8),
            "drive": np.array([step.drive for step in s]),
            "width": np.array([step.width for step in s]),
            "gate": self.gate(),
            "reading": self.reading,
            "delivery": self.delivery,
            "pulsed_from": self.pulsed[:, 0],
            "pulsed_to": self.pulsed[:, 1],
            "read_from": self.read[:, 0],
            "read_to": self.read[:, 1],
            "floor": np.array(self.floor),
            "v_read": np.array(self.spec.v_read),
            "v_wl": np.array(self.spec.gate),
            "duration": np.array(self.spec.samples * 1e-3),
        }


@final
class Responder:
    """Pulse and read cells of a bench; `watch` is called with (steps done, all steps) after each."""

    def __init__(
        self, bench: Retold, limits: Limits, reading: ReadSpec, watch: Callable[[int, int], None]
    ) -> None:
        self._bench, self._limits, self._reading, self._watch = bench, limits, reading, watch

    def measure(self, cells: Cells, steps: Sequence[Step]) -> Response:
        """Return the response of cells to these steps."""
        shape = len(steps), len(cells)
        delivery = np.full(shape, Delivery.NOT_APPLIED, np.uint8)
        pulsed: list[tuple[float, float]] = []
        read: list[tuple[float, float]] = []
        reading = np.full((shape[0] + 1, shape[1]), np.nan)
        reading[0] = self._read(cells, read)
        unformed = reading[0] < self._limits.form_ceiling
        for i, step in enumerate(steps):
            able = self._able(step, reading[: i + 1], unformed)
            delivery[i, able] = self._pulse(cells, step, able, pulsed)
            reading[i + 1] = self._read(cells, read)
            self._watch(i + 1, len(steps))
        times = np.array(pulsed), np.array(read)
        floor = self._limits.reset_floor
        return Response(cells, steps, reading, delivery, *times, self._reading, floor, unformed)

    def _able(self, step: Step, readings: FloatArray, unformed: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return which cells take a pulse: formed, readable, and for a RESET not below its floor."""
        able = np.isfinite(readings).all(axis=0) & ~unformed
        low = readings[-1] < self._limits.reset_floor
        return np.asarray(able & ~low if step.polarity == Polarity.RESET else able)

    def _pulse(
        self, cells: Cells, step: Step, able: NDArray[np.bool_], times: list[tuple[float, float]]
    ) -> NDArray[np.uint8]:
        began, numbers = self._bench.now(), np.flatnonzero(able)
        found = np.zeros(0, np.uint8)
        if numbers.size:
            found = self._bench.pulse(step.train_of(cells.take(able), numbers))
        times.append((began, self._bench.now()))
        return found

    def _read(self, cells: Cells, times: list[tuple[float, float]]) -> FloatArray:
        began = self._bench.now()
        found = self._bench.read(cells, self._reading)
        times.append((began, self._bench.now()))
        return found


def _middle(low: FloatArray, high: FloatArray) -> float:
    """Return the conductance (S) between the states of cells that switch, in logarithms."""
    return float(np.sqrt(np.median(low) * np.median(high))) if low.size else NOBODY
