"""Instruments that write down what is asked of them, to test what puts them together.

A spec's `extras` carry the log and, under "breaks", what raises a LinkError, such as "board gate".
"""

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drivers.controller import Controller, Note
from drivers.oscilloscope import Oscilloscope, Slope, Source
from drivers.source_meter import SourceMeter
from drivers.spec import BoardSpec, MeterSpec, ScopeSpec
from drivers.waveform import Waveform
from rramlab.cells import Cells
from rramlab.errors import LinkError, LinkFault
from rramlab.finding import Finding
from rramlab.limits import Limits
from rramlab.loop import LoopResult, LoopRun
from rramlab.pulse import Delivery, PulseTrain
from rramlab.reading import Curve, ReadSpec, Staircase
from rramlab.recorder import Event

FloatArray = NDArray[np.float64]


class Fake:
    name = "part"

    def __init__(self, spec: Any) -> None:
        self.spec = spec
        self.log: list[str] = spec.extras.get("log", [])
        self.breaks: list[str] = spec.extras.get("breaks", [])

    def say(self, what: str) -> None:
        self.log.append(f"{self.name} {what}")
        if (word := f"{self.name} {what.split()[0]}") in self.breaks:
            raise LinkError(LinkFault.LOST, f"the cable is out at '{word}'")

    def open(self) -> None:
        self.say("open")

    def close(self) -> None:
        self.log.append(f"{self.name} close")

    def identify(self) -> dict[str, str]:
        return {"name": f"Fake {self.name}", "serial": self.spec.extras.get("serial", "1")}

    def self_test(self) -> list[Finding]:
        self.say("test")
        return [Finding("memory", "passed", True)]

    def safe(self) -> None:
        self.say("safe")

    @classmethod
    def switch_off(cls, spec: Any) -> Finding:
        cls(spec).say("off")
        return Finding(cls.name, "off", True)


class FakeBoard(Fake, Controller):
    name = "board"

    @property
    def capabilities(self) -> frozenset[str]:
        able = {"read", "pulse", "multiply", "connect", "solve", "wait"}
        return frozenset(self.spec.extras.get("can", able))

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.spec.extras.get("shape", (self.spec.macros, self.spec.rows, self.spec.cols))

    def watch(self, scope: Oscilloscope, spec: ScopeSpec) -> None:
        self.say("watch")

    def begin(self, limits: Limits, note: Note) -> None:
        self.say(f"begin {limits.v_set:g}V")
        note("board", {"session": 7})

    def now(self) -> float:
        return 5.0

    def is_safe(self) -> bool:
        return True

    def feed(self) -> None:
        self.say("feed")

    def read(self, cells: Cells, spec: ReadSpec, number: int) -> FloatArray:
        self.say(f"read {cells} #{number}")
        return np.full(len(cells), 20e-6)

    def pulse(self, train: PulseTrain, number: int) -> NDArray[np.uint8]:
        self.say(f"pulse {train.cells} #{number}")
        return np.full(len(train), Delivery.APPLIED, np.uint8)

    def multiply(self, volts: FloatArray, macro: int, number: int) -> FloatArray:
        self.say(f"multiply {volts.shape} on {macro} #{number}")
        return np.arange(len(volts) * self.spec.cols, dtype=float).reshape(len(volts), -1)

    def connect(self, cell: Cells, gate: float, number: int) -> None:
        self.say(f"connect {cell} {gate:g}V #{number}")

    def gate(self, volts: float) -> None:
        self.say(f"gate {volts:g}V")

    def disconnect(self, number: int) -> None:
        self.say(f"disconnect #{number}")

    def solve(self, run: LoopRun, number: int) -> LoopResult:
        raise NotImplementedError

    def wait(self, seconds: float) -> None:
        self.say(f"wait {seconds:g}s")

    def settle(self, request: Event, notes: list[Event]) -> NDArray[np.uint8]:
        self.say(f"settle #{request.number} by {[note.verb for note in notes]}")
        return np.full(len(request.columns["row"]), Delivery.NOT_APPLIED, np.uint8)


class FakeMeter(Fake, SourceMeter):
    """A meter whose sweep is done at the third question; its output sticks on with extras["stuck"]."""

    name = "meter"

    def __init__(self, spec: MeterSpec) -> None:
        super().__init__(spec)
        self.on = bool(spec.extras.get("stuck", False))
        self.asked = 0
        self.stairs = np.zeros(1)

    def arm(
        self,
        compliance: float,
        reach: float = 2.0,
        nplc: float | None = None,
        four_wire: bool | None = None,
    ) -> None:
        self.say(f"arm {compliance:g}A {reach:g}V")

    def output_on(self) -> None:
        self.say("on")
        self.on = True

    def output_off(self) -> None:
        self.say("off")
        self.on = bool(self.spec.extras.get("stuck", False))

    def is_off(self) -> bool:
        self.say("is-off?")
        return not self.on

    def source(self, volts: float) -> None:
        self.say(f"source {volts:g}V")

    def measure(self) -> tuple[float, float]:
        return 0.0, 0.0

    def in_compliance(self) -> bool:
        return False

    def interlock_closed(self) -> bool:
        return True

    def start_sweep(self, staircase: Staircase) -> None:
        self.say("sweep")
        self.stairs = staircase.voltages

    def sweep_done(self) -> bool:
        self.asked += 1
        if self.spec.extras.get("mute", False) and self.asked == 1:  # answers when its sweep has ended
            end = time.monotonic() + 10
            while self.log.count("board feed") < 2 and "board feed" not in self.breaks:
                assert time.monotonic() < end, "the board was not fed"
                time.sleep(0.01)
        return self.asked > 2 and not self.spec.extras.get("endless", False)

    def fetch_sweep(self) -> Curve:
        self.say("fetch")
        return Curve(self.stairs, 20e-6 * self.stairs, np.arange(1.0, len(self.stairs) + 1))

    def abort(self) -> None:
        self.say("abort")


class FakeScope(Fake, Oscilloscope):
    name = "scope"

    @classmethod
    def of(cls, spec: ScopeSpec) -> "FakeScope":
        return cls(spec)

    def channel(self, number: int, volts_per_div: float, offset: float = 0.0) -> None: ...

    def timebase(self, seconds: float, points: int, before: float = 0.0) -> None: ...

    def trigger(self, source: Source, level: float, slope: Slope = "rise") -> None: ...

    def single(self) -> None: ...

    def acquired(self) -> bool:
        return True

    def waveform(self, channel: int) -> Waveform:
        raise NotImplementedError


def board(**extras: Any) -> BoardSpec:
    return BoardSpec(use="bench_fakes:FakeBoard", port="COM5", extras=extras)


def meter(**extras: Any) -> MeterSpec:
    return MeterSpec(use="bench_fakes:FakeMeter", resource="GPIB::24::INSTR", extras=extras)


def scope(**extras: Any) -> ScopeSpec:
    return ScopeSpec(use="bench_fakes:FakeScope", resource="GPIB::7::INSTR", extras=extras)
