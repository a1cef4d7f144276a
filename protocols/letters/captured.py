"""Find what an oscilloscope captured of the closed-loop runs of each class."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from protocols.letters.loop import KEPT
from rramlab.contents import KEEP, RESUMED
from rramlab.recorder import Event
from rramlab.run import Run

FloatArray = NDArray[np.float64]
Captured = Mapping[str, FloatArray]
"""Columns `time` (s, 0 where the run begins), `x1`, `x2` and, where connected, `out1`, `out2` (V)."""

SEEN = "oscilloscope"
"""Note in which a bench puts what its oscilloscope recorded of the first run of a batch."""


def captured(run: Run, classes: Iterable[str]) -> dict[str, Captured]:
    """Return what was captured of the first run of each class; nothing where no oscilloscope looked on."""
    return {} if run.last_note(SEEN) is None else captured_in(run.events(), classes)


def captured_in(events: Iterable[Event], classes: Iterable[str]) -> dict[str, Captured]:
    """Return the first record of each class that these events tell.

    A record belongs to the class whose runs are kept next. What was recorded before a run was cut off was
    recorded again.
    """
    names = {KEPT.format(name): name for name in classes}
    found: dict[str, Captured] = {}
    waiting: list[Mapping[str, Any]] = []
    for event in events:
        if event.stage != "note":
            continue
        if event.verb == SEEN:
            waiting.append(event.columns)
        elif event.verb == RESUMED:
            waiting = []
        elif event.verb == KEEP:
            name = names.get(event.facts["name"])
            if name is not None and waiting:
                found[name] = {key: np.asarray(values, float) for key, values in waiting[0].items()}
            waiting = []
    return found
