"""Imitate a Keysight B2901A source meter.

What a program trips over is there: the output goes on by itself for a reading (:OUTPut:ON:AUTO) until that is
switched off, the channel stands in the header, source and measurement have trigger counts of their own.
"""

from collections.abc import Sequence
from functools import partial
from typing import final

from sim_backend.virtual.scpi.engineb2900 import EngineB2900
from sim_backend.virtual.scpi.errors import ScpiError
from sim_backend.virtual.scpi.instrument import Model, error_queue, registers
from sim_backend.virtual.scpi.readings import text
from sim_backend.virtual.scpi.settings import Settings
from sim_backend.virtual.scpi.source_unit import SourceUnit, covering
from sim_backend.virtual.scpi.status import Status
from sim_backend.virtual.scpi.table import Call, Command
from sim_backend.virtual.scpi.values import Choice, Format, Kind, Number, Switch

FORM = "{:+.8E}"
SOURCE_RANGES = (0.2, 2.0, 20.0, 200.0)
RANGES = (*(10.0**k for k in range(-7, 1)), 1.5, 3.0)
"""Ranges (V, A) by name."""
COUNT = Number(1, 100_000, 1, whole=True)
GROUPS = {"measurement": "MEASurement", "questionable": "QUEStionable", "operation": "OPERation"}


@final
class MeterB2900(Model):
    """Behave as a Keysight B2901A, which has one channel."""

    def __init__(self, unit: SourceUnit, serial: str = "MY51140001") -> None:
        super().__init__(Status(100, {}, 4, {"measurement": 1, "questionable": 8, "operation": 128}))
        self.identity = f"Keysight Technologies,B2901A,{serial},3.4.2011.5100"
        self._s = Settings()
        self.engine = EngineB2900(unit, self._s, self.status, self.lock)
        self._rows = [*self._source(), *self._sense(), *self._triggers(), *self._reads(), *self._system()]
        self.reset()

    def commands(self) -> Sequence[Command]:
        """Return the commands of source, sense, trigger and system."""
        return self._rows

    def reset(self) -> None:
        """Return to the defaults, output off."""
        self.engine.reset()

    def settle(self) -> None:
        """Wait until the trigger layers are idle."""
        self.engine.acquisition.wait()

    def close(self) -> None:
        """End what is under way, output off."""
        with self.lock:
            self.engine.acquisition.abort()
            self.engine.unit.switch(False)

    def _source(self) -> list[Command]:
        s, e, root = self._s, self.engine, "[:SOURce<1>]:VOLTage"
        volts, sweep = Number(-210, 210, 0, FORM), "[:SOURce<1>]:SWEep"
        points = Number(1, 2500, 1, whole=True)
        return [
            Command("[:SOURce<1>]:FUNCtion:MODE", self._only_volts, lambda c: "VOLT"),
            s.command("[:SOURce<1>]:FUNCtion[:SHAPe]", "shape", Choice("DC PULSe", "DC")),
            s.command("[:SOURce<1>]:FUNCtion:TRIGgered:CONTinuous", "stays", Switch()),
            Command(f"{root}[:LEVel][:IMMediate][:AMPLitude]", e.set_level, e.level),
            s.command(f"{root}:RANGe", "source range", Number(-210, 210, 2, FORM), after=self._fix_source),
            s.command(f"{root}:RANGe:AUTO", "source auto", Switch(True)),
            s.command(f"{root}:MODE", "mode", Choice("FIXed SWEep LIST", "FIX")),
            s.command(f"{root}:STARt", "start", volts),
            s.command(f"{root}:STOP", "stop", volts),
            s.command(f"{root}:STEP", "step", volts, after=e.set_step),
            s.command(f"{root}:POINts", "points", points),
            s.command(f"{sweep}:POINts", "points", points),
            s.command(f"{sweep}:SPACing", "spacing", Choice("LINear LOGarithmic", "LIN")),
            s.command(f"{sweep}:DIRection", "direction", Choice("UP DOWN", "UP")),
            s.command(f"{sweep}:STAir", "stair", Choice("SINGle DOUBle", "SING")),
            s.command(f"{sweep}:RANGing", "ranging", Choice("BEST AUTO FIXed", "BEST")),
            Command("[:SOURce<1>]:LIST:VOLTage", e.set_list, lambda c: text(e.listed, FORM)),
            Command("[:SOURce<1>]:LIST:VOLTage:APPend", e.append_list),
            Command("[:SOURce<1>]:LIST:VOLTage:POINts", ask=lambda c: str(len(e.listed))),
            s.command("[:SOURce<1>]:WAIT[:STATe]", "source wait", Switch(True)),
        ]

    def _sense(self) -> list[Command]:
        s, e, root = self._s, self.engine, "[:SENSe<1>]:CURRent[:DC]"
        limit, any_of = Number(1e-9, 3, 1e-4, FORM), "[:SENSe<1>]:CURRent|VOLTage|RESistance[:DC]"
        cycles, aperture = Number(4e-4, 100, 0.1, FORM), Number(8e-6, 2, 2e-3, FORM)
        return [
            Command("[:SENSe<1>]:FUNCtion[:ON]", self._senses, lambda c: '"CURR"'),
            Command("[:SENSe<1>]:FUNCtion[:ON]:ALL", lambda c: None),
            Command("[:SENSe<1>]:FUNCtion:OFF", lambda c: None),
            Command("[:SENSe<1>]:FUNCtion:OFF:ALL", lambda c: None),
            s.command(f"{root}:PROTection[:LEVel][:BOTH]", "compliance", limit, after=e.configure),
            s.command(f"{root}:PROTection[:LEVel]:POSitive|NEGative", "compliance", limit, after=e.configure),
            Command(f"{root}:PROTection:TRIPped", ask=lambda c: str(int(e.unit.limited))),
            s.command(f"{root}:RANGe[:UPPer]", "range", Number(1e-8, 3, 1e-4, FORM), after=self._fix_range),
            s.command(f"{root}:RANGe:AUTO", "range auto", Switch(True), after=e.configure),
            s.command(f"{root}:RANGe:AUTO:LLIMit", "least range", Number(1e-8, 3, 1e-6, FORM)),
            s.command(f"{any_of}:NPLCycles", "cycles", cycles, after=e.set_cycles),
            s.command(f"{any_of}:APERture", "aperture", aperture, after=e.set_aperture),
            s.command(f"{any_of}:APERture:AUTO", "aperture auto", Switch(True)),
            s.command("[:SENSe<1>]:REMote", "four wire", Switch()),
            s.command("[:SENSe<1>]:WAIT[:STATe]", "sense wait", Switch(True)),
        ]

    def _triggers(self) -> list[Command]:
        e = self.engine
        sources = Choice("AINT BUS TIMer INT1 INT2 LAN EXT1 EXT2", "AINT")
        interval, delay = Number(2e-5, 1e5, 2e-5, FORM), Number(0, 1e5, 0, FORM)
        layers = "[:ACQuire|TRANsient|ALL]"
        return [
            *self._both(":TRIGger<1>", "COUNt", COUNT, "acquire count", "step count"),
            *self._both(":TRIGger<1>", "DELay", delay, "acquire delay", "step delay"),
            self._s.command(f":TRIGger<1>{layers}:TIMer", "interval", interval),
            self._s.command(f":TRIGger<1>{layers}:SOURce", "source", sources),
            *self._both(":ARM<1>", "COUNt", COUNT, "arm count", "arm step count"),
            *self._both(":ARM<1>", "DELay", delay, "arm delay", "arm step delay"),
            self._s.command(f":ARM<1>{layers}[:LAYer]:SOURce", "arm source", sources),
            Command(f":INITiate[:IMMediate]{layers}", e.initiate),
            Command(f":ABORt{layers}", e.abort),
            Command(":IDLE<1>[:ALL]", ask=e.idle),
        ]

    def _both(self, root: str, node: str, kind: Kind, acquire: str, step: str) -> list[Command]:
        """Return the commands of one value that source and measurement have each for its own."""
        s = self._s
        first = s.command(f"{root}:ACQuire:{node}", acquire, kind, after=self.engine.configure)
        second = s.command(f"{root}:TRANsient:{node}", step, kind)

        def act(call: Call) -> None:
            for row in (first, second):
                assert row.act is not None
                row.act(call)

        return [first, second, Command(f"{root}[:ALL]:{node}", act, first.ask)]

    def _reads(self) -> list[Command]:
        e = self.engine
        names = {"": "", ":CURRent": "CURR", ":VOLTage": "VOLT", ":RESistance": "RES", ":TIME": "TIME"}
        names |= {":STATus": "STAT", ":SOURce": "SOUR"}
        found: list[Command] = []
        for node, name in names.items():
            dc = "[:DC]" if node in (":CURRent", ":VOLTage") else ""
            found += [
                Command(f":MEASure{node}{dc}", ask=partial(e.spot, name=name)),
                Command(f":READ[:SCALar]{node}{dc}", ask=partial(e.read, name=name)),
                Command(f":READ:ARRay{node}{dc}", ask=partial(e.read, name=name, every=True)),
                Command(f":FETCh[:SCALar]{node}{dc}", ask=partial(e.fetch, name=name)),
                Command(f":FETCh:ARRay{node}{dc}", ask=partial(e.fetch, name=name, every=True)),
            ]
        return [*found, Command(":SENSe<1>:DATA", ask=lambda c: e.fetch(Call(), every=True))]

    def _system(self) -> list[Command]:
        s, e = self._s, self.engine
        off = Choice("NORMal HIZ ZERO", "NORM")
        return [
            *error_queue(self, '+0,"No error"'),
            Command(":SYSTem:ERRor:ALL", ask=self._all_errors),
            *registers(self, GROUPS),
            Command(":FORMat:ELEMents:SENSe<1>", e.choose, lambda c: ",".join(e.elements)),
            s.command(":FORMat[:DATA]", "format", Format("ASC REAL,32 REAL,64")),
            s.command(":FORMat:BORDer", "order", Choice("NORMal SWAPped", "NORM")),
            Command(":OUTPut<1>[:STATe]", e.output, lambda c: str(int(e.unit.on))),
            s.command(":OUTPut<1>:ON:AUTO", "auto on", Switch(True)),
            s.command(":OUTPut<1>:OFF:AUTO", "auto off", Switch()),
            s.command(":OUTPut<1>:OFF:MODE", "off state", off),
            s.command(":OUTPut<1>:PROTection[:STATe]", "protect", Switch()),
            s.command(":OUTPut<1>:HCAPacitance[:STATe]", "capacitive", Switch()),
            s.command(":SYSTem:LFRequency", "line", Number(50, 60, 50, whole=True), after=e.configure),
            Command(":SYSTem:INTerlock:TRIPped", ask=lambda c: str(int(not e.interlock_closed))),
            Command(":SYSTem:VERSion", ask=lambda c: "1999.0"),
            s.command(":SYSTem:BEEPer:STATe", "beeper", Switch(True)),
            s.command(":DISPlay:ENABle", "display", Switch(True)),
        ]

    def _only_volts(self, call: Call) -> None:
        call.expect(1)
        if call.word(0) not in ("VOLT", "VOLTAGE"):  # a current source is not wired to this bench
            raise ScpiError(-221)

    def _senses(self, call: Call) -> None:
        call.expect(1, 3)
        known = {"CURR", "CURRENT", "VOLT", "VOLTAGE", "RES", "RESISTANCE"}
        if not {call.word(i) for i in range(len(call.arguments))} <= known:
            raise ScpiError(-224)

    def _fix_source(self) -> None:
        self._s["source auto"] = False
        self._s["source range"] = covering(SOURCE_RANGES, self._s["source range"])

    def _fix_range(self) -> None:
        self._s["range auto"] = False
        self._s["range"] = covering(RANGES, self._s["range"])
        self.engine.configure()

    def _all_errors(self, call: Call) -> str:
        found = [f'{code:+d},"{words}"' for code, words in self.status.errors]
        self.status.errors.clear()
        return ",".join(found) or '+0,"No error"'
