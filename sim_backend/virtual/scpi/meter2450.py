"""Imitate a Keithley 2450 source meter (SCPI command set).

What a program trips over is there: the language may be another one, a sweep switches the output on and off
by itself and empties its buffer, errors carry a time stamp, readings lie in named buffers.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import final

from sim_backend.virtual.scpi.acquisition import Acquisition
from sim_backend.virtual.scpi.buffers2450 import SHORT, Buffers2450, Elements2450
from sim_backend.virtual.scpi.errors import ScpiError
from sim_backend.virtual.scpi.instrument import Model, error_queue, registers
from sim_backend.virtual.scpi.readings import text
from sim_backend.virtual.scpi.settings import Settings
from sim_backend.virtual.scpi.source_unit import SourceUnit, covering
from sim_backend.virtual.scpi.status import Status
from sim_backend.virtual.scpi.sweep2450 import Sweep2450
from sim_backend.virtual.scpi.table import Call, Command
from sim_backend.virtual.scpi.values import Choice, Format, Number, Switch

WORDS = {
    -222: "Parameter data out of range",
    1133: "Parameter 4, Syntax error, expected valid name parameters",
    5074: "Output blocked by interlock",
}
SOURCE_RANGES = (0.02, 0.2, 2.0, 20.0, 200.0)
RANGES = tuple(10.0**k for k in range(-8, 1))
"""Ranges (V, A) by name."""
AUTO_DELAY = 1e-3
"""Delay between source and measurement that the instrument chooses itself (s)."""
FREE_VOLTS = 21.0
"""Level (V) up to which no interlock is needed."""


@final
class Meter2450(Model):
    """Behave as a Keithley 2450 whose language is SCPI, or which waits to be switched to it."""

    def __init__(self, unit: SourceUnit, serial: str = "04096331", language: str = "SCPI") -> None:
        super().__init__(Status(1000, WORDS, 4, {"questionable": 8, "operation": 128}))
        self.identity = f"KEITHLEY INSTRUMENTS,MODEL 2450,{serial},1.7.12b"
        self.interlock_closed = True
        self.language = self._next_language = language
        self.unit, self._s, self._buffers = unit, Settings(), Buffers2450()
        self._acquisition = Acquisition(unit, self.lock)
        self._sweep = Sweep2450(unit, self._acquisition, self._buffers)
        self._level = Number(-210.0, 210.0, 0.0)
        rows = [*self._source(), *self._sense(), *self._measures(), *self._traces(), *self._system()]
        self._rows = rows if language == "SCPI" else []
        self.reset()

    def commands(self) -> Sequence[Command]:
        """Return the commands of the language; in another one than SCPI hardly any is known."""
        return [*self._rows, *error_queue(self, '0,"No error;0;0 0"', self._stamp), *self._languages()]

    def reset(self) -> None:
        """Return to the defaults: output off, buffers empty."""
        self._acquisition.abort()
        self._s.reset()
        self._buffers.clear_all()
        self._sweep.clear()
        self.unit.standard()
        self._configure()

    def settle(self) -> None:
        """Wait until the trigger model is idle."""
        self._acquisition.wait()

    def close(self) -> None:
        """End what is under way, output off."""
        with self.lock:
            self._acquisition.abort()
            self.unit.switch(False)

    def _source(self) -> list[Command]:
        s, root = self._s, "[:SOURce<1>]:VOLTage"
        limit, span = Number(1e-9, 1.05, 1.05e-4, "{:.6G}"), Number(0, 210, 0.02, "{:.6G}")
        delay = Number(0, 1e4, 0, "{:.6G}")
        return [
            Command("[:SOURce<1>]:FUNCtion[:MODE]", self._only_volts, lambda c: "VOLT"),
            Command(f"{root}[:LEVel][:IMMediate][:AMPLitude]", self._set_level, self._tell_level),
            s.command(f"{root}:RANGe", "source range", span, after=partial(self._fix, "source auto")),
            s.command(f"{root}:RANGe:AUTO", "source auto", Switch(True)),
            s.command(f"{root}:ILIMit[:LEVel]", "compliance", limit, after=self._configure),
            Command(f"{root}:ILIMit[:LEVel]:TRIPped", ask=lambda c: str(int(self.unit.limited))),
            s.command(f"{root}:READ:BACK", "read back", Switch(True)),
            s.command(f"{root}:DELay", "delay", delay, after=partial(self._fix, "delay auto")),
            s.command(f"{root}:DELay:AUTO", "delay auto", Switch(True), after=self._configure),
            s.command(
                f"{root}:PROTection[:LEVel]", "protection", Choice("NONE PROT2 PROT5 PROT10 PROT20", "NONE")
            ),
            Command("[:SOURce<1>]:SWEep:VOLTage:LINear", self._sweep.linear),
            Command("[:SOURce<1>]:SWEep:VOLTage:LINear:STEP", self._sweep.stepped),
            Command("[:SOURce<1>]:SWEep:VOLTage:LOG", self._sweep.logarithmic),
            Command("[:SOURce<1>]:SWEep:VOLTage:LIST", self._sweep.along_list),
            Command(
                "[:SOURce<1>]:LIST:VOLTage",
                self._sweep.set_list,
                lambda c: text(self._sweep.listed, "{:.6E}"),
            ),
            Command("[:SOURce<1>]:LIST:VOLTage:APPend", self._sweep.append_list),
            Command("[:SOURce<1>]:LIST:VOLTage:POINts", ask=lambda c: str(len(self._sweep.listed))),
        ]

    def _sense(self) -> list[Command]:
        s, root = self._s, "[:SENSe<1>]:CURRent[:DC]"
        span = Number(-1.05, 1.05, 1e-4, "{:.6G}")
        return [
            Command("[:SENSe<1>]:FUNCtion[:ON]", self._only_amperes, lambda c: '"CURR:DC"'),
            s.command(f"{root}:RANGe[:UPPer]", "range", span, after=partial(self._fix, "range auto")),
            s.command(f"{root}:RANGe:AUTO", "range auto", Switch(True), after=self._configure),
            s.command(f"{root}:NPLCycles", "cycles", Number(0.01, 10, 1, "{:.6G}"), after=self._configure),
            s.command(f"{root}:AZERo[:STATe]", "autozero", Switch(True)),
            Command("[:SENSe<1>]:AZERo:ONCE", lambda c: None),
            s.command(f"{root}:RSENse", "four wire", Switch()),
            s.command(f"{root}:AVERage[:STATe]", "average", Switch()),
            s.command(f"{root}:AVERage:COUNt", "average count", Number(1, 100, 10, whole=True)),
            s.command(f"{root}:UNIT", "unit", Choice("AMP OHM WATT", "AMP")),
            s.command("[:SENSe<1>]:COUNt", "count", Number(1, 300_000, 1, whole=True)),
        ]

    def _measures(self) -> list[Command]:
        return [
            Command(":READ[:CURRent]", ask=self._read),
            Command(":MEASure[:CURRent][:DC]", ask=self._read),
            Command(":FETCh", ask=self._fetch),
            Command(":INITiate[:IMMediate]", lambda c: self._initiate()),
            Command(":ABORt", lambda c: self._acquisition.abort()),
            Command(
                ":TRIGger:STATe",
                ask=lambda c: "RUNNING;RUNNING;7" if self._acquisition.busy else "IDLE;IDLE;0",
            ),
        ]

    def _traces(self) -> list[Command]:
        b, root = self._buffers, ":TRACe"
        names = {"AVERage": "mean", "STDDev": "std", "MAXimum": "max", "MINimum": "min"}
        statistics = [
            Command(f"{root}:STATistics:{node}", ask=partial(b.statistic, what=what))
            for node, what in names.items()
        ]
        return [
            Command(f"{root}:MAKE", b.make),
            Command(f"{root}:DELete", b.delete),
            Command(f"{root}:CLEar", b.clear),
            Command(f"{root}:POINts", b.resize, b.size),
            Command(f"{root}:ACTual[:END]", ask=b.count),
            Command(f"{root}:TRIGger", self._trigger_trace),
            Command(f"{root}:DATA", ask=lambda c: self._elements().tell(b.part(c), c.arguments[3:])),
            self._s.command(f"{root}:FILL:MODE", "fill", Choice("CONTinuous ONCE", "CONT")),
            *statistics,
        ]

    def _system(self) -> list[Command]:
        s = self._s
        off = Choice("HIMPedance NORMal ZERO GUARd", "NORM")
        return [
            *registers(self, {"questionable": "QUEStionable", "operation": "OPERation"}),
            Command(":STATus:CLEar", lambda c: self.status.clear()),
            Command(":OUTPut<1>[:STATe]", self._output, lambda c: str(int(self.unit.on))),
            s.command(":OUTPut<1>[:VOLTage]:SMODe", "off state", off),
            s.command(":OUTPut<1>:INTerlock:STATe", "interlock", Switch()),
            Command(":OUTPut<1>:INTerlock:TRIPped", ask=lambda c: str(int(self.interlock_closed))),
            s.command(":ROUTe:TERMinals", "terminals", Choice("FRONt REAR", "FRON")),
            s.command(":FORMat[:DATA]", "format", Format("ASC REAL SRE")),
            s.command(":FORMat:BORDer", "order", Choice("NORMal SWAPped", "SWAP")),
            s.command(":FORMat:ASCii:PRECision", "precision", Number(0, 16, 0, whole=True)),
            Command(":SYSTem:LFRequency", ask=lambda c: f"{self.unit.line:.0f}"),
            Command(":SYSTem:VERSion", ask=lambda c: "1996.0"),
            s.command(":SYSTem:BEEPer[:STATe]", "beeper", Switch(True)),
        ]

    def _languages(self) -> list[Command]:
        words = Choice("SCPI TSP SCPI2400", "SCPI")

        def choose(call: Call) -> None:
            call.expect(1)
            self._next_language = words.read(call.arguments[0])  # counts after the power was off

        return [Command("*LANG", choose, lambda c: self.language)]

    # What it does.

    def _configure(self) -> None:
        s, unit = self._s, self.unit
        unit.compliance, unit.cycles = s["compliance"], s["cycles"]
        unit.fixed_range = 0.0 if s["range auto"] else s["range"]
        unit.delay = AUTO_DELAY if s["delay auto"] else s["delay"]

    def _fix(self, automatic: str) -> None:
        self._s[automatic] = False
        self._s["range"] = covering(RANGES, self._s["range"])
        self._s["source range"] = covering(SOURCE_RANGES, self._s["source range"])
        self._configure()

    def _set_level(self, call: Call) -> None:
        call.expect(1)
        volts = self._level.read(call.arguments[0])
        if abs(volts) > FREE_VOLTS and not self.interlock_closed:
            raise ScpiError(5074)
        if not self._s["source auto"] and abs(volts) > 1.05 * self._s["source range"]:
            raise ScpiError(-222)
        self.unit.set_level(volts)

    def _tell_level(self, call: Call) -> str:
        return f"{self._level.limit(call.arguments[0]) if call.arguments else self.unit.level:.6G}"

    def _output(self, call: Call) -> None:
        call.expect(1)
        on = call.word(0) in ("ON", "1")
        if on and self._s["interlock"] and not self.interlock_closed:
            raise ScpiError(5074)
        if not on:
            self._acquisition.abort()
        self.unit.switch(on)

    def _initiate(self) -> None:
        if self._acquisition.busy:
            raise ScpiError(-213)
        self._sweep.start()

    def _measure(self, name: str) -> None:
        if self._acquisition.busy:
            raise ScpiError(-213)
        readings = self._buffers.of(name)
        if not readings:
            self._acquisition.restart()
        self._acquisition.begin([None] * round(self._s["count"]), lambda: None)
        self._acquisition.wait()
        self._buffers.add(name, self._acquisition.readings)

    def _read(self, call: Call) -> str | bytes:
        name, words = _split(call)
        self._measure(name)
        return self._elements().tell(self._buffers.of(name)[-1:], words)

    def _fetch(self, call: Call) -> str | bytes:
        name, words = _split(call)
        if not self._buffers.of(name):
            raise ScpiError(-230)
        return self._elements().tell(self._buffers.of(name)[-1:], words)

    def _trigger_trace(self, call: Call) -> None:
        self._measure(call.word(0))

    def _elements(self) -> Elements2450:
        s = self._s
        order = s["order"] == "SWAP"
        return Elements2450(s["read back"], s["four wire"], s["format"], order, self._acquisition.began)

    def _stamp(self) -> str:
        moment = datetime.fromtimestamp(self.unit.clock.now(), UTC)
        return f";1;{moment:%Y/%m/%d %H:%M:%S}.{moment.microsecond // 1000:03d}"

    def _only_volts(self, call: Call) -> None:
        call.expect(1)
        if call.word(0) not in ("VOLT", "VOLTAGE"):  # a current source is not wired to this bench
            raise ScpiError(-221)

    def _only_amperes(self, call: Call) -> None:
        call.expect(1)
        if call.word(0).removesuffix(":DC") not in ("CURR", "CURRENT"):
            raise ScpiError(-221)


def _split(call: Call) -> tuple[str, tuple[str, ...]]:
    """Return the buffer and the elements that a reading names; each may be left out."""
    words = tuple(call.word(i) for i in range(len(call.arguments)))
    if not words or words[0] in SHORT:
        return "", words
    return words[0], words[1:]
