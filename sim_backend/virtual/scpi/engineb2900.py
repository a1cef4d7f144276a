"""Do what one channel of a Keysight B2900 does: source, trigger, measure."""

from collections.abc import Sequence
from threading import Condition
from typing import final

from sim_backend.virtual.scpi.acquisition import Acquisition
from sim_backend.virtual.scpi.errors import ScpiError
from sim_backend.virtual.scpi.readings import binary, resistance, text
from sim_backend.virtual.scpi.settings import Settings
from sim_backend.virtual.scpi.source_unit import Sample, SourceUnit, staircase
from sim_backend.virtual.scpi.status import Status
from sim_backend.virtual.scpi.table import Call
from sim_backend.virtual.scpi.values import NOT_A_NUMBER, Number, short

ELEMENTS = ("VOLT", "CURR", "RES", "TIME", "STAT", "SOUR")
WORDS = {form: short(word) for word in ["VOLTage", "CURRent", "RESistance", "TIME", "STATus", "SOURce"]
         for form in (short(word), word.upper())}  # fmt: skip
COMPLIANCE, OFF_AT_COMPLIANCE = 2, 4
"""Bits of the status of a reading and of the questionable register."""
IDLE = 2 | 16
"""Bits of the operation register: the layers of source and measurement are idle."""
MOST_LEVELS = 2500
_VOLTS = Number(-210.0, 210.0, 0.0, "{:+.8E}")
CHANNEL = ("(@1)", "")


@final
class EngineB2900:
    """Hold the output, what triggers it, and the readings of the last trigger."""

    def __init__(self, unit: SourceUnit, settings: Settings, status: Status, lock: Condition) -> None:
        self.unit, self.settings, self._status = unit, settings, status
        self.acquisition = Acquisition(unit, lock)
        self.interlock_closed = True
        self.elements: tuple[str, ...] = ELEMENTS
        self.listed: list[float] = []
        self._bias = 0.0

    def reset(self) -> None:
        """Return to the settings of *RST: output off, but switched on by itself for a reading."""
        self.acquisition.abort()
        self.settings.reset()
        self.elements, self.listed, self._bias = ELEMENTS, [], 0.0
        self.unit.standard()
        self._status.groups["operation"].set(IDLE, True)
        self.configure()

    def configure(self) -> None:
        """Carry the settings over to the output stage."""
        s, unit = self.settings, self.unit
        unit.compliance = abs(s["compliance"])
        unit.fixed_range = 0.0 if s["range auto"] else s["range"]
        unit.line = float(s["line"])
        unit.cycles = s["cycles"]
        unit.delay = s["acquire delay"]

    # Source.

    def set_level(self, call: Call) -> None:
        """Set the level (V)."""
        call.expect(1)
        volts = _VOLTS.read(call.arguments[0])
        if not self.settings["source auto"] and abs(volts) > 1.05 * self.settings["source range"]:
            raise ScpiError(-222)
        self._bias = volts
        self.unit.set_level(self._bias)

    def level(self, call: Call) -> str:
        """Return the level (V), or its limit."""
        return _VOLTS.show(_VOLTS.limit(call.arguments[0]) if call.arguments else self._bias)

    def output(self, call: Call) -> None:
        """Switch the output; with the interlock open it stays off above 42 V."""
        call.expect(1)
        on = call.word(0) in ("ON", "1")
        if on and not self.interlock_closed and abs(self._bias) > 42:
            raise ScpiError(-221)
        if not on:
            self.acquisition.abort()
        self._status.groups["questionable"].set(OFF_AT_COMPLIANCE, False)
        self.unit.switch(on)

    def set_aperture(self) -> None:
        """Let the aperture (s) tell the integration."""
        self.settings["cycles"] = self.settings["aperture"] * self.settings["line"]
        self.configure()

    def set_cycles(self) -> None:
        """Let the line cycles tell the integration."""
        self.settings["aperture"] = self.settings["cycles"] / self.settings["line"]
        self.configure()

    def set_list(self, call: Call) -> None:
        """Take the levels (V) of a list sweep."""
        call.expect(1, 2500)
        self.listed = [_VOLTS.read(argument) for argument in call.arguments]

    def append_list(self, call: Call) -> None:
        """Add levels (V) to the list, which holds 2500."""
        call.expect(1, 2500)
        added = [_VOLTS.read(argument) for argument in call.arguments]
        if len(self.listed) + len(added) > MOST_LEVELS:
            raise ScpiError(-222)
        self.listed += added

    def set_step(self) -> None:
        """Let the step (V) tell the points of a sweep."""
        s = self.settings
        if s["step"]:
            s["points"] = round(abs((s["stop"] - s["start"]) / s["step"])) + 1

    # Trigger.

    def levels(self) -> list[float | None]:
        """Return the level (V) at each reading: the source takes as many steps as its own count allows."""
        s = self.settings
        acquired, stepped = round(s["acquire count"]), round(s["step count"])
        if s["mode"] == "FIX":
            return [None] * acquired
        steps = self.listed if s["mode"] == "LIST" else self._steps()
        if not steps:
            raise ScpiError(-221)
        return [steps[min(i, stepped - 1) % len(steps)] for i in range(acquired)]

    def _steps(self) -> list[float]:
        s = self.settings
        if s["spacing"] == "LOG" and s["start"] * s["stop"] <= 0:
            raise ScpiError(-221)
        steps = staircase(s["start"], s["stop"], round(s["points"]), s["spacing"] == "LOG")
        steps = steps[::-1] if s["direction"] == "DOWN" else steps
        return steps + steps[::-1] if s["stair"] == "DOUB" else steps

    def initiate(self, call: Call) -> None:
        """Begin to source and measure; the output goes on by itself unless that was switched off."""
        channel(call)
        if self.acquisition.busy:
            raise ScpiError(-213)
        if self.settings["auto on"]:
            self.unit.switch(True)
        self._status.groups["operation"].set(IDLE, False)
        if self.settings["source"] == "TIM":
            aperture = self.unit.cycles / self.unit.line
            self.acquisition.begin(self.levels(), self._ended, max(0.0, self.settings["interval"] - aperture))
        else:
            self.acquisition.begin(self.levels(), self._ended)

    def abort(self, call: Call) -> None:
        """Take no further readings."""
        channel(call)
        self.acquisition.abort()

    def idle(self, call: Call) -> str:
        """Wait until the trigger layers are idle, and return 1."""
        self.acquisition.wait()
        return "1"

    def _ended(self) -> None:
        self._status.groups["operation"].set(IDLE, True)
        if self.settings["protect"] and any(sample.limited for sample in self.acquisition.readings):
            self._status.groups["questionable"].set(OFF_AT_COMPLIANCE, True)
            self.unit.switch(False)
        if self.settings["auto off"]:
            self.unit.switch(False)
        if self.unit.level != self._bias:  # a sweep over, the source is at its level again
            self.unit.set_level(self._bias)

    # What it answers.

    def read(self, call: Call, name: str = "", every: bool = False) -> str | bytes:
        """Take readings and return the last, or all; one element of them, or those that are set."""
        self.initiate(call)
        return self.fetch(call, name, every)

    def spot(self, call: Call, name: str = "") -> str | bytes:
        """Measure once at the present level, whatever the trigger counts are."""
        channel(call)
        if self.settings["auto on"]:
            self.unit.switch(True)
        self.acquisition.begin([None], self._ended)
        return self.fetch(call, name, False)

    def fetch(self, call: Call, name: str = "", every: bool = False) -> str | bytes:
        """Return the last reading, or all of them."""
        channel(call)
        self.acquisition.wait()
        readings = self.acquisition.readings
        if not readings:
            return text([NOT_A_NUMBER])
        return self._tell(readings if every else readings[-1:], (name,) if name else self.elements)

    def _tell(self, samples: Sequence[Sample], elements: Sequence[str]) -> str | bytes:
        values = [self._number(sample, name) for sample in samples for name in elements]
        form = self.settings["format"]
        if form == "ASC":
            return text(values)
        size = 8 if form.endswith("64") else 4
        return binary(values, size, self.settings["order"] == "SWAP", definite=True)

    def _number(self, sample: Sample, name: str) -> float:
        if name in ("VOLT", "CURR", "RES") and not self.unit.on and not self._switches_itself():
            return NOT_A_NUMBER
        return {
            "VOLT": sample.volts,
            "CURR": sample.amperes,
            "RES": resistance(sample),
            "TIME": self.acquisition.age(sample),
            "STAT": float(COMPLIANCE if sample.limited else 0),
            "SOUR": sample.level,
        }[name]

    def _switches_itself(self) -> bool:
        return bool(self.settings["auto on"] or self.settings["auto off"] or self.settings["protect"])

    def choose(self, call: Call) -> None:
        """Choose the elements of a reading; they come in their own order."""
        call.expect(1, len(ELEMENTS))
        asked = {WORDS.get(call.word(i), "") for i in range(len(call.arguments))}
        if "" in asked:
            raise ScpiError(-224)
        self.elements = tuple(name for name in ELEMENTS if name in asked)


def channel(call: Call) -> None:
    """Refuse a channel list that names another channel than the only one."""
    if call.arguments and call.arguments[-1].replace(" ", "") not in CHANNEL:
        raise ScpiError(-222)
