"""Hold messages with the bytes that they must make: what any firmware can be tested against."""

from dataclasses import dataclass
from typing import final

import numpy as np

from rramlab.board_protocol.frame import Request, Response
from rramlab.board_protocol.hello import NOWHERE, HelloReply, HelloRequest, StatusReply
from rramlab.board_protocol.limits import BoardLimits, Refusal
from rramlab.board_protocol.lines import ConnectRequest, MultiplyRequest
from rramlab.board_protocol.pulses import PulseReply, PulseRequest
from rramlab.board_protocol.readings import ReadRequest, pack_floats
from rramlab.board_protocol.settling import SettleReply, SettleRequest
from rramlab.board_protocol.words import Command, Fault, Feature, Outcome, State, Status
from rramlab.cells import Cells
from rramlab.limits import Limits
from rramlab.pulse import Polarity, PulseTrain
from rramlab.reading import ReadSpec

BOOT, SESSION, TAG, ID = 0x0BADB007, 0xCAFEF00D, 0x8000_0000_0000_0001, 7 << 16
IDLE = State(0)


@final
@dataclass(frozen=True)
class Golden:
    """Hold one message: its name, what it says, and the frame with its zero byte in hexadecimal digits."""

    name: str
    message: Request | Response
    digits: str

    @property
    def frame(self) -> bytes:
        """Return the bytes of the frame."""
        return bytes.fromhex(self.digits)


def _messages() -> dict[str, Request | Response]:
    return _talk() | _work() | _settling()


def _talk() -> dict[str, Request | Response]:
    features = Feature.MULTIPLY | Feature.LOOP | Feature.ROUTE | Feature.VERIFY
    board = HelloReply(
        features, 32, 32, 2, 20480, 1024, 3000, 10_000, 1_000_000, 4096, 1 << 20, "board", "B1", "1.0"
    )
    idle = StatusReply(0, 0, NOWHERE, NOWHERE, 0, 0, 0, Fault.NONE, 3000)
    tripped = StatusReply(0, 0, NOWHERE, NOWHERE, 0, 0, 0, Fault.WATCHDOG, 3000, "host silent")
    return {
        "status-request": Request(Command.STATUS, request=TAG),
        "status-response": _answer(Command.STATUS, TAG, idle.pack(), session=0, last=0),
        "status-response-tripped": _answer(Command.STATUS, TAG, tripped.pack(), state=State.WATCHDOG_TRIPPED),
        "hello-request": _asked(Command.HELLO, TAG + 1, HelloRequest(3000, "rramlab").pack()),
        "hello-response": _answer(Command.HELLO, TAG + 1, board.pack(), last=0),
        "limits-request": _asked(Command.LIMITS, TAG + 2, BoardLimits.of(Limits()).pack()),
        "panic-request": Request(Command.PANIC, request=TAG + 3),
    }


def _work() -> dict[str, Request | Response]:
    pair = Cells(np.array([0, 3]), np.array([0, 7]))
    same = PulseTrain(pair, np.full(2, Polarity.SET), np.full(2, 1.2), np.full(2, 1.4), np.full(2, 1e-6))
    mixed = PulseTrain(pair, np.array([0, 1]), np.array([1.2, 1.5]), np.array([1.4, 3.3]), np.full(2, 1e-6))
    volts = np.array([[0.1, 0.0, 0.2]], dtype=np.float32)
    siemens = np.array([50e-6, 20e-6])
    return {
        "read-request": _asked(Command.READ, ID, ReadRequest.of(pair, ReadSpec()).pack()),
        "read-response": _answer(Command.READ, ID, pack_floats(siemens)),
        "pulse-request": _asked(Command.PULSE, ID, PulseRequest.of(same).pack()),
        "pulse-request-mixed": _asked(Command.PULSE, ID + 1, PulseRequest.of(mixed, ReadSpec()).pack()),
        "pulse-response": _answer(Command.PULSE, ID, PulseReply(2).pack()),
        "pulse-response-mixed": _answer(
            Command.PULSE, ID + 1, PulseReply(2, readings=siemens).pack(), last=ID + 1
        ),
        "pulse-response-stopped": _answer(
            Command.PULSE, ID, PulseReply(1, Fault.PANIC).pack(), Status.STOPPED, State.FAULT
        ),
        "pulse-response-refused": _answer(
            Command.PULSE, ID, Refusal(1, 1, 2_100_000, 2_000_000).pack(), Status.REFUSED
        ),
        "wrong-boot-response": _answer(Command.PULSE, ID, b"", Status.WRONG_BOOT, session=0, last=0),
        "multiply-request": _asked(Command.MULTIPLY, ID, MultiplyRequest(1, volts).pack()),
        "connect-request": _asked(Command.CONNECT, ID, ConnectRequest(3, 7, 1_400_000).pack()),
    }


def _settling() -> dict[str, Request | Response]:
    return {
        "settle-request": _asked(Command.SETTLE, TAG + 4, SettleRequest(BOOT, 0xDEAD0001, ID).pack()),
        "settle-response": _answer(
            Command.SETTLE,
            TAG + 4,
            SettleReply(Outcome.EXECUTED, Status.OK, 2, ID, PulseReply(2).pack()).pack(),
        ),
    }


def _asked(command: Command, request: int, body: bytes) -> Request:
    return Request(command, BOOT, SESSION, request, body)


def _answer(
    command: Command,
    request: int,
    body: bytes,
    status: Status = Status.OK,
    state: State = IDLE,
    session: int = SESSION,
    last: int = ID,
) -> Response:
    return Response(command, status, state, BOOT, session, request, last, 1234, 5_000_000_000, body)


_DIGITS = {
    "status-request": ("0301020101010101010101010201010101010102800105e3a4325500"),
    "status-response": (
        "030182010507b0ad0b0101010201010101010102800101010101010103d204010105f2052a010101"
        "0221010101010101010105ffffffff01010101010101010101010101010103b80b01010583e01534"
        "00"
    ),
    "status-response-tripped": (
        "0301820b0407b0ad0b0df0feca01010101010102800102070101010103d204010105f2052a010101"
        "022c010101010101010105ffffffff01010101010101010101010201010103b80b01110b686f7374"
        "2073696c656e741e79bc9800"
    ),
    "hello-request": ("030101010a07b0ad0b0df0feca02010101010103800c03b80b010d077272616d6c61625727441e00"),
    "hello-response": (
        "030181010a07b0ad0b0df0feca02010101010102800101010101010103d204010105f2052a010101"
        "0231021e010102200220020201025002040103b80b01031027010440420f01021001010102101205"
        "626f61726402423103312e300210e4f200"
    ),
    "limits-request": (
        "030105010a07b0ad0b0df0feca03010101010103802804400d030480841e01036a180480841e04a0"
        "5a3201036a180480841e04a05a32031027010440420f05cf1ff81a00"
    ),
    "panic-request": ("030103010101010101010101020401010101010280010539ecc12c00"),
    "read-request": (
        "030110010907b0ad0b0df0feca01020701010101021404400d0304a05a3202010202010102030101020705b024d37500"
    ),
    "read-response": (
        "030190010907b0ad0b0df0feca01020701010101010102070101010103d204010105f2052a010101"
        "02080d17b75138acc5a7379c84164200"
    ),
    "pulse-request": (
        "030111010907b0ad0b0df0feca0102070101010102190202020f01010203010102070104804f1204"
        "c05c1503e803010549c44d7000"
    ),
    "pulse-request-mixed": (
        "030111010a07b0ad0b0df0feca01020701010101022e0202060801400d0304a05a32020101010101"
        "020301010207010501804f120460e31604c05c1504a05a3203e80301050f5e77ec00"
    ),
    "pulse-response": (
        "030191010907b0ad0b0df0feca01020701010101010102070101010103d204010105f2052a010101"
        "0208020201010101010105ccb0668300"
    ),
    "pulse-response-mixed": (
        "030191010a07b0ad0b0df0feca01020701010101020102070101010103d204010105f2052a010101"
        "021002020101010201010d17b75138acc5a7372fb3854600"
    ),
    "pulse-response-stopped": (
        "0d0191010807b0ad0b0df0feca01020701010101010102070101010103d204010105f2052a010101"
        "0208020101010202010105d2c47b6700"
    ),
    "pulse-response-refused": (
        "040191020907b0ad0b0df0feca01020701010101010102070101010103d204010105f2052a010101"
        "0218020101010201010104200b20010101010480841e01010101054946a49200"
    ),
    "wrong-boot-response": (
        "040191040507b0ad0b0101010101020701010101010101010101010103d204010105f2052a010101010105c43ecab900"
    ),
    "multiply-request": (
        "030112010907b0ad0b0df0feca010207010101010214020102010203010105cdcccc3d01010109cdcc4c3e9cca36d200"
    ),
    "connect-request": ("030113010907b0ad0b0df0feca0102070101010102080203020704c05c1505fbb7e0db00"),
    "settle-request": (
        "030106010a07b0ad0b0df0feca0501010101010380100607b0ad0b0103adde01020701010101055b96c1d100"
    ),
    "settle-response": (
        "030186010a07b0ad0b0df0feca05010101010102800102070101010103d204010105f2052a010101"
        "02180101010102020101010102070101010102020101010101010501135f0800"
    ),
}

GOLDEN = tuple(Golden(name, message, _DIGITS[name]) for name, message in _messages().items())
"""The golden vectors of docs/board-protocol.md."""
