"""Take reads when they are due, and mark those that nobody could take."""

from collections.abc import Callable
from typing import final

import numpy as np
from numpy.typing import NDArray

from protocols.ageing.elapsed import Stopwatch
from protocols.ageing.schedule import is_due, is_missed, slice_of
from rramlab.backend import Backend
from rramlab.cells import Cells
from rramlab.reading import ReadSpec

FloatArray = NDArray[np.float64]
Progress = Callable[[int, int], None]

ZERO, CLOCK, DUE, MISSED = "zero", "clock", "due", "missed"
"""Notes of a watch: its zero, a look at the clocks, a read that follows, a read that could not be taken."""
ANCHORS = (ZERO, CLOCK, DUE, MISSED)


@final
class Watch:
    """Read the same cells at times (s) since a zero; each note tells all clocks, each read is one request.

    Whatever ends the process, the journal holds every read that was answered and where the clocks stood, and
    another watch goes on from there. `taken` is called with (done, all) after each time.
    """

    def __init__(
        self,
        backend: Backend,
        stopwatch: Stopwatch,
        cells: Cells,
        spec: ReadSpec,
        times: FloatArray,
        taken: Progress | None = None,
    ) -> None:
        self._backend, self._stopwatch = backend, stopwatch
        self._cells, self._spec = cells, spec
        self._times, self._taken = times, taken

    def run(self, done: frozenset[int] = frozenset()) -> None:
        """Take every read that is not done yet."""
        for index, due in enumerate(self._times):
            if index not in done:
                self._wait_until(float(due))
                self._take(index)
            if self._taken is not None:
                self._taken(index + 1, len(self._times))

    def _wait_until(self, due: float) -> None:
        while not is_due(left := due - self._stopwatch.read()):
            self._backend.wait(slice_of(left, self._backend.forgets))
            if not self._backend.forgets:
                self._stopwatch.read()
                self._backend.note(CLOCK, self._stopwatch.facts())

    def _take(self, index: int) -> None:
        now = self._stopwatch.read()
        facts = {"index": index, "planned": float(self._times[index]), **self._stopwatch.facts()}
        if is_missed(self._times, index, now, self._stopwatch.back):
            self._backend.note(MISSED, facts)
            return
        self._backend.note(DUE, facts)
        self._backend.read(self._cells, self._spec)
