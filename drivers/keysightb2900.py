"""Drive a Keysight (Agilent) source/measure unit of the B2900 series."""

from typing import Any, final

import numpy as np

from drivers.list_meter import ListMeter, Progress
from drivers.rows import Flag, Number, Row, Word
from drivers.scpi import FloatArray
from rramlab.reading import BoolArray

ELEMENTS = "CURR,TIME,STAT,SOUR"
COLUMNS = 4
LIMITED = 0b110
"""Bits of the status of a reading: which compliance was reached."""
IDLE = {1: 1 << 1 | 1 << 4, 2: 1 << 7 | 1 << 10}
"""Bits of the operation register by channel: nothing left to source, nothing left to measure."""


@final
class KeysightB2900(ListMeter):
    """Drive one channel of a B2900.

    By default it switches its output on by itself at the first reading or sweep; that is switched off at each
    opening, and read back.
    """

    model = r"(AGILENT|KEYSIGHT) TECHNOLOGIES\s*,\s*B29\d\d[A-C]L?\b.*"
    abort_command = ":ABOR (@{c})"
    lists_of = 500
    list_command, append_command = ":SOUR{c}:LIST:VOLT", ":SOUR{c}:LIST:VOLT:APP"
    # Its own test wants nothing at the terminals.
    tests_itself = False
    free_reach = 42.0

    level = Number(
        ":SOUR{c}:VOLT:LEV?", ":SOUR{c}:VOLT:LEV {}", "V", -210, 210, "Set the source voltage (V)."
    )
    compliance = Number(
        ":SENS{c}:CURR:PROT?",
        ":SENS{c}:CURR:PROT {}",
        "A",
        1e-9,
        3.03,
        "Limit the current of the source (A).",
    )
    source_range = Number(
        ":SOUR{c}:VOLT:RANG?",
        ":SOUR{c}:VOLT:RANG {}",
        "V",
        0,
        210,
        "Choose the source range that covers this voltage (V).",
        covers=True,
    )
    current_range = Number(
        ":SENS{c}:CURR:RANG?",
        ":SENS{c}:CURR:RANG {}",
        "A",
        1e-9,
        3.03,
        "Choose the measuring range that covers this current (A).",
        covers=True,
    )
    cycles = Number(
        ":SENS{c}:CURR:NPLC?",
        ":SENS{c}:CURR:NPLC {}",
        "line cycles",
        4e-4,
        100,
        "Integrate over so many line cycles.",
    )
    delay = Number(
        ":TRIG{c}:ACQ:DEL?", ":TRIG{c}:ACQ:DEL {}", "s", 0, 1e5, "Set the settling before a reading (s)."
    )
    source_auto = Flag(
        ":SOUR{c}:VOLT:RANG:AUTO?", ":SOUR{c}:VOLT:RANG:AUTO {}", "Choose the source range by itself."
    )
    current_auto = Flag(
        ":SENS{c}:CURR:RANG:AUTO?", ":SENS{c}:CURR:RANG:AUTO {}", "Choose the measuring range by itself."
    )
    four_wire = Flag(
        ":SENS{c}:REM?", ":SENS{c}:REM {}", "Sense the voltage at the cell, over two more wires."
    )
    output = Flag(":OUTP{c}:STAT?", ":OUTP{c}:STAT {}", "Switch the output.")
    tripped = Flag(":SENS{c}:CURR:PROT:TRIP?", "", "Tell whether the current is limited now.")
    interlock_open = Flag(":SYST:INT:TRIP?", "", "Tell whether the interlock is open.")
    sources = Word(":SOUR{c}:FUNC:MODE?", ":SOUR{c}:FUNC:MODE {}", ("VOLT",), "Choose what is sourced.")
    senses = Word(":SENS{c}:FUNC?", ':SENS{c}:FUNC "{}"', ("CURR",), "Choose what is measured.")
    mode = Word(
        ":SOUR{c}:VOLT:MODE?", ":SOUR{c}:VOLT:MODE {}", ("FIX", "LIST"), "Source one level or a list."
    )
    elements = Word(":FORM:ELEM:SENS?", ":FORM:ELEM:SENS {}", (ELEMENTS,), "Choose the numbers of a reading.")
    form = Word(":FORM:DATA?", ":FORM:DATA {}", ("ASC",), "Choose how numbers are transferred.")
    count = Number(
        ":TRIG{c}:ACQ:COUN?", ":TRIG{c}:COUN {}", "readings", 1, 100000, "Take so many readings per start."
    )
    auto_on = Flag(":OUTP{c}:ON:AUTO?", ":OUTP{c}:ON:AUTO {}", "Switch the output on by itself.")
    off_at_limit = Flag(":OUTP{c}:PROT?", ":OUTP{c}:PROT {}", "Switch the output off at the compliance.")

    def interlock_closed(self) -> bool:
        """Tell whether the interlock is closed."""
        return not self.interlock_open

    def _prepare(self) -> None:
        self.auto_on = False
        type(self).auto_on.read_back(self, False)
        self.form, self.elements = "ASC", ELEMENTS
        type(self).elements.read_back(self, ELEMENTS)

    def _fixed(self) -> dict[Row[Any], Any]:
        kind = type(self)
        self._count(1)
        return {
            kind.sources: "VOLT",
            kind.senses: "CURR",
            kind.mode: "FIX",
            kind.delay: 0.0,
            kind.off_at_limit: False,
            kind.auto_on: False,
            kind.source_auto: False,
            kind.current_auto: False,
        }

    def _count(self, steps: int) -> None:
        """Let both layers of the trigger system go through so many steps, each as soon as it can."""
        self.scpi.set(self.scpi.fill(":TRIG{c}:SOUR AINT"))
        self.count = steps

    def _read(self, timeout: float) -> FloatArray:
        return self.scpi.numbers(self.scpi.fill(":READ? (@{c})"), COLUMNS, timeout).reshape(1, COLUMNS)

    def _split(self, rows: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, BoolArray]:
        status = rows[:, 2].astype(np.int64)
        return rows[:, 3], rows[:, 0], rows[:, 1], (status & LIMITED) != 0

    def _load(self, steps: int, delay: float) -> None:
        self.delay, self.mode = delay, "LIST"
        self._count(steps)
        kind = type(self)
        self._compare({kind.mode: "LIST", kind.delay: delay, kind.count: steps})

    def _launch(self) -> None:
        self.scpi.query(":STAT:OPER?")  # older events are forgotten
        self.scpi.start(self.scpi.fill(":INIT (@{c})"))

    def _progress(self, steps: int, patience: float) -> Progress:
        idle = IDLE[self.scpi.channel]
        if int(self.scpi.number(":STAT:OPER:COND?")) & idle != idle:
            return Progress.RUNNING
        # That it became idle since the launch is an event; without one it never left.
        return Progress.DONE if int(self.scpi.number(":STAT:OPER?")) & idle else Progress.NOTHING

    def _collect(self, steps: int, timeout: float) -> FloatArray:
        command = self.scpi.fill(":FETC:ARR? (@{c})")
        return self.scpi.numbers(command, COLUMNS * steps, timeout).reshape(steps, COLUMNS)

    def _unload(self) -> None:
        self.mode, self.level, self.delay = "FIX", 0.0, 0.0
        self._count(1)
