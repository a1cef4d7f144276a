"""Give a simulated bench the macros that a decoder takes."""

import re
from pathlib import Path

from rramlab.bench import Bench
from rramlab.disk import clear_errors, write_aside
from rramlab.session import Session

DECODER = 10
"""Macros of 32 x 32 that hold the published decoder twice."""
_OPTION = re.compile(r"^(\s*macros\s*=\s*)\d+", re.MULTILINE)


def with_macros(session: Session, place: Path) -> Session:
    """Return a session whose simulated bench has macros enough, its file written to `place`.

    A bench that has them, or whose file does not tell how many it simulates, is taken as it is: only a
    simulated board grows by writing so.
    """
    bench = session.bench()
    count = bench.backend.options.get("macros")
    if not isinstance(count, int) or count >= DECODER or bench.calibration is not None:
        return session
    text = _OPTION.sub(rf"\g<1>{DECODER}", bench.text, count=1)
    if Bench.parse(text).backend.options.get("macros") != DECODER:
        return session
    with clear_errors(place.parent):
        write_aside(place, text.encode())
    return Session(place, session.terminal)
