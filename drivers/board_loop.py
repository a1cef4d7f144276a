"""Run the closed loop on a board: load the problem, start, watch, fetch the waveforms."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import final

import numpy as np
from numpy.typing import NDArray

from drivers.board_session import BoardSession
from rramlab.board_protocol.cursor import garbled
from rramlab.board_protocol.hello import HelloReply
from rramlab.board_protocol.loop import (
    DATA_BYTES,
    FetchReply,
    FetchRequest,
    RunRequest,
    loads,
    pack_problem,
)
from rramlab.board_protocol.words import Command, State, Target, Waveform
from rramlab.clock import Clock
from rramlab.errors import LinkError, LinkFault, Unsupported
from rramlab.loop import LoopResult, LoopRun

FloatArray = NDArray[np.float64]
POLL = 0.02
"""Time between two questions whether the runs are done (s); each feeds the watchdog."""
PATIENCE = 120.0
"""How much longer (s) than they should, and how often as long, runs may take."""


@final
class BoardLoop:
    """Solve one batch of runs; `identity` gives the next id of the request in the record."""

    def __init__(
        self, session: BoardSession, hello: HelloReply, clock: Clock, identity: Callable[[], int]
    ) -> None:
        self._session, self._hello = session, hello
        self._clock, self._identity = clock, identity

    def solve(self, run: LoopRun) -> LoopResult:
        """Return what came out of runs that the board takes at once."""
        self._load(Target.PROBLEM, pack_problem(run))
        self._load(Target.START, np.ascontiguousarray(run.start, dtype="<f4").tobytes())
        self._session.once(Command.LOOP_RUN, RunRequest(*run.start.shape).pack(), self._identity())
        self._wait_for(run)
        return self._fetched(run)

    def _load(self, target: Target, blob: bytes) -> None:
        if len(blob) > self._hello.load_bytes:
            raise Unsupported(
                f"a loop run needs {len(blob)} bytes, and the board has room for {self._hello.load_bytes}; "
                f"take fewer ticks, or fewer embedding channels"
            )
        for part in loads(target, blob, self._hello.most_body):
            self._session.once(Command.LOOP_LOAD, part.pack(), self._identity())

    def _wait_for(self, run: LoopRun) -> None:
        begin, length = self._clock.now(), len(run.start) * run.coefficients.duration
        while True:
            status = self._session.status()
            if not self._session.state & State.RUNNING:
                break
            if self._clock.now() - begin > 2 * length + PATIENCE:
                raise LinkError(
                    LinkFault.TIMEOUT,
                    f"the board has done {status.runs_done} of {len(run.start)} loop runs in "
                    f"{self._clock.now() - begin:.0f} s; look at its switches, or ask for fewer",
                )
            self._clock.sleep(POLL)
        if status.runs_done != len(run.start):
            raise LinkError(
                LinkFault.INSTRUMENT,
                f"the board ended after {status.runs_done} of {len(run.start)} loop runs "
                f"({status.text or status.fault.name}); find the cause, start again",
            )

    def _fetched(self, run: LoopRun) -> LoopResult:
        runs, n = run.start.shape
        time = self._array(Waveform.TIME, (None,))
        kept = (min(run.kept, runs), len(time))
        widths = [layer.outputs for layer in run.layers[:-1]]
        hidden = (self._array(Waveform.HIDDEN + i, (*kept, width)) for i, width in enumerate(widths))
        return LoopResult(
            end=self._array(Waveform.END, (runs, n)),
            time=time,
            state=self._array(Waveform.STATE, (*kept, n)),
            hidden=tuple(hidden),
            output=self._array(Waveform.OUTPUT, (*kept, n)),
            trace=self._array(Waveform.TRACE, (len(time), runs, n)),
            energy=self._array(Waveform.ENERGY, (runs,)),
        )

    def _array(self, code: int, shape: tuple[int | None, ...]) -> FloatArray:
        first = self._part(code, 0)
        told = len(first.shape) == len(shape) and all(
            asked in (None, found) for asked, found in zip(shape, first.shape, strict=True)
        )
        if not told:
            raise garbled(f"array {code} of the loop run has shape {first.shape}, expected {shape}")
        parts, have = [first.values], first.values.size
        while have < math.prod(first.shape):
            parts.append(self._part(code, have).values)
            have += parts[-1].size
        return np.concatenate(parts).reshape(first.shape)

    def _part(self, code: int, offset: int) -> FetchReply:
        most = (self._hello.most_body - DATA_BYTES) // 4
        asked = FetchRequest(code, offset, most).pack()
        part = FetchReply.unpack(self._session.bound(Command.FETCH, asked, self._hello.most_body).body)
        empty = part.values.size == 0 and math.prod(part.shape) > offset
        if part.array != code or part.offset != offset or empty:
            raise garbled(
                f"FETCH of array {code} from {offset} answers array {part.array} from {part.offset}"
            )
        return part


def batches(run: LoopRun, hello: HelloReply) -> Iterator[LoopRun]:
    """Yield the runs in batches that the board can hold; waveforms are kept of the first runs of all."""
    most = max(1, min(hello.most_runs, hello.load_bytes // (4 * run.start.shape[1])))
    for at in range(0, len(run.start), most):
        start = run.start[at : at + most]
        yield replace(run, start=start, kept=min(max(run.kept - at, 0), len(start)))


def joined(results: list[LoopResult]) -> LoopResult:
    """Return the results of batches as one."""
    first = results[0]
    if len(results) == 1:
        return first
    layers = range(len(first.hidden))
    return LoopResult(
        end=np.concatenate([r.end for r in results]),
        time=first.time,
        state=np.concatenate([r.state for r in results]),
        hidden=tuple(np.concatenate([r.hidden[i] for r in results]) for i in layers),
        output=np.concatenate([r.output for r in results]),
        trace=np.concatenate([r.trace for r in results], axis=1),
        energy=np.concatenate([r.energy for r in results]),
    )
