"""Write down what is said between each driver of a source meter and its instrument: (sent, received)."""

from dataclasses import dataclass
from typing import Any

from pairs import Pair, set_pairs

from drivers.keithley2400 import Keithley2400
from drivers.keithley2450 import Keithley2450
from drivers.keysightb2900 import KeysightB2900
from drivers.scpi_meter import ScpiMeter

NO_ERROR: Pair = (":SYST:ERR?", '0,"No error"')
# Off is asked for twice: lines are switched upon it.
OFF: list[Pair] = [(":OUTP:STAT?", "0")] * 2
STEPS = (0.0, 0.5, -1.25)


@dataclass(frozen=True)
class Talk:
    """Hold the dialogue of one model: opening, arming for 100 nA, on, a reading, a sweep, off."""

    driver: type[ScpiMeter]
    identity: str
    opening: list[Pair]
    # Lowering the current: the range falls before the limit.
    arming: list[Pair]
    compared: list[Pair]
    on: list[Pair]
    level: str
    off: list[Pair]
    is_off: Pair
    reading: Pair
    limited_reading: str
    tripped: str
    start: list[Pair]
    not_done: list[Pair]
    done: list[Pair]
    fetch: list[Pair]
    abort: str
    channel: int = 1

    @property
    def hello(self) -> list[Pair]:
        return [("*IDN?", self.identity), *self.opening]

    @property
    def stays_off(self) -> list[Pair]:
        return [(self.is_off[0], "0")] * 2

    @property
    def armed(self) -> list[Pair]:
        return [*self.off[2:], *self.stays_off, *self.arming, NO_ERROR, *self.compared]

    @property
    def switched_on(self) -> list[Pair]:
        return [*set_pairs(f"{self.level} 0"), *self.compared, *self.on]

    def sourced(self, volts: str) -> list[Pair]:
        return [*set_pairs(f"{self.level} {volts}"), NO_ERROR, (f"{self.level}?", volts)]


def made(talk: Talk, wire: Any, **spec: Any) -> ScpiMeter:
    from drivers.spec import MeterSpec

    return talk.driver(MeterSpec(use="x", resource="x", timeout=0.5, channel=talk.channel, **spec), wire)


K2400 = Talk(
    Keithley2400,
    "KEITHLEY INSTRUMENTS INC.,MODEL 2410,1234567,C30   Mar 17 2006 09:29:29/A02  /K/J",
    opening=[
        (":ABOR", None),
        *set_pairs(":OUTP:STAT 0", "*CLS"),
        NO_ERROR,
        *set_pairs(":FORM:DATA ASC", ":FORM:ELEM VOLT,CURR,TIME,STAT", ":SOUR:CLE:AUTO 0"),
        (":FORM:ELEM?", "VOLT,CURR,TIME,STAT"),
        (":SOUR:CLE:AUTO?", "0"),
        NO_ERROR,
        *OFF,
    ],
    arming=[
        (":SENS:CURR:RANG?", "1.050000E-04"),
        *set_pairs(
            ":SOUR:FUNC VOLT",
            ":SENS:FUNC 'CURR'",
            ":SOUR:VOLT:MODE FIX",
            ":SOUR:DEL 0",
            ":TRIG:COUN 1",
            ":SOUR:VOLT:RANG 2",
            ":SOUR:VOLT:LEV 0",
            ":SENS:CURR:RANG 1E-07",
            ":SENS:CURR:PROT 1E-07",
            ":SENS:CURR:NPLC 1",
            ":SYST:RSEN 0",
        ),
    ],
    compared=[
        (":SOUR:FUNC?", "VOLT"),
        (":SENS:FUNC?", '"CURR:DC"'),
        (":SOUR:VOLT:MODE?", "FIX"),
        (":SOUR:DEL?", "0.00000"),
        (":TRIG:COUN?", "1"),
        (":SOUR:VOLT:RANG?", "2.100000E+01"),
        (":SOUR:VOLT:LEV?", "0.000000E+00"),
        (":SENS:CURR:RANG?", "1.050000E-06"),
        (":SENS:CURR:PROT?", "1.000000E-07"),
        (":SENS:CURR:NPLC?", "1.00"),
        (":SYST:RSEN?", "0"),
    ],
    on=[*set_pairs(":OUTP:STAT 1"), NO_ERROR, (":OUTP:STAT?", "1")],
    level=":SOUR:VOLT:LEV",
    off=set_pairs(":SOUR:VOLT:LEV 0", ":OUTP:STAT 0"),
    is_off=(":OUTP:STAT?", "1"),
    reading=(":READ?", "+2.000000E-01,+1.234500E-08,+7.282600E+01,+2.048000E+04"),
    limited_reading="+2.000000E-01,+1.000000E-07,+7.282600E+01,+2.048800E+04",
    tripped=":SENS:CURR:PROT:TRIP?",
    start=[
        *set_pairs(
            ":SENS:CURR:NPLC 0.5",
            ":SOUR:LIST:VOLT 0,0.5,-1.25",
            ":TRAC:FEED:CONT NEV",
            ":TRAC:CLE",
            ":TRAC:FEED SENS",
            ":TRAC:POIN 3",
            ":SOUR:DEL 0.01",
            ":TRIG:COUN 3",
            ":SOUR:VOLT:MODE LIST",
            ":STAT:MEAS:ENAB 512",
        ),
        (":STAT:MEAS?", "512"),
        *set_pairs(":TRAC:FEED:CONT NEXT"),
        (":TRIG:COUN?", "3"),
        (":SOUR:VOLT:MODE?", "LIST"),
        (":SOUR:DEL?", "0.01000"),
        (":TRAC:POIN?", "3"),
        (":TRAC:FEED:CONT?", "NEXT"),
        (":STAT:MEAS:ENAB?", "512"),
        NO_ERROR,
        (":SOUR:LIST:VOLT:POIN?", "3"),
        (":SENS:CURR:NPLC?", "0.50"),
        (":INIT", None),
    ],
    not_done=[("*STB?", "0"), (":STAT:OPER:COND?", "8")],
    done=[
        ("*STB?", "65"),
        *set_pairs(
            ":TRAC:FEED:CONT NEV",
            ":SOUR:VOLT:MODE FIX",
            ":TRIG:COUN 1",
            ":SOUR:DEL 0",
            ":SOUR:VOLT:LEV 0",
            ":SENS:CURR:NPLC 1",
        ),
    ],
    fetch=[
        (
            ":TRAC:DATA?",
            "0.000000E+00,1.0E-12,1.5E+00,2.048E+04,5.000000E-01,4.0E-08,1.52E+00,2.048E+04,"
            "-1.250000E+00,-1.000000E-07,1.54E+00,2.048800E+04",
        ),
        NO_ERROR,
    ],
    abort=":ABOR",
)

K2450 = Talk(
    Keithley2450,
    "KEITHLEY INSTRUMENTS,MODEL 2450,04096331,1.7.12b",
    opening=[
        (":ABOR", None),
        *set_pairs(":OUTP:STAT 0", "*CLS"),
        NO_ERROR,
        ("*LANG?", "SCPI"),
        *set_pairs(":FORM:DATA ASC"),
        NO_ERROR,
        *OFF,
    ],
    arming=[
        (":SENS:CURR:RANG?", "1E-04"),
        *set_pairs(
            ":SOUR:FUNC VOLT",
            ':SENS:FUNC "CURR"',
            ":SOUR:VOLT:READ:BACK 0",
            ":SOUR:VOLT:DEL 0",
            ":SENS:COUN 1",
            ":SOUR:VOLT:RANG 2",
            ":SOUR:VOLT 0",
            ":SENS:CURR:RANG 1E-07",
            ":SOUR:VOLT:ILIM 1E-07",
            ":SENS:CURR:NPLC 1",
            ":SENS:CURR:RSEN 0",
        ),
    ],
    compared=[
        (":SOUR:FUNC?", "VOLT"),
        (":SENS:FUNC?", '"CURR:DC"'),
        (":SOUR:VOLT:READ:BACK?", "0"),
        (":SOUR:VOLT:DEL?", "0"),
        (":SENS:COUN?", "1"),
        (":SOUR:VOLT:RANG?", "2"),
        (":SOUR:VOLT?", "0"),
        (":SENS:CURR:RANG?", "1E-07"),
        (":SOUR:VOLT:ILIM?", "1E-07"),
        (":SENS:CURR:NPLC?", "1"),
        (":SENS:CURR:RSEN?", "0"),
    ],
    on=[*set_pairs(":OUTP:STAT 1"), NO_ERROR, (":OUTP:STAT?", "1")],
    level=":SOUR:VOLT",
    off=set_pairs(":SOUR:VOLT 0", ":OUTP:STAT 0"),
    is_off=(":OUTP:STAT?", "1"),
    reading=(':READ? "defbuffer1", SOUR, READ, REL, SOURSTAT', "0.2,1.2345E-08,0.0,128"),
    limited_reading="0.2,1.0E-07,0.0,160",
    tripped=":SOUR:VOLT:ILIM:TRIP?",
    start=[
        *set_pairs(
            ":SENS:CURR:NPLC 0.5",
            ":SOUR:LIST:VOLT 0,0.5,-1.25",
            ':TRAC:CLE "defbuffer1"',
            ':SOUR:SWE:VOLT:LIST 1, 0.01, 1, OFF, "defbuffer1"',
        ),
        NO_ERROR,
        (":SOUR:LIST:VOLT:POIN?", "3"),
        (":SENS:CURR:NPLC?", "0.5"),
        (":INIT", None),
    ],
    not_done=[(":TRIG:STAT?", "RUNNING;RUNNING;3")],
    done=[
        (":TRIG:STAT?", "IDLE;IDLE;7"),
        (':TRAC:ACT? "defbuffer1"', "3"),
        *set_pairs(":SOUR:VOLT 0", ":SENS:CURR:NPLC 1"),
    ],
    fetch=[
        (
            ':TRAC:DATA? 1, 3, "defbuffer1", SOUR, READ, REL, SOURSTAT',
            "0,1.0E-12,0,128,0.5,4.0E-08,0.02,128,-1.25,-1.0E-07,0.04,160",
        ),
        NO_ERROR,
    ],
    abort=":ABOR",
)

B2902 = Talk(
    KeysightB2900,
    "Keysight Technologies,B2902A,MY51140001,3.4.2011.5100",
    opening=[
        (":ABOR (@2)", None),
        *set_pairs(":OUTP2:STAT 0", "*CLS"),
        NO_ERROR,
        *set_pairs(":OUTP2:ON:AUTO 0"),
        (":OUTP2:ON:AUTO?", "0"),
        *set_pairs(":FORM:DATA ASC", ":FORM:ELEM:SENS CURR,TIME,STAT,SOUR"),
        (":FORM:ELEM:SENS?", "CURR,TIME,STAT,SOUR"),
        NO_ERROR,
        *[(":OUTP2:STAT?", "0")] * 2,
    ],
    arming=[
        *set_pairs(":TRIG2:SOUR AINT", ":TRIG2:COUN 1"),
        (":SENS2:CURR:RANG?", "+1.000000E-04"),
        *set_pairs(
            ":SOUR2:FUNC:MODE VOLT",
            ':SENS2:FUNC "CURR"',
            ":SOUR2:VOLT:MODE FIX",
            ":TRIG2:ACQ:DEL 0",
            ":OUTP2:PROT 0",
            ":OUTP2:ON:AUTO 0",
            ":SOUR2:VOLT:RANG:AUTO 0",
            ":SENS2:CURR:RANG:AUTO 0",
            ":SOUR2:VOLT:RANG 2",
            ":SOUR2:VOLT:LEV 0",
            ":SENS2:CURR:RANG 1E-07",
            ":SENS2:CURR:PROT 1E-07",
            ":SENS2:CURR:NPLC 1",
            ":SENS2:REM 0",
        ),
    ],
    compared=[
        (":SOUR2:FUNC:MODE?", "VOLT"),
        (":SENS2:FUNC?", '"CURR"'),
        (":SOUR2:VOLT:MODE?", "FIX"),
        (":TRIG2:ACQ:DEL?", "+0.000000E+00"),
        (":OUTP2:PROT?", "0"),
        (":OUTP2:ON:AUTO?", "0"),
        (":SOUR2:VOLT:RANG:AUTO?", "0"),
        (":SENS2:CURR:RANG:AUTO?", "0"),
        (":SOUR2:VOLT:RANG?", "+2.000000E+00"),
        (":SOUR2:VOLT:LEV?", "+0.000000E+00"),
        (":SENS2:CURR:RANG?", "+1.000000E-07"),
        (":SENS2:CURR:PROT?", "+1.000000E-07"),
        (":SENS2:CURR:NPLC?", "+1.000000E+00"),
        (":SENS2:REM?", "0"),
    ],
    on=[*set_pairs(":OUTP2:STAT 1"), NO_ERROR, (":OUTP2:STAT?", "1")],
    level=":SOUR2:VOLT:LEV",
    off=set_pairs(":SOUR2:VOLT:LEV 0", ":OUTP2:STAT 0"),
    is_off=(":OUTP2:STAT?", "1"),
    reading=(":READ? (@2)", "+1.234500E-08,+7.2E+01,+0.000000E+00,+2.000000E-01"),
    limited_reading="+1.000000E-07,+7.2E+01,+2.000000E+00,+2.000000E-01",
    tripped=":SENS2:CURR:PROT:TRIP?",
    start=[
        *set_pairs(
            ":SENS2:CURR:NPLC 0.5",
            ":SOUR2:LIST:VOLT 0,0.5,-1.25",
            ":TRIG2:ACQ:DEL 0.01",
            ":SOUR2:VOLT:MODE LIST",
            ":TRIG2:SOUR AINT",
            ":TRIG2:COUN 3",
        ),
        (":SOUR2:VOLT:MODE?", "LIST"),
        (":TRIG2:ACQ:DEL?", "+1.000000E-02"),
        (":TRIG2:ACQ:COUN?", "3"),
        NO_ERROR,
        (":SOUR2:LIST:VOLT:POIN?", "3"),
        (":SENS2:CURR:NPLC?", "+5.000000E-01"),
        (":STAT:OPER?", "146"),
        (":INIT (@2)", None),
    ],
    not_done=[(":STAT:OPER:COND?", "18")],
    done=[
        (":STAT:OPER:COND?", "1170"),
        (":STAT:OPER?", "1024"),
        *set_pairs(
            ":SOUR2:VOLT:MODE FIX",
            ":SOUR2:VOLT:LEV 0",
            ":TRIG2:ACQ:DEL 0",
            ":TRIG2:SOUR AINT",
            ":TRIG2:COUN 1",
            ":SENS2:CURR:NPLC 1",
        ),
    ],
    fetch=[
        (
            ":FETC:ARR? (@2)",
            "+1.0E-12,+1.50,+0.0E+00,+0.0E+00,+4.0E-08,+1.52,+0.0E+00,+5.0E-01,-1.0E-07,+1.54,+4.0E+00,-1.25E+00",
        ),
        NO_ERROR,
    ],
    abort=":ABOR (@2)",
    channel=2,
)

TALKS = {"2400": K2400, "2450": K2450, "B2900": B2902}
