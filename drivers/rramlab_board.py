"""Drive a controller board that speaks the rramlab board protocol (docs/board-protocol.md)."""

from typing import final

import numpy as np
from numpy.typing import NDArray

from drivers.board_link import BoardLink
from drivers.board_loop import BoardLoop, batches, joined
from drivers.board_panic import board_off
from drivers.board_session import BoardReset, BoardSession, Draw, random_session
from drivers.board_settling import fates, settled
from drivers.board_work import LATCHED, BoardWork
from drivers.controller import Controller, Note
from drivers.serial_wire import board_wire
from drivers.spec import BoardSpec
from drivers.wire import Wire
from rramlab.board_protocol.cursor import garbled
from rramlab.board_protocol.limits import BoardLimits
from rramlab.board_protocol.lines import (
    ConnectRequest,
    GateRequest,
    MultiplyRequest,
    WaitRequest,
    unpack_findings,
)
from rramlab.board_protocol.pulses import PulseRequest
from rramlab.board_protocol.readings import ReadRequest, unpack_floats
from rramlab.board_protocol.units import microvolts
from rramlab.board_protocol.words import Command, Feature, State
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
DRIVEN = State.OUTPUTS_ON | State.ARMED | State.RUNNING
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

    def open(self) -> None:
        """Open link and session; what an earlier session left latched is cleared, with the lines at 0 V."""
        self._session.open()
        self._work.unlatch()

    def begin(self, limits: Limits, note: Note) -> None:
        """Give the limits to the board, read them back, and note which session this is."""
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
        return unpack_findings(self._work.ask(0, Command.SELF_TEST, b"").body)

    # Safety.

    def safe(self) -> None:
        """Take all lines to 0 V, drain before gate."""
        try:
            self._session.anyhow(Command.SAFE)
        except LinkError:
            # A board whose parser hangs still obeys these bytes.
            self._session.link.shout()
            self._session.anyhow(Command.STATUS)
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
        most, n = self._work.cells_per_batch, len(cells)
        places = [np.arange(at, min(at + most, n)) for at in range(0, n, most)]
        parts = [self._read(cells.take(place), spec, number) for place in places]
        return np.concatenate(parts) if parts else np.empty(0)

    def pulse(self, train: PulseTrain, number: int) -> NDArray[np.uint8]:
        """Apply one pulse per cell and return its `Delivery`."""
        return self._pulse(train, None, number)[0]

    def pulse_and_verify(
        self, train: PulseTrain, spec: ReadSpec, number: int
    ) -> tuple[NDArray[np.uint8], FloatArray]:
        """Apply one pulse per cell and read it right after; return `Delivery` and conductance (S) or NaN."""
        return self._pulse(train, spec, number)

    def multiply(self, volts: FloatArray, macro: int, number: int) -> FloatArray:
        """Return the column currents (A), (vectors, columns), for row voltages (V), (vectors, rows)."""
        hello = self._session.greeted
        most = max(1, (hello.most_body - 8) // (4 * max(hello.rows, hello.cols)))
        vectors = [volts[at : at + most] for at in range(0, len(volts), most)] or [volts]
        return np.concatenate([self._multiply(some, macro, number) for some in vectors])

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
        """Run the closed loop once per start state, in batches that the board can hold."""
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

    @property
    def _is_virtual(self) -> bool:
        return self._session.is_open and bool(self._session.greeted.features & Feature.VIRTUAL_TIME)

    def _busy(self, nanoseconds: float) -> float:
        """Return how long (s) work of so much board time keeps the host waiting."""
        return 0.0 if self._is_virtual else 1.2e-9 * nanoseconds

    def _read(self, cells: Cells, spec: ReadSpec, number: int) -> FloatArray:
        n, body = len(cells), ReadRequest.of(cells, spec).pack()
        work = self._busy(n * spec.samples * self._session.greeted.sample)
        answer = self._work.ask(number, Command.READ, body, work, 4 * n)
        with self._work.distrust():
            return _believable(unpack_floats(answer.body, n, "the answer to READ"))

    def _pulse(
        self, train: PulseTrain, verify: ReadSpec | None, number: int
    ) -> tuple[NDArray[np.uint8], FloatArray]:
        most, n = self._work.cells_per_batch, len(train)
        delivery, readings = fates(n, 0), np.full(n, np.nan)
        for at in range(0, n, most):
            part = np.arange(at, min(at + most, n))
            batch = PulseRequest.of(train.take(part), verify)
            delivery[part], reply = self._work.pulse(number, batch, self._busy(self._length(batch)))
            if reply.readings is not None:
                readings[part[: reply.executed]] = _believable(reply.readings)
            if reply.executed < len(part):
                break
        return delivery, readings

    def _length(self, batch: PulseRequest) -> float:
        """Return how long (ns) a batch takes on the board."""
        hello = self._session.greeted
        reading = hello.sample * batch.verify.samples if batch.verify else 0
        return float(batch.width.sum()) + len(batch.cells) * (hello.addressing + reading)

    def _multiply(self, volts: FloatArray, macro: int, number: int) -> FloatArray:
        hello = self._session.greeted
        body = MultiplyRequest(macro, volts.astype(np.float32)).pack()
        count = len(volts) * hello.cols
        answer = self._work.ask(
            number, Command.MULTIPLY, body, self._busy(len(volts) * hello.sample), 4 * count
        )
        with self._work.distrust():
            currents = unpack_floats(answer.body, count, "the answer to MULTIPLY")
            return _believable(currents).reshape(len(volts), hello.cols)

    def _solve(self, loop: BoardLoop, batch: LoopRun) -> LoopResult:
        return self._work.again(lambda: loop.solve(batch))

    def _reset_while_driven(self) -> LinkError:
        self._work.renew()
        return LinkError(
            LinkFault.LOST,
            "the board was reset while a cell was connected; its lines are at 0 V. "
            "Look at its supply, then measure again",
        )


def _believable(values: FloatArray) -> FloatArray:
    """Return readings (S or A), or refuse what no macro delivers."""
    if not (np.abs(values) < 1.0).all():  # also NaN
        raise garbled(f"a reading of {values[~(np.abs(values) < 1.0)][0]}")
    return values
