"""Work the oscilloscopes of the Tektronix MSO4000 and DPO4000 family."""

import re
from typing import final

import numpy as np

from drivers.oscilloscope import Slope, Source
from drivers.rows import Flag, Number, Word
from drivers.scope_steps import deep_enough
from drivers.scpi_scope import ScpiScope, Settings
from drivers.waveform import Codes, Scaling

DEPTHS = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
PIECE = 1_000_000
"""Points of one transfer; a deep memory comes in several."""
PREAMBLE = ("BYT_N", "BN_F", "BYT_O", "NR_P", "XIN", "XZE", "YMU", "YOF", "YZE")
"""Fields of WFMOutpre, in the order in which `Scaling.tektronix` takes them."""
HARMLESS = range(400, 500)
"""Events that are no errors: power on, operation complete."""


@final
class TektronixMso4000(ScpiScope):
    """Record with an MSO/DPO/MDO4000 (maker's programmer manual)."""

    model = r"TEKTRONIX,\s*(MSO|DPO|MDO)4\w*,.*"
    stop_command = "ACQ:STATE OFF"
    steps = (1, 2, 4)

    shown = Flag("SEL:CH{c}?", "SEL:CH{c} {}", "Show a channel, and record it.")
    coupling = Word("CH{c}:COUP?", "CH{c}:COUP {}", ("DC", "AC"), "Set the coupling of a channel.")
    scale = Number("CH{c}:SCA?", "CH{c}:SCA {}", "V", 1e-3, 1000.0, "Set volts per division of a channel.")
    position = Number(
        "CH{c}:POS?", "CH{c}:POS {}", "div", -8.0, 8.0, "Set where zero is drawn, from the middle."
    )
    offset = Number("CH{c}:OFFS?", "CH{c}:OFFS {}", "V", -1000.0, 1000.0, "Set the voltage in the middle.")
    time_scale = Number("HOR:SCA?", "HOR:SCA {}", "s", 1e-9, 1000.0, "Set seconds per division.")
    depth = Number("HOR:RECO?", "HOR:RECO {}", "points", 1e3, 2e7, "Set the points of a record.")
    delayed = Flag("HOR:DEL:MOD?", "HOR:DEL:MOD {}", "Delay the record against the trigger.")
    share = Number("HOR:POS?", "HOR:POS {}", "%", 0.0, 100.0, "Set the share of a record before the trigger.")
    kind = Word("TRIG:A:TYP?", "TRIG:A:TYP {}", ("EDG",), "Set what triggers.")
    mode = Word(
        "TRIG:A:MOD?", "TRIG:A:MOD {}", ("NORM", "AUTO"), "Set whether a missing trigger is waited for."
    )
    source = Word(
        "TRIG:A:EDGE:SOU?",
        "TRIG:A:EDGE:SOU {}",
        ("CH1", "CH2", "CH3", "CH4", "AUX"),
        "Set the trigger source.",
    )
    slope = Word("TRIG:A:EDGE:SLO?", "TRIG:A:EDGE:SLO {}", ("RIS", "FALL"), "Set the edge that triggers.")
    sent = Word("DAT:SOU?", "DAT:SOU {}", ("CH1", "CH2", "CH3", "CH4"), "Choose the channel that is sent.")
    level = Number("TRIG:A:LEV?", "TRIG:A:LEV {}", "V", -1000.0, 1000.0, "Set the level of the trigger.")
    sampling = Word("ACQ:MOD?", "ACQ:MOD {}", ("SAM", "HIR"), "Set what becomes of the samples of a point.")
    after = Word("ACQ:STOPA?", "ACQ:STOPA {}", ("SEQ", "RUNST"), "Set after what an acquisition stops.")

    def acquired(self) -> bool:
        """Tell whether the acquisition that `single` armed is complete."""
        return self.scpi.number("ACQ:STATE?") == 0

    def _prepare(self) -> None:
        self.scpi.set("HEAD 0")
        self.scpi.set("VERB 0")

    def _errors(self) -> list[str]:
        # Events show themselves only after the event register was read.
        self.scpi.query("*ESR?")
        events = re.findall(r'(\d+),("(?:[^"]|"")*")', self.scpi.query("ALLEV?"))
        return [f"{number},{text}" for number, text in events if _is_error(int(number))]

    def _centre(self, offset: float) -> Settings:
        kind = type(self)
        return {kind.position: 0.0, kind.offset: offset}

    def _record(self, span: float, points: int, before: float) -> Settings:
        kind = type(self)
        depth = float(deep_enough(points, DEPTHS))
        return {kind.depth: depth, kind.delayed: False, kind.share: 100.0 * before / span}

    def _edge(self, source: Source, slope: Slope) -> Settings:
        kind = type(self)
        edge = {"rise": "RIS", "fall": "FALL"}[slope]
        return {kind.kind: "EDG", kind.mode: "NORM", kind.source: self._named(source), kind.slope: edge}

    def _named(self, source: Source) -> str:
        return "AUX" if source == "EXT" else f"CH{source}"

    def _arm(self) -> None:
        kind = type(self)
        self._apply({kind.sampling: "SAM", kind.after: "SEQ"}, "record one acquisition")
        # Not acknowledged: *OPC? would be answered only when the acquisition is complete.
        self.scpi.start("ACQ:STATE ON")

    def _waits(self) -> bool:
        return self.scpi.query("TRIG:STATE?").strip().upper()[:3] in ("REA", "TRI", "SAV")

    def _scaling(self) -> Scaling:
        # XZERO is the time of the first point that is sent: asked for while that is the first of the record,
        # and while the last that is asked for is beyond its end.
        whole = f"STAR 1;STOP {DEPTHS[-1]}"
        self.scpi.start(self.scpi.fill(f"DAT:SOU CH{{c}};ENC RIB;WID 1;{whole}"))
        return Scaling.tektronix(self.scpi.query(f"WFMO:{'?;'.join(PREAMBLE)}?").split(";"))

    def _codes(self, scaling: Scaling) -> Codes:
        data = bytearray()
        for first in range(1, scaling.points + 1, PIECE):
            last = min(first + PIECE - 1, scaling.points)
            self.scpi.start(f"DAT:STAR {first};STOP {last}")
            data += self.scpi.link.block("CURV?", (last - first + 1) * scaling.width)
        return np.asarray(scaling.codes(data))


def _is_error(number: int) -> bool:
    """Tell whether an event is one; 0 and 1 say that there is none."""
    return number > 1 and number not in HARMLESS
