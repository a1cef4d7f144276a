"""Sweep a source meter over SCPI: the steps are a list in the instrument, the readings one transfer."""

import time
from abc import abstractmethod
from dataclasses import dataclass
from enum import Enum
from math import floor
from typing import ClassVar, final

import numpy as np

from drivers.armed_meter import ArmedMeter
from drivers.rows import plain
from drivers.scpi import FloatArray
from drivers.spec import MeterSpec
from drivers.wire import Wire
from rramlab.errors import InputError, LinkError, LinkFault
from rramlab.reading import Curve, Staircase

MOST_STEPS = 2500
"""Steps that the list of each of these models holds."""
LEAST_CYCLES = 0.01
"""Shortest integration (line cycles) that each of these models has, and the step in which it is set."""
GRACE = 0.5
"""Time (s) after which a sweep that was begun must be under way."""
LATE = 3.0
"""How many times as long as its dwells a sweep may take, for an instrument that answers only at its end."""
TRANSFER = 10.0
"""Time (s) in which all readings of a sweep are transferred, over a slow serial line too."""


@final
class Progress(Enum):
    """Say how far a sweep is."""

    RUNNING = "running"
    DONE = "done"
    NOTHING = "nothing"
    """Nothing is under way, and nothing was swept: not begun yet, or not at all."""


@final
@dataclass(frozen=True)
class Timing:
    """Say how the dwell of a step is used: settling (s), then integration (line cycles)."""

    delay: float
    cycles: float

    @classmethod
    def of(cls, dwell: float, cycles: float, line: float) -> "Timing":
        """Return half of the dwell (s) at most for integration, and the rest for settling."""
        # In steps of what an instrument keeps: another number would not read back as it was set.
        steps = floor(min(cycles, 0.5 * dwell * line) / LEAST_CYCLES + 1e-9)
        cycles = round(max(steps, 1) * LEAST_CYCLES, 2)
        return cls(max(dwell - cycles / line, 0.0), cycles)


class ListMeter(ArmedMeter):
    """Work a source meter that steps through a list of voltages by itself."""

    lists_of: ClassVar[int] = 100
    """Values that one command may carry."""
    list_command: ClassVar[str]
    append_command: ClassVar[str]

    def __init__(self, spec: MeterSpec, wire: Wire | None = None) -> None:
        super().__init__(spec, wire)
        self._under_way: Staircase | None = None
        self._opening, self._rests, self._began = 0, True, 0.0

    @abstractmethod
    def _load(self, steps: int, delay: float) -> None:
        """Program a sweep of the listed steps; `delay` (s) is the settling of each before it is measured."""

    @abstractmethod
    def _launch(self) -> None:
        """Begin the sweep."""

    @abstractmethod
    def _progress(self, steps: int, patience: float) -> Progress:
        """Return how far the sweep is; the answer may take so long (s) while the steps are under way."""

    @abstractmethod
    def _collect(self, steps: int, timeout: float) -> FloatArray:
        """Return the numbers of all steps (steps, columns)."""

    @abstractmethod
    def _unload(self) -> None:
        """Return to single readings, at 0 V."""

    @final
    def start_sweep(self, staircase: Staircase) -> None:
        """Begin the steps of a staircase in the instrument, under the compliance that is armed."""
        with self._together():
            self._check_armed()
            self._check_sweep(staircase)
            self._widen(float(np.abs(staircase.voltages).max()))
            row = type(self).cycles
            timing = Timing.of(staircase.dwell, self._armed[row], self.spec.line_frequency)
            self.cycles = timing.cycles
            self._list(staircase.voltages)
            self._load(staircase.voltages.size, timing.delay)
            self.scpi.check_errors(f"prepare a sweep of {staircase.voltages.size} steps")
            self._check_loaded(staircase.voltages.size)
            row.read_back(self, timing.cycles)
            self._under_way, self._opening, self._rests = staircase, self.scpi.link.openings, False
            self._launch()
            self._began = time.monotonic()

    @final
    def sweep_done(self) -> bool:
        """Tell whether the sweep has ended."""
        with self._together():
            staircase = self._running()
            if self._rests:
                return True
            steps = staircase.voltages.size
            progress = self._progress(steps, self.spec.timeout + LATE * steps * staircase.dwell)
            if progress is Progress.NOTHING:
                self._check_begun()
            if progress is not Progress.DONE:
                return False
            self._rest()  # the cell is not left under the voltage of the last step
            return True

    @final
    def fetch_sweep(self) -> Curve:
        """Return the I-V (V, A, s) of the sweep that has ended, in one transfer."""
        with self._together():
            staircase = self._running()
            self._rest()
            readings = self._collect(staircase.voltages.size, TRANSFER)
            self.scpi.check_errors("sweep")
            self._running()
            volts, amperes, times, limited = self._split(self._complete(readings))
            self._check_steps(staircase, volts)
            self._under_way = None
            return Curve(volts, amperes, times - times[0] + staircase.dwell, limited)

    @final
    def abort(self) -> None:
        """Stop a sweep that is under way."""
        with self._together():
            self.scpi.start(self.scpi.fill(self.abort_command))
            if self._under_way is not None:
                self._rest()
                self._under_way = None

    # Steps.

    def _rest(self) -> None:
        if self._rests:
            return
        self._unload()
        self._rests = True
        row = type(self).cycles
        if row in self._armed:
            self.cycles = self._armed[row]

    def _list(self, volts: FloatArray) -> None:
        """Load the voltages, in as many commands as the instrument needs."""
        command = self.list_command
        for first in range(0, volts.size, self.lists_of):
            values = ",".join(plain(float(volt)) for volt in volts[first : first + self.lists_of])
            self.scpi.set(f"{self.scpi.fill(command)} {values}")
            command = self.append_command

    def _check_loaded(self, steps: int) -> None:
        command = self.scpi.fill(f"{self.list_command}:POIN?")
        found = int(self.scpi.number(command))
        if found != steps:
            raise LinkError(
                LinkFault.MISMATCH,
                f"{self.scpi.name} was given {steps} voltages and holds {found}; begin the sweep again",
            )

    def _check_begun(self) -> None:
        if time.monotonic() - self._began > GRACE:
            self.scpi.check_errors("begin a sweep")
            raise LinkError(
                LinkFault.MISMATCH,
                f"{self.scpi.name} was told to begin a sweep and has not begun; begin it again",
            )

    def _check_sweep(self, staircase: Staircase) -> None:
        if staircase.voltages.size > MOST_STEPS:
            raise InputError(
                f"a sweep of {staircase.voltages.size} steps is too long for {self.scpi.identity.model}, "
                f"which holds {MOST_STEPS}; take it in parts"
            )
        armed = self._armed[type(self).compliance]
        if not np.isclose(armed, staircase.compliance, rtol=1e-6, atol=0.0):
            raise InputError(
                f"a sweep under {staircase.compliance:g} A was asked of a meter armed for {armed:g} A; "
                "arm it for that compliance first"
            )

    def _check_steps(self, staircase: Staircase, volts: FloatArray) -> None:
        if not np.allclose(volts, staircase.voltages, rtol=1e-3, atol=1e-3):
            self.scpi.link.poison()
            raise LinkError(
                LinkFault.MISMATCH,
                f"{self.scpi.name} swept other voltages than it was told; "
                "the readings are not those of this sweep: take it again",
            )

    def _running(self) -> Staircase:
        """Return the sweep under way; LinkError when there is none, or the link was opened anew since."""
        if self._under_way is None or self._opening != self.scpi.link.openings:
            self._under_way = None
            raise LinkError(
                LinkFault.LOST,
                f"{self.scpi.name} has no sweep under way, or its link was opened anew, which ended it; "
                "begin the sweep again",
            )
        return self._under_way
