"""Check what keeps a macro whole: limits, PANIC, watchdog, routes, and pulses where they are allowed."""

import time
from dataclasses import replace

import numpy as np

from drivers.board_checks import GENTLE
from drivers.board_probe import Probe, hold
from rramlab.board_protocol.frame import Request, Response
from rramlab.board_protocol.hello import HelloReply
from rramlab.board_protocol.limits import BoardLimits, Refusal
from rramlab.board_protocol.lines import ConnectRequest, GateRequest
from rramlab.board_protocol.pulses import PulseReply, PulseRequest
from rramlab.board_protocol.readings import ReadRequest
from rramlab.board_protocol.splitter import PANIC
from rramlab.board_protocol.words import DRIVEN, Command, Feature, State, Status
from rramlab.cells import Cells
from rramlab.pulse import Polarity

LOW = 100_000
"""A drive (uV) far below any that moves a cell: limits are tried around it, should a board ignore them."""
GENTLE_SET = 500_000, 1_000_000, 1000
"""Drive (uV), gate (uV) and width (ns) of the pulses that the operator allows."""
WATCH = 200
"""Watchdog time (ms) that is asked for."""


# Limits.


def limits_fall(probe: Probe, hello: HelloReply) -> str:
    """Lower the limits, then try to raise them; a new session has those that are compiled in."""
    before = _limits(probe, b"")
    low = replace(before, v_set=LOW, v_read=LOW)
    hold(_limits(probe, low.pack()) == low, "a lowered limit is not in force")
    hold(_limits(probe, before.pack()) == low, "a limit was raised within a session")
    probe.begin()
    hold(_limits(probe, b"") == before, "a new session does not begin with the compiled-in limits")
    return f"v_set {1e-6 * before.v_set:.3g} V, v_read {1e-6 * before.v_read:.3g} V compiled in"


def limits_refuse(probe: Probe, hello: HelloReply) -> str:
    """Ask for one microvolt too much, in a reading and in the last pulse of a batch: nothing goes out."""
    _limits(probe, replace(_limits(probe, b""), v_set=LOW, v_read=LOW).pack())
    total = probe.status()[0].pulse_total
    high = np.array([LOW, LOW + 1])
    same = np.array([LOW, LOW])
    batch = PulseRequest(_pair(probe, hello), np.zeros(2, dtype=np.int64), high, same, np.array([100, 100]))
    reading = ReadRequest(LOW + 1, LOW, 1, probe.cells)
    tried = ((Command.PULSE, batch.pack(), 1, "v_set"), (Command.READ, reading.pack(), 0, "v_read"))
    for command, body, index, name in tried:
        answer = probe.expect(Status.REFUSED, probe.numbered(command, body))
        refusal = Refusal.unpack(answer.body)
        told = (refusal.index, refusal.name, refusal.asked, refusal.allowed)
        hold(told == (index, name, LOW + 1, LOW), f"the refusal says {told}")
        hold(answer.pulse_total == total, "a pulse went out")
    return "REFUSED, nothing went out"


# Safety.


def panic_frame(probe: Probe, hello: HelloReply) -> str:
    """Send PANIC as a frame of no session: latched, and nothing goes until CLEAR."""
    probe.expect(Status.OK, Request(Command.PANIC, request=1 << 63))
    return _latched(probe)


def panic_bytes(probe: Probe, hello: HelloReply) -> str:
    """Send PANIC as raw bytes in the midst of a frame, cut in two."""
    probe.send(probe.free(Command.STATUS).encode()[:7] + PANIC[:3])
    probe.send(PANIC[3:])
    return _latched(probe)


def safe_frame(probe: Probe, hello: HelloReply) -> str:
    """Send SAFE in a wrong session: it is done, and latches nothing."""
    answer = probe.expect(Status.OK, Request(Command.SAFE, request=1 << 63))
    hold(not answer.state & (DRIVEN | State.FAULT), f"the state is {answer.state!r}")
    return "all lines at 0 V"


def _latched(probe: Probe) -> str:
    answer, lines = probe.status()
    hold(bool(answer.state & State.FAULT) and not answer.state & DRIVEN, f"the state is {answer.state!r}")
    read = ReadRequest.of(probe.cells, GENTLE).pack()
    probe.expect(Status.LATCHED, probe.numbered(Command.READ, read))
    cleared = probe.expect(Status.OK, probe.numbered(Command.CLEAR))
    hold(not cleared.state & State.FAULT, "CLEAR does not end it")
    probe.expect(Status.OK, probe.numbered(Command.READ, read))
    return f"LATCHED ({lines.fault.name}), CLEAR ends it"


# Lines.


def route(probe: Probe, hello: HelloReply) -> str:
    """Connect a cell with its gate at 0 V, and take it off again; nothing else goes meanwhile."""
    if not hello.features & Feature.ROUTE:
        return "no ROUTE"
    probe.expect(Status.NOT_READY, probe.numbered(Command.GATE, GateRequest(0).pack()))
    answer = _connected(probe)
    hold(bool(answer.state & State.ARMED), "CONNECT does not arm")
    read = ReadRequest.of(probe.cells, GENTLE).pack()
    probe.expect(Status.NOT_READY, probe.numbered(Command.READ, read))
    probe.expect(Status.OK, probe.numbered(Command.GATE, GateRequest(0).pack()))
    probe.expect(Status.OK, probe.numbered(Command.DISCONNECT))
    hold(not probe.status()[0].state & DRIVEN, "DISCONNECT leaves the board armed")
    return "armed, not ready, safe"


def watchdog(probe: Probe, hello: HelloReply) -> str:
    """Fall silent while a cell is connected: the board takes it off and latches."""
    if not hello.features & Feature.ROUTE:
        return "nothing is driven without ROUTE"
    seconds = 1e-3 * probe.begin(WATCH).watchdog
    if seconds > 5:
        return f"the board allows no less than {seconds:.0f} s; not tried"
    _connected(probe)
    end = time.monotonic() + 2.5 * seconds
    while (left := end - time.monotonic()) > 0:
        hold(not probe.heard(left), "the board speaks unasked")
    # Asked in no session, so that the question itself feeds nothing.
    answer = probe.expect(Status.OK, Request(Command.STATUS, request=1 << 63))
    hold(bool(answer.state & State.WATCHDOG_TRIPPED), f"silent for 2.5 times {seconds:.3g} s and not tripped")
    hold(not answer.state & DRIVEN, "tripped, and a line is driven")
    probe.expect(Status.LATCHED, _connect(probe))
    probe.expect(Status.OK, probe.numbered(Command.CLEAR))
    return f"tripped after {seconds:.3g} s"


# Pulses, where the operator allows them.


def pulse_once(probe: Probe, hello: HelloReply) -> str:
    """Pulse the named cells gently, and send the same frame again: each pulse is counted once."""
    before = probe.status()[0].pulse_total
    request = probe.numbered(Command.PULSE, _gentle(probe).pack())
    first, second = probe.expect(Status.OK, request), probe.expect(Status.OK, request)
    hold(first.body == second.body, "the second answer is another one")
    reply, n = PulseReply.unpack(first.body), len(probe.cells)
    hold(reply.executed == n, f"{reply.executed} of {n} pulses went out")
    counted = probe.status()[0].pulse_total - before
    hold(counted == n, f"{counted} pulses were counted for {n}")
    return f"{n} of {n}, once"


def pulse_verified(probe: Probe, hello: HelloReply) -> str:
    """Pulse the named cells gently with a reading of each."""
    if not hello.features & Feature.VERIFY:
        return "no VERIFY"
    batch = replace(_gentle(probe), verify=GENTLE)
    reply = PulseReply.unpack(probe.expect(Status.OK, probe.numbered(Command.PULSE, batch.pack())).body)
    hold(reply.readings is not None and len(reply.readings) == len(probe.cells), "readings are missing")
    return f"{len(probe.cells)} read"


def _gentle(probe: Probe) -> PulseRequest:
    n = len(probe.cells)
    drive, gate, width = (np.full(n, value) for value in GENTLE_SET)
    return PulseRequest(probe.cells, np.full(n, int(Polarity.SET)), drive, gate, width)


def _pair(probe: Probe, hello: HelloReply) -> Cells:
    row, col = probe.cells.row[:1], probe.cells.col[:1]
    return Cells(np.append(row, (row + 1) % (hello.rows * hello.macros)), np.append(col, col))


def _connect(probe: Probe) -> Request:
    row, col = next(iter(probe.cells))
    return probe.numbered(Command.CONNECT, ConnectRequest(row, col, 0).pack())


def _connected(probe: Probe) -> Response:
    return probe.expect(Status.OK, _connect(probe))


def _limits(probe: Probe, body: bytes) -> BoardLimits:
    return BoardLimits.unpack(probe.expect(Status.OK, probe.free(Command.LIMITS, body)).body)
