"""Work the oscilloscopes of the Keysight (Agilent) InfiniiVision family."""

from typing import final

from drivers.oscilloscope import Slope, Source
from drivers.rows import Flag, Number, Word
from drivers.scope_steps import deep_enough
from drivers.scpi_scope import ScpiScope, Settings
from drivers.waveform import Codes, Scaling
from rramlab.errors import LinkError, LinkFault

DEPTHS = (100, 250, 500, *(step * 10**n for n in (3, 4, 5, 6) for step in (1, 2, 5)))
RUNNING = 8
"""Bit of the operation condition register that is set while the oscilloscope does not stand."""


@final
class KeysightInfiniiVision(ScpiScope):
    """Record with an InfiniiVision of the series 1000 X to 6000 X (maker's programmer's guide).

    A record comes in one block, for this family cannot send a part of one; the link reads it in pieces.
    """

    model = r"(KEYSIGHT|AGILENT)( TECHNOLOGIES)?,\s*(EDU|DSO|MSO)-?X.*"
    stop_command = ":STOP"

    shown = Flag(":CHAN{c}:DISP?", ":CHAN{c}:DISP {}", "Show a channel, and record it.")
    coupling = Word(":CHAN{c}:COUP?", ":CHAN{c}:COUP {}", ("DC", "AC"), "Set the coupling of a channel.")
    scale = Number(
        ":CHAN{c}:SCAL?", ":CHAN{c}:SCAL {}", "V", 1e-3, 1000.0, "Set volts per division of a channel."
    )
    offset = Number(
        ":CHAN{c}:OFFS?", ":CHAN{c}:OFFS {}", "V", -1000.0, 1000.0, "Set the voltage in the middle."
    )
    time_mode = Word(":TIM:MODE?", ":TIM:MODE {}", ("MAIN",), "Set how time runs over the screen.")
    time_scale = Number(":TIM:SCAL?", ":TIM:SCAL {}", "s", 2e-9, 50.0, "Set seconds per division.")
    reference = Word(":TIM:REF?", ":TIM:REF {}", ("CENT", "LEFT", "RIGH"), "Set where the delay points to.")
    delay = Number(":TIM:POS?", ":TIM:POS {}", "s", -500.0, 500.0, "Set the time from trigger to reference.")
    kind = Word(":TRIG:MODE?", ":TRIG:MODE {}", ("EDGE",), "Set what triggers.")
    sweep = Word(
        ":TRIG:SWE?", ":TRIG:SWE {}", ("NORM", "AUTO"), "Set whether a missing trigger is waited for."
    )
    source = Word(
        ":TRIG:EDGE:SOUR?",
        ":TRIG:EDGE:SOUR {}",
        ("CHAN1", "CHAN2", "CHAN3", "CHAN4", "EXT"),
        "Set the trigger source.",
    )
    slope = Word(":TRIG:EDGE:SLOP?", ":TRIG:EDGE:SLOP {}", ("POS", "NEG"), "Set the edge that triggers.")
    level = Number(
        ":TRIG:EDGE:LEV?", ":TRIG:EDGE:LEV {}", "V", -1000.0, 1000.0, "Set the level of the trigger."
    )
    sent = Word(
        ":WAV:SOUR?", ":WAV:SOUR {}", ("CHAN1", "CHAN2", "CHAN3", "CHAN4"), "Choose the channel that is sent."
    )
    sampling = Word(
        ":ACQ:TYPE?", ":ACQ:TYPE {}", ("NORM", "HRES"), "Set what becomes of the samples of a point."
    )

    _depth = DEPTHS[0]

    def acquired(self) -> bool:
        """Tell whether the acquisition that `single` armed is complete."""
        return not int(self.scpi.number(":OPER:COND?")) & RUNNING

    def _prepare(self) -> None:
        for command in (":WAV:FORM BYTE", ":WAV:UNS 1", ":WAV:BYT LSBF"):
            self.scpi.set(command)

    def _errors(self) -> list[str]:
        return self.scpi.drain()

    def _centre(self, offset: float) -> Settings:
        return {type(self).offset: offset}

    def _record(self, span: float, points: int, before: float) -> Settings:
        # The depth of the memory follows the time base; how many points are sent is said at the transfer.
        self._depth = deep_enough(points, DEPTHS)
        kind = type(self)
        return {kind.time_mode: "MAIN", kind.reference: "CENT", kind.delay: span / 2 - before}

    def _edge(self, source: Source, slope: Slope) -> Settings:
        kind = type(self)
        edge = {"rise": "POS", "fall": "NEG"}[slope]
        return {kind.kind: "EDGE", kind.sweep: "NORM", kind.source: self._named(source), kind.slope: edge}

    def _named(self, source: Source) -> str:
        return "EXT" if source == "EXT" else f"CHAN{source}"

    def _arm(self) -> None:
        self._apply({type(self).sampling: "NORM"}, "record plain samples")
        self.scpi.query(":AER?")
        self.scpi.start(":SING")

    def _waits(self) -> bool:
        # The event register remembers that it was armed, even when the trigger came at once.
        return self.scpi.number(":AER?") == 1

    def _scaling(self) -> Scaling:
        for command in (":WAV:SOUR CHAN{c}", ":WAV:POIN:MODE RAW", f":WAV:POIN {self._depth}"):
            self.scpi.start(self.scpi.fill(command))
        scaling = Scaling.keysight(self.scpi.query(":WAV:PRE?"))
        if scaling.points < self._depth:
            raise LinkError(
                LinkFault.MISMATCH,
                f"{self.scpi.name} has {scaling.points} points where {self._depth} were asked for; ask for "
                "fewer, record longer, or show fewer channels",
            )
        return scaling

    def _codes(self, scaling: Scaling) -> Codes:
        return scaling.codes(self.scpi.link.block(":WAV:DATA?", scaling.points * scaling.width))
