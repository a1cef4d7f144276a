"""Work the oscilloscopes of the Rigol DS1000Z family."""

from typing import final

from drivers.oscilloscope import Slope, Source
from drivers.rows import Flag, Number, Word
from drivers.scope_steps import deep_enough
from drivers.scpi_scope import ScpiScope, Settings
from drivers.waveform import Codes, Scaling

DEPTHS = (12_000, 120_000, 1_200_000, 12_000_000)
"""Points of a record when one channel is shown; two share them, and from three on each has a quarter."""
PIECE = 250_000
"""Most points of one byte that one reading of the memory brings."""


@final
class RigolDs1000z(ScpiScope):
    """Record with a DS1000Z or MSO1000Z (maker's programming guide)."""

    model = r"RIGOL TECHNOLOGIES,\s*(DS|MSO)1\d\d4Z.*"
    stop_command = ":STOP"
    divisions = 12

    shown = Flag(":CHAN{c}:DISP?", ":CHAN{c}:DISP {}", "Show a channel, and record it.")
    coupling = Word(":CHAN{c}:COUP?", ":CHAN{c}:COUP {}", ("DC", "AC"), "Set the coupling of a channel.")
    scale = Number(
        ":CHAN{c}:SCAL?", ":CHAN{c}:SCAL {}", "V", 1e-3, 100.0, "Set volts per division of a channel."
    )
    shift = Number(
        ":CHAN{c}:OFFS?", ":CHAN{c}:OFFS {}", "V", -1000.0, 1000.0, "Set how far zero is moved up."
    )
    time_mode = Word(":TIM:MODE?", ":TIM:MODE {}", ("MAIN",), "Set how time runs over the screen.")
    time_scale = Number(":TIM:MAIN:SCAL?", ":TIM:MAIN:SCAL {}", "s", 5e-9, 50.0, "Set seconds per division.")
    delay = Number(
        ":TIM:MAIN:OFFS?", ":TIM:MAIN:OFFS {}", "s", -5000.0, 5000.0, "Set the time in the middle."
    )
    depth = Number(":ACQ:MDEP?", ":ACQ:MDEP {}", "points", 3e3, 2.4e7, "Set the points of a record.")
    kind = Word(":TRIG:MODE?", ":TRIG:MODE {}", ("EDGE",), "Set what triggers.")
    sweep = Word(
        ":TRIG:SWE?", ":TRIG:SWE {}", ("NORM", "AUTO", "SING"), "Set whether a trigger is waited for."
    )
    source = Word(
        ":TRIG:EDG:SOUR?",
        ":TRIG:EDG:SOUR {}",
        ("CHAN1", "CHAN2", "CHAN3", "CHAN4", "EXT"),
        "Set the trigger source.",
    )
    slope = Word(":TRIG:EDG:SLOP?", ":TRIG:EDG:SLOP {}", ("POS", "NEG"), "Set the edge that triggers.")
    level = Number(
        ":TRIG:EDG:LEV?", ":TRIG:EDG:LEV {}", "V", -1000.0, 1000.0, "Set the level of the trigger."
    )
    sent = Word(
        ":WAV:SOUR?", ":WAV:SOUR {}", ("CHAN1", "CHAN2", "CHAN3", "CHAN4"), "Choose the channel that is sent."
    )
    sampling = Word(
        ":ACQ:TYPE?", ":ACQ:TYPE {}", ("NORM", "HRES"), "Set what becomes of the samples of a point."
    )

    def acquired(self) -> bool:
        """Tell whether the acquisition that `single` armed is complete."""
        return self._state() == "STOP"

    def _prepare(self) -> None:
        self.scpi.set(":WAV:FORM BYTE")

    def _errors(self) -> list[str]:
        return self.scpi.drain()

    def _centre(self, offset: float) -> Settings:
        # This maker moves zero up, where the others say which voltage is in the middle.
        return {type(self).shift: -offset}

    def _record(self, span: float, points: int, before: float) -> Settings:
        kind = type(self)
        # The memory can be divided anew only while it records.
        self.scpi.set(":RUN")
        self._apply({kind.depth: float(self._depth(points))}, f"keep {points} points")
        self.scpi.set(self.stop_command)
        return {kind.time_mode: "MAIN", kind.delay: span / 2 - before}

    def _depth(self, points: int) -> int:
        shown = sum(self.scpi.number(f":CHAN{c}:DISP?") != 0 for c in range(1, self.channels + 1))
        share = 1 if shown <= 1 else 2 if shown == 2 else 4
        return deep_enough(points, tuple(depth // share for depth in DEPTHS))

    def _edge(self, source: Source, slope: Slope) -> Settings:
        kind = type(self)
        edge = {"rise": "POS", "fall": "NEG"}[slope]
        return {kind.kind: "EDGE", kind.sweep: "NORM", kind.source: self._named(source), kind.slope: edge}

    def _named(self, source: Source) -> str:
        return "EXT" if source == "EXT" else f"CHAN{source}"

    def _arm(self) -> None:
        self._apply({type(self).sampling: "NORM"}, "record plain samples")
        # From a run, so that a state of STOP afterwards means a record, and not that it has not begun yet.
        self.scpi.start(":RUN")
        self._await(lambda: self._state() != "STOP")
        self.scpi.start(":SING")

    def _waits(self) -> bool:
        return self._state() in ("WAIT", "TD", "STOP")

    def _state(self) -> str:
        return self.scpi.query(":TRIG:STAT?").strip().upper()

    def _scaling(self) -> Scaling:
        for command in (":WAV:SOUR CHAN{c}", ":WAV:MODE RAW", ":WAV:STAR 1"):
            self.scpi.start(self.scpi.fill(command))
        return Scaling.rigol(self.scpi.query(":WAV:PRE?"))

    def _codes(self, scaling: Scaling) -> Codes:
        data = bytearray()
        for first in range(1, scaling.points + 1, PIECE):
            last = min(first + PIECE - 1, scaling.points)
            self.scpi.start(f":WAV:STAR {first}")
            self.scpi.start(f":WAV:STOP {last}")
            data += self.scpi.link.block(":WAV:DATA?", (last - first + 1) * scaling.width)
        return scaling.codes(data)
