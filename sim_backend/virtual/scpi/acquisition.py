"""Take readings one after the other: single ones and sweeps."""

from collections.abc import Callable, Iterator, Sequence
from threading import Condition
from typing import final

from sim_backend.virtual.scpi.overlap import Overlap
from sim_backend.virtual.scpi.source_unit import Sample, SourceUnit


@final
class Acquisition:
    """Hold the readings of the last trigger, and take them; `began` (s) is when time stamps are zero."""

    def __init__(self, unit: SourceUnit, lock: Condition) -> None:
        self.unit = unit
        self.readings: list[Sample] = []
        self.began = unit.clock.now()
        self._overlap = Overlap(lock, unit.clock.waits)

    @property
    def busy(self) -> bool:
        """Tell whether readings are being taken."""
        return self._overlap.busy

    def begin(
        self,
        levels: Sequence[float | None],
        done: Callable[[], None],
        delay: float | None = None,
        stops: bool = False,
    ) -> None:
        """Take one reading at each level (V; None leaves the level as it is), then call `done`.

        `delay` (s) passes before each in place of that of the unit; with `stops` the compliance ends it.
        """
        self.readings = []
        self._overlap.start(self._steps(levels, delay, stops), done)

    def _steps(self, levels: Sequence[float | None], delay: float | None, stops: bool) -> Iterator[None]:
        readings = self.readings
        for level in levels:
            readings.append(self.unit.sample(level, delay))
            if stops and readings[-1].limited:
                return
            yield

    def wait(self) -> None:
        """Wait until all readings are there."""
        self._overlap.wait()

    def abort(self) -> None:
        """Take no further readings."""
        self._overlap.abort()

    def age(self, sample: Sample) -> float:
        """Return the time stamp of a reading (s)."""
        return sample.time - self.began

    def restart(self) -> None:
        """Set the time stamp to zero."""
        self.began = self.unit.clock.now()
