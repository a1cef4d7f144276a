"""Begin a watch, or go on with that of an earlier process."""

from protocols.ageing.clocks import HostTimes, Moment
from protocols.ageing.elapsed import Source, Stopwatch
from protocols.ageing.series import last_anchor, last_answer
from protocols.ageing.watch import CLOCK, ZERO
from rramlab.errors import InputError
from rramlab.session import Work


def stopwatch_of(work: Work, host: HostTimes, away: float | None = None) -> Stopwatch:
    """Return the stopwatch of a run; its zero is where programming ended, whichever process saw that.

    `away` (s) is how long nothing ran, for who knows better than the clocks.
    """
    if away is not None and work.backend.forgets:
        raise InputError("--away was given for a simulated macro, for which no time passes; leave it out")
    events = list(work.run.events())
    facts = last_anchor(events)
    if facts is None:
        heard = last_answer(events)
        zero = Moment.of(work.backend.now(), host) if heard is None else heard
        facts = {"elapsed": 0.0, "source": str(Source.BENCH), **zero.facts()}
        work.backend.note(ZERO, facts)
        if heard is None:
            return Stopwatch(work.backend, host)
    stopwatch = Stopwatch.resumed(work.backend, host, facts, away)
    work.backend.note(CLOCK, stopwatch.facts())
    return stopwatch
