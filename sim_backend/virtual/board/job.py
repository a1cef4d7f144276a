"""Hold what a board answers, at once or after work on the lines that may be broken off half way."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from rramlab.board_protocol.words import Fault, Status

FloatArray = NDArray[np.float64]


@final
@dataclass(frozen=True)
class Answer:
    """Hold status and body of an answer."""

    status: Status = Status.OK
    body: bytes = b""


@final
class Denied(Exception):
    """Carry the answer of a request of which nothing is done."""

    def __init__(self, status: Status, body: bytes | str = b"") -> None:
        self.answer = Answer(status, body.encode() if isinstance(body, str) else body)
        super().__init__(status.name)


@final
class PowerLost(Exception):
    """Say that the board was reset in the midst of its work."""


@final
@dataclass(frozen=True, eq=False)
class Job:
    """Hold work in parts: when each ends (s after the beginning), and what doing the first ones gives.

    `do(parts, began, why)` lets the macro live through the first `parts`, as one request that began at a time
    (s), and returns the answer; `why` is the fault that stopped it before the end.
    """

    ends: FloatArray
    do: Callable[[int, float, Fault], Answer]

    @property
    def duration(self) -> float:
        """Return the length of the whole work (s)."""
        return float(self.ends[-1]) if len(self.ends) else 0.0

    def begun_by(self, seconds: float) -> int:
        """Return how many parts have begun after so many seconds; what has begun is ended."""
        return min(1 + int(np.searchsorted(self.ends, seconds, side="right")), len(self.ends))
