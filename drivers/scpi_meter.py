"""Work a source meter over SCPI: what the models have in common but for sweeps."""

import time
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, final

import numpy as np

from drivers.link import Link
from drivers.rows import Flag, Number, Row
from drivers.scpi import NO_DATA, FloatArray, Scpi
from drivers.source_meter import BoolArray, SourceMeter
from drivers.spec import MeterSpec
from drivers.visa_wire import VisaWire
from drivers.wire import Wire
from rramlab.errors import LinkError, LinkFault, RramlabError
from rramlab.finding import Finding

SPARE = 1.0
"""Time (s) that a reading may take beyond its integration."""
AWAY = (LinkFault.REFUSED, LinkFault.TIMEOUT, LinkFault.LOST)
"""What an instrument may recover from while it is being switched off."""
PATIENCE, PAUSE = 1.0, 0.02
"""For how long (s) it is tried to switch off, and the time (s) between attempts."""
SELF_TEST = 30.0
"""Time (s) that a self-test may take."""


class ScpiMeter(SourceMeter):
    """Work a source meter that speaks SCPI; a model adds its rows and the words that differ."""

    model: ClassVar[str]
    """A regular expression for its answer to *IDN?."""
    abort_command: ClassVar[str]
    tests_itself: ClassVar[bool] = True
    """Whether *TST? is harmless with a macro connected."""
    free_reach: ClassVar[float]
    """Voltages (V) up to which no interlock is needed."""

    # What each model declares as rows.
    level: Number
    compliance: Number
    source_range: Number
    current_range: Number
    cycles: Number
    four_wire: Flag
    output: Flag
    tripped: Flag

    def __init__(self, spec: MeterSpec, wire: Wire | None = None) -> None:
        self.spec = spec
        self.scpi = Scpi(wire or _wire(spec), self.model, self._begin, spec.timeout, spec.channel)
        self._armed: dict[Row[Any], Any] = {}
        self._reach = 0.0

    # What a model says in its own words.

    @abstractmethod
    def _prepare(self) -> None:
        """Set what holds for the whole session, output off."""

    @abstractmethod
    def _fixed(self) -> dict[Row[Any], Any]:
        """Return the settings that are always the same: what is sourced, what is measured, no delay."""

    @abstractmethod
    def _read(self, timeout: float) -> FloatArray:
        """Return the numbers of one reading (1, columns)."""

    @abstractmethod
    def _split(self, rows: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, BoolArray]:
        """Return voltage (V), current (A), time (s) and compliance of readings (n, columns)."""

    # Opening and leaving.

    @final
    def open(self) -> None:
        """Open the link, make sure who answers, and switch the output off."""
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
        """Return what the instrument finds about itself, output off."""
        name = self.scpi.identity.model
        found = [Finding(name, "output off" if self.is_off() else "output ON", self.is_off())]
        if self.tests_itself:
            code = self.scpi.number("*TST?", SELF_TEST)
            found.append(
                Finding(name, f"self-test {code:g}", code == 0, "" if code == 0 else "have it repaired")
            )
        errors = self.scpi.drain()
        return [*found, *(Finding(name, error, False, "look it up in the manual") for error in errors)]

    @final
    def safe(self) -> None:
        """Stop what is under way, 0 V, output off, and make sure of it; each step is tried.

        While nobody answers it is tried again, for a second at least: a plug may be put in again.
        """
        until = time.monotonic() + max(self.spec.timeout, PATIENCE)
        while True:
            try:
                self._all_off()
                return
            except LinkError as error:
                late = time.monotonic() > until
                if error.fault not in AWAY or late or not self.scpi.link.is_open:
                    raise
            time.sleep(PAUSE)

    def _all_off(self) -> None:
        for step in (self.abort, self._to_zero, self._to_off):
            try:
                step()
            except RramlabError:
                continue  # what counts is the last question
        self._must_be_off()

    @classmethod
    @final
    def switch_off(cls, spec: MeterSpec) -> Finding:
        """Stop and switch off over a link of its own, and return what was read back."""
        link = Link(_wire(spec), spec.timeout)
        channel = str(spec.channel)
        try:
            link.open()
            link.send(cls.abort_command.replace("{c}", channel))
            link.send(cls.output.command.replace("{c}", channel).replace("{}", "0"))
            answer = link.query(cls.output.query.replace("{c}", channel))
        except LinkError as error:
            return Finding("source meter", str(error), False, "switch it off at its front panel")
        finally:
            link.close()
        if answer.strip() == "0":
            return Finding("source meter", "output off", True)
        return Finding("source meter", f"output reads '{answer[:40]}'", False, "switch it off by hand")

    # Settings.

    @final
    def arm(
        self,
        compliance: float,
        reach: float = 2.0,
        nplc: float | None = None,
        four_wire: bool | None = None,
    ) -> None:
        """Set, with the output off, the compliance (A), and ranges for voltages up to `reach` (V)."""
        kind = type(self)
        with self._together():
            self._to_off()
            self._armed = {}
            asked: dict[Row[Any], Any] = {
                **self._fixed(),
                kind.source_range: abs(reach),
                kind.level: 0.0,
                **self._currents(compliance),
                kind.cycles: self.spec.nplc if nplc is None else nplc,
                kind.four_wire: self.spec.four_wire if four_wire is None else four_wire,
            }
            for row, value in asked.items():
                row.__set__(self, value)
            self.scpi.check_errors(f"limit the current to {compliance:g} A")
            self._armed, self._reach = asked, abs(reach)
            self._compare(self._armed)

    def _currents(self, compliance: float) -> dict[Row[Any], float]:
        """Return limit and range of the current, in the order in which an instrument takes them.

        A limit is refused that is too small for the range, and a range that is beyond the limit.
        """
        rows = [type(self).compliance, type(self).current_range]
        falls = compliance < self.current_range
        return dict.fromkeys(reversed(rows) if falls else rows, compliance)

    def _compare(self, settings: dict[Row[Any], Any]) -> None:
        """Refuse to go on when a setting is not what it was set to."""
        for row, value in settings.items():
            row.read_back(self, value)

    # Output.

    @final
    def output_on(self) -> None:
        """Switch the output on at 0 V, after all settings have been compared once more."""
        with self._together():
            self._check_armed()
            self._check_interlock()
            self.level = 0.0
            self._compare(self._armed)
            self.output = True
            self.scpi.check_errors("switch its output on")
            type(self).output.read_back(self, True)

    @final
    def output_off(self) -> None:
        """Set 0 V and switch the output off."""
        with self._together():
            self._to_zero()
            self._to_off()
            self._must_be_off()

    @final
    def is_off(self) -> bool:
        """Tell whether the instrument says, twice, that its output is off: lines are switched upon it."""
        return not self.output and not self.output

    @final
    def in_compliance(self) -> bool:
        """Tell whether the current is limited now."""
        return self.tripped

    # Single readings.

    @final
    def source(self, volts: float) -> None:
        """Set the voltage (V)."""
        with self._together():
            self._check_armed()
            self._widen(volts)
            self.level = volts
            self.scpi.check_errors(f"source {volts:g} V")
            type(self).level.read_back(self, volts)

    @final
    def measure(self) -> tuple[float, float]:
        """Return programmed voltage (V) and measured current (A)."""
        with self._together():
            self._check_armed()
            if self.is_off():
                raise LinkError(
                    LinkFault.INSTRUMENT,
                    f"{self.scpi.name} was asked to measure, but its output is off; switch it on first",
                )
            reading = self._read(self._armed[type(self).cycles] / self.spec.line_frequency + SPARE)
            # Answered after the reading: a stray reply in its place shows before the reading is believed.
            self.scpi.check_errors("take a reading")
            volts, amperes, _, _ = self._split(self._complete(reading))
            return float(volts[0]), float(amperes[0])

    def _complete(self, rows: FloatArray) -> FloatArray:
        if np.any(np.abs(rows[:, :2]) >= NO_DATA):
            raise LinkError(
                LinkFault.INSTRUMENT,
                f"{self.scpi.name} has no number for a reading: it is beyond the range; raise the compliance",
            )
        return rows

    # Steps.

    @final
    def _begin(self) -> None:
        """Take nothing over from an earlier talk: what is not known to be off is switched off."""
        self._armed = {}
        self.scpi.start(self.scpi.fill(self.abort_command))
        self._to_off()
        self.scpi.set("*CLS")
        self.scpi.drain()
        self._prepare()
        self.scpi.check_errors("prepare for work")
        self._must_be_off()

    def _to_zero(self) -> None:
        self.level = 0.0

    def _to_off(self) -> None:
        self.output = False

    def _must_be_off(self) -> None:
        for _ in range(2):
            type(self).output.read_back(self, False)

    def _check_armed(self) -> None:
        if not self._armed:
            raise LinkError(
                LinkFault.LOST,
                f"{self.scpi.name} is not armed, or its link was opened anew since, which switched it off; "
                "arm it, then switch its output on",
            )

    def _check_interlock(self) -> None:
        if self._reach > self.free_reach and not self.interlock_closed():
            raise LinkError(
                LinkFault.INSTRUMENT,
                f"{self.scpi.name} is to source up to {self._reach:g} V, but its interlock is open; "
                f"close the fixture, or stay within {self.free_reach:g} V",
            )

    def _widen(self, volts: float) -> None:
        """Choose a larger source range where a voltage needs it."""
        if abs(volts) > self._reach:
            row = type(self).source_range
            self.source_range = abs(volts)
            self._armed[row], self._reach = abs(volts), abs(volts)
            self._check_interlock()
            row.read_back(self, abs(volts))

    @contextmanager
    def _together(self) -> Iterator[None]:
        with self.scpi.link.together():
            yield


def _wire(spec: MeterSpec) -> Wire:
    return VisaWire(spec.resource, spec.visa, spec.baud, spec.timeout)
