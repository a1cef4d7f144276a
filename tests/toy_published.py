"""A published firmware in memory, with its hazards, and an oscilloscope that watches it, in told time."""

from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from drivers.oscilloscope import Oscilloscope, Slope, Source
from drivers.spec import BoardSpec, ScopeSpec
from drivers.waveform import Scaling, Waveform
from rramlab.clock import Clock
from rramlab.finding import Finding

FloatArray = NDArray[np.float64]


@final
class ToldClock(Clock):
    def __init__(self, now: float = 1000.0) -> None:
        self.time = now

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += max(seconds, 0.0)


@final
class ToyFirmware:
    """Take bytes and return bytes: one buffer that is never cleared, dead times, no answer to nonsense."""

    def __init__(self, clock: ToldClock, counter_at_zero: float | None = None) -> None:
        self.clock = clock
        self.zero = clock.now() if counter_at_zero is None else counter_at_zero
        self.buffer = bytearray(200)
        self.used = 0
        self.cr = False
        self.coef, self.v_bias, self.noise, self.offsets = 1.0, 0.1, 1.0, (0.0, 0.0)
        self.table, self.noise_on = "0", False
        self.lines: list[str] = []
        self.runs: list[tuple[float, dict[str, Any]]] = []
        self.heard_in_a_run = 0
        self.deaf = False
        self.replies: dict[bytes, bytes] = {}

    def __call__(self, data: bytes) -> bytes:
        if self.runs and self.clock.now() < self.runs[-1][0] + 1.21:
            self.heard_in_a_run += len(data)
        return b"".join(self.byte(value) for value in data)

    def byte(self, value: int) -> bytes:
        if self.cr:
            self.cr = False
            used, self.used = self.used, 0
            return self.line(used) if value == 0x0A else b""
        if value == 0x0D:
            self.cr = True
            return b""
        self.buffer[self.used % 200] = value
        self.used += 1
        return b""

    def line(self, used: int) -> bytes:
        b = self.buffer
        self.lines.append(bytes(b[:used]).decode("latin-1"))
        if self.deaf:
            return b""
        answer = self.execute(bytes(b))
        return self.replies.get(bytes(b[:1]), answer)

    def execute(self, b: bytes) -> bytes:
        d = [value - 48 for value in b[:5]]
        if b.startswith(b"In"):
            self.table, self.noise_on = chr(b[2]), b[3:4] == b"1"
            return b"Type:" + b[2:3] + b"\tStart...\r\n"
        if b.startswith(b"Go"):
            self.go()
            return b"\r\n"
        if b[:1] == b"O":
            self.offsets = (0.1 * d[1] + 0.01 * d[2] - 0.5, 0.1 * d[3] + 0.01 * d[4] - 0.5)
            first, second = (round(value, 2) + 0.0 for value in self.offsets)
            return f"Offset set1: {first:.6f}\nOffset set2: {second:.6f}\r\n".encode()
        if b[:1] == b"C":
            value = d[1] + 0.1 * d[2] + 0.01 * d[3]
            self.coef = value if 0 < value < 10 else self.coef
            return f"Coef: {self.coef:.6f}\r\n".encode()
        if b[:1] == b"D":
            self.v_bias = {0: 0.05, 1: 0.1, 2: 0.2}.get(d[1], self.v_bias)
            return f"V_bias and DAC coef: {self.v_bias:.6f}\r\n".encode()
        if b[:1] == b"N":
            self.noise = d[1] + 0.1 * d[2] + 0.01 * d[3]
            return f"Noise Scale: {self.noise:.6f}\r\n".encode()
        return b""

    def go(self) -> None:
        now = self.clock.now()
        if (now - self.zero) % 600.0 >= 5.005:
            self.zero = now
            settings = {"table": self.table, "v_bias": self.v_bias, "coef": self.coef, "noise": self.noise_on}
            self.runs.append((now, settings))


@final
class ToyScope(Oscilloscope):
    """Record, when a run begins, `begin` + `slope` t (V) on channel 1 and its negative on the others."""

    def __init__(self, firmware: ToyFirmware, begin: float = 0.05, slope: float = 0.02) -> None:
        self.firmware, self.begin, self.slope = firmware, begin, slope
        self.armed_after: int | None = None
        self.told: list[tuple[Any, ...]] = []
        self.blind = False
        self.span, self.points, self.before = 2.0, 10_000, 0.05

    def open(self) -> None: ...

    def close(self) -> None: ...

    def identify(self) -> dict[str, str]:
        return {"name": "toy"}

    def self_test(self) -> list[Finding]:
        return []

    def safe(self) -> None:
        self.armed_after = None

    @classmethod
    def switch_off(cls, spec: Any) -> Finding:
        return Finding("oscilloscope", "nothing", True)

    def channel(self, number: int, volts_per_div: float, offset: float = 0.0) -> None:
        self.told.append(("channel", number, volts_per_div, offset))

    def timebase(self, seconds: float, points: int, before: float = 0.0) -> None:
        self.span, self.points, self.before = seconds, points, before

    def trigger(self, source: Source, level: float, slope: Slope = "rise") -> None:
        self.told.append(("trigger", source, level, slope))

    def single(self) -> None:
        self.armed_after = len(self.firmware.runs)

    def acquired(self) -> bool:
        return self.armed_after is not None and len(self.firmware.runs) > self.armed_after and not self.blind

    def waveform(self, channel: int) -> Waveform:
        step = self.span / self.points
        scaling = Scaling(self.points, "<i2", step, -self.before, 0.0, 1e-5, 0.0, 0.0)
        time = scaling.time()
        volts = self.begin + self.slope * np.clip(time, 0.0, 1.205)
        sign = 1 if channel == 1 else -1
        return Waveform(np.rint(sign * volts / 1e-5).astype("<i2"), scaling)


def board_spec(**changes: Any) -> BoardSpec:
    told: dict[str, Any] = {"use": "published-board", "port": "toy", "baud": 9600, "start": [0.05, -0.05]}
    return BoardSpec(**(told | changes))


def scope_spec(**changes: Any) -> ScopeSpec:
    told: dict[str, Any] = {"use": "toy", "resource": "toy", "channels": {"x1": 1, "x2": 2, "switch": 3}}
    return ScopeSpec(**(told | changes))
