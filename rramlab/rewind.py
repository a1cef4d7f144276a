"""Take back what a simulated macro lived through in a part that was cut off, so that the part begins anew."""

from collections.abc import Iterable, Iterator

from rramlab.contents import KEEP, RESUMED
from rramlab.recorder import Event


def lived(events: Iterable[Event]) -> Iterator[Event]:
    """Yield the requests and answers of a run without those that a resumption has taken back.

    These are the ones between the last kept result and the resumption.
    """
    since: list[Event] = []
    gone: set[int] = set()
    for event in events:
        if event.stage != "note":
            since += [] if event.number in gone else [event]
        elif event.verb == KEEP:
            yield from since
            since.clear()
        elif event.verb == RESUMED:
            gone |= {one.number for one in since}
            since.clear()
    yield from since
