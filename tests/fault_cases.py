"""Say which faults each driver meets, how each may end, and draw the table of it."""

import gc
import logging
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from unittest.mock import patch

from fault_bench import NONE, UNSAFE, FaultBench, Subject, Verdict
from kills import memory_disk

from rramlab.bench_lock import PLACE
from sim_backend.virtual.bench import BOARD, METER, SCOPE
from sim_backend.virtual.faults import Fault, When

SUBJECTS = (
    Subject("keithley2400", METER, "socket"),
    Subject("keithley2450", METER, "socket"),
    Subject("keysight-b2900", METER, "socket"),
    Subject("tektronix-mso4000", SCOPE, "socket"),
    Subject("keysight-infiniivision", SCOPE, "socket"),
    Subject("keysight-infiniivision", SCOPE, "HiSLIP"),
    Subject("rigol-ds1000z", SCOPE, "socket"),
    Subject("published-board", BOARD, "pty"),
    Subject("rramlab-board", BOARD, "pty"),
    Subject("rramlab-board", BOARD, "socket"),
)
BOARD_ALONE = (Fault.RESET_BEFORE, Fault.RESET_DURING, Fault.RESET_AFTER, Fault.OVERREACH)
"""Faults of a board that pulses and has limits."""
TIMEOUT, LOST, REFUSED, GARBLED, MISMATCH = "timeout", "lost", "refused", "garbled", "mismatch"
INSTRUMENT = "instrument"

Kinds = frozenset[str]
SILENCES = Fault.STOP_READING, Fault.SILENT, Fault.LOSE_REPLY, Fault.LATE, Fault.UNTERMINATED, Fault.CUT
SILENCE = {fault: {TIMEOUT} for fault in SILENCES}
SPOILT = Fault.FOREIGN, Fault.LENGTH, Fault.FLIP, Fault.FLIP_REQUEST
PULLED = Fault.UNPLUG, Fault.REPLUG, Fault.RENAME
BREAKS = {fault: {LOST, REFUSED} for fault in (Fault.FIN, Fault.RST, *PULLED)}
# SCPI has no check sum and no numbers of messages. What a fault makes of a command depends on which one it
# hits: a question goes unanswered, a setting reads back other than it was set, or it was set already.
SCPI = {
    **SILENCE,
    **BREAKS,
    Fault.REFUSE: {REFUSED},
    Fault.LOSE_REQUEST: {TIMEOUT, MISMATCH, INSTRUMENT, NONE},
    Fault.LATE_REQUEST: {TIMEOUT, MISMATCH, INSTRUMENT, NONE},
    Fault.FLIP_REQUEST: {TIMEOUT, MISMATCH, INSTRUMENT, GARBLED, NONE},
    Fault.TWICE_REQUEST: {GARBLED, NONE},
    Fault.TWICE: {GARBLED},
    Fault.GARBAGE: {GARBLED},
    Fault.FOREIGN: {GARBLED, MISMATCH, INSTRUMENT, NONE},
    Fault.LENGTH: {TIMEOUT, GARBLED, MISMATCH, NONE},
    Fault.FLIP: {GARBLED, MISMATCH, INSTRUMENT, NONE},
    Fault.LINEFEEDS: {MISMATCH, NONE},
}
# HiSLIP marks the end of a message and numbers it; at the opening silence and nonsense seem to be nobody.
HISLIP = {
    **SCPI,
    **{fault: {TIMEOUT, REFUSED} for fault in SILENCES},
    **{fault: SCPI[fault] | {REFUSED} for fault in (Fault.LOSE_REQUEST, Fault.LATE_REQUEST)},
    **{fault: SCPI[fault] | {TIMEOUT, LOST, REFUSED} for fault in SPOILT},
    Fault.LATE: {TIMEOUT, REFUSED, NONE},
    Fault.UNTERMINATED: {NONE},
    Fault.TWICE: {NONE},
    Fault.GARBAGE: {LOST, REFUSED},
}
# At the opening a strange answer is that of a stranger: a mismatch.
PUBLISHED = {
    **SCPI,
    Fault.LOSE_REQUEST: {TIMEOUT},
    Fault.LATE_REQUEST: {TIMEOUT},
    Fault.FLIP_REQUEST: {TIMEOUT, GARBLED, MISMATCH, NONE},
    Fault.TWICE_REQUEST: {GARBLED, MISMATCH},
    Fault.TWICE: {GARBLED, MISMATCH},
    Fault.GARBAGE: {GARBLED, MISMATCH},
    Fault.FOREIGN: {GARBLED, MISMATCH, NONE},
    Fault.LENGTH: {TIMEOUT, GARBLED, MISMATCH},
    Fault.FLIP: {GARBLED, MISMATCH, NONE},
}
# Each request has a number and a check sum, and is asked again: the work goes on.
EXACT = {
    **{fault: {NONE} for fault in Fault},
    **{fault: {LOST, REFUSED, NONE} for fault in PULLED},
    Fault.REFUSE: {REFUSED},
    Fault.OVERREACH: {MISMATCH},
}
PATIENT = 10.0
"""How many times longer than usual a loaded machine is waited for."""
# A serial line is the same one for the next host, and a bad contact may last while it is opened.
SERIAL = {
    **EXACT,
    **{fault: {TIMEOUT, LOST} for fault in (Fault.STOP_READING, Fault.SILENT)},
    **{fault: {LOST, REFUSED, NONE} for fault in (Fault.FIN, Fault.RST)},
}
SHARES = (0.0, 0.3, 0.55, 0.8, 1.0)
"""Where in a session a fault strikes, as shares of its events; the last is on the way out."""


def applies(subject: Subject, fault: Fault) -> bool:
    """Tell whether a driver can meet a fault."""
    if fault is Fault.LINEFEEDS:
        return subject.part == SCOPE
    return fault not in BOARD_ALONE or subject.driver == "rramlab-board"


def stated(subject: Subject, fault: Fault) -> Kinds:
    """Return the kinds of error that a fault may end with, before the way out."""
    if subject.driver == "published-board":
        return frozenset(PUBLISHED[fault])
    if subject.driver != "rramlab-board":
        return frozenset((HISLIP if subject.wire == "HiSLIP" else SCPI)[fault])
    return frozenset((SERIAL if subject.wire == "pty" else EXACT)[fault])


def places(bench: FaultBench, fault: Fault, shares: Sequence[float]) -> list[int]:
    """Return at which events of a session a fault is to strike."""
    bench.patience(PATIENT)
    count = bench.count(fault)
    bench.patience(1.0)
    return sorted({1 + round(share * (count - 1)) for share in shares}) if count else []


def trials(
    bench: FaultBench, faults: Sequence[Fault], shares: Sequence[float]
) -> Iterator[tuple[Fault, Verdict]]:
    """Yield what each fault leaves behind, wherever it strikes.

    What a loaded machine may have spoilt, slower than a host waits, is tried once more with patience.
    """
    for fault in faults:
        for place in places(bench, fault, shares):
            verdict = struck(bench, fault, place)
            if complaints(bench.subject, fault, verdict):
                bench.patience(PATIENT)
                verdict = struck(bench, fault, place)
                bench.patience(1.0)
            yield fault, verdict


def struck(bench: FaultBench, fault: Fault, place: int) -> Verdict:
    """Return what a fault leaves behind at a place, or earlier, where the session has fewer events now.

    How often an oscilloscope is asked whether it has acquired depends on how busy the machine is.
    """
    verdict = bench.trial(fault, When.always() if fault is Fault.REFUSE else When.nth(place))
    return verdict if verdict.struck or place == 1 else struck(bench, fault, (place + 1) // 2)


def complaints(subject: Subject, fault: Fault, verdict: Verdict) -> list[str]:
    """Return what is wrong with a verdict: nothing, where all holds that must."""
    if not verdict.struck:
        return []
    wrong = list(verdict.broken)
    allowed = {NONE, UNSAFE} if verdict.leaving else stated(subject, fault)
    if verdict.kind not in allowed:
        wrong.append(f"ended with '{verdict.kind}', stated are {sorted(allowed)}")
    return [f"{subject}, {fault.value}: {what} ({verdict.text})" for what in wrong]


@contextmanager
def serving(subject: Subject) -> Iterator[FaultBench]:
    """Serve a bench for a subject, with links that are not waited for longer than needed.

    The host of the published firmware waits on the clock of the virtual bench, so that its dead time of 5 s
    takes none.
    """
    with (
        TemporaryDirectory(dir=memory_disk(Path(gettempdir()))) as folder,
        ExitStack() as held,
    ):
        if subject.wire == "HiSLIP":
            # PyVISA-py leaves the sockets of an opening that failed to the garbage collector, and its log
            # keeps them from it.
            held.enter_context(patch.object(logging.getLogger("pyvisa"), "disabled", True))
            held.enter_context(warnings.catch_warnings(action="ignore", category=ResourceWarning))
            held.callback(gc.collect)
        bench = FaultBench(subject, Path(folder))
        held.enter_context(patch("drivers.published_board.HostClock", lambda: bench.clock))
        held.enter_context(patch("drivers.board_session.PAUSE", 0.02))
        held.enter_context(patch.dict(os.environ, {PLACE: folder}))
        yield held.enter_context(bench)
