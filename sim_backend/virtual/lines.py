"""Watch the lines of the virtual bench: what is connected, what drives, and what must never happen."""

import time
from dataclasses import dataclass, field
from typing import final

from sim_backend.virtual.clock import WorldClock

Cell = tuple[int, int]


@final
@dataclass(frozen=True)
class Violation:
    """Hold something that would harm a macro: what happened, and when (s, time of the world)."""

    text: str
    time: float


@final
@dataclass
class Lines:
    """Hold the state of the lines and note what breaks the rules of switching.

    `cell` is the one that the multiplexer connects with the source meter, `gate` its WL (V); `outputs` holds
    the voltage (V) of each instrument output that is on; `loop` tells whether a closed loop drives the array.
    `off_at` is the moment (s, monotonic clock of the host) when the last went off, None while one is on.
    """

    clock: WorldClock
    cell: Cell | None = None
    gate: float = 0.0
    loop: bool = False
    outputs: dict[str, float] = field(default_factory=dict)
    violations: list[Violation] = field(default_factory=list)
    off_at: float | None = field(default_factory=time.monotonic)

    @property
    def driven(self) -> bool:
        """Tell whether anything drives a line."""
        return bool(self.outputs) or self.gate > 0 or self.loop

    def connect(self, cell: Cell | None, gate: float = 0.0) -> None:
        """Switch the multiplexer to a cell, or to none, then raise its WL to `gate` (V)."""
        if cell != self.cell:
            self._forbid(self.driven, f"the multiplexer was switched to {cell} with the lines live")
        self.cell = cell
        self.set_gate(gate)

    def set_gate(self, volts: float) -> None:
        """Take the WL of the connected cell to `volts` (V)."""
        drained = any(self.outputs.values())
        self._forbid(drained and volts == 0 < self.gate, "the gate was taken away before the drain")
        self._forbid(drained and self.gate == 0 < volts, "the gate was raised after the drain")
        self._forbid(volts > 0 and self.cell is None, "a gate was raised with no cell connected")
        self.gate = volts
        self._look()

    def set_output(self, name: str, volts: float | None) -> None:
        """Take an instrument output to `volts` (V); None is off."""
        if volts is None:
            self.outputs.pop(name, None)
        else:
            self._forbid(volts != 0 and self.cell is None, f"{name} drove {volts:g} V with no cell connected")
            closed = volts != 0 and self.cell is not None and self.gate == 0
            self._forbid(closed, f"{name} drove {volts:g} V before the gate")
            self.outputs[name] = volts
        self._look()

    def set_loop(self, running: bool) -> None:
        """Start or end a closed loop on the array."""
        self._forbid(running and self.cell is not None, "a loop was run with a cell on the source meter")
        self.loop = running
        self._look()

    def drop(self) -> None:
        """Take all that the board drives to 0 V at once, as a watchdog does; outputs are not the board's."""
        self.cell, self.gate, self.loop = None, 0.0, False
        self._look()

    def note(self, text: str) -> None:
        """Note a violation of another kind."""
        self.violations.append(Violation(text, self.clock.now()))

    def _forbid(self, happened: bool, text: str) -> None:
        if happened:
            self.note(text)

    def _look(self) -> None:
        if self.driven:
            self.off_at = None
        elif self.off_at is None:
            self.off_at = time.monotonic()
