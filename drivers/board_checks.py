"""Check what a board does with requests: once, in the right session, or not at all."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from drivers.board_probe import Probe, hold
from rramlab.board_protocol.frame import Request
from rramlab.board_protocol.golden import GOLDEN
from rramlab.board_protocol.hello import HelloReply, HelloRequest
from rramlab.board_protocol.pulses import HEAD_BYTES, PULSE_BYTES
from rramlab.board_protocol.readings import ReadRequest, unpack_floats
from rramlab.board_protocol.settling import SettleReply, SettleRequest
from rramlab.board_protocol.words import DRIVEN, Command, Feature, Outcome, Status
from rramlab.cells import Cells
from rramlab.reading import ReadSpec

Check = Callable[[Probe, HelloReply], str]
GENTLE = ReadSpec(v_read=0.1, gate=2.0)
"""A reading that disturbs no cell."""
_NEEDS = {
    Command.MULTIPLY: Feature.MULTIPLY,
    Command.GATE: Feature.ROUTE,
    Command.LOOP_RUN: Feature.LOOP,
    Command.WAIT: Feature.VIRTUAL_TIME,
}


# Who is there.


def golden_bytes(probe: Probe, hello: HelloReply) -> str:
    """Send the golden frames that are good for any board, byte by byte as on the page."""
    vectors = {golden.name: golden for golden in GOLDEN}
    for name, status in (("status-request", Status.OK), ("hello-request", Status.WRONG_BOOT)):
        golden = vectors[name]
        assert isinstance(golden.message, Request)
        probe.send(golden.frame)
        answer = probe.answer(golden.message)
        hold(answer.status is status, f"{name} is answered {answer.status.name}")
    return "golden frames are understood"


def who(probe: Probe, hello: HelloReply) -> str:
    """See that what HELLO tells can be true."""
    hold(min(hello.rows, hello.cols, hello.macros, hello.most_cells) > 0, "a size is 0")
    room = HEAD_BYTES + PULSE_BYTES
    hold(hello.most_body >= max(room, 256), f"a body of {hello.most_body} bytes is too small for a pulse")
    hold(bool(hello.name and hello.serial and hello.firmware), "name, serial number or firmware is empty")
    return f"{hello.name}, serial {hello.serial}, {hello.firmware}"


def safe_at_first(probe: Probe, hello: HelloReply) -> str:
    """See that a new session finds all lines at 0 V."""
    answer, lines = probe.status()
    hold(not answer.state & DRIVEN, f"the state is {answer.state!r}")
    volts = max(abs(lines.bl), abs(lines.sl), abs(lines.gate))
    hold(volts < 20_000, f"a line is at {volts} uV")
    return "all lines at 0 V"


def hello_again(probe: Probe, hello: HelloReply) -> str:
    """Send HELLO twice: the session goes on."""
    last = probe.expect(Status.OK, probe.numbered(Command.SELF_TEST)).last_executed
    request = probe.free(Command.HELLO, HelloRequest(0, "conformance").pack())
    answer = probe.expect(Status.OK, request)
    hold(answer.last_executed == last, "the session was begun anew")
    return "the session goes on"


# Once.


def duplicate(probe: Probe, hello: HelloReply) -> str:
    """Send a request twice: the second answer comes from memory."""
    request = probe.numbered(Command.SELF_TEST)
    first, second = probe.expect(Status.OK, request), probe.expect(Status.OK, request)
    hold(first.body == second.body, "the second answer is another one")
    hold(first.last_executed == second.last_executed == request.request, "last executed is wrong")
    return "answered from memory"


def reading_twice(probe: Probe, hello: HelloReply) -> str:
    """Read the cells and send the same frame again: noise would tell a second reading."""
    asked = ReadRequest.of(probe.cells, GENTLE)
    request = probe.numbered(Command.READ, asked.pack())
    first, second = probe.expect(Status.OK, request), probe.expect(Status.OK, request)
    values = unpack_floats(first.body, len(probe.cells), "the answer to READ")
    hold(bool((np.abs(values) < 0.1).all()), f"cells read {values} S")
    hold(first.body == second.body, "it was read a second time")
    return f"{1e6 * values[0]:.2f} uS"


def stale(probe: Probe, hello: HelloReply) -> str:
    """Send a request that is over."""
    old, new = probe.numbered(Command.SELF_TEST), probe.numbered(Command.SELF_TEST)
    probe.expect(Status.OK, old)
    probe.expect(Status.OK, new)
    probe.expect(Status.STALE, old)
    return "STALE"


def reused(probe: Probe, hello: HelloReply) -> str:
    """Send the id of the last request with another content."""
    request = probe.numbered(Command.SELF_TEST)
    probe.expect(Status.OK, request)
    probe.expect(Status.ID_REUSE, replace(request, command=Command.CLEAR))
    probe.expect(Status.OK, request)
    return "ID_REUSE, and the answer is still kept"


def wrong_boot(probe: Probe, hello: HelloReply) -> str:
    """Ask a board of another boot."""
    request = probe.numbered(Command.SELF_TEST)
    answer = probe.expect(Status.WRONG_BOOT, replace(request, boot=probe.boot ^ 1))
    hold(answer.boot == probe.boot, "the answer does not tell the boot id")
    hold(answer.last_executed < request.request, "the request was taken")
    return "WRONG_BOOT"


def wrong_session(probe: Probe, hello: HelloReply) -> str:
    """Ask in a session that is not the current one."""
    request = probe.numbered(Command.SELF_TEST)
    answer = probe.expect(Status.WRONG_SESSION, replace(request, session=probe.session ^ 1))
    hold(answer.last_executed < request.request, "the request was taken")
    return "WRONG_SESSION"


def old_session(probe: Probe, hello: HelloReply) -> str:
    """Open a new session: the old one is over, and its last request can be asked for."""
    request = probe.numbered(Command.SELF_TEST)
    kept = probe.expect(Status.OK, request).body
    old = probe.session
    probe.begin()
    late = Request(Command.HELLO, probe.boot, old, 1 << 63, HelloRequest(0, "late").pack())
    probe.expect(Status.WRONG_SESSION, late)
    reply = _settled(probe, old, request.request)
    hold(reply.outcome is Outcome.EXECUTED and reply.last == request.request, f"SETTLE says {reply}")
    hold(reply.reply in (kept, b""), "SETTLE adds another answer")
    never = _settled(probe, old, request.request + 1)
    hold(never.outcome is Outcome.NEVER, f"SETTLE of what was not asked says {never.outcome.name}")
    return "EXECUTED, then NEVER"


def closed(probe: Probe, hello: HelloReply) -> str:
    """Settle a request of this session that was not sent: it is closed for good."""
    request = probe.numbered(Command.SELF_TEST)
    reply = _settled(probe, probe.session, request.request)
    hold(reply.outcome is Outcome.NEVER, f"SETTLE says {reply.outcome.name}")
    probe.expect(Status.STALE, request)
    return "NEVER, then STALE"


def forgotten(probe: Probe, hello: HelloReply) -> str:
    """Settle a request of a session that never was, or of another boot."""
    for boot, session in ((probe.boot, probe.session ^ 1), (probe.boot ^ 1, probe.session)):
        asked = SettleRequest(boot, session, 1)
        answer = probe.expect(Status.OK, probe.free(Command.SETTLE, asked.pack()))
        reply = SettleReply.unpack(answer.body)
        hold(reply.outcome is Outcome.FORGOTTEN, f"SETTLE says {reply.outcome.name}")
    return "FORGOTTEN"


# What cannot be.


def version(probe: Probe, hello: HelloReply) -> str:
    """Ask in another version, and for a command that is none."""
    probe.expect(Status.WRONG_VERSION, replace(probe.free(Command.STATUS), version=99))
    probe.expect(Status.UNSUPPORTED, Request(99, probe.boot, probe.session, 1 << 63))
    return "WRONG_VERSION, UNSUPPORTED"


def features(probe: Probe, hello: HelloReply) -> str:
    """Ask for what HELLO says is missing."""
    missing = [command for command, feature in _NEEDS.items() if not hello.features & feature]
    for command in missing:
        probe.expect(Status.UNSUPPORTED, probe.numbered(command))
    return f"UNSUPPORTED: {', '.join(c.name for c in missing)}" if missing else "none is missing"


def malformed(probe: Probe, hello: HelloReply) -> str:
    """Ask with a body that makes no sense, and for a cell that is not there; both answers are kept."""
    outside = Cells(np.array([hello.rows * hello.macros]), np.array([0]))
    for body in (b"\1\2\3", ReadRequest.of(outside, GENTLE).pack()):
        request = probe.numbered(Command.READ, body)
        first, second = probe.expect(Status.MALFORMED, request), probe.expect(Status.MALFORMED, request)
        hold(first.body == second.body and first.last_executed == request.request, "it was not kept")
    return "MALFORMED, and kept"


# Broken bytes.


def corrupt(probe: Probe, hello: HelloReply) -> str:
    """Flip single bits of a frame: no answer."""
    frame = probe.free(Command.STATUS).encode()
    for at in range(0, len(frame) - 1, 7):
        broken = bytearray(frame)
        broken[at] ^= 1 << at % 8
        if broken[at]:  # a zero would end the frame there
            probe.silent(bytes(broken), f"a frame with bit {at % 8} of byte {at} flipped")
    return "dropped in silence"


def resync(probe: Probe, hello: HelloReply) -> str:
    """Send noise, half a frame, far too much; then a zero and a good frame."""
    half = probe.free(Command.STATUS).encode()[:9]
    for noise in (
        b"\xff\x00\x01\x02\x00\x00\x7f",
        half,
        bytes(range(1, 256)) * 4,
        b"\xaa" * 2 * hello.most_body,
    ):
        probe.send(noise)
        probe.status()
    return "found again at the next zero"


def in_pieces(probe: Probe, hello: HelloReply) -> str:
    """Send a frame byte by byte."""
    request = probe.free(Command.STATUS)
    for byte in request.encode():
        probe.send(bytes([byte]))
    probe.answer(request)
    return "understood"


def largest(probe: Probe, hello: HelloReply) -> str:
    """Send a frame of the largest body."""
    probe.expect(Status.MALFORMED, probe.numbered(Command.READ, b"\xa5" * hello.most_body))
    return f"{hello.most_body} bytes"


def _settled(probe: Probe, session: int, request: int) -> SettleReply:
    asked = SettleRequest(probe.boot, session, request)
    return SettleReply.unpack(probe.expect(Status.OK, probe.free(Command.SETTLE, asked.pack())).body)
