"""Work an oscilloscope over SCPI: what the makers have in common."""

from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, final

from drivers.oscilloscope import Oscilloscope, Slope, Source
from drivers.rows import Flag, Number, Row, Word
from drivers.scope_steps import stepped
from drivers.scpi import Scpi
from drivers.spec import ScopeSpec
from drivers.visa_wire import VisaWire
from drivers.waveform import Codes, Scaling, Waveform
from drivers.wire import Wire
from rramlab.clock import Clock, HostClock
from rramlab.errors import InputError, LinkError, LinkFault
from rramlab.finding import Finding

PAUSE = 0.01
"""Time (s) between two questions whether it is armed."""
SPARE = 2.0
"""Time (s) to arm, beyond what is recorded before the trigger."""
GRAIN = 0.05
"""Coarsest step (divisions) in which an oscilloscope places something on its screen."""

Settings = dict[Row[Any], Any]


class ScpiScope(Oscilloscope):
    """Work an oscilloscope that speaks SCPI; a maker adds its rows and the words that differ."""

    model: ClassVar[str]
    """A regular expression for its answer to *IDN?."""
    stop_command: ClassVar[str]
    channels: ClassVar[int] = 4
    steps: ClassVar[tuple[int, ...]] = (1, 2, 5)
    """Steps of its scales."""
    divisions: ClassVar[int] = 10
    """Divisions of the time axis."""

    # What each maker declares as rows; `{c}` is the channel.
    shown: Flag
    coupling: Word
    scale: Number
    time_scale: Number
    level: Number
    sent: Word

    def __init__(self, spec: ScopeSpec, wire: Wire | None = None, clock: Clock | None = None) -> None:
        self.spec = spec
        wire = VisaWire(spec.resource, spec.visa, spec.baud, spec.timeout) if wire is None else wire
        self.scpi = Scpi(wire, self.model, self._begin, spec.timeout, serial=spec.serial)
        self._clock = clock or HostClock()
        self._before = self._time_per_div = 0.0
        self._per_div: dict[int, float] = {}
        self._is_armed = False

    # What a maker says in its own words.

    @abstractmethod
    def _prepare(self) -> None:
        """Set what holds for the whole session."""

    @abstractmethod
    def _errors(self) -> list[str]:
        """Return the errors that the instrument keeps, and empty its queue."""

    @abstractmethod
    def _centre(self, offset: float) -> Settings:
        """Return what puts this voltage (V) in the middle of the screen."""

    @abstractmethod
    def _record(self, span: float, points: int, before: float) -> Settings:
        """Return depth and position of a record of `span` (s), `before` (s) of it before the trigger."""

    @abstractmethod
    def _edge(self, source: Source, slope: Slope) -> Settings:
        """Return what chooses the edge that triggers; the level comes after it."""

    @abstractmethod
    def _arm(self) -> None:
        """Begin a single acquisition."""

    @abstractmethod
    def _waits(self) -> bool:
        """Tell whether it waits for the trigger, or has had it."""

    @abstractmethod
    def _named(self, source: Source) -> str:
        """Return the name of a channel or of the external input."""

    @abstractmethod
    def _scaling(self) -> Scaling:
        """Choose the channel for the transfer and return what its record means."""

    @abstractmethod
    def _codes(self, scaling: Scaling) -> Codes:
        """Return the codes of the whole record of the channel that was chosen."""

    # Opening and closing.

    @final
    def open(self) -> None:
        """Open the link, make sure who answers, and stop the acquisition."""
        self.scpi.link.open()

    @final
    def close(self) -> None:
        """Close the link; never raises."""
        self.scpi.link.close()

    @final
    def identify(self) -> dict[str, str]:
        """Return who answers: name, maker, model, serial, firmware."""
        return self.scpi.identity.facts()

    @final
    def self_test(self) -> list[Finding]:
        """Return who answers, that its error queue is empty, and that it stands still."""
        with self._together():
            errors = "; ".join(self._errors())
            queue = Finding(
                "oscilloscope", errors or "no error in its queue", not errors, errors and "look there"
            )
            self.safe()
            return [Finding("oscilloscope", self.identify()["name"], True), queue]

    @final
    def safe(self) -> None:
        """Stop the acquisition and make sure that it stands."""
        with self._together():
            self.scpi.set(self.stop_command)
            if not self.acquired():
                raise LinkError(
                    LinkFault.MISMATCH,
                    f"{self.scpi.name} goes on recording after it was stopped; stop it by hand",
                )

    @classmethod
    @final
    def switch_off(cls, spec: ScopeSpec) -> Finding:
        """Return that there is nothing to switch off, without touching the instrument."""
        return Finding("oscilloscope", "an oscilloscope drives nothing: nothing to switch off", True)

    # Settings.

    @final
    def channel(self, number: int, volts_per_div: float, offset: float = 0.0) -> None:
        """Show a channel, DC coupled, at this scale (V per division), with `offset` (V) in the middle."""
        self._check_channel(number)
        kind = type(self)
        with self._on(number):
            self._per_div[number] = volts_per_div
            look: Settings = {kind.shown: True, kind.coupling: "DC", kind.scale: volts_per_div}
            self._apply({**look, **self._centre(offset)}, f"show channel {number}")

    @final
    def timebase(self, seconds: float, points: int, before: float = 0.0) -> None:
        """Record at least so long (s) and so many points, `before` (s) of it before the trigger."""
        if not (0 <= before < seconds and points > 0):
            raise InputError(
                f"a record of {seconds:g} s and {points} points with {before:g} s before the trigger was "
                "asked for; it needs points, and the trigger within it"
            )
        per_div = stepped(seconds / self.divisions, self.steps)
        with self._together():
            self._before, self._time_per_div = before, per_div
            self._apply({type(self).time_scale: per_div}, f"record {seconds:g} s")
            self._apply(self._record(self.divisions * per_div, points, before), f"keep {points} points")

    @final
    def trigger(self, source: Source, level: float, slope: Slope = "rise") -> None:
        """Trigger on an edge of a channel or of the external input, at this level (V)."""
        if source != "EXT":
            self._check_channel(source)
        with self._on(1 if source == "EXT" else source):
            settings = {**self._edge(source, slope), type(self).level: level}
            self._apply(settings, f"trigger on {source}")

    # Acquisitions.

    @final
    def single(self) -> None:
        """Arm for one acquisition; on return the instrument waits for the trigger, or has had it."""
        with self._together():
            self._arm()
            self._is_armed = True
            self._await(self._waits)

    @final
    def waveform(self, channel: int) -> Waveform:
        """Return the whole record of a channel: V over s, 0 s at the trigger."""
        self._check_channel(channel)
        with self._together():
            if not self.acquired():
                raise LinkError(
                    LinkFault.INSTRUMENT,
                    f"{self.scpi.name} was asked for a waveform while it records; wait until it has acquired",
                )
            self.scpi.channel = channel
            scaling = self._scaling()
            codes = self._codes(scaling)
            # Nothing was acknowledged on the way: what was refused stands in the queue.
            self._check_errors(f"send channel {channel}")
            type(self).sent.read_back(self, self._named(channel))
            return Waveform(codes, scaling)

    # Steps.

    @final
    def _begin(self) -> None:
        """Take nothing over from an earlier talk."""
        self._is_armed = False
        self.scpi.start(self.stop_command)
        self.scpi.set("*CLS")
        self._errors()
        self._prepare()
        self._check_errors("prepare for work")

    def _apply(self, settings: Settings, doing: str) -> None:
        """Set, drain the error queue, read back and compare."""
        self._stand()
        for row, value in settings.items():
            row.__set__(self, value)
        self._check_errors(doing)
        for row, value in settings.items():
            # Whatever is a place on the screen is kept in steps of it.
            slack = self._slack(row.name)
            if not (slack and abs(row.__get__(self, type(self)) - value) <= slack):
                row.read_back(self, value)

    def _stand(self) -> None:
        """Stop an acquisition that is waited for: some acknowledge a setting only when it is complete."""
        if self._is_armed:
            self.scpi.start(self.stop_command)
            self._is_armed = False

    def _slack(self, name: str) -> float:
        """Return how far a setting that is a place on the screen may read back from what it was set to."""
        if name in ("offset", "shift", "level"):
            return GRAIN * self._per_div.get(self.scpi.channel, 1.0)
        return {"delay": GRAIN * self._time_per_div, "share": 100.0 * GRAIN / self.divisions}.get(name, 0.0)

    def _check_errors(self, doing: str) -> None:
        if errors := self._errors():
            more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
            raise LinkError(
                LinkFault.INSTRUMENT,
                f"{self.scpi.name} reports {errors[0]}{more} after it was asked to {doing}; "
                "its manual explains the number",
            )

    def _await(self, reached: Callable[[], bool]) -> None:
        """Let time pass until a state is reached."""
        end = self._clock.now() + self._before + SPARE
        while not reached():
            if self._clock.now() > end:
                raise LinkError(
                    LinkFault.INSTRUMENT,
                    f"{self.scpi.name} did not arm within {self._before + SPARE:g} s; look at its display",
                )
            self._clock.sleep(PAUSE)

    def _check_channel(self, number: int) -> None:
        if not 1 <= number <= self.channels:
            raise InputError(
                f"channel {number} was asked for; {self.spec.use} has the channels 1 to {self.channels}"
            )

    @contextmanager
    def _on(self, channel: int) -> Iterator[None]:
        """Speak to one channel, and let no other thread speak meanwhile."""
        with self._together():
            self.scpi.channel = channel
            yield

    @contextmanager
    def _together(self) -> Iterator[None]:
        with self.scpi.link.together():
            yield
