"""Run closed loops for a board, and keep their waveforms until the next run."""

from math import prod
from threading import Thread
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from rramlab.board_protocol.loop import DATA_BYTES, FetchReply, FetchRequest, LoadRequest, unpack_problem
from rramlab.board_protocol.words import Status, Target, Waveform
from rramlab.errors import RramlabError
from rramlab.loop import LoopResult, LoopRun
from sim_backend.analog import PAUSE
from sim_backend.virtual.board.job import Denied
from sim_backend.virtual.world import World


@final
class LoopUnit:
    """Hold what LOOP_LOAD filled, the run that is going on, and the arrays of the last one.

    The work is done aside, so that the board hears its host meanwhile; with `aside` off it is done in place.
    `computing` outlasts `running` after a run was broken off: the macro is not free before.
    """

    def __init__(self, world: World, aside: bool) -> None:
        self._world, self._aside = world, aside
        self._targets = {target: bytearray() for target in Target}
        self._totals = dict.fromkeys(Target, 0)
        self._run: LoopRun | None = None
        self._result: LoopResult | None = None
        self._began = 0.0
        self._turn = 0
        self.running = False
        self.computing = False
        self.error = ""

    @property
    def period(self) -> float:
        """Return the time from one run to the next (s)."""
        return 0.0 if self._run is None else self._run.coefficients.duration + PAUSE

    def load(self, part: LoadRequest, most: int) -> None:
        """Take a part of a target; parts come in rising order."""
        filled = self._targets[part.target]
        if part.offset == 0:
            filled.clear()
            self._totals[part.target] = part.total
        if part.total > most or part.offset != len(filled) or part.total != self._totals[part.target]:
            raise Denied(Status.MALFORMED, f"part {part.offset} of {part.total} bytes after {len(filled)}")
        filled += part.data

    def loaded(self, runs: int, dimensions: int) -> LoopRun:
        """Return the run that was loaded."""
        start = self._targets[Target.START]
        whole = all(len(self._targets[target]) == self._totals[target] > 0 for target in Target)
        if not whole or len(start) != 4 * runs * dimensions:
            raise Denied(Status.NOT_READY, f"{runs} x {dimensions} start states are not loaded")
        states = np.frombuffer(bytes(start), dtype="<f4").reshape(runs, dimensions)
        return unpack_problem(bytes(self._targets[Target.PROBLEM]), states.astype(float))

    def start(self, run: LoopRun) -> None:
        """Begin a run."""
        self._run, self._result, self.error = run, None, ""
        self._began = self._world.clock.now()
        self._turn += 1
        self.running = self.computing = True
        self._world.set_loop(True)
        if self._aside:
            Thread(target=self._work, args=(run, self._turn), daemon=True).start()
        else:
            self._work(run, self._turn)

    def _work(self, run: LoopRun, turn: int) -> None:
        result, trouble = None, ""
        try:
            result = self._world.solve(run, self._began)
        except (RramlabError, ValueError) as error:
            trouble = str(error)
        self.computing = False  # before the result is there: who sees that finds the macro free
        if turn == self._turn:  # a run that was broken off leaves nothing behind
            self._result, self.error = result, trouble

    def tick(self) -> None:
        """End the run when its time has come."""
        done, asked = self.progress()
        if self.running and (done == asked or self.error):
            self.running = False
            self._world.set_loop(False)

    def abort(self) -> None:
        """Break the run off."""
        if self.running:
            self._turn += 1
            self._run = self._result = None
            self.running = False
            self._world.set_loop(False)

    def progress(self) -> tuple[int, int]:
        """Return how many runs are done, and how many were asked for."""
        if self._run is None:
            return 0, 0
        asked = len(self._run.start)
        if not self._world.clock.waits:
            return (asked if self._result is not None else 0), asked
        by_time = int((self._world.clock.now() - self._began) / self.period)
        return min(by_time, asked if self._result is not None else asked - 1), asked

    def fetch(self, asked: FetchRequest, most_body: int) -> FetchReply:
        """Return a part of an array of the last run."""
        if self.running or self._result is None:
            raise Denied(Status.NOT_READY, "no run is done")
        array = _array(self._result, asked.array)
        values = array.ravel()[asked.offset :][: min(asked.count, (most_body - DATA_BYTES) // 4)]
        if values.size == 0 and prod(array.shape):
            raise Denied(Status.MALFORMED, f"value {asked.offset} of {array.size}")
        return FetchReply(asked.array, array.shape, asked.offset, values)


def _array(result: LoopResult, code: int) -> NDArray[Any]:
    if Waveform.HIDDEN <= code < Waveform.HIDDEN + len(result.hidden):
        return result.hidden[code - Waveform.HIDDEN]
    if code not in list(Waveform) or code == Waveform.HIDDEN:
        raise Denied(Status.MALFORMED, f"there is no array {code}")
    array: NDArray[Any] = getattr(result, Waveform(code).name.lower())
    return array
