"""Hold the macro that stands on the table, for all instruments that are wired to it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import Self, final

import numpy as np
from numpy.typing import NDArray

from rramlab.cells import Cells
from rramlab.errors import LimitExceeded
from rramlab.limits import Limits
from rramlab.loop import LoopResult, LoopRun
from rramlab.pulse import Columns, Delivery, Polarity, PulseTrain
from rramlab.reading import ReadSpec, Staircase
from sim_backend.backend import SimBackend
from sim_backend.options import Options
from sim_backend.virtual import memory
from sim_backend.virtual.clock import VirtualClock, WorldClock
from sim_backend.virtual.lines import Cell, Lines, Violation

FloatArray = NDArray[np.float64]


@final
@dataclass(frozen=True, eq=False)
class LoopWaveforms:
    """Hold the last closed-loop run for the oscilloscopes: what was asked, what came, when it began (s)."""

    run: LoopRun
    result: LoopResult
    began: float


def hard_limits() -> Limits:
    """Return what the macro itself survives; operating limits are the business of hosts and boards."""
    fields = Limits.model_fields.items()
    hard = {name: extra["hard"] for name, f in fields if isinstance(extra := f.json_schema_extra, dict)}
    return Limits.model_validate(hard | {"pulses_per_cell": 2000, "reset_floor": 1e-6, "form_ceiling": 5e-6})


@final
class World:
    """Give all virtual instruments one macro, one time and one set of lines; a context manager.

    The same options, seed and sequence of requests give the same bits as `SimBackend` does. `began` (s) of a
    request is when its work began; on a real clock the instrument then lets the time of the work pass by
    itself. Without it the time passes now.

    The truth is for tests: `pulses_seen` per cell, `violations`, `off_at`, `lines`.
    """

    def __init__(self, options: Options, seed: int = 0, clock: WorldClock | None = None) -> None:
        self.clock = clock or VirtualClock()
        self.lines = Lines(self.clock)
        self.loop_waveforms: LoopWaveforms | None = None
        self._physics = SimBackend(options, hard_limits(), seed=seed)
        self._lock = RLock()
        # Lines are switched while the physics is at work: an emergency waits for nobody.
        self._switching = RLock()
        self._exits = ExitStack()
        self.pulses_seen = np.zeros(self.shape, dtype=np.int64)
        self.clock.start(0.0)

    @property
    def shape(self) -> tuple[int, int]:
        """Return rows x columns; macros are stacked along the rows."""
        return self._physics.shape

    @property
    def macro_shape(self) -> tuple[int, int]:
        """Return rows x columns of one macro."""
        return self._physics.macro_shape

    @property
    def violations(self) -> list[Violation]:
        """Return what happened that would harm a macro."""
        return self.lines.violations

    @property
    def off_at(self) -> float | None:
        """Return when the last driven line went off (s, monotonic clock of the host), None while on."""
        return self.lines.off_at

    def identify(self) -> dict[str, str]:
        """Return which macro this is; no randomness is drawn."""
        return self._physics.identify()

    # What instruments do to the macro.

    def read(self, cells: Cells, spec: ReadSpec, began: float | None = None) -> FloatArray:
        """Return the conductance (S) of each cell."""
        with self._request(began) as physics:
            return physics.read(cells, spec)

    def pulse(self, train: PulseTrain, began: float | None = None) -> NDArray[np.uint8]:
        """Apply one pulse per listed cell and return what became of each; one beyond the macro is none."""
        with self._request(began) as physics:
            self._forget_session(train)
            delivery = physics.pulse(train)
            self.pulses_seen[train.cells.row, train.cells.col] += delivery == Delivery.APPLIED
            return delivery

    def multiply(self, voltages: FloatArray, macro: int, began: float | None = None) -> FloatArray:
        """Return the column currents (A) for row voltages (V)."""
        with self._request(began) as physics:
            return physics.multiply(voltages, macro)

    def solve(self, run: LoopRun, began: float | None = None) -> LoopResult:
        """Run the closed loop; the oscilloscopes see it afterwards in `loop_waveforms`."""
        with self._request(began) as physics:
            start = self.clock.now() if began is None else began
            result = physics.solve(run)
            self.loop_waveforms = LoopWaveforms(run, result, start)
            return result

    def meter(self, volts: float, compliance: float, seconds: float) -> float:
        """Return the current (A) at the end of `seconds` at a voltage (V, BL minus SL) on the connected cell.

        With no cell connected, or with its gate closed, there is none; nor is there in a cell that is driven
        beyond what it survives. The offset of the meter is in the reading all the same.
        """
        cell, gate = self.lines.cell, self.lines.gate
        errors = self._physics.errors
        none = 0.0 if errors is None else errors.meter.reported(0.0)
        if cell is None or gate <= 0:
            self.clock.sleep(seconds)
            return none
        step = Staircase(np.array([volts]), gate, min(compliance, self._physics.limits.i_set), seconds)
        with suppress(LimitExceeded), self._request(None) as physics:
            physics.last_reading[cell] = np.nan
            return float(physics.sweep(Cells(np.array([cell[0]]), np.array([cell[1]])), step).current[0])
        return none

    def wait(self, seconds: float) -> None:
        """Let time pass (s), to the last bit as `SimBackend` does."""
        with self._request(None) as physics:
            physics.wait(seconds)

    # Lines.

    def connect(self, cell: Cell | None, gate: float = 0.0) -> None:
        """Connect a cell (row, column) with the source meter, or none, and take its WL to `gate` (V)."""
        with self._switching:
            self.lines.connect(cell, gate)

    def set_gate(self, volts: float) -> None:
        """Take the WL of the connected cell to `volts` (V)."""
        with self._switching:
            self.lines.set_gate(volts)

    def set_output(self, name: str, volts: float | None) -> None:
        """Tell the world that an instrument output is at `volts` (V), or off (None)."""
        with self._switching:
            self.lines.set_output(name, volts)

    def set_loop(self, running: bool) -> None:
        """Tell the world that a closed loop begins or ends to drive the array."""
        with self._switching:
            self.lines.set_loop(running)

    def safe(self) -> None:
        """Take all lines of the board to 0 V at once."""
        with self._switching:
            self.lines.drop()

    # Life and memory.

    def save(self, path: Path) -> None:
        """Write the state of the macro aside and rename it into place: cells, randomness, time, counts."""
        with self._lock:
            self._catch_up(self.clock.now())
            kept = {**self._physics.memory(), "pulses_seen": self.pulses_seen}
            memory.write(path, kept, memory.generator_of(self._physics))

    def load(self, path: Path) -> None:
        """Take back a saved state; on a real clock the time since then has passed for the cells as well."""
        with self._lock:
            kept, generator, away = memory.read(path)
            self._physics.restore(kept)
            memory.generator_of(self._physics).bit_generator.state = generator
            self.pulses_seen[...] = kept["pulses_seen"]
            self.clock.start(self._physics.now() + (away if self.clock.waits else 0.0))

    def memory(self) -> Columns:
        """Return the state of the cells: the truth, for tests."""
        with self._lock:
            return self._physics.memory()

    def __enter__(self) -> Self:
        self._exits.enter_context(self._physics)
        return self

    def __exit__(self, *error: object) -> None:
        self._exits.close()

    @contextmanager
    def _request(self, began: float | None) -> Iterator[SimBackend]:
        """Yield the physics at the time of the clock, then let the clock reach the time of the physics."""
        with self._lock:
            self._catch_up(self.clock.now() if began is None else began)
            try:
                yield self._physics
            except LimitExceeded as beyond:
                self.lines.note(f"beyond what the macro survives: {beyond}")
                raise
            reached = self._physics.now()
        if began is None or not self.clock.waits:
            self.clock.reach(reached)

    def _catch_up(self, moment: float) -> None:
        behind = moment - self._physics.now()
        if behind > 0:
            self._physics.wait(behind)

    def _forget_session(self, train: PulseTrain) -> None:
        """Leave to hosts and boards what follows from the history of a session: a crossbar keeps none."""
        self._physics.pulses[...] = 0
        formed = train.polarity == Polarity.FORM
        self._physics.last_reading[train.cells.row, train.cells.col] = np.where(formed, 0.0, np.nan)
