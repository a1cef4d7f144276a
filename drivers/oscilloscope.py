"""Record waveforms with an oscilloscope."""

from abc import abstractmethod
from typing import Literal

from drivers.instrument import Instrument
from drivers.waveform import Waveform

Source = int | Literal["EXT"]
"""What the trigger looks at: a channel, or the external input."""
Slope = Literal["rise", "fall"]


class Oscilloscope(Instrument):
    """Record single acquisitions; made of its `ScopeSpec`, opened before use, closed after it.

    The order of work: `open`, `channel` for each signal, `timebase`, `trigger`, then `single`, `acquired`
    until it is true, and `waveform`. An oscilloscope drives nothing: to make it safe is to stop it. Settings
    are read back and compared, the error queue of the instrument is drained; what differs is a LinkError.
    """

    @abstractmethod
    def channel(self, number: int, volts_per_div: float, offset: float = 0.0) -> None:
        """Show a channel, DC coupled, at this scale (V per division), with `offset` (V) in the middle."""

    @abstractmethod
    def timebase(self, seconds: float, points: int, before: float = 0.0) -> None:
        """Record at least so long (s) and so many points, `before` (s) of it before the trigger."""

    @abstractmethod
    def trigger(self, source: Source, level: float, slope: Slope = "rise") -> None:
        """Trigger on an edge of a channel or of the external input, at this level (V)."""

    @abstractmethod
    def single(self) -> None:
        """Arm for one acquisition; on return the instrument waits for the trigger, or has had it."""

    @abstractmethod
    def acquired(self) -> bool:
        """Tell whether the acquisition that `single` armed is complete."""

    @abstractmethod
    def waveform(self, channel: int) -> Waveform:
        """Return the whole record of a channel: V over s, 0 s at the trigger."""
