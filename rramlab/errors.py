"""Name what can go wrong at a bench.

RramlabError                      exit code
├── InputError                    2    a target, a weight file or an option makes no sense
├── BenchFileError                3    the bench file is missing, misspelt or beyond a hard limit
├── LimitExceeded                 4    a request would leave the operating limits; nothing was sent
├── Unsupported                   5    this bench lacks the capability that was asked for
└── RunError                      6    the run record cannot be created, read or continued

Each says what was asked, what is possible and what to try. A protocol that does not converge is not an
error: it is an `Outcome`.
"""

from difflib import get_close_matches
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


def did_you_mean(word: str, possible: list[str]) -> str:
    """Return a hint with the nearest possible word, or the list of all of them."""
    near = get_close_matches(word, possible, n=1, cutoff=0.5)
    return f"did you mean '{near[0]}'?" if near else f"possible: {', '.join(sorted(possible))}"
