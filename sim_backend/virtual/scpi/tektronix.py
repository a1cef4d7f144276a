"""Imitate a Tektronix MSO4000 oscilloscope.

What a program trips over is there: headers stand in front of answers until HEADer is off, events show
themselves only after *ESR? was read, *OPC? waits for the acquisition.
"""

from collections.abc import Sequence
from functools import partial
from typing import final

from sim_backend.virtual.scpi.digitizer import Digitizer, Input, State, Trigger, Window, wide
from sim_backend.virtual.scpi.errors import ScpiError
from sim_backend.virtual.scpi.instrument import Model
from sim_backend.virtual.scpi.readings import block
from sim_backend.virtual.scpi.settings import Settings
from sim_backend.virtual.scpi.signals import EXTERNAL
from sim_backend.virtual.scpi.status import Status
from sim_backend.virtual.scpi.table import Call, Command, Found
from sim_backend.virtual.scpi.tektronix_events import Events
from sim_backend.virtual.scpi.values import Choice, Kind, Number, Switch

DEPTHS = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
STEPS = 25
"""Steps of the converter per division."""
DIVISIONS = 10
QUEUE = 33
"""Events that it keeps."""
INACTIVE = 2244
ENCODINGS = "ASCIi FAStest RIBinary RPBinary SFPbinary SRIbinary SRPbinary"
_FORM = "{:.4E}"


@final
class TektronixScope(Model):
    """Behave as an MSO4104 with four channels."""

    def __init__(self, digitizer: Digitizer, serial: str = "C000101") -> None:
        super().__init__(Status(QUEUE, {INACTIVE: "Source waveform is not active"}, 0))
        self.identity = f"TEKTRONIX,MSO4104,{serial},CF:91.1CT FV:v2.68"
        self.digitizer, self._s = digitizer, Settings()
        self._rows = [
            *self._vertical(),
            *self._horizontal(),
            *self._triggers(),
            *self._transfer(),
            *self._other(),
        ]
        self.reset()

    def commands(self) -> Sequence[Command]:
        """Return the commands of channels, time, trigger, acquisition and transfer."""
        return self._rows

    def reset(self) -> None:
        """Return to the defaults; headers stay as they are."""
        self._s.reset("header", "verbose")
        self.digitizer.arm(self._trigger(), self._window(), single=False)

    def close(self) -> None:
        """Stop, so that nobody waits for a trigger any more."""
        with self.lock:
            self.digitizer.stop()

    def settle(self) -> None:
        """Wait until the acquisition is complete."""
        while self._is_single() and self.digitizer.look() is not State.STOPPED:
            self.lock.wait(0.005)

    def dress(self, found: Found, answer: str | bytes) -> str | bytes:
        """Return an answer behind its header, unless headers are off."""
        if not self._s["header"] or found.pattern.startswith("*"):
            return answer
        header = found.header(long=self._s["verbose"]) + " "
        return header + answer if isinstance(answer, str) else header.encode() + answer

    def _choice(self, words: str, default: str) -> Choice:
        return Choice(words, default, lambda: bool(self._s["verbose"]))

    def _vertical(self) -> list[Command]:
        put = partial(self._s.command, numbered=True)
        return [
            put(":SELect:CH<4>", "shown", Switch(True)),
            put(":CH<4>:SCAle", "scale", Number(1e-3, 10, 0.1, _FORM)),
            put(":CH<4>:OFFSet", "offset", Number(-100, 100, 0, _FORM)),
            put(":CH<4>:POSition", "position", Number(-8, 8, 0, _FORM)),
            put(":CH<4>:COUPling", "coupling", self._choice("DC AC DCREJect", "DC")),
            put(":CH<4>:BANdwidth", "bandwidth", self._choice("FULl TWEnty TWOfifty", "FUL")),
            put(":CH<4>:TERmination", "termination", Number(50, 1e6, 1e6, _FORM)),
            put(":CH<4>:PRObe:GAIN", "probe", Number(1e-3, 1e3, 1, _FORM)),
        ]

    def _horizontal(self) -> list[Command]:
        put = self._s.command
        return [
            put(":HORizontal:SCAle", "time scale", Number(1e-9, 1000, 4e-6, _FORM)),
            put(":HORizontal:RECOrdlength", "depth", _Depth()),
            put(":HORizontal:POSition", "before", Number(0, 100, 50, _FORM)),
            put(":HORizontal:DELay:MODe", "delayed", Switch(True)),
            put(":HORizontal:DELay:TIMe", "delay", Number(-1e4, 1e4, 0, _FORM)),
            Command(":HORizontal:SAMPLERate", ask=lambda c: _FORM.format(1 / self._window().step)),
        ]

    def _triggers(self) -> list[Command]:
        put = self._s.command
        level = Number(-100, 100, 0, _FORM)
        return [
            put(":TRIGger:A:TYPe", "type", self._choice("EDGe LOGIc PULSe VIDeo", "EDG")),
            put(":TRIGger:A:MODe", "mode", self._choice("AUTO NORMal", "AUTO")),
            put(":TRIGger:A:EDGE:SOUrce", "source", Choice("CH1 CH2 CH3 CH4 AUX LINE EXT", "CH1")),
            put(":TRIGger:A:EDGE:SLOpe", "slope", self._choice("RISe FALL", "RIS")),
            put(":TRIGger:A:EDGE:COUPling", "trigger coupling", self._choice("DC AC HFRej LFRej", "DC")),
            put(":TRIGger:A:LEVel", "level", level),
            put(":TRIGger:A:LEVel:CH<4>", "level", level),
            Command(":TRIGger", self._force),
            Command(":TRIGger:STATE", ask=self._trigger_state),
            put(":ACQuire:STOPAfter", "after", self._choice("RUNSTop SEQuence", "RUNST")),
            put(":ACQuire:MODe", "sampling", self._choice("SAMple PEAKdetect HIRes AVErage ENVelope", "SAM")),
            Command(":ACQuire:STATE", self._acquire, lambda c: str(int(self._busy()))),
            Command(":ACQuire:NUMACq", ask=lambda c: str(self.digitizer.count)),
            Command(":BUSY", ask=lambda c: str(int(self._busy()))),
        ]

    def _transfer(self) -> list[Command]:
        put = self._s.command
        fields = {name: partial(self._field, name) for name in ("WFId", "NR_Pt", "XINcr", "XZEro", "YMUlt")}
        fields |= {name: partial(self._field, name) for name in ("YOFf", "YZEro", "PT_Off", "PT_Fmt")}
        fields |= {name: partial(self._field, name) for name in ("XUNit", "YUNit", "BIT_Nr", "ENCdg")}
        point = Number(1, 1e7, 1, whole=True)
        return [
            put(":DATa:SOUrce", "from", Choice("CH1 CH2 CH3 CH4", "CH1")),
            put(":DATa:STARt", "first", point),
            put(":DATa:STOP", "last", Number(1, 1e7, 10_000, whole=True)),
            put(":DATa:ENCdg", "encoding", self._choice(ENCODINGS, "RIB")),
            put(":DATa:WIDth", "width", Number(1, 2, 1, whole=True)),
            put(":WFMOutpre:BYT_Nr", "width", Number(1, 2, 1, whole=True)),
            Command(
                ":WFMOutpre:BN_Fmt", self._set_sign, lambda c: "RP" if "RP" in self._encoding() else "RI"
            ),
            Command(":WFMOutpre:BYT_Or", self._set_order, lambda c: "LSB" if self._swapped() else "MSB"),
            *(Command(f":WFMOutpre:{name}", ask=ask) for name, ask in fields.items()),
            Command(":WFMOutpre", ask=self._preamble),
            Command(":CURVe", ask=self._curve),
        ]

    def _other(self) -> list[Command]:
        s = self._s
        return [
            *Events(self.status).commands(),
            s.command(":HEADer|HDR", "header", Switch(True)),
            s.command(":VERBose", "verbose", Switch(True)),
            Command("*PSC", lambda c: None, lambda c: "1"),
            Command(":FACtory", lambda c: self.reset()),
        ]

    # Acquisition.

    def _window(self) -> Window:
        s, depth = self._s, round(self._s["depth"])
        span = DIVISIONS * s["time scale"]
        before = 0.5 * span - s["delay"] if s["delayed"] else 0.01 * s["before"] * span
        return Window(-before, span / depth, depth)

    def _acquire(self, call: Call) -> None:
        call.expect(1)
        if call.word(0) in ("ON", "1", "RUN"):
            self.digitizer.arm(self._trigger(), self._window(), self._is_single())
        else:
            self.digitizer.stop()

    def _trigger(self) -> Trigger:
        s = self._s
        channel = int(s["source"][2]) if s["source"].startswith("CH") else EXTERNAL
        return Trigger(channel, s["level"], s["slope"] == "RIS", s["mode"] == "NORM")

    def _force(self, call: Call) -> None:
        if call.word(0) not in ("FORC", "FORCE"):
            raise ScpiError(-224)
        self.digitizer.force()

    def _is_single(self) -> bool:
        return bool(self._s["after"] == "SEQ")

    def _busy(self) -> bool:
        return self.digitizer.look() is not State.STOPPED

    def _trigger_state(self, call: Call) -> str:
        states = {State.STOPPED: "SAVE", State.RUNNING: "AUTO", State.WAITING: "READY"}
        word = states.get(self.digitizer.look(), "TRIGGER")
        return (
            word if self._s["verbose"] else {"READY": "REA", "TRIGGER": "TRIG", "SAVE": "SAV"}.get(word, word)
        )

    # Transfer.

    def _encoding(self) -> str:
        return "RIB" if self._s["encoding"] == "FAS" else str(self._s["encoding"])

    def _swapped(self) -> bool:
        return self._encoding().startswith("SR")

    def _set_sign(self, call: Call) -> None:
        call.expect(1)
        self._encode(Choice("RI RP", "RI").read(call.arguments[0]), self._swapped())

    def _set_order(self, call: Call) -> None:
        call.expect(1)
        sign = "RP" if "RP" in self._encoding() else "RI"
        self._encode(sign, Choice("LSB MSB", "MSB").read(call.arguments[0]) == "LSB")

    def _encode(self, sign: str, swapped: bool) -> None:
        self._s["encoding"] = f"S{sign}" if swapped else f"{sign}B"

    def _sent(self) -> Window:
        """Return the part of the record that is sent; the end of the record ends it."""
        s, whole = self._s, self._window()
        first, last = round(min(s["first"], s["last"])), round(max(s["first"], s["last"]))
        first, last = min(first, whole.points), min(last, whole.points)
        return Window(whole.first + (first - 1) * whole.step, whole.step, last - first + 1)

    def _channel(self) -> int:
        number = int(self._s["from"][2])
        if not self._s.of("shown", number):
            raise ScpiError(INACTIVE)
        return number

    def _input(self, channel: int) -> Input:
        s = self._s
        scale, offset, position = (s.of(name, channel) for name in ("scale", "offset", "position"))
        centre = offset - position * scale
        if "RP" in self._encoding():
            return Input(scale / STEPS, centre, 128, 0, 255)
        return Input(scale / STEPS, centre)

    def _field(self, name: str, call: Call) -> str:
        channel, window, s = self._channel(), self._sent(), self._s
        scale, unsigned = s.of("scale", channel), "RP" in self._encoding()
        finer = 256 if s["width"] == 2 else 1
        numbers = {
            "XINcr": window.step,
            "XZEro": window.first,
            "YMUlt": scale / STEPS / finer,
            "YOFf": (s.of("position", channel) * STEPS + (128 if unsigned else 0)) * finer,
            "YZEro": s.of("offset", channel),
        }
        if name in numbers:
            return _FORM.format(numbers[name])
        texts = {"NR_Pt": str(window.points), "PT_Off": "0", "PT_Fmt": "Y", "XUNit": '"s"', "YUNit": '"V"'}
        texts |= {"BIT_Nr": str(8 * finer if finer == 1 else 16), "ENCdg": "BINARY"}
        return texts.get(name) or f'"Ch{channel}, DC coupling, {window.points} points, Sample mode"'

    def _preamble(self, call: Call) -> str:
        names = ("BIT_Nr", "ENCdg", "WFId", "NR_Pt", "PT_Fmt", "XUNit", "XINcr", "XZEro", "PT_Off")
        fields = [self._field(name, call) for name in (*names, "YUNit", "YMUlt", "YOFf", "YZEro")]
        sign, order = "RP" if "RP" in self._encoding() else "RI", "LSB" if self._swapped() else "MSB"
        return ";".join([str(round(self._s["width"])), *fields[:2], sign, order, *fields[2:]])

    def _curve(self, call: Call) -> str | bytes:
        channel = self._channel()
        codes = self.digitizer.codes(channel, self._sent(), self._input(channel))
        if self._encoding() == "ASCI":
            return ",".join(map(str, codes.tolist()))
        return block(codes.tobytes() if self._s["width"] == 1 else wide(codes, self._swapped()))


@final
class _Depth(Kind):
    default = 10_000

    def read(self, text: str) -> int:
        asked = Number(1, 1e9, 1e4).read(text)
        return min(DEPTHS, key=lambda depth: abs(depth - asked))

    def show(self, value: int) -> str:
        return str(value)
