"""Drive a controller board that speaks the rramlab board protocol (docs/board-protocol.md)."""

from typing import final

import numpy as np
from numpy.typing import NDArray

from drivers.board_cells import BoardCells
from drivers.board_link import BoardLink
from drivers.board_loop import BoardLoop, batches, joined
from drivers.board_panic import board_off
from drivers.board_session import BoardReset, BoardSession, Draw, random_session
from drivers.board_settling import settled
from drivers.board_work import LATCHED, BoardWork
from drivers.controller import Controller, Note
from drivers.loop_watch import LoopWatch
from drivers.loop_witness import LoopWitness
from drivers.oscilloscope import Oscilloscope
from drivers.serial_wire import board_wire
from drivers.spec import BoardSpec, ScopeSpec
from drivers.wire import Wire
from rramlab.board_protocol.limits import BoardLimits
from rramlab.board_protocol.lines import (
    ConnectRequest,
    GateRequest,
    WaitRequest,
    unpack_findings,
)
from rramlab.board_protocol.units import microvolts
from rramlab.board_protocol.words import DRIVEN, Command, Feature
from rramlab.cells import Cells
from rramlab.clock import Clock, HostClock
from rramlab.errors import LinkError, LinkFault
from rramlab.finding import Finding
from rramlab.limits import Limits
from rramlab.loop import LoopResult, LoopRun
from rramlab.pulse import PulseTrain
from rramlab.reading import ReadSpec
from rramlab.recorder import Event

FloatArray = NDArray[np.float64]
_ALWAYS = frozenset({"read", "pulse", "wait"})
_FEATURES = {"multiply": Feature.MULTIPLY, "connect": Feature.ROUTE, "solve": Feature.LOOP}


@final
class RramlabBoard(Controller):
    """Drive a board exactly once per request; a reset of it leaves pulses UNKNOWN, and the work goes on.

    The wire is that of the bench file unless another one is given.
    """

    def __init__(
        self,
        spec: BoardSpec,
        wire: Wire | None = None,
        clock: Clock | None = None,
        draw: Draw = random_session,
    ) -> None:
        link = BoardLink(wire or board_wire(spec.port, spec.baud), spec.timeout, spec.retries, spec.baud)
        self._clock = clock or HostClock()
        self._session = BoardSession(link, self._clock, spec.watchdog, draw)
        self._work = BoardWork(self._session)
        self._cells = BoardCells(self._work)
        self._witness: LoopWitness | None = None
        self._note: Note | None = None

    @classmethod
    def switch_off(cls, spec: BoardSpec) -> Finding:
        """Send PANIC over a link of its own and return what the lines read back."""
        return board_off(spec)

    # Who is there.

    @property
    def capabilities(self) -> frozenset[str]:
        """Return what the board can do; before it is open, what the protocol can."""
        if not self._session.is_open:
            return _ALWAYS | set(_FEATURES)
        has = self._session.greeted.features
        return _ALWAYS | {name for name, feature in _FEATURES.items() if has & feature}

    @property
    def shape(self) -> tuple[int, int, int]:
        """Return macros, and rows x columns of one macro."""
        hello = self._session.greeted
        return hello.macros, hello.rows, hello.cols

    def watch(self, scope: Oscilloscope, spec: ScopeSpec) -> None:
        """Take an oscilloscope as a witness beside the telemetry."""
        self._witness = LoopWitness(LoopWatch(scope, spec, self._clock))

    def open(self) -> None:
        """Open link and session, which takes the lines to 0 V; what is latched stays so until `begin`."""
        self._session.open()

    def begin(self, limits: Limits, note: Note) -> None:
        """Give the limits to the board, read them back, and note which session this is."""
        self._note = note
        self._work.begin(BoardLimits.of(limits), note)

    def close(self) -> None:
        """Disconnect; never raises."""
        self._session.link.close()

    def identify(self) -> dict[str, str]:
        """Return name, serial number and firmware, as the board says."""
        hello = self._session.greeted
        return {"name": hello.name, "serial": hello.serial, "firmware": hello.firmware}

    def now(self) -> float:
        """Return the time (s) of a board of virtual time, at its last answer, or of this computer."""
        return self._session.time if self._is_virtual else self._clock.now()

    def self_test(self) -> list[Finding]:
        """Return what the board finds out about itself, lines at 0 V."""
        found = unpack_findings(self._work.ask(0, Command.SELF_TEST, b"").body)
        if self._session.state & LATCHED:
            told = f"it has tripped, and drives nothing until the next run ({self._session.status().text})"
            found.insert(0, Finding("board", told, True))
        return found

    # Safety.

    def safe(self) -> None:
        """Take all lines to 0 V, drain before gate."""
        try:
            self._session.anyhow(Command.SAFE)
        except LinkError as error:
            self._panic(error)
        if self._session.state & DRIVEN:
            raise LinkError(
                LinkFault.INSTRUMENT,
                f"the board was told to go to 0 V and says {self._session.state!r}; switch its supply off",
            )

    def is_safe(self) -> bool:
        """Ask the board and tell whether no line is driven."""
        self._session.anyhow(Command.STATUS)
        return not self._session.state & DRIVEN

    def feed(self) -> None:
        """Tell the board that the host lives; LinkError if it has tripped or was reset."""
        try:
            status = self._session.status()
        except BoardReset:
            raise self._reset_while_driven() from None
        if self._session.state & LATCHED:
            raise LinkError(
                LinkFault.INSTRUMENT,
                f"the board has taken its lines to 0 V ({status.text or status.fault.name}); find the cause",
            )

    # Cells.

    def read(self, cells: Cells, spec: ReadSpec, number: int) -> FloatArray:
        """Return the conductance (S) of each cell."""
        return self._cells.read(cells, spec, number)

    def pulse(self, train: PulseTrain, number: int) -> NDArray[np.uint8]:
        """Apply one pulse per cell and return its `Delivery`."""
        return self._cells.pulse(train, None, number)[0]

    def pulse_and_verify(
        self, train: PulseTrain, spec: ReadSpec, number: int
    ) -> tuple[NDArray[np.uint8], FloatArray]:
        """Apply one pulse per cell and read it right after; return `Delivery` and conductance (S) or NaN.

        For programs of one's own, which pulse under the limits of the board alone. Write-verify goes by the
        door, and does not use it: there a pulse and a reading are two requests with two lines in the record,
        and only some readings follow a pulse.
        """
        return self._cells.pulse(train, spec, number)

    def multiply(self, volts: FloatArray, macro: int, number: int) -> FloatArray:
        """Return the column currents (A), (vectors, columns), for row voltages (V), (vectors, rows)."""
        return self._cells.multiply(volts, macro, number)

    # Lines.

    def connect(self, cell: Cells, gate: float, number: int) -> None:
        """Bring BL and SL of one cell to the source meter, whose output is off, then raise its gate (V)."""
        place = int(cell.row[0]), int(cell.col[0])
        self._work.ask(number, Command.CONNECT, ConnectRequest(*place, microvolts(gate)).pack())

    def gate(self, volts: float) -> None:
        """Set the gate (V) of the connected cell."""
        try:
            self._work.once(Command.GATE, GateRequest(microvolts(volts)).pack())
        except BoardReset:
            raise self._reset_while_driven() from None

    def disconnect(self, number: int) -> None:
        """Take the gate down and open the route."""
        self._work.ask(number, Command.DISCONNECT, b"")

    # Time.

    def solve(self, run: LoopRun, number: int) -> LoopResult:
        """Run the closed loop once per start state; an oscilloscope on the bench sees the first of them."""
        if self._witness is None or self._note is None:
            return self._solved(run, number)
        return self._witness.over(run, self._note, lambda watched: self._solved(watched, number))

    def _solved(self, run: LoopRun, number: int) -> LoopResult:
        """Return what came out of runs, in batches that the board can hold."""
        hello = self._session.greeted
        loop = BoardLoop(self._session, hello, self._clock, lambda: self._session.id_of(number))
        return joined([self._solve(loop, batch) for batch in batches(run, hello)])

    def wait(self, seconds: float) -> None:
        """Let time pass (s): of the board if its time is virtual, else of this computer."""
        if self._is_virtual:
            self._work.ask(0, Command.WAIT, WaitRequest(round(1e9 * seconds)).pack())
        else:
            self._clock.sleep(seconds)

    def settle(self, request: Event, notes: list[Event]) -> NDArray[np.uint8]:
        """Return the `Delivery` of a train that an earlier process left open in the record."""
        return self._work.again(lambda: settled(request, notes, self._session.settle))

    # The steps.

    def _panic(self, error: LinkError) -> None:
        """Send the bytes that a board obeys whose parser hangs; silent, the first error is told."""
        try:
            self._session.link.shout()
            self._session.anyhow(Command.STATUS)
        except LinkError:
            raise error from None

    @property
    def _is_virtual(self) -> bool:
        return self._session.is_open and bool(self._session.greeted.features & Feature.VIRTUAL_TIME)

    def _solve(self, loop: BoardLoop, batch: LoopRun) -> LoopResult:
        return self._work.again(lambda: loop.solve(batch))

    def _reset_while_driven(self) -> LinkError:
        self._work.renew()
        return LinkError(
            LinkFault.LOST,
            "the board was reset while a cell was connected; its lines are at 0 V. "
            "Look at its supply, then measure again",
        )
