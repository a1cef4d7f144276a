"""Drive a Keithley source meter of the 2400 series, in its command set of 1995."""

from typing import Any, final

import numpy as np

from drivers.list_meter import ListMeter, Progress
from drivers.rows import Flag, Number, Row, Word
from drivers.scpi import FloatArray
from rramlab.reading import BoolArray

ELEMENTS = "VOLT,CURR,TIME,STAT"
COLUMNS = 4
COMPLIANCE, BUFFER_FULL, IDLE, ERROR_WAITS, MEASUREMENT = 1 << 3, 1 << 9, 1 << 10, 1 << 2, 1 << 0
"""Bits of the status of a reading, of the registers of measurement and operation, and of the status byte."""


@final
class Keithley2400(ListMeter):
    """Drive a Keithley 2400, 2401, 2410, 2420, 2425, 2430 or 2440.

    A reading is never asked for with the output off (error 803, and no answer), and the elements of a reading
    are set at each opening: by default there would be five.
    """

    model = r"KEITHLEY.*,\s*MODEL 24[0-4]\d\b.*"
    abort_command = ":ABOR"
    list_command, append_command = ":SOUR:LIST:VOLT", ":SOUR:LIST:VOLT:APP"
    # Its interlock, where it is enabled, holds for every range.
    free_reach = 42.0

    level = Number(":SOUR:VOLT:LEV?", ":SOUR:VOLT:LEV {}", "V", -210, 210, "Set the source voltage (V).")
    compliance = Number(
        ":SENS:CURR:PROT?", ":SENS:CURR:PROT {}", "A", 1e-9, 1.05, "Limit the current of the source (A)."
    )
    source_range = Number(
        ":SOUR:VOLT:RANG?",
        ":SOUR:VOLT:RANG {}",
        "V",
        0,
        210,
        "Choose the source range that covers this voltage (V).",
        covers=True,
    )
    current_range = Number(
        ":SENS:CURR:RANG?",
        ":SENS:CURR:RANG {}",
        "A",
        1e-9,
        1.05,
        "Choose the measuring range that covers this current (A).",
        covers=True,
    )
    cycles = Number(
        ":SENS:CURR:NPLC?",
        ":SENS:CURR:NPLC {}",
        "line cycles",
        0.01,
        10,
        "Integrate over so many line cycles.",
    )
    delay = Number(":SOUR:DEL?", ":SOUR:DEL {}", "s", 0, 9999.99, "Set the settling before a reading (s).")
    count = Number(":TRIG:COUN?", ":TRIG:COUN {}", "readings", 1, 2500, "Take so many readings per start.")
    four_wire = Flag(":SYST:RSEN?", ":SYST:RSEN {}", "Sense the voltage at the cell, over two more wires.")
    output = Flag(":OUTP:STAT?", ":OUTP:STAT {}", "Switch the output.")
    tripped = Flag(":SENS:CURR:PROT:TRIP?", "", "Tell whether the current is limited now.")
    interlock = Flag(":OUTP:INT:STAT?", ":OUTP:INT:STAT {}", "Heed the interlock line, at every voltage.")
    interlock_line = Flag(":OUTP:INT:TRIP?", "", "Tell whether the interlock line lets the output on.")
    sources = Word(":SOUR:FUNC?", ":SOUR:FUNC {}", ("VOLT",), "Choose what is sourced.")
    senses = Word(":SENS:FUNC?", ":SENS:FUNC '{}'", ("CURR",), "Choose what is measured.")
    mode = Word(":SOUR:VOLT:MODE?", ":SOUR:VOLT:MODE {}", ("FIX", "LIST"), "Source one level or a list.")
    elements = Word(":FORM:ELEM?", ":FORM:ELEM {}", (ELEMENTS,), "Choose the numbers of a reading.")
    form = Word(":FORM:DATA?", ":FORM:DATA {}", ("ASC",), "Choose how numbers are transferred.")
    stored = Number(
        ":TRAC:POIN?", ":TRAC:POIN {}", "readings", 1, 2500, "Hold so many readings in the buffer."
    )
    storing = Word(":TRAC:FEED:CONT?", ":TRAC:FEED:CONT {}", ("NEXT", "NEV"), "Fill the buffer, or leave it.")
    reported = Number(
        ":STAT:MEAS:ENAB?", ":STAT:MEAS:ENAB {}", "bits", 0, 65535, "Report these bits in the status byte."
    )
    auto_off = Flag(":SOUR:CLE:AUTO?", ":SOUR:CLE:AUTO {}", "Switch the output on and off with each reading.")

    def interlock_closed(self) -> bool:
        """Tell whether the interlock lets the output on: closed, or not heeded."""
        return self.interlock_line or not self.interlock

    def _prepare(self) -> None:
        self.form, self.elements, self.auto_off = "ASC", ELEMENTS, False
        type(self).elements.read_back(self, ELEMENTS)
        type(self).auto_off.read_back(self, False)

    def _fixed(self) -> dict[Row[Any], Any]:
        kind = type(self)
        return {kind.sources: "VOLT", kind.senses: "CURR", kind.mode: "FIX", kind.delay: 0.0, kind.count: 1}

    def _read(self, timeout: float) -> FloatArray:
        return self.scpi.numbers(":READ?", COLUMNS, timeout).reshape(1, COLUMNS)

    def _split(self, rows: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, BoolArray]:
        status = rows[:, 3].astype(np.int64)
        return rows[:, 0], rows[:, 1], rows[:, 2], (status & COMPLIANCE) != 0

    def _load(self, steps: int, delay: float) -> None:
        self.storing = "NEV"
        for command in (":TRAC:CLE", ":TRAC:FEED SENS"):
            self.scpi.set(command)
        self.stored, self.delay, self.count, self.mode = steps, delay, steps, "LIST"
        self.reported = BUFFER_FULL
        self.scpi.query(":STAT:MEAS?")  # an older "full" is forgotten
        self.storing = "NEXT"
        kind = type(self)
        loaded: dict[Row[Any], Any] = {kind.count: steps, kind.mode: "LIST", kind.delay: delay}
        self._compare({**loaded, kind.stored: steps, kind.storing: "NEXT", kind.reported: BUFFER_FULL})

    def _launch(self) -> None:
        self.scpi.start(":INIT")

    def _progress(self, steps: int, patience: float) -> Progress:
        if self._is_full(patience):
            return Progress.DONE
        idle = int(self.scpi.number(":STAT:OPER:COND?", patience)) & IDLE
        if not idle:
            return Progress.RUNNING
        # Where it answered only at the end of the sweep, it is full by now.
        return Progress.DONE if self._is_full(patience) else Progress.NOTHING

    def _is_full(self, patience: float) -> bool:
        status = int(self.scpi.number("*STB?", patience))
        if status & ERROR_WAITS:
            self.scpi.check_errors("sweep")
        return bool(status & MEASUREMENT)

    def _collect(self, steps: int, timeout: float) -> FloatArray:
        return self.scpi.numbers(":TRAC:DATA?", COLUMNS * steps, timeout).reshape(steps, COLUMNS)

    def _unload(self) -> None:
        self.storing = "NEV"
        self.mode, self.count, self.delay, self.level = "FIX", 1, 0.0, 0.0
