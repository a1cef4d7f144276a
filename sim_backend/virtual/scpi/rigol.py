"""Imitate a Rigol DS1000Z oscilloscope.

What a program trips over is there: the memory can only be read in STOP and in parts, its depth can only be
set while it runs, the vertical origin is a number of codes, and zero is moved up instead of the middle down.
"""

from collections.abc import Sequence
from functools import partial
from typing import final

import numpy as np

from sim_backend.virtual.scpi.digitizer import Digitizer, Input, State, Trigger, Window
from sim_backend.virtual.scpi.errors import ScpiError
from sim_backend.virtual.scpi.instrument import Model, error_queue
from sim_backend.virtual.scpi.readings import block
from sim_backend.virtual.scpi.settings import Settings
from sim_backend.virtual.scpi.signals import EXTERNAL
from sim_backend.virtual.scpi.status import Status
from sim_backend.virtual.scpi.table import Call, Command
from sim_backend.virtual.scpi.values import Choice, Number, Switch

DEPTHS = (12_000, 120_000, 1_200_000, 12_000_000, 24_000_000)
"""Points of the memory with one channel; two share them, and from three on each has a quarter."""
SCREEN = 1200
DIVISIONS, STEPS, MIDDLE = 12, 25, 127
PIECES = {"BYTE": 250_000, "WORD": 125_000, "ASC": 15_625}
"""Most points of one reading of the memory."""
WORDS = {-113: "Undefined header; keyword cannot be found", -222: "Data out of range"}
_FORM = "{:e}"


@final
class RigolScope(Model):
    """Behave as a DS1104Z with four channels."""

    def __init__(self, digitizer: Digitizer, serial: str = "DS1ZA000000001") -> None:
        super().__init__(Status(20, WORDS, 0))
        self.identity = f"RIGOL TECHNOLOGIES,DS1104Z,{serial},00.04.04.SP3"
        self.digitizer, self._s = digitizer, Settings()
        self._depth = 0
        self._rows = [*self._vertical(), *self._horizontal(), *self._triggers(), *self._transfer()]
        self.reset()

    def commands(self) -> Sequence[Command]:
        """Return the commands of channels, time, trigger, acquisition and transfer."""
        return [*self._rows, *error_queue(self)]

    def reset(self) -> None:
        """Return to the defaults: one channel is shown, and it runs."""
        self._s.reset()
        self._s.put("shown", True, 1)
        self._depth = 0
        self._arm("AUTO")

    def _vertical(self) -> list[Command]:
        put = partial(self._s.command, numbered=True)
        return [
            put(":CHANnel<4>:DISPlay", "shown", Switch()),
            put(":CHANnel<4>:SCALe", "scale", Number(1e-3, 100, 1, _FORM)),
            put(":CHANnel<4>:OFFSet", "offset", Number(-1000, 1000, 0, _FORM)),
            put(":CHANnel<4>:COUPling", "coupling", Choice("DC AC GND", "DC")),
            put(":CHANnel<4>:BWLimit", "bandwidth", Choice("OFF 20M", "OFF")),
            put(":CHANnel<4>:PROBe", "probe", Number(0.01, 1000, 10, "{:g}")),
            put(":CHANnel<4>:INVert", "invert", Switch()),
        ]

    def _horizontal(self) -> list[Command]:
        put = self._s.command
        return [
            put(":TIMebase:MODE", "time mode", Choice("MAIN XY ROLL", "MAIN")),
            put(":TIMebase[:MAIN]:SCALe", "time scale", Number(5e-9, 50, 1e-6, _FORM)),
            put(":TIMebase[:MAIN]:OFFSet", "position", Number(-5000, 5000, 0, _FORM)),
            put(":ACQuire:TYPE", "sampling", Choice("NORMal AVERages PEAK HRESolution", "NORM")),
            put(":ACQuire:AVERages", "averages", Number(2, 1024, 2, whole=True)),
            Command(
                ":ACQuire:MDEPth", self._set_depth, lambda c: str(self._depth) if self._depth else "AUTO"
            ),
            Command(":ACQuire:SRATe", ask=lambda c: _FORM.format(1 / self._window().step)),
        ]

    def _triggers(self) -> list[Command]:
        put = self._s.command
        sources = "CHANnel1 CHANnel2 CHANnel3 CHANnel4 AC"
        return [
            put(":TRIGger:MODE", "kind", Choice("EDGE PULSe SLOPe VIDeo", "EDGE")),
            put(":TRIGger:SWEep", "sweep", Choice("AUTO NORMal SINGle", "AUTO"), after=self._swept),
            put(":TRIGger:EDGe:SOURce", "source", Choice(sources, "CHAN1")),
            put(":TRIGger:EDGe:SLOPe", "slope", Choice("POSitive NEGative RFALl", "POS")),
            put(":TRIGger:EDGe:LEVel", "level", Number(-1000, 1000, 0, _FORM)),
            put(":TRIGger:COUPling", "trigger coupling", Choice("DC AC LFReject HFReject", "DC")),
            Command(":TRIGger:STATus", ask=lambda c: self._state()),
            Command(":TFORce", lambda c: self.digitizer.force()),
            Command(":SINGle", lambda c: self._arm("SING")),
            Command(":RUN", lambda c: self._arm("AUTO" if self._s["sweep"] == "SING" else self._s["sweep"])),
            Command(":STOP", lambda c: self.digitizer.stop()),
            Command(":CLEar", lambda c: None),
        ]

    def _transfer(self) -> list[Command]:
        put = self._s.command
        fields = {
            "XINCrement": 4,
            "XORigin": 5,
            "XREFerence": 6,
            "YINCrement": 7,
            "YORigin": 8,
            "YREFerence": 9,
        }
        point = Number(1, DEPTHS[-1], 1, whole=True)
        return [
            put(":WAVeform:SOURce", "from", Choice("CHANnel1 CHANnel2 CHANnel3 CHANnel4", "CHAN1")),
            put(":WAVeform:MODE", "mode", Choice("NORMal MAXimum RAW", "NORM")),
            put(":WAVeform:FORMat", "format", Choice("BYTE WORD ASCii", "BYTE")),
            put(":WAVeform:STARt", "first", point),
            put(":WAVeform:STOP", "last", Number(1, DEPTHS[-1], SCREEN, whole=True)),
            *(
                Command(f":WAVeform:{node}", ask=partial(self._field, place))
                for node, place in fields.items()
            ),
            Command(":WAVeform:PREamble", ask=lambda c: ",".join(self._preamble())),
            Command(":WAVeform:DATA", ask=lambda c: self._data()),
        ]

    # Acquisition.

    def _set_depth(self, call: Call) -> None:
        call.expect(1)
        shown = sum(bool(self._s.of("shown", n)) for n in range(1, 5))
        share = 1 if shown <= 1 else 2 if shown == 2 else 4
        depths = {0: 0} if call.word(0) == "AUTO" else {depth // share: depth // share for depth in DEPTHS}
        asked = 0 if call.word(0) == "AUTO" else round(call.number(0, 0))
        if asked not in depths:
            raise ScpiError(-222)
        if self.digitizer.look() is not State.STOPPED:  # in STOP the memory cannot be divided anew
            self._depth = asked
            self._arm(self._s["sweep"])

    def _swept(self) -> None:
        if self._s["sweep"] == "SING":
            self._arm("SING")

    def _arm(self, sweep: str) -> None:
        s = self._s
        s["sweep"] = sweep
        channel = int(s["source"][-1]) if s["source"].startswith("CHAN") else EXTERNAL
        trigger = Trigger(channel, s["level"], s["slope"] == "POS", sweep != "AUTO")
        self.digitizer.arm(trigger, self._window(), sweep == "SING")

    def _state(self) -> str:
        states = {State.STOPPED: "STOP", State.WAITING: "WAIT", State.TRIGGERED: "TD"}
        running = "AUTO" if self._s["sweep"] == "AUTO" else "WAIT"
        return states.get(self.digitizer.look(), running)

    def _window(self) -> Window:
        s = self._s
        span, depth = DIVISIONS * s["time scale"], self._depth or DEPTHS[0]
        return Window(s["position"] - 0.5 * span, span / depth, depth)

    # Transfer.

    def _stopped(self) -> bool:
        return self.digitizer.look() is State.STOPPED

    def _source(self) -> Window:
        """Return what is read: the memory, or the screen."""
        whole, mode = self._window(), self._s["mode"]
        if mode == "RAW" or (mode == "MAX" and self._stopped()):
            return whole
        return Window(whole.first, whole.step * whole.points / SCREEN, SCREEN)

    def _input(self, channel: int) -> Input:
        scale = self._s.of("scale", channel)
        return Input(scale / STEPS, -self._origin(channel) * scale / STEPS, MIDDLE, 0, 255)

    def _origin(self, channel: int) -> int:
        """Return by how many codes zero is moved up."""
        steps: float = self._s.of("offset", channel) / self._s.of("scale", channel) * STEPS
        return round(steps)

    def _preamble(self) -> list[str]:
        s, window, channel = self._s, self._source(), int(self._s["from"][-1])
        form = {"BYTE": 0, "WORD": 1, "ASC": 2}[s["format"]]
        mode = {"NORM": 0, "MAX": 1, "RAW": 2}[s["mode"]]
        step = _FORM.format(s.of("scale", channel) / STEPS)
        times = [_FORM.format(window.step), _FORM.format(window.first), "0"]
        return [
            str(form),
            str(mode),
            str(window.points),
            "1",
            *times,
            step,
            str(self._origin(channel)),
            str(MIDDLE),
        ]

    def _field(self, place: int, call: Call) -> str:
        return self._preamble()[place]

    def _data(self) -> str | bytes:
        s, channel = self._s, int(self._s["from"][-1])
        if not s.of("shown", channel) or (s["mode"] == "RAW" and not self._stopped()):
            return block(b"", 9)  # there is nothing to read
        whole, first, last = self._source(), round(s["first"]), round(s["last"])
        points = last - first + 1
        if not 1 <= first <= last <= whole.points or points > PIECES[s["format"]]:
            raise ScpiError(-222)
        # The whole record is made once and cut, as the memory is.
        codes = self.digitizer.codes(channel, whole, self._input(channel))[first - 1 : last]
        if s["format"] == "ASC":
            volts = (codes.astype(float) - MIDDLE - self._origin(channel)) * s.of("scale", channel) / STEPS
            return block(",".join(f"{volt:e}" for volt in volts).encode(), 9)
        return block(codes.tobytes() if s["format"] == "BYTE" else codes.astype(np.dtype("<u2")).tobytes(), 9)
