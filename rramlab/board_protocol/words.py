"""Name the words of the protocol: commands, answers, states, limits, arrays."""

from enum import IntEnum, IntFlag
from typing import final

VERSION = 1
REPLY = 0x80
"""Bit of the command byte that marks a response."""
NUMBERED = 16
"""From this code on a command carries a request id of its own, and is executed once."""


@final
class Command(IntEnum):
    """Name what a host can ask."""

    HELLO = 1
    STATUS = 2
    PANIC = 3
    SAFE = 4
    LIMITS = 5
    SETTLE = 6
    FETCH = 7
    READ = 16
    PULSE = 17
    MULTIPLY = 18
    CONNECT = 19
    GATE = 20
    DISCONNECT = 21
    LOOP_LOAD = 22
    LOOP_RUN = 23
    WAIT = 24
    SELF_TEST = 25
    CLEAR = 26


@final
class Status(IntEnum):
    """Name how a request went."""

    OK = 0
    STOPPED = 1
    """A batch was broken off; the body says how far it got."""
    REFUSED = 2
    """A value leaves the limits; nothing went out; the body is a `Refusal`."""
    STALE = 3
    WRONG_BOOT = 4
    WRONG_SESSION = 5
    ID_REUSE = 6
    LATCHED = 7
    """A trip or a fault is latched; nothing went out until CLEAR."""
    UNSUPPORTED = 8
    MALFORMED = 9
    NOT_READY = 10
    FAILED = 11
    WRONG_VERSION = 12


@final
class State(IntFlag):
    """Name the bits of the state that every response carries."""

    OUTPUTS_ON = 1
    ARMED = 2
    WATCHDOG_TRIPPED = 4
    FAULT = 8
    RUNNING = 16
    INTERLOCK_OPEN = 32


DRIVEN = State.OUTPUTS_ON | State.ARMED | State.RUNNING
"""A board is safe when none of these bits is set."""


@final
class Feature(IntFlag):
    """Name what a board may have beyond READ and PULSE."""

    VIRTUAL_TIME = 1
    MULTIPLY = 2
    LOOP = 4
    ROUTE = 8
    VERIFY = 16
    BACKUP = 32


@final
class Fault(IntEnum):
    """Name what latched the board, or stopped a batch."""

    NONE = 0
    WATCHDOG = 1
    PANIC = 2
    INTERLOCK = 3
    HARDWARE = 4


@final
class Outcome(IntEnum):
    """Name what a board knows of a request of an earlier hour."""

    EXECUTED = 0
    """It is the last that was executed in its session; its reply is added if it is kept."""
    NEVER = 1
    """It was not executed, and never will be."""
    EARLIER = 2
    """Requests after it were executed in its session; its reply is not kept."""
    FORGOTTEN = 3
    """The session is not known, after a reset for example."""
    BROKEN = 4
    """A reset broke it off; `executed` pulses were begun, the last of them perhaps not finished."""


@final
class Target(IntEnum):
    """Name what LOOP_LOAD fills."""

    PROBLEM = 0
    START = 1


@final
class Waveform(IntEnum):
    """Name the arrays that FETCH returns after a loop run; hidden layer k is HIDDEN + k, from 0."""

    END = 0
    TIME = 1
    STATE = 2
    OUTPUT = 3
    TRACE = 4
    ENERGY = 5
    HIDDEN = 16
