"""Speak SCPI over a link: who answers, numbers, commands that are acknowledged, and the error queue."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from math import isnan
from typing import final

import numpy as np
from numpy.typing import NDArray

from drivers.link import Link
from drivers.wire import Wire
from rramlab.errors import LinkError, LinkFault

FloatArray = NDArray[np.float64]
LONGEST_QUEUE = 100
"""More errors than any instrument keeps."""
NO_DATA = 9.9e37
"""From here on a number stands for 'no data' (SCPI: 9.91E37) or for infinity (9.9E37)."""


@final
@dataclass(frozen=True)
class Identity:
    """Hold the four fields of an answer to *IDN?."""

    maker: str
    model: str
    serial: str
    firmware: str

    def facts(self) -> dict[str, str]:
        """Return them by name."""
        return {"name": f"{self.maker} {self.model}", **vars(self)}


@final
class Scpi:
    """Hold a conversation with one instrument of a known model.

    At each opening of the link it must be the model, of the serial number that is given, and the same one
    as before; then `prepare` is called: nothing but *IDN? is sent to somebody else's instrument.
    `model` is a regular expression that the whole answer to *IDN? must match.
    """

    def __init__(
        self,
        wire: Wire,
        model: str,
        prepare: Callable[[], None],
        timeout: float = 2.0,
        channel: int = 1,
        serial: str = "",
    ) -> None:
        self.channel, self._serial = channel, serial
        self.link = Link(wire, timeout, self._greet)
        self._model, self._prepare = model, prepare
        self._identity: Identity | None = None

    @property
    def name(self) -> str:
        """Return what the link leads to."""
        return self.link.name

    @property
    def identity(self) -> Identity:
        """Return who answered when the link was opened."""
        if self._identity is None:
            raise LinkError(LinkFault.LOST, f"{self.name} was never opened; open it first")
        return self._identity

    def fill(self, command: str) -> str:
        """Return a command with the channel in the place of `{c}`."""
        return command.replace("{c}", str(self.channel))

    # Talking.

    def query(self, command: str, timeout: float | None = None) -> str:
        """Return the answer to a query."""
        return self.link.query(command, timeout)

    def number(self, command: str, timeout: float | None = None) -> float:
        """Return the one number that answers a query."""
        answer = self.query(command, timeout)
        try:
            return as_number(answer)
        except ValueError as error:
            raise self.nonsense(command, answer) from error

    def numbers(self, command: str, count: int, timeout: float | None = None) -> FloatArray:
        """Return the numbers that answer a query; any other count than this is refused."""
        answer = self.query(command, timeout)
        try:
            found = np.array([float(text) for text in answer.split(",")])
        except ValueError as error:
            raise self.nonsense(command, answer) from error
        if found.size != count:
            raise self.nonsense(command, answer, f"{found.size} numbers where {count} were expected")
        return found

    def set(self, command: str) -> None:
        """Send a command and wait until it is carried out."""
        self.link.write(command)

    def start(self, command: str) -> None:
        """Send a command that begins something long, and do not wait for it."""
        self.link.send(command)

    def check_errors(self, doing: str) -> None:
        """Empty the error queue; if there was an error, raise the first of them with what was being done."""
        errors = self.drain()
        if errors:
            more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
            raise LinkError(
                LinkFault.INSTRUMENT,
                f"{self.name} reports {errors[0]}{more} after it was asked to {doing}; "
                "its manual explains the number",
            )

    def drain(self) -> list[str]:
        """Return what stands in the error queue, and empty it."""
        errors: list[str] = []
        while len(errors) < LONGEST_QUEUE:
            answer = self.query(":SYST:ERR?")
            match = re.match(r"\s*([+-]?\d+)\s*,", answer)
            if match is None:
                raise self.nonsense(":SYST:ERR?", answer)
            if int(match[1]) == 0:
                return errors
            errors.append(answer.strip())
        raise self.nonsense(":SYST:ERR?", errors[-1], f"more than {LONGEST_QUEUE} errors")

    def nonsense(self, command: str, answer: str, why: str = "") -> LinkError:
        """Return the error of an answer that cannot be; the link is opened anew before its next use."""
        self.link.poison()
        reason = f": {why}" if why else ""
        return LinkError(
            LinkFault.GARBLED,
            f"{self.name} answered '{command}' with '{answer[:60]}'{reason}; is it another firmware?",
        )

    # Who answers.

    def _greet(self, link: Link) -> None:
        found = self._who(link)
        if self._identity not in (None, found):
            raise LinkError(
                LinkFault.MISMATCH,
                f"{self.name} was {self.identity.model} {self.identity.serial} and now answers as "
                f"{found.model} {found.serial}; plug the first one in again, or start anew",
            )
        self._identity = found
        self._prepare()

    def _who(self, link: Link) -> Identity:
        answer = link.query("*IDN?")
        fields = [field.strip() for field in answer.split(",", 3)]
        if len(fields) != 4:
            raise LinkError(
                LinkFault.GARBLED,
                f"{self.name} answered '*IDN?' with '{answer[:60]}', which is no identification; "
                "is the resource that of this instrument?",
            )
        if not re.fullmatch(self._model, answer.strip(), re.IGNORECASE):
            raise LinkError(
                LinkFault.MISMATCH,
                f"{self.name} is a {fields[0]} {fields[1]}, which this driver does not know; "
                "name the driver of that model in the bench file, or the resource of the right instrument",
            )
        found = Identity(*fields)
        if self._serial and found.serial != self._serial:
            raise wrong_serial(self._serial, found.serial)
        return found


def wrong_serial(expected: str, found: str) -> LinkError:
    """Return the error of an instrument that is not the one of the bench file."""
    return LinkError(
        LinkFault.MISMATCH,
        f"the bench file expects serial number '{expected}', but '{found}' answers; "
        f"look at the cables, or write the new number into the bench file",
    )


def as_number(answer: str) -> float:
    """Return the one number of an answer; ValueError where it holds none."""
    found = float(answer)
    if isnan(found):
        raise ValueError(answer)
    return found
