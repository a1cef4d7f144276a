"""Set a source meter over SCPI, switch it on only as it was set, and take single readings."""

from abc import abstractmethod
from typing import Any, ClassVar, final

import numpy as np

from drivers.rows import Flag, Number, Row
from drivers.scpi import NO_DATA, FloatArray
from drivers.scpi_meter import ScpiMeter
from drivers.spec import MeterSpec
from drivers.wire import Wire
from rramlab.errors import LinkError, LinkFault
from rramlab.reading import BoolArray

SPARE = 1.0
"""Time (s) that a reading may take beyond its integration."""


class ArmedMeter(ScpiMeter):
    """Hold what a source meter was set to, and compare it with what reads back before the output goes on."""

    free_reach: ClassVar[float]
    """Voltages (V) up to which no interlock is needed."""

    # What each model declares as rows.
    compliance: Number
    source_range: Number
    current_range: Number
    cycles: Number
    four_wire: Flag
    tripped: Flag

    def __init__(self, spec: MeterSpec, wire: Wire | None = None) -> None:
        super().__init__(spec, wire)
        self._armed: dict[Row[Any], Any] = {}
        self._reach = 0.0

    @abstractmethod
    def _fixed(self) -> dict[Row[Any], Any]:
        """Return the settings that are always the same: what is sourced, what is measured, no delay."""

    @abstractmethod
    def _read(self, timeout: float) -> FloatArray:
        """Return the numbers of one reading (1, columns)."""

    @abstractmethod
    def _split(self, rows: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, BoolArray]:
        """Return voltage (V), current (A), time (s) and compliance of readings (n, columns)."""

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
            self._off()
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
        if not np.all(np.abs(rows) < NO_DATA):  # NaN neither
            raise LinkError(
                LinkFault.INSTRUMENT,
                f"{self.scpi.name} has no number for a reading: it is beyond the range; raise the compliance",
            )
        return rows

    # Steps.

    @final
    def _forget(self) -> None:
        self._armed = {}

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
