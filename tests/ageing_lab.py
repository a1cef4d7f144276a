"""A laboratory with clocks of its own: cells that drift, a bench that goes silent, a computer that dies."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from pydantic import BaseModel

from protocols.ageing.clocks import HostTimes
from rramlab.backend import Backend
from rramlab.cells import Cells
from rramlab.errors import LinkError, LinkFault
from rramlab.limits import Limits
from rramlab.loop import LoopResult, LoopRun
from rramlab.pulse import Columns, PulseTrain
from rramlab.reading import Curve, ReadSpec, Staircase
from rramlab.recorder import Recorder

BENCH = """
[bench]
id = "lab"
[backend]
use = "ageing_lab:LabBench"
"""
DRIFT = -0.2e-6


class Killed(BaseException):
    """End the process, as far as a test can."""


@dataclass
class Lab:
    """Hold the true time (s) and what happens when: deaths of the process, and when the bench is silent."""

    time: float = 1000.0
    boots: int = 0
    booted: float = 0.0
    wall_moved: float = 0.0
    deaths: list[float] = field(default_factory=list)
    sleeps: list[tuple[float, float]] = field(default_factory=list)
    slept: float = 0.0
    silent: tuple[float, float] = (np.inf, np.inf)
    read_seconds: float = 0.0
    on_read: Callable[[], None] | None = None

    def pass_time(self, seconds: float) -> None:
        """Let time pass; the process dies when its hour comes."""
        end = self.time + seconds
        if self.sleeps and self.sleeps[0][0] <= end:
            length = self.sleeps.pop(0)[1]
            self.slept, end = self.slept + length, end + length
        if self.deaths and self.deaths[0] <= end:
            self.time = self.deaths.pop(0)
            raise Killed
        self.time = end

    def off(self, seconds: float, reboot: bool = False) -> None:
        """Let time pass while no process runs; a reboot sets the steady clocks back."""
        self.time += seconds
        if reboot:
            self.boots, self.booted = self.boots + 1, self.time - 30.0

    def conductance(self, seconds: float) -> float:
        """Return the true conductance (S) of every cell so long after the zero at 1000 s."""
        return float(50e-6 + DRIFT * np.log10(max(seconds, 1e-3)))


LAB = Lab()


class LabHost(HostTimes):
    """Tell the clocks of the computer in the laboratory."""

    def wall(self) -> float:
        return 1.7e9 + LAB.time + LAB.wall_moved

    def steady(self) -> float:
        return LAB.time - LAB.booted

    def boot(self) -> str:
        return f"start {LAB.boots}"

    def pause(self, seconds: float) -> None:
        LAB.pass_time(seconds)


class Nothing(BaseModel):
    """No options."""


class LabBench(Backend):
    """Read cells that outlive the process; its clock is the monotonic one of the computer."""

    @classmethod
    def options(cls) -> type[BaseModel]:
        return Nothing

    @classmethod
    def open(cls, options: Any, limits: Limits, recorder: Recorder | None, seed: int) -> Self:
        return cls(limits, recorder)

    @property
    def shape(self) -> tuple[int, int]:
        return 3, 4

    macro_shape = shape

    @property
    def capabilities(self) -> frozenset[str]:
        return frozenset({"read", "wait"})

    @property
    def forgets(self) -> bool:
        return False

    def identify(self) -> dict[str, str]:
        return {"name": "lab"}

    def now(self) -> float:
        return LAB.time - LAB.booted - LAB.slept

    def _begin(self, exits: Any) -> None:
        self._answer_or_not()

    def _answer_or_not(self) -> None:
        if LAB.silent[0] <= LAB.time < LAB.silent[1]:
            raise LinkError(LinkFault.TIMEOUT, "the board does not answer")

    def _read(self, cells: Cells, spec: ReadSpec) -> np.ndarray:
        self._answer_or_not()
        if LAB.on_read is not None:
            LAB.on_read()
        LAB.pass_time(LAB.read_seconds / 2)
        found = np.full(len(cells), LAB.conductance(LAB.time - 1000.0))
        LAB.pass_time(LAB.read_seconds / 2)
        return found

    def _wait(self, seconds: float) -> None:
        LAB.pass_time(seconds)

    def _pulse(self, train: PulseTrain) -> Any:
        raise NotImplementedError

    def _sweep(self, cells: Cells, staircase: Staircase) -> Curve:
        raise NotImplementedError

    def _multiply(self, voltages: Any, macro: int) -> Any:
        raise NotImplementedError

    def _solve(self, run: LoopRun) -> LoopResult:
        raise NotImplementedError

    def _make_safe(self) -> None:
        pass

    def _memory(self) -> Columns:
        return {}

    def _restore(self, memory: Columns) -> None:
        pass
