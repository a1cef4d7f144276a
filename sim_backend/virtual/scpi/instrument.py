"""Answer hosts as an instrument that speaks SCPI."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from threading import Condition
from typing import final

from sim_backend.virtual.machine import Conversation, Machine
from sim_backend.virtual.scpi.errors import ScpiError
from sim_backend.virtual.scpi.parser import Unit, units
from sim_backend.virtual.scpi.status import Register, Status
from sim_backend.virtual.scpi.table import Answer, Call, Command, Found, Table
from sim_backend.virtual.scpi.values import Number, number

INPUT_BUFFER = 65_536
"""Bytes of a message that an instrument takes without a line feed."""


class Model(ABC):
    """Say what one type of instrument is and does; `Instrument` talks for it.

    `lock` is held while a message is executed; `status` has the errors and registers.
    """

    identity: str
    """Answer to *IDN?: maker, model, serial number, firmware."""

    def __init__(self, status: Status) -> None:
        self.status = status
        self.lock = Condition()

    @abstractmethod
    def commands(self) -> Sequence[Command]:
        """Return what it understands beyond the common commands."""

    @abstractmethod
    def reset(self) -> None:
        """Return to the defaults, outputs off."""

    def settle(self) -> None:  # noqa: B027 (most of what instruments do is done at once)
        """Wait until nothing is under way."""

    def close(self) -> None:  # noqa: B027 (only what drives something has to be stopped)
        """End what is under way: the power goes off."""

    def dress(self, found: Found, answer: str | bytes) -> str | bytes:
        """Return an answer as this make sends it, with a header or without."""
        return answer


@final
class Instrument(Machine):
    """Execute program messages for one model, one at a time, whoever sends them."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self._table = Table([*model.commands(), *_common(model)])

    def attach(self) -> Conversation:
        """Return a conversation with a host that has just connected."""
        return _Talk(self)

    def ask(self, message: str) -> str:
        """Return the answer to one message as text without its end mark."""
        return self.execute(message).decode("latin-1").rstrip("\n")

    def execute(self, message: str) -> bytes:
        """Execute a program message and return its reply, empty where it asks for nothing."""
        with self.model.lock:
            answers: list[bytes] = []
            for unit in units(message):
                try:
                    answer = self._do(unit)
                except ScpiError as error:
                    self.model.status.raise_error(error.number)
                    if error.number > -200:  # a command error ends the message
                        break
                    continue
                if answer is not None:
                    answers.append(answer.encode("latin-1") if isinstance(answer, str) else answer)
            return b";".join(answers) + b"\n" if answers else b""

    def _do(self, unit: Unit | ScpiError) -> Answer:
        if isinstance(unit, ScpiError):
            raise ScpiError(unit.number)
        found = self._table.find(unit)
        answer = found.handler(Call(unit.arguments, found.suffixes))
        return None if answer is None else self.model.dress(found, answer)


@final
class _Talk(Conversation):
    def __init__(self, instrument: Instrument) -> None:
        self._instrument = instrument
        self._buffer = b""

    def feed(self, data: bytes) -> list[bytes]:
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        replies = [self._instrument.execute(line.decode("latin-1").rstrip("\r")) for line in lines]
        if len(self._buffer) > INPUT_BUFFER:
            self._buffer = b""
            self._instrument.model.status.raise_error(-363)
        return [reply for reply in replies if reply]


def _common(model: Model) -> list[Command]:
    """Return the common commands of IEEE 488.2."""
    status, mask = model.status, Number(0, 255, 0, whole=True)

    def enable(name: str) -> Command:
        def act(call: Call) -> None:
            call.expect(1)
            setattr(status, name, int(mask.read(call.arguments[0])))

        return Command(
            "*ESE" if name == "events_enable" else "*SRE", act, lambda c: str(getattr(status, name))
        )

    return [
        Command("*IDN", ask=lambda c: model.identity),
        Command("*RST", lambda c: model.reset()),
        Command("*CLS", lambda c: status.clear()),
        Command("*ESR", ask=lambda c: str(status.take_events())),
        enable("events_enable"),
        enable("service_enable"),
        Command("*STB", ask=lambda c: str(status.byte())),
        Command("*OPC", lambda c: _complete(model), lambda c: _when_settled(model)),
        Command("*WAI", lambda c: model.settle()),
        Command("*TST", ask=lambda c: "0"),
        Command("*OPT", ask=lambda c: "0"),
        Command("*TRG", lambda c: None),
    ]


def _complete(model: Model) -> None:
    model.settle()
    model.status.events |= 1


def _when_settled(model: Model) -> str:
    model.settle()
    return "1"


def error_queue(model: Model, none: str = '0,"No error"', stamp: Callable[[], str] = str) -> list[Command]:
    """Return the commands that read the error queue.

    `none` is the answer of an empty one; `stamp` returns what this make writes behind the text.
    """

    def read(call: Call) -> str:
        code, text = model.status.next_error()
        sign = "+" if none.startswith("+") and code > 0 else ""
        return none if code == 0 else f'{sign}{code},"{text}{stamp()}"'

    return [
        Command(":SYSTem:ERRor[:NEXT]", ask=read),
        Command(":SYSTem:ERRor:COUNt", ask=lambda c: str(len(model.status.errors))),
        Command(":SYSTem:CLEar", lambda c: model.status.errors.clear()),
    ]


def registers(model: Model, nodes: dict[str, str]) -> list[Command]:
    """Return the commands of the register groups, by the node under :STATus that each has."""
    found = [Command(":STATus:PRESet", lambda c: model.status.preset())]
    return found + [row for name, node in nodes.items() for row in _register(model.status.groups[name], node)]


def _register(group: Register, node: str) -> list[Command]:
    def enable(call: Call) -> None:
        call.expect(1)
        group.enable = int(number(call.arguments[0])) & 0xFFFF

    return [
        Command(f":STATus:{node}[:EVENt]", ask=lambda c: str(group.take())),
        Command(f":STATus:{node}:CONDition", ask=lambda c: str(group.condition)),
        Command(f":STATus:{node}:ENABle", enable, lambda c: str(group.enable)),
    ]
