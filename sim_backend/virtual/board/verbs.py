"""Carry out the numbered commands of the rramlab board protocol."""

from collections.abc import Callable
from typing import final

import numpy as np
from numpy.typing import NDArray

from rramlab.board_protocol.limits import Refusal
from rramlab.board_protocol.lines import (
    ConnectRequest,
    GateRequest,
    MultiplyRequest,
    WaitRequest,
    pack_findings,
)
from rramlab.board_protocol.loop import LoadRequest, RunRequest
from rramlab.board_protocol.pulses import PulseRequest
from rramlab.board_protocol.readings import ReadRequest, pack_floats
from rramlab.board_protocol.units import volts
from rramlab.board_protocol.words import DRIVEN, Command, Fault, Feature, Status
from rramlab.finding import Finding
from sim_backend.product import SAMPLE
from sim_backend.virtual.board.job import Answer, Denied, Job
from sim_backend.virtual.board.pulses import Pulser
from sim_backend.virtual.board.state import LOAD_BYTES, MOST_RUNS, BoardState

FloatArray = NDArray[np.float64]
NEEDS = {
    Command.MULTIPLY: Feature.MULTIPLY,
    Command.CONNECT: Feature.ROUTE,
    Command.GATE: Feature.ROUTE,
    Command.DISCONNECT: Feature.ROUTE,
    Command.LOOP_LOAD: Feature.LOOP,
    Command.LOOP_RUN: Feature.LOOP,
    Command.FETCH: Feature.LOOP,
    Command.WAIT: Feature.VIRTUAL_TIME,
}
LATCHABLE = (
    Command.READ,
    Command.PULSE,
    Command.MULTIPLY,
    Command.CONNECT,
    Command.GATE,
    Command.LOOP_RUN,
)
"""Commands that are answered LATCHED while something is."""
ALONE = (Command.READ, Command.PULSE, Command.MULTIPLY, Command.LOOP_RUN)
"""Commands that have the lines for themselves."""


@final
class Verbs:
    """Turn the body of a numbered command into an answer, or into work on the lines."""

    def __init__(self, state: BoardState, pulser: Pulser) -> None:
        self._state, self._pulser, self._world = state, pulser, state.world
        self._verbs: dict[Command, Callable[[bytes], Answer | Job]] = {
            Command.READ: self._read,
            Command.PULSE: self._pulse,
            Command.MULTIPLY: self._multiply,
            Command.CONNECT: self._connect,
            Command.GATE: self._gate,
            Command.DISCONNECT: self._disconnect,
            Command.LOOP_LOAD: self._loop_load,
            Command.LOOP_RUN: self._loop_run,
            Command.WAIT: self._wait,
            Command.SELF_TEST: self._self_test,
            Command.CLEAR: self._clear,
        }

    def __call__(self, command: Command, body: bytes) -> Answer | Job:
        """Return the answer to a command, or the work that it asks for; raise Denied if nothing is done."""
        state = self._state
        if command in LATCHABLE and state.latched is not Fault.NONE:
            raise Denied(Status.LATCHED, state.text)
        occupied = state.armed or state.loop.running if command in ALONE else state.loop.running
        if command in (*ALONE, Command.CONNECT) and occupied:
            raise Denied(Status.NOT_READY, "a cell is connected or a run is going on")
        if command in ALONE and state.loop.computing:
            raise Denied(Status.NOT_READY, "the run that was broken off is still ending; ask again")
        return self._verbs[command](body)

    def _read(self, body: bytes) -> Job:
        asked = ReadRequest.unpack(body)
        spec = asked.spec()
        self._count(len(asked.cells))
        asked.cells.check(self._world.shape)
        _admit(self._state.limits.breach_of_reading(asked))

        def do(parts: int, began: float, why: Fault) -> Answer:
            cells = asked.cells.take(np.arange(parts))
            read = self._world.read(cells, spec, began) if parts else np.empty(0)
            return Answer(_how_far(parts, len(asked.cells)), pack_floats(read))

        return Job(_steps(len(asked.cells), SAMPLE * spec.samples), do)

    def _pulse(self, body: bytes) -> Job:
        batch = PulseRequest.unpack(body)
        self._count(len(batch.cells))
        batch.cells.check(self._world.shape)
        _admit(self._state.limits.breach_of_pulses(batch))
        if batch.verify is not None:
            reading = ReadRequest.of(batch.cells, batch.verify)
            _admit(self._state.limits.breach_of_reading(reading))
        return self._pulser.job(batch)

    def _multiply(self, body: bytes) -> Job:
        asked = MultiplyRequest.unpack(body)
        rows, macros = self._world.macro_shape[0], self._world.shape[0] // self._world.macro_shape[0]
        if asked.volts.shape[1] != rows or asked.macro >= macros:
            raise Denied(Status.MALFORMED, f"{asked.volts.shape[1]} rows of macro {asked.macro}")
        _admit(self._state.limits.breach_of_volts(asked.volts))
        given = asked.volts.astype(float)

        def do(parts: int, began: float, why: Fault) -> Answer:
            currents = self._world.multiply(given[:parts], asked.macro, began)
            return Answer(_how_far(parts, len(given)), pack_floats(currents))

        return Job(_steps(len(given), SAMPLE), do)

    def _connect(self, body: bytes) -> Answer:
        asked = ConnectRequest.unpack(body)
        rows, cols = self._world.shape
        if asked.row >= rows or asked.col >= cols:
            raise Denied(Status.MALFORMED, f"there is no cell r{asked.row}c{asked.col}")
        _admit(self._state.limits.breach_of_gate(asked.gate))
        self._world.set_gate(0.0)
        self._world.connect((asked.row, asked.col), volts(asked.gate))
        return Answer()

    def _gate(self, body: bytes) -> Answer:
        asked = GateRequest.unpack(body)
        if not self._state.armed:
            raise Denied(Status.NOT_READY, "no cell is connected")
        _admit(self._state.limits.breach_of_gate(asked.gate))
        self._world.set_gate(volts(asked.gate))
        return Answer()

    def _disconnect(self, body: bytes) -> Answer:
        _empty(body)
        self._world.set_gate(0.0)
        self._world.connect(None)
        return Answer()

    def _loop_load(self, body: bytes) -> Answer:
        if self._state.loop.running:
            raise Denied(Status.NOT_READY, "a run is going on")
        self._state.loop.load(LoadRequest.unpack(body), LOAD_BYTES)
        return Answer()

    def _loop_run(self, body: bytes) -> Answer:
        asked = RunRequest.unpack(body)
        if not 0 < asked.runs <= MOST_RUNS:
            raise Denied(Status.MALFORMED, f"{asked.runs} runs; 1 to {MOST_RUNS} are possible")
        run = self._state.loop.loaded(asked.runs, asked.dimensions)
        for layer in run.layers:
            layer.cells().check(self._world.shape)
        _admit(self._state.limits.breach_of_volts((run.volts * run.start).astype(np.float32)))
        self._state.loop.start(run)
        return Answer()

    def _wait(self, body: bytes) -> Answer:
        self._world.wait(WaitRequest.unpack(body).duration / 1e9)
        return Answer()

    def _self_test(self, body: bytes) -> Answer:
        _empty(body)
        if self._state.word() & DRIVEN:
            raise Denied(Status.NOT_READY, "lines are driven")
        rows, cols = self._world.shape
        good = [("supply", "3.3 V and 5 V are there"), ("lines", f"{rows + 2 * cols} lines at 0 V")]
        found = [Finding(part, answer, True) for part, answer in [*good, ("memory", "check sum right")]]
        return Answer(Status.OK, pack_findings(found))

    def _clear(self, body: bytes) -> Answer:
        _empty(body)
        if self._state.interlock_open:
            raise Denied(Status.FAILED, "the interlock is open; close it first")
        self._state.clear()
        return Answer()

    def _count(self, cells: int) -> None:
        most = self._state.most_cells
        if not 0 < cells <= most:
            raise Denied(Status.MALFORMED, f"{cells} cells; 1 to {most} are possible")


def _steps(count: int, each: float) -> FloatArray:
    return np.asarray(each * np.arange(1, count + 1), dtype=float)


def _admit(breach: Refusal | None) -> None:
    if breach is not None:
        raise Denied(Status.REFUSED, breach.pack())


def _how_far(parts: int, whole: int) -> Status:
    return Status.OK if parts == whole else Status.STOPPED


def _empty(body: bytes) -> None:
    if body:
        raise Denied(Status.MALFORMED, f"{len(body)} bytes of body where there are none")
