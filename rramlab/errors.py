"""Name what can go wrong at a bench.

RramlabError                      exit code
├── InputError                    2    a target, a weight file or an option makes no sense
├── BenchFileError                3    the bench file is missing, misspelt or beyond a hard limit
├── LimitExceeded                 4    a request would leave the operating limits; nothing was sent
├── Unsupported                   5    this bench lacks the capability that was asked for
├── RunError                      6    the run record cannot be created, read or continued
├── LinkError                     7    an instrument does not answer, or not as it should
├── BenchBusy                     8    somebody else is working on this bench
└── CalibrationError              9    a calibration has expired, is of another bench, or cannot be read

Each says what was asked, what is possible and what to try. A protocol that does not converge is not an
error: it is an `Outcome`.
"""

from difflib import get_close_matches
from enum import StrEnum
from typing import ClassVar, final


class RramlabError(Exception):
    """Stop with one clear sentence; the base of every error of this package."""

    exit_code: ClassVar[int] = 1
    kind: ClassVar[str] = "error"


@final
class InputError(RramlabError):
    """Refuse an input that makes no sense."""

    exit_code = 2
    kind = "input"


@final
class BenchFileError(RramlabError):
    """Refuse a bench file."""

    exit_code = 3
    kind = "bench-file"


@final
class LimitExceeded(RramlabError):
    """Refuse a request beyond the operating limits, before anything is sent."""

    exit_code = 4
    kind = "limit"


@final
class Unsupported(RramlabError):
    """Refuse a verb that this bench does not have."""

    exit_code = 5
    kind = "unsupported"


@final
class RunError(RramlabError):
    """Refuse to create, read or continue a run record."""

    exit_code = 6
    kind = "run"


@final
class LinkFault(StrEnum):
    """Name what broke between this computer and an instrument."""

    REFUSED = "refused"
    """Nobody is there, or the port is taken."""
    TIMEOUT = "timeout"
    """No answer, or not all of it, in time."""
    LOST = "lost"
    """The connection ended, or the cable was pulled."""
    GARBLED = "garbled"
    """The bytes cannot be what the instrument meant."""
    MISMATCH = "mismatch"
    """Somebody else answers, or a setting reads back other than it was set."""
    INSTRUMENT = "instrument"
    """The instrument itself reports an error, or refuses."""


@final
class LinkError(RramlabError):
    """Report an instrument that does not answer as it should; `fault` tells how."""

    exit_code = 7
    kind = "link"

    def __init__(self, fault: LinkFault, text: str) -> None:
        super().__init__(text)
        self.fault = fault


def still_on(why: str, before: BaseException | None = None) -> LinkError:
    """Return the error of a bench that was left without its outputs switched off; `before` led to it."""
    began = f". It began with: {before}" if before is not None and str(before) else ""
    return LinkError(
        LinkFault.INSTRUMENT,
        f"outputs may still be ON: the bench could not be made safe ({why}). Switch off by hand, or try over "
        f"new links: rramlab panic{began}",
    )


@final
class BenchBusy(RramlabError):
    """Refuse a bench on which somebody else is working."""

    exit_code = 8
    kind = "busy"


@final
class CalibrationError(RramlabError):
    """Refuse a calibration that does not hold here and now; the text names what renews it."""

    exit_code = 9
    kind = "calibration"


def did_you_mean(word: str, possible: list[str]) -> str:
    """Return a hint with the nearest possible word, or the list of all of them."""
    near = get_close_matches(word, possible, n=1, cutoff=0.5)
    return f"did you mean '{near[0]}'?" if near else f"possible: {', '.join(sorted(possible))}"
