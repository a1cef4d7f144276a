"""Imitate a Keysight InfiniiVision oscilloscope.

What a program trips over is there: words come with the high byte first unless told otherwise, fewer points
may be sent than were asked for, the vertical step is no round number.
"""

from collections.abc import Sequence
from functools import partial
from typing import final

from sim_backend.virtual.scpi.digitizer import Digitizer, Input, State, Trigger, Window, wide
from sim_backend.virtual.scpi.errors import ScpiError
from sim_backend.virtual.scpi.instrument import Model, error_queue
from sim_backend.virtual.scpi.readings import block
from sim_backend.virtual.scpi.settings import Settings
from sim_backend.virtual.scpi.signals import EXTERNAL
from sim_backend.virtual.scpi.status import Status
from sim_backend.virtual.scpi.table import Call, Command
from sim_backend.virtual.scpi.values import Choice, Number, Switch

POINTS = (100, 250, 500, *(step * 10**n for n in (3, 4, 5, 6) for step in (1, 2, 5)), 10_000_000)
SCREEN = 62_500
"""Most points of a record as it is shown (NORMal)."""
STEPS = 199 / 8
"""Steps of the converter per division: eight divisions are 199 steps."""
DIVISIONS, MIDDLE, RUN = 10, 128, 8
_FORM = "{:+.8E}"


@final
class InfiniiVisionScope(Model):
    """Behave as a DSO-X 3034T with four channels and `memory` points."""

    def __init__(self, digitizer: Digitizer, serial: str = "MY52490001", memory: int = 10_000_000) -> None:
        super().__init__(Status(30, {}, 0, {"operation": 128}))
        self.identity = f"KEYSIGHT TECHNOLOGIES,DSO-X 3034T,{serial},07.20.2017102614"
        self.digitizer, self._s, self._memory = digitizer, Settings(), memory
        self._armed = self._digitizing = False
        self._seen = 0
        self._rows = [*self._vertical(), *self._horizontal(), *self._triggers(), *self._transfer()]
        self._s.declare("points", Number(100, POINTS[-1], 1000))
        self.reset()

    def commands(self) -> Sequence[Command]:
        """Return the commands of channels, time, trigger, acquisition and transfer."""
        return [*self._rows, *error_queue(self, '+0,"No error"')]

    def reset(self) -> None:
        """Return to the defaults."""
        self._s.reset()
        self._arm(False)
        self._armed = False

    def close(self) -> None:
        """Stop, so that nobody waits for a trigger any more."""
        with self.lock:
            self.digitizer.stop()

    def settle(self) -> None:
        """Wait until what :DIGitize began is recorded."""
        while self._digitizing and self.digitizer.look() is not State.STOPPED:
            self.lock.wait(0.005)
        self._digitizing = False

    def _vertical(self) -> list[Command]:
        put, s = partial(self._s.command, numbered=True), self._s
        return [
            put(":CHANnel<4>:DISPlay", "shown", Switch(True)),
            put(":CHANnel<4>:SCALe", "scale", Number(1e-3, 10, 1, _FORM)),
            Command(
                ":CHANnel<4>:RANGe", self._set_range, lambda c: _FORM.format(8 * s.of("scale", *c.suffixes))
            ),
            put(":CHANnel<4>:OFFSet", "offset", Number(-100, 100, 0, _FORM)),
            put(":CHANnel<4>:COUPling", "coupling", Choice("DC AC", "DC")),
            put(":CHANnel<4>:BWLimit", "bandwidth", Switch()),
            put(":CHANnel<4>:IMPedance", "impedance", Choice("ONEMeg FIFTy", "ONEM")),
            put(":CHANnel<4>:PROBe", "probe", Number(0.1, 1e4, 1, _FORM)),
            put(":CHANnel<4>:INVert", "invert", Switch()),
        ]

    def _horizontal(self) -> list[Command]:
        put, s = self._s.command, self._s
        return [
            put(":TIMebase:MODE", "time mode", Choice("MAIN WINDow XY ROLL", "MAIN")),
            put(":TIMebase:SCALe", "time scale", Number(2e-9, 50, 1e-4, _FORM)),
            Command(":TIMebase:RANGe", self._set_span, lambda c: _FORM.format(DIVISIONS * s["time scale"])),
            put(":TIMebase:POSition|DELay", "position", Number(-500, 500, 0, _FORM)),
            put(":TIMebase:REFerence", "reference", Choice("LEFT CENTer RIGHt", "CENT")),
            put(":ACQuire:TYPE", "sampling", Choice("NORMal AVERage HRESolution PEAK", "NORM")),
            put(":ACQuire:COUNt", "averages", Number(2, 65536, 8, whole=True)),
            Command(":ACQuire:POINts", ask=lambda c: f"{self._memory:+d}"),
            Command(":ACQuire:SRATe", ask=lambda c: _FORM.format(1 / self._window().step)),
        ]

    def _triggers(self) -> list[Command]:
        put = self._s.command
        sources = "CHANnel1 CHANnel2 CHANnel3 CHANnel4 EXTernal LINE"
        return [
            put(":TRIGger:MODE", "kind", Choice("EDGE GLITch PATTern TV", "EDGE")),
            put(":TRIGger:SWEep", "sweep", Choice("AUTO NORMal", "AUTO")),
            put(":TRIGger[:EDGE]:SOURce", "source", Choice(sources, "CHAN1")),
            put(":TRIGger[:EDGE]:SLOPe", "slope", Choice("POSitive NEGative EITHer ALTernate", "POS")),
            put(":TRIGger[:EDGE]:LEVel", "level", Number(-100, 100, 0, _FORM)),
            put(":TRIGger[:EDGE]:COUPling", "trigger coupling", Choice("DC AC LFReject", "DC")),
            Command(":TRIGger:FORCe", lambda c: self.digitizer.force()),
            Command(":SINGle", lambda c: self._arm(True)),
            Command(":RUN", lambda c: self._arm(False)),
            Command(":STOP", lambda c: self.digitizer.stop()),
            Command(":DIGitize", self._digitize),
            Command(":OPERegister:CONDition", ask=lambda c: f"{RUN * self._runs():+d}"),
            Command(":OPERegister[:EVENt]", ask=lambda c: f"{RUN * self._runs():+d}"),
            Command(":AER", ask=lambda c: self._take_armed()),
            Command(":TER", ask=lambda c: self._take_triggered()),
            Command(":RSTate", ask=lambda c: self._run_state()),
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
        return [
            put(":WAVeform:SOURce", "from", Choice("CHANnel1 CHANnel2 CHANnel3 CHANnel4", "CHAN1")),
            put(":WAVeform:FORMat", "format", Choice("BYTE WORD ASCii", "BYTE")),
            put(":WAVeform:BYTeorder", "order", Choice("MSBFirst LSBFirst", "MSBF")),
            put(":WAVeform:UNSigned", "unsigned", Switch(True)),
            put(":WAVeform:POINts:MODE", "points mode", Choice("NORMal MAXimum RAW", "NORM")),
            Command(":WAVeform:POINts", self._set_points, lambda c: f"{self._sent().points:+d}"),
            Command(":WAVeform:COUNt", ask=lambda c: "+1"),
            Command(":WAVeform:TYPE", ask=lambda c: "NORM"),
            *(
                Command(f":WAVeform:{node}", ask=partial(self._field, place))
                for node, place in fields.items()
            ),
            Command(":WAVeform:PREamble", ask=lambda c: ",".join(self._preamble())),
            Command(":WAVeform:DATA", ask=lambda c: self._data()),
        ]

    # Settings.

    def _set_range(self, call: Call) -> None:
        call.expect(1)
        self._s.put("scale", Number(8e-3, 80, 8).read(call.arguments[0]) / 8, *call.suffixes)

    def _set_span(self, call: Call) -> None:
        call.expect(1)
        self._s["time scale"] = Number(2e-8, 500, 1e-3).read(call.arguments[0]) / DIVISIONS

    def _set_points(self, call: Call) -> None:
        call.expect(1)
        word = call.word(0)
        asked = (
            POINTS[-1]
            if word in ("MAX", "MAXIMUM")
            else Number(100, POINTS[-1], 1000).read(call.arguments[0])
        )
        # The nearest possible number that is not larger.
        self._s.put("points", max(p for p in POINTS if p <= asked))

    # Acquisition.

    def _arm(self, single: bool) -> None:
        s = self._s
        channel = int(s["source"][-1]) if s["source"].startswith("CHAN") else EXTERNAL
        waits = s["sweep"] == "NORM"
        self.digitizer.arm(Trigger(channel, s["level"], s["slope"] == "POS", waits), self._window(), single)
        self._armed = True
        self._seen = self.digitizer.count

    def _digitize(self, call: Call) -> None:
        self._arm(True)
        self._digitizing = True
        self.settle()

    def _runs(self) -> bool:
        return self.digitizer.look() is not State.STOPPED

    def _run_state(self) -> str:
        states = {State.STOPPED: "STOP", State.RUNNING: "RUN"}
        return states.get(self.digitizer.look(), "SING")

    def _take_armed(self) -> str:
        armed, self._armed = self._armed, False
        return f"{armed:+d}"

    def _take_triggered(self) -> str:
        self.digitizer.look()
        triggered, self._seen = self.digitizer.count > self._seen, self.digitizer.count
        return f"{triggered:+d}"

    def _window(self) -> Window:
        s = self._s
        span = DIVISIONS * s["time scale"]
        before = {"LEFT": 0.1, "CENT": 0.5, "RIGH": 0.9}[s["reference"]] * span - s["position"]
        return Window(-before, span / self._memory, self._memory)

    # Transfer.

    def _sent(self) -> Window:
        """Return the window that is sent: as many points as asked for, or as there are."""
        s, whole = self._s, self._window()
        raw = s["points mode"] == "RAW" or (s["points mode"] == "MAX" and not self._runs())
        points = min(s.of("points"), self._memory if raw else SCREEN)
        return Window(whole.first, whole.step * whole.points / points, points)

    def _channel(self) -> int:
        number = int(self._s["from"][-1])
        if not self._s.of("shown", number):
            raise ScpiError(-221)
        return number

    def _preamble(self) -> list[str]:
        s, window, channel = self._s, self._sent(), self._channel()
        wide_ = 256 if s["format"] == "WORD" else 1
        form = {"BYTE": 0, "WORD": 1, "ASC": 4}[s["format"]]
        y_step = s.of("scale", channel) / STEPS / wide_
        whole = [f"{n:+d}" for n in (form, 0, window.points, 1)]
        reference = MIDDLE * wide_ if s["unsigned"] else 0
        times = [_FORM.format(window.step), _FORM.format(window.first), "+0"]
        return [
            *whole,
            *times,
            _FORM.format(y_step),
            _FORM.format(s.of("offset", channel)),
            f"{reference:+d}",
        ]

    def _field(self, place: int, call: Call) -> str:
        return self._preamble()[place]

    def _data(self) -> str | bytes:
        s, channel = self._s, self._channel()
        step, middle = s.of("scale", channel) / STEPS, MIDDLE if s["unsigned"] else 0
        seen = Input(step, s.of("offset", channel), middle, middle - 127, middle + 127)
        codes = self.digitizer.codes(channel, self._sent(), seen)
        if s["format"] == "ASC":
            volts = (codes.astype(float) - middle) * step + s.of("offset", channel)
            return block(",".join(f"{volt:+.6E}" for volt in volts).encode(), 8)
        return block(codes.tobytes() if s["format"] == "BYTE" else wide(codes, s["order"] == "LSBF"), 8)
