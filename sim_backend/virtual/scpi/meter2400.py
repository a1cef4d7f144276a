"""Imitate a Keithley 2400 source meter (command set of 1995).

What a program trips over is there: five numbers in each reading unless FORMat:ELEMents says otherwise, error
803 for a reading with the output off, one integration time for all functions, a trigger count of its own
beside the points of a sweep.
"""

from collections.abc import Sequence
from typing import final

from sim_backend.virtual.scpi.engine2400 import Engine2400
from sim_backend.virtual.scpi.errors import ScpiError
from sim_backend.virtual.scpi.instrument import Model, error_queue, registers
from sim_backend.virtual.scpi.readings import text
from sim_backend.virtual.scpi.settings import Settings
from sim_backend.virtual.scpi.source_unit import SourceUnit, covering
from sim_backend.virtual.scpi.status import Status
from sim_backend.virtual.scpi.table import Call, Command
from sim_backend.virtual.scpi.values import Choice, Format, Number, Switch, Text

WORDS = {
    -222: "Parameter data out of range",
    802: "OUTPUT blocked by output enable",
    803: "Not permitted with OUTPUT off",
    822: "Too small for sense range",
}
SOURCE_RANGES = (0.21, 2.1, 21.0, 210.0)
RANGES = tuple(1.05 * 10.0**k for k in range(-6, 1))
"""Ranges (V, A) as the instrument tells them, 5 % above their names."""
REGISTERS = {"measurement": 1, "questionable": 8, "operation": 128}
NODES = {"measurement": "MEASurement", "questionable": "QUEStionable", "operation": "OPERation"}


@final
class Meter2400(Model):
    """Behave as a Keithley 2400."""

    def __init__(self, unit: SourceUnit, serial: str = "1234567") -> None:
        super().__init__(Status(10, WORDS, 4, REGISTERS))
        self.identity = f"KEITHLEY INSTRUMENTS INC.,MODEL 2400,{serial},C30   Mar 17 2006 09:29:29/A02  /K/J"
        self._s = Settings()
        self._s.declare("function", Text("CURR"))
        self.engine = Engine2400(unit, self._s, self.status, self.lock)
        self._rows = [*self._source(), *self._sense(), *self._trigger(), *self._buffer(), *self._system()]
        self.reset()

    def commands(self) -> Sequence[Command]:
        """Return the commands of source, sense, trigger, buffer and system."""
        return self._rows

    def reset(self) -> None:
        """Return to the defaults, output off."""
        self.engine.reset()

    def settle(self) -> None:
        """Wait until the readings are taken."""
        self.engine.acquisition.wait()

    def close(self) -> None:
        """End what is under way, output off."""
        with self.lock:
            self.engine.acquisition.abort()
            self.engine.unit.switch(False)

    def _source(self) -> list[Command]:
        s, e, volts = self._s, self.engine, Number(-210, 210, 0)
        root = "[:SOURce<1>]:VOLTage"
        sweep = "[:SOURce<1>]:SWEep"
        return [
            Command("[:SOURce<1>]:FUNCtion[:MODE]", self._only_volts, lambda c: "VOLT"),
            Command(f"{root}[:LEVel][:IMMediate][:AMPLitude]", e.set_level, e.level),
            s.command(f"{root}:RANGe", "source range", Number(-210, 210, 21), after=self._fix_source),
            s.command(f"{root}:RANGe:AUTO", "source auto", Switch(True)),
            s.command(f"{root}:MODE", "mode", Choice("FIXed LIST SWEep", "FIX")),
            s.command(f"{root}:STARt", "start", volts),
            s.command(f"{root}:STOP", "stop", volts),
            s.command(f"{root}:STEP", "step", Number(-420, 420, 0), after=e.set_step),
            s.command(f"{root}:PROTection[:LEVel]", "protection", Number(-210, 210, 210)),
            s.command(f"{sweep}:POINts", "points", Number(2, 2500, 2500, whole=True)),
            s.command(f"{sweep}:SPACing", "spacing", Choice("LINear LOGarithmic", "LIN")),
            s.command(f"{sweep}:DIRection", "direction", Choice("UP DOWn", "UP")),
            s.command(f"{sweep}:RANGing", "ranging", Choice("BEST AUTO FIXed", "BEST")),
            s.command(f"{sweep}:CABort", "cabort", Choice("NEVer EARLy LATE", "NEV")),
            Command("[:SOURce<1>]:LIST:VOLTage", e.set_list, lambda c: text(e.listed, "{:.6E}")),
            Command("[:SOURce<1>]:LIST:VOLTage:APPend", e.append_list),
            Command("[:SOURce<1>]:LIST:VOLTage:POINts", ask=lambda c: str(len(e.listed))),
            s.command("[:SOURce<1>]:DELay", "delay", Number(0, 9999.999, 0), after=self._fix_delay),
            s.command("[:SOURce<1>]:DELay:AUTO", "delay auto", Switch(True), after=e.configure),
            s.command("[:SOURce<1>]:CLEar:AUTO", "clear auto", Switch()),
            Command("[:SOURce<1>]:CLEar[:IMMediate]", lambda c: e.unit.switch(False)),
        ]

    def _sense(self) -> list[Command]:
        s, e, root = self._s, self.engine, "[:SENSe<1>]:CURRent[:DC]"
        cycles = "[:SENSe<1>]:CURRent|VOLTage|RESistance[:DC]:NPLCycles"
        limit, span = Number(-1.05, 1.05, 105e-6), Number(-1.05, 1.05, 1.05e-4)
        words = Choice("VOLTage CURRent RESistance", "CURR")
        return [
            Command("[:SENSe<1>]:FUNCtion[:ON]", lambda c: self._sensed(words, c), self._senses),
            s.command("[:SENSe<1>]:FUNCtion:CONCurrent", "concurrent", Switch(True)),
            Command("[:SENSe<1>]:FUNCtion:OFF", lambda c: None),
            Command("[:SENSe<1>]:FUNCtion[:ON]:ALL", lambda c: self._s.__setitem__("function", "CURR RES")),
            s.command(f"{root}:PROTection[:LEVel]", "compliance", limit, e.fits, e.configure),
            Command(f"{root}:PROTection:TRIPped", ask=lambda c: str(int(e.unit.limited))),
            s.command(f"{root}:RANGe[:UPPer]", "range", span, None, self._fix_range),
            s.command(f"{root}:RANGe:AUTO", "range auto", Switch(True), None, e.configure),
            s.command(cycles, "cycles", Number(0.01, 10, 1), None, e.configure),
            s.command("[:SENSe<1>]:AVERage[:STATe]", "average", Switch()),
            s.command("[:SENSe<1>]:AVERage:COUNt", "average count", Number(1, 100, 10, whole=True)),
            s.command("[:SENSe<1>]:AVERage:TCONtrol", "average kind", Choice("REPeat MOVing", "REP")),
            Command("[:SENSe<1>]:DATA[:LATest]", ask=lambda c: e.fetch(e.acquisition.readings[-1:])),
        ]

    def _trigger(self) -> list[Command]:
        s, e = self._s, self.engine
        count = Number(1, 2500, 1, whole=True)
        return [
            s.command(":ARM:COUNt", "arms", count),
            s.command(":TRIGger:COUNt", "count", count, e.within),
            s.command(":TRIGger:DELay", "trigger delay", Number(0, 999.9999, 0)),
            s.command(":TRIGger:SOURce", "trigger source", Choice("IMMediate TLINk", "IMM")),
            s.command(":ARM:SOURce", "arm source", Choice("IMMediate TIMer BUS MANual TLINk", "IMM")),
            Command(":TRIGger:CLEar", lambda c: None),
            Command(":INITiate[:IMMediate]", lambda c: e.initiate()),
            Command(":ABORt", lambda c: e.acquisition.abort()),
            Command(":READ", ask=lambda c: e.read()),
            Command(":FETCh", ask=lambda c: e.fetch(e.acquisition.readings)),
            Command(":MEASure[:CURRent][:DC]", ask=lambda c: self._measure()),
        ]

    def _buffer(self) -> list[Command]:
        s, e, root = self._s, self.engine, ":TRACe|DATA"
        feeds = Choice("SENSe SENSe1 CALCulate CALCulate2", "SENS")
        return [
            s.command(f"{root}:POINts", "trace points", Number(1, 2500, 100, whole=True)),
            Command(f"{root}:POINts:ACTual", ask=lambda c: str(len(e.trace))),
            s.command(f"{root}:FEED", "feed", feeds),
            s.command(f"{root}:FEED:CONTrol", "control", Choice("NEVer NEXT", "NEV"), after=e.store),
            Command(f"{root}:CLEar", lambda c: e.trace.clear()),
            Command(f"{root}:FREE", ask=lambda c: f"{24 * (2500 - len(e.trace))},{24 * len(e.trace)}"),
            Command(f"{root}[:DATA]", ask=lambda c: e.fetch(e.trace)),
        ]

    def _system(self) -> list[Command]:
        s, e = self._s, self.engine
        off = Choice("HIMPedance NORMal ZERO GUARd", "NORM")
        lock = ":OUTPut<1>:INTerlock|ENABle"
        elements = ":FORMat:ELEMents[:SENSe<1>]"
        return [
            *error_queue(self),
            *registers(self, NODES),
            Command(elements, e.choose, lambda c: ",".join(e.elements)),
            s.command(":FORMat[:DATA]", "format", Format("ASC REAL,32 SRE")),
            s.command(":FORMat:BORDer", "order", Choice("NORMal SWAPped", "NORM")),
            Command(":OUTPut<1>[:STATe]", e.output, lambda c: str(int(e.unit.on))),
            s.command(":OUTPut<1>:SMODe", "off state", off),
            s.command(f"{lock}[:STATe]", "interlock", Switch()),
            Command(f"{lock}:TRIPped", ask=lambda c: str(int(e.interlock_closed))),
            s.command(":ROUTe:TERMinals", "terminals", Choice("FRONt REAR", "FRON")),
            s.command(":SYSTem:RSENse", "four wire", Switch()),
            s.command(":SYSTem:AZERo[:STATe]", "autozero", Choice("ON OFF ONCE 1 0", "ON")),
            s.command(":SYSTem:LFRequency", "line", Number(50, 60, 50, whole=True), after=e.configure),
            s.command(":SYSTem:LFRequency:AUTO", "line auto", Switch(True)),
            s.command(":SYSTem:BEEPer[:STATe]", "beeper", Switch(True)),
            s.command(":DISPlay:ENABle", "display", Switch(True)),
            Command(":SYSTem:TIME:RESet", lambda c: e.acquisition.restart()),
            Command(":SYSTem:PRESet", lambda c: self.reset()),
            Command(":SYSTem:VERSion", ask=lambda c: "1995.0"),
            Command(":SYSTem:LOCal|REMote|RWLock", lambda c: None),
        ]

    def _only_volts(self, call: Call) -> None:
        call.expect(1)
        if call.word(0) not in ("VOLT", "VOLTAGE"):  # a current source is not wired to this bench
            raise ScpiError(-221)

    def _sensed(self, words: Choice, call: Call) -> None:
        call.expect(1, 3)
        read = [words.read(argument.replace(":DC", "").replace(":dc", "")) for argument in call.arguments]
        self._s["function"] = " ".join(read)

    def _senses(self, call: Call) -> str:
        names = {"CURR": "CURR:DC", "VOLT": "VOLT:DC", "RES": "RES"}
        return ",".join(f'"{names[word]}"' for word in self._s["function"].split())

    def _fix_source(self) -> None:
        self._s["source auto"] = False
        self._s["source range"] = covering(SOURCE_RANGES, self._s["source range"])

    def _fix_range(self) -> None:
        self._s["range auto"] = False
        self._s["range"] = covering(RANGES, self._s["range"])
        self.engine.configure()

    def _fix_delay(self) -> None:
        self._s["delay auto"] = False
        self.engine.configure()

    def _measure(self) -> str | bytes:
        """Configure anew for one reading on an automatic range, and take it."""
        self._s["range auto"], self._s["count"], self._s["mode"] = True, 1, "FIX"
        self.engine.configure()
        return self.engine.read()
