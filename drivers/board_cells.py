"""Read, pulse and multiply over a board, in batches that it can take."""

from typing import final

import numpy as np
from numpy.typing import NDArray

from drivers.board_settling import Fates, fates
from drivers.board_work import BoardWork
from rramlab.board_protocol.cursor import garbled
from rramlab.board_protocol.hello import HelloReply
from rramlab.board_protocol.lines import MULTIPLY_HEAD, MultiplyRequest
from rramlab.board_protocol.pulses import PulseRequest
from rramlab.board_protocol.readings import ReadRequest, unpack_floats
from rramlab.board_protocol.words import Command, Feature
from rramlab.cells import Cells
from rramlab.pulse import PulseTrain
from rramlab.reading import ReadSpec

FloatArray = NDArray[np.float64]
MARGIN = 1.2
"""How much longer than it says the work of a board may take."""


@final
class BoardCells:
    """Do what concerns cells; the board is open."""

    def __init__(self, work: BoardWork) -> None:
        self._work = work

    def read(self, cells: Cells, spec: ReadSpec, number: int) -> FloatArray:
        """Return the conductance (S) of each cell."""
        parts = [self._read(cells.take(place), spec, number) for place in self._places(len(cells))]
        return np.concatenate(parts) if parts else np.empty(0)

    def pulse(self, train: PulseTrain, verify: ReadSpec | None, number: int) -> tuple[Fates, FloatArray]:
        """Return the `Delivery` of each pulse, and the conductance (S) right after it, NaN where none is."""
        delivery, readings = fates(len(train), 0), np.full(len(train), np.nan)
        for place in self._places(len(train)):
            batch = PulseRequest.of(train.take(place), verify)
            delivery[place], reply = self._work.pulse(number, batch, self._busy(self._length(batch)))
            if reply.readings is not None:
                with self._work.distrust():
                    readings[place[: reply.executed]] = _believable(reply.readings)
            if reply.executed < len(place):
                break
        return delivery, readings

    def multiply(self, volts: FloatArray, macro: int, number: int) -> FloatArray:
        """Return the column currents (A), (vectors, columns), for row voltages (V), (vectors, rows)."""
        hello = self._hello
        most = max(1, (hello.most_body - MULTIPLY_HEAD) // (4 * max(hello.rows, hello.cols)))
        vectors = [volts[at : at + most] for at in range(0, len(volts), most)] or [volts]
        return np.concatenate([self._multiply(some, macro, number) for some in vectors])

    # The steps.

    @property
    def _hello(self) -> HelloReply:
        return self._work.session.greeted

    def _places(self, count: int) -> list[NDArray[np.intp]]:
        most = self._work.cells_per_batch
        return [np.arange(at, min(at + most, count)) for at in range(0, count, most)]

    def _read(self, cells: Cells, spec: ReadSpec, number: int) -> FloatArray:
        n, body = len(cells), ReadRequest.of(cells, spec).pack()
        work = self._busy(n * spec.samples * self._hello.sample)
        answer = self._work.ask(number, Command.READ, body, work, 4 * n)
        with self._work.distrust():
            return _believable(unpack_floats(answer.body, n, "the answer to READ"))

    def _multiply(self, volts: FloatArray, macro: int, number: int) -> FloatArray:
        body = MultiplyRequest(macro, volts.astype(np.float32)).pack()
        count, work = len(volts) * self._hello.cols, self._busy(len(volts) * self._hello.sample)
        answer = self._work.ask(number, Command.MULTIPLY, body, work, 4 * count)
        with self._work.distrust():
            currents = unpack_floats(answer.body, count, "the answer to MULTIPLY")
            return _believable(currents).reshape(len(volts), self._hello.cols)

    def _length(self, batch: PulseRequest) -> float:
        """Return how long (ns) a batch takes on the board."""
        reading = self._hello.sample * batch.verify.samples if batch.verify else 0
        return float(batch.width.sum()) + len(batch.cells) * (self._hello.addressing + reading)

    def _busy(self, nanoseconds: float) -> float:
        """Return how long (s) work of so much board time keeps the host waiting."""
        is_virtual = self._hello.features & Feature.VIRTUAL_TIME
        return 0.0 if is_virtual else MARGIN * 1e-9 * nanoseconds


def _believable(values: FloatArray) -> FloatArray:
    """Return readings (S or A), or refuse what no macro delivers."""
    wrong = ~(np.abs(values) < 1.0)  # also NaN
    if wrong.any():
        raise garbled(f"a reading of {values[wrong][0]}")
    return values
