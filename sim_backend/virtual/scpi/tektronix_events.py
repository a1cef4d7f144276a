"""Keep the events of a Tektronix oscilloscope, which show themselves only after *ESR? was read."""

from collections import deque
from typing import final

from sim_backend.virtual.scpi.status import Status
from sim_backend.virtual.scpi.table import Call, Command

NONE = (0, "No events to report - queue empty")
PENDING = (1, "No events to report - new events pending *ESR?")


@final
class Events:
    """Hold the events that the last reading of the register has brought out."""

    def __init__(self, status: Status) -> None:
        self._status = status
        self._shown: deque[tuple[int, str]] = deque()

    def commands(self) -> list[Command]:
        """Return the commands that read register and events."""
        return [
            Command("*ESR", ask=self._register),
            Command(":ALLEv", ask=self._all),
            Command(":EVENT", ask=lambda c: str(self._next()[0])),
            Command(":EVMsg", ask=lambda c: _message(self._next())),
            Command(":EVQty", ask=lambda c: str(len(self._shown))),
        ]

    def _register(self, call: Call) -> str:
        """Return the register; the events that it stands for can be read from now on."""
        self._shown = deque((abs(number), text) for number, text in self._status.errors)
        self._status.errors.clear()
        return str(self._status.take_events())

    def _next(self) -> tuple[int, str]:
        if self._shown:
            return self._shown.popleft()
        return PENDING if self._status.errors else NONE

    def _all(self, call: Call) -> str:
        found = [self._next()]
        while self._shown:
            found.append(self._next())
        return ",".join(map(_message, found))


def _message(event: tuple[int, str]) -> str:
    return f'{event[0]},"{event[1]}"'
