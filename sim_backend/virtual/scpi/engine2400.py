"""Do what a Keithley 2400 does: source, trigger, store, and tell what it measured."""

from collections.abc import Sequence
from threading import Condition
from typing import final

from sim_backend.virtual.scpi.acquisition import Acquisition
from sim_backend.virtual.scpi.errors import ScpiError
from sim_backend.virtual.scpi.readings import binary, resistance, text
from sim_backend.virtual.scpi.settings import Settings
from sim_backend.virtual.scpi.source_unit import OVERRANGE, Sample, SourceUnit, staircase
from sim_backend.virtual.scpi.status import Status
from sim_backend.virtual.scpi.table import Call
from sim_backend.virtual.scpi.values import NOT_A_NUMBER, Number

BUFFER_FULL, COMPLIANCE, READY = 512, 16384, 64
"""Bits of the measurement register."""
IDLE, SWEEPING = 1024, 8
"""Bits of the operation register."""
ELEMENTS = ("VOLT", "CURR", "RES", "TIME", "STAT")
AUTO_DELAY = 1e-3
"""Delay between source and measurement that the instrument chooses itself (s)."""
MOST_LEVELS = 2500
_LEVEL = Number(-210.0, 210.0, 0.0)


@final
class Engine2400:
    """Hold output, readings, buffer and format; its one buffer holds 2500 readings."""

    def __init__(self, unit: SourceUnit, settings: Settings, status: Status, lock: Condition) -> None:
        self.unit, self.settings, self._status = unit, settings, status
        self.acquisition = Acquisition(unit, lock)
        self.interlock_closed = True
        self.trace: list[Sample] = []
        self.listed: list[float] = []
        self.elements: tuple[str, ...] = ELEMENTS

    def reset(self) -> None:
        """Return to the settings of *RST: output off, all five elements; the buffer stays."""
        self.acquisition.abort()
        self.settings.reset("trace points", "feed", "line")
        self.elements, self.listed = ELEMENTS, []
        self.unit.standard()
        self.configure()

    def configure(self) -> None:
        """Carry the settings over to the output stage."""
        s, unit = self.settings, self.unit
        unit.compliance = abs(s["compliance"])
        unit.fixed_range = 0.0 if s["range auto"] else s["range"] / OVERRANGE
        unit.cycles, unit.line = s["cycles"], float(s["line"])
        unit.delay = AUTO_DELAY if s["delay auto"] else s["delay"]

    # Source.

    def set_level(self, call: Call) -> None:
        """Set the level (V), which a fixed source range must hold."""
        call.expect(1)
        volts = _LEVEL.read(call.arguments[0])
        if not self.settings["source auto"] and abs(volts) > self.settings["source range"]:
            raise ScpiError(-222)
        self.unit.set_level(volts)

    def level(self, call: Call) -> str:
        """Return the level (V), or its limit."""
        return text([_LEVEL.limit(call.arguments[0]) if call.arguments else self.unit.level], "{:.6E}")

    def output(self, call: Call) -> None:
        """Switch the output; with an open interlock that counts it stays off."""
        call.expect(1)
        on = call.word(0) in ("ON", "1")
        if on and self.settings["interlock"] and not self.interlock_closed:
            raise ScpiError(802)
        if not on:
            self.acquisition.abort()
        self.unit.switch(on)

    def fits(self, amperes: float) -> None:
        """Refuse a compliance that a fixed measuring range is too coarse for."""
        if not self.settings["range auto"] and abs(amperes) < 1e-3 * abs(self.settings["range"]):
            raise ScpiError(822)

    def set_list(self, call: Call) -> None:
        """Take the levels (V) of a list sweep."""
        call.expect(1, 100)
        self.listed = [_LEVEL.read(argument) for argument in call.arguments]

    def append_list(self, call: Call) -> None:
        """Add levels (V) to the list, which holds 2500."""
        call.expect(1, 100)
        added = [_LEVEL.read(argument) for argument in call.arguments]
        if len(self.listed) + len(added) > MOST_LEVELS:
            raise ScpiError(-222)
        self.listed += added

    def levels(self) -> list[float | None]:
        """Return the levels (V) of the source for one trigger count; None where it stays as it is."""
        s, count = self.settings, round(self.settings["count"] * self.settings["arms"])
        if s["mode"] == "FIX":
            return [None] * count
        steps = self.listed if s["mode"] == "LIST" else self._steps()
        if not steps:
            raise ScpiError(-221)
        return [steps[i % len(steps)] for i in range(count)]

    def _steps(self) -> list[float]:
        s = self.settings
        crosses_zero = s["spacing"] == "LOG" and s["start"] * s["stop"] <= 0
        if s["start"] == s["stop"] or crosses_zero:
            raise ScpiError(-221)
        steps = staircase(s["start"], s["stop"], round(s["points"]), s["spacing"] == "LOG")
        return steps[::-1] if s["direction"] == "DOW" else steps

    def set_step(self) -> None:
        """Let the step (V) tell the points of a sweep."""
        s = self.settings
        if s["step"]:
            s["points"] = round(abs((s["stop"] - s["start"]) / s["step"])) + 1

    # Trigger and buffer.

    def initiate(self) -> None:
        """Begin to take the readings of one trigger count."""
        self.refuse_busy()
        s = self.settings
        if s["clear auto"]:
            self.unit.switch(True)
        if not self.unit.on:
            raise ScpiError(803)
        delay = self.unit.delay + s["trigger delay"]
        self._status.groups["operation"].set(IDLE, False)
        self._status.groups["measurement"].set(READY, False)
        self.acquisition.begin(self.levels(), self._ended, delay, s["cabort"] != "NEV")

    def refuse_busy(self) -> None:
        """Refuse what cannot be done while readings are being taken."""
        if self.acquisition.busy:
            raise ScpiError(-213)

    def _ended(self) -> None:
        s, measurement = self.settings, self._status.groups["measurement"]
        if s["clear auto"]:
            self.unit.switch(False)
        if s["control"] == "NEXT":
            room = round(s["trace points"]) - len(self.trace)
            self.trace += self.acquisition.readings[:room]
            if len(self.trace) >= s["trace points"]:
                measurement.set(BUFFER_FULL, True)
                s["control"] = "NEV"
        measurement.set(READY, True)
        measurement.set(COMPLIANCE, self.unit.limited)
        self._status.groups["operation"].set(IDLE, True)

    def store(self) -> None:
        """Begin to fill the buffer, or stop."""
        if self.settings["control"] == "NEXT":
            self.trace = []
            self._status.groups["measurement"].set(BUFFER_FULL, False)

    # What it answers.

    def read(self) -> str | bytes:
        """Take readings and return them."""
        self.initiate()
        self.acquisition.wait()
        return self.fetch(self.acquisition.readings)

    def fetch(self, readings: Sequence[Sample]) -> str | bytes:
        """Return readings in the format and with the elements that are set."""
        self.acquisition.wait()
        if not readings:
            raise ScpiError(-230)
        values = [value for sample in readings for value in self._numbers(sample)]
        if self.settings["format"] == "ASC":
            return text(values)
        return binary(values, 4, self.settings["order"] == "SWAP")

    def _numbers(self, sample: Sample) -> list[float]:
        # A voltage that is not measured is told as it was programmed.
        measured = "VOLT" in self.settings["function"]
        every = {
            "VOLT": sample.volts if measured else sample.level,
            "CURR": sample.amperes,
            "RES": resistance(sample) if "RES" in self.settings["function"] else NOT_A_NUMBER,
            "TIME": self.acquisition.age(sample),
            "STAT": float(self._word(sample)),
        }
        return [every[name] for name in ELEMENTS if name in self.elements]

    def _word(self, sample: Sample) -> int:
        """Return the status word; bits: compliance 3, measured V 11, I 12, source V 14, range limit 16."""
        word = 1 << 12 | 1 << 14 | (1 << 11 if "VOLT" in self.settings["function"] else 0)
        if self.settings["terminals"] == "FRON":
            word |= 1 << 2
        if self.settings["four wire"]:
            word |= 1 << 22
        fixed = self.unit.limit < self.unit.compliance
        return word | ((1 << 16 if fixed else 1 << 3) if sample.limited else 0)

    def choose(self, call: Call) -> None:
        """Choose the elements of a reading; they come in their own order, whatever was asked."""
        call.expect(1, len(ELEMENTS))
        short = {"VOLTAGE": "VOLT", "CURRENT": "CURR", "RESISTANCE": "RES", "STATUS": "STAT"}
        asked = [short.get(word, word) for word in (call.word(i) for i in range(len(call.arguments)))]
        if not set(asked) <= set(ELEMENTS):
            raise ScpiError(-224)
        self.elements = tuple(name for name in ELEMENTS if name in asked)

    def within(self, count: float) -> None:
        """Refuse more readings than the instrument can hold."""
        if count * self.settings["arms"] > 2500:
            raise ScpiError(-221)
