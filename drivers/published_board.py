"""Drive a controller board that runs the published firmware, as it is."""

from typing import final

import numpy as np
from numpy.typing import NDArray

from drivers.controller import Controller, Note
from drivers.loop_watch import LoopWatch
from drivers.oscilloscope import Oscilloscope
from drivers.published_options import PublishedOptions
from drivers.published_pace import Pace
from drivers.published_runs import PublishedRuns
from drivers.published_talk import BAUD, PublishedTalk
from drivers.serial_wire import board_wire
from drivers.spec import BoardSpec, ScopeSpec
from drivers.wire import Wire
from rramlab.cells import Cells
from rramlab.clock import Clock, HostClock
from rramlab.errors import LinkError, Unsupported
from rramlab.finding import Finding
from rramlab.limits import Limits
from rramlab.loop import LoopResult, LoopRun
from rramlab.pulse import PulseTrain
from rramlab.reading import ReadSpec
from rramlab.recorder import Event

FloatArray = NDArray[np.float64]

NAME = "published firmware (HDPM)"
NO_STOP = (
    "this firmware has no stop: a run ends by itself 1.2 s after it began, and nothing else drives a line"
)


@final
class PublishedBoard(Controller):
    """Play closed-loop runs, which is all that the published firmware can do; an oscilloscope is the witness.

    It has no identification, checksum, abort or telemetry. So the driver proves by two harmless commands who
    answers, checks every reply to the letter, refuses what would overflow a converter, keeps the dead times,
    is silent during a run, and believes in a run only when the oscilloscope saw it.
    """

    def __init__(self, spec: BoardSpec, wire: Wire | None = None, clock: Clock | None = None) -> None:
        self._spec, self._options = spec, PublishedOptions.of(spec)
        self._clock = clock or HostClock()
        self._talk = PublishedTalk(wire or _wire(spec), self._clock, spec.timeout)
        self._runs: PublishedRuns | None = None

    @classmethod
    def switch_off(cls, spec: BoardSpec) -> Finding:
        """Wait until any run is over, and tell whether the board answers: there is no stop to send."""
        talk = PublishedTalk(_wire(spec), HostClock(), spec.timeout)
        try:
            talk.open()
        except LinkError as error:
            return Finding("board", f"{error}; {NO_STOP}", False, "switch off its supply")
        finally:
            talk.close()
        return Finding("board", f"it answers, and any run is over; {NO_STOP}", True)

    @property
    def capabilities(self) -> frozenset[str]:
        """Return `solve` when an oscilloscope watches."""
        return frozenset({"solve"} if self._runs else ())

    @property
    def shape(self) -> tuple[int, int, int]:
        """Return the size that the bench file states, for the board does not tell."""
        return self._spec.macros, self._spec.rows, self._spec.cols

    def watch(self, scope: Oscilloscope, spec: ScopeSpec) -> None:
        """Take an oscilloscope as the witness of runs."""
        start = self._spec.start
        self._runs = PublishedRuns(
            self._talk,
            LoopWatch(scope, spec, self._clock),
            Pace(self._clock),
            self._options,
            None if start is None else (start[0], start[1]),
        )

    def open(self) -> None:
        """Connect, and prove by its replies that this firmware is at the other end."""
        self._talk.open()

    def begin(self, limits: Limits, note: Note) -> None:
        """Note what the firmware said; it takes no limits, and what would overflow it is refused unsent."""
        self._talk.log.begin(note)

    def close(self) -> None:
        """Disconnect; never raises."""
        self._talk.close()

    def identify(self) -> dict[str, str]:
        """Return what the replies prove; this firmware has no serial number."""
        return {"name": NAME, "serial": ""}

    def now(self) -> float:
        """Return the time (s) of this computer."""
        return self._clock.now()

    def safe(self) -> None:
        """Wait until a run that may be going on has ended by itself."""
        self._talk.wait_for_the_end()

    def is_safe(self) -> bool:
        """Tell whether any run has ended by now."""
        return not self._talk.is_running

    def self_test(self) -> list[Finding]:
        """Return that its replies are those of this firmware, which has no test of its own."""
        self._talk.prove()
        return [Finding("board", f"{NAME}: replies to the letter; it has no self-test", True)]

    def feed(self) -> None:
        """Do nothing: no line is driven outside a run, and a run is never interrupted."""

    def wait(self, seconds: float) -> None:
        """Let time pass (s)."""
        self._clock.sleep(seconds)

    def solve(self, run: LoopRun, number: int) -> LoopResult:
        """Run the closed loop once per start state, if one of the tables of the firmware plays it."""
        if self._runs is None:
            raise Unsupported(
                "a run of the published firmware is seen only on an oscilloscope; add "
                "[backend.options.oscilloscope] to the bench file"
            )
        return self._runs.solve(run)

    # What this firmware has no command for.

    def read(self, cells: Cells, spec: ReadSpec, number: int) -> FloatArray:
        """Refuse: cells cannot be addressed."""
        raise _no("read a cell")

    def pulse(self, train: PulseTrain, number: int) -> NDArray[np.uint8]:
        """Refuse: cells cannot be addressed."""
        raise _no("pulse a cell")

    def multiply(self, volts: FloatArray, macro: int, number: int) -> FloatArray:
        """Refuse: rows cannot be driven."""
        raise _no("multiply")

    def connect(self, cell: Cells, gate: float, number: int) -> None:
        """Refuse: cells cannot be addressed."""
        raise _no("connect a cell")

    def gate(self, volts: float) -> None:
        """Refuse: gates cannot be driven."""
        raise _no("drive a gate")

    def disconnect(self, number: int) -> None:
        """Do nothing: no cell was ever connected."""

    def settle(self, request: Event, notes: list[Event]) -> NDArray[np.uint8]:
        """Refuse: this firmware pulses nothing, so that nothing of it can be open."""
        raise _no("pulse a cell")


def _no(what: str) -> Unsupported:
    return Unsupported(
        f"the published firmware cannot {what}: it only plays closed-loop runs; use a board that speaks the "
        "rramlab board protocol"
    )


def _wire(spec: BoardSpec) -> Wire:
    # The speed that a bench file means when it names none is that of the other dialect.
    unsaid = spec.baud == BoardSpec.model_fields["baud"].default
    return board_wire(spec.port, BAUD if unsaid else spec.baud)
