"""Drive a Keithley 2450 in its SCPI language."""

from typing import Any, final

import numpy as np

from drivers.list_meter import ListMeter, Progress
from drivers.rows import Flag, Number, Row, Word, plain
from drivers.scpi import FloatArray
from rramlab.errors import LinkError, LinkFault
from rramlab.reading import BoolArray

COLUMNS = 4
ELEMENTS = "SOUR, READ, REL, SOURSTAT"
BUFFER = '"defbuffer1"'
LIMITED = 1 << 5
"""Bit of the source status of a reading."""
AT_REST = ("IDLE", "EMPTY", "BUILDING")
BROKEN = ("FAILED", "ABORTED")
"""States of the trigger model."""


@final
class Keithley2450(ListMeter):
    """Drive a Keithley 2450, 2460, 2461 or 2470 whose command set is SCPI.

    In another command set (TSP, SCPI2400) it answers nearly the same words with other meanings, so it is
    refused then. A sweep switches the output off at its end.
    """

    model = r"KEITHLEY.*,\s*MODEL 24(50|60|61|70)\b.*"
    abort_command = ":ABOR"
    list_command, append_command = ":SOUR:LIST:VOLT", ":SOUR:LIST:VOLT:APP"
    # With the interlock open, an output beyond this raises an event.
    free_reach = 20.0

    level = Number(":SOUR:VOLT?", ":SOUR:VOLT {}", "V", -210, 210, "Set the source voltage (V).")
    compliance = Number(
        ":SOUR:VOLT:ILIM?", ":SOUR:VOLT:ILIM {}", "A", 1e-9, 1.05, "Limit the current of the source (A)."
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
    delay = Number(
        ":SOUR:VOLT:DEL?", ":SOUR:VOLT:DEL {}", "s", 0, 9999.99, "Set the settling before a reading (s)."
    )
    count = Number(
        ":SENS:COUN?", ":SENS:COUN {}", "readings", 1, 300000, "Take so many readings per question."
    )
    four_wire = Flag(
        ":SENS:CURR:RSEN?", ":SENS:CURR:RSEN {}", "Sense the voltage at the cell, over two more wires."
    )
    output = Flag(":OUTP:STAT?", ":OUTP:STAT {}", "Switch the output.")
    tripped = Flag(":SOUR:VOLT:ILIM:TRIP?", "", "Tell whether the current is limited now.")
    interlock_line = Flag(":OUTP:INT:TRIP?", "", "Tell whether the interlock is closed.")
    sources = Word(":SOUR:FUNC?", ":SOUR:FUNC {}", ("VOLT",), "Choose what is sourced.")
    senses = Word(":SENS:FUNC?", ':SENS:FUNC "{}"', ("CURR",), "Choose what is measured.")
    form = Word(":FORM:DATA?", ":FORM:DATA {}", ("ASC",), "Choose how numbers are transferred.")
    source_readback = Flag(
        ":SOUR:VOLT:READ:BACK?", ":SOUR:VOLT:READ:BACK {}", "Measure the source voltage with each reading."
    )

    def interlock_closed(self) -> bool:
        """Tell whether the interlock is closed."""
        return self.interlock_line

    def _prepare(self) -> None:
        self._check_language()
        self.form = "ASC"

    def _check_language(self) -> None:
        found = self.scpi.query("*LANG?").strip()
        if found != "SCPI":
            raise LinkError(
                LinkFault.MISMATCH,
                f"{self.scpi.name} speaks '{found}', this driver only 'SCPI': choose MENU > Settings > "
                "Command Set > SCPI at its front panel, or send *LANG SCPI, then switch it off and on",
            )

    def _fixed(self) -> dict[Row[Any], Any]:
        kind = type(self)
        return {
            kind.sources: "VOLT",
            kind.senses: "CURR",
            kind.source_readback: False,
            kind.delay: 0.0,
            kind.count: 1,
        }

    def _read(self, timeout: float) -> FloatArray:
        return self.scpi.numbers(f":READ? {BUFFER}, {ELEMENTS}", COLUMNS, timeout).reshape(1, COLUMNS)

    def _split(self, rows: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, BoolArray]:
        status = rows[:, 3].astype(np.int64)
        return rows[:, 0], rows[:, 1], rows[:, 2], (status & LIMITED) != 0

    def _load(self, steps: int, delay: float) -> None:
        self.scpi.set(f":TRAC:CLE {BUFFER}")
        # From the first step, once, to the end also under compliance.
        self.scpi.set(f":SOUR:SWE:VOLT:LIST 1, {plain(delay)}, 1, OFF, {BUFFER}")

    def _launch(self) -> None:
        self.scpi.start(":INIT")

    def _progress(self, steps: int, patience: float) -> Progress:
        state = self.scpi.query(":TRIG:STAT?").split(";")[0].strip().upper()
        if state in BROKEN:
            self.scpi.check_errors("sweep")
            raise LinkError(
                LinkFault.INSTRUMENT,
                f"{self.scpi.name} ended the sweep itself ({state}); look at its event log, then try again",
            )
        # The state is renewed every 100 ms only, and reads IDLE for a moment after the start as well.
        if state not in AT_REST:
            return Progress.RUNNING
        taken = self.scpi.number(f":TRAC:ACT? {BUFFER}")
        return Progress.DONE if taken >= steps else Progress.NOTHING

    def _collect(self, steps: int, timeout: float) -> FloatArray:
        command = f":TRAC:DATA? 1, {steps}, {BUFFER}, {ELEMENTS}"
        return self.scpi.numbers(command, COLUMNS * steps, timeout).reshape(steps, COLUMNS)

    def _unload(self) -> None:
        self.level = 0.0
