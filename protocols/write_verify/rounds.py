"""Go round by round through open cells: read, decide, pulse, read again."""

from collections.abc import Callable
from typing import final

import numpy as np
from numpy.typing import NDArray

from protocols.write_verify.bounds import Bounds
from protocols.write_verify.energy import pulse_energy
from protocols.write_verify.ledger import FloatArray, Index, Ledger
from protocols.write_verify.open_cells import OpenCells
from protocols.write_verify.spec import FLOOR, Spec
from protocols.write_verify.strategy import BoolArray, Choice, Strategy
from rramlab.backend import Backend
from rramlab.errors import InputError
from rramlab.outcome import Outcome
from rramlab.pulse import Delivery, Polarity

ByteArray = NDArray[np.uint8]

UNFORMED = 1e-6
"""Reading (S) below which a cell was never formed; SET pulses cannot do it and are not tried."""

Progress = Callable[[int, int], None]


@final
class Rounds:
    """Drive the open cells of one batch to their outcomes; every round ends with a resume point."""

    def __init__(
        self,
        backend: Backend,
        strategy: Strategy,
        spec: Spec,
        ledger: Ledger,
        progress: Progress | None = None,
    ) -> None:
        self._backend, self._strategy = backend, strategy
        self._spec, self._ledger, self._progress = spec, ledger, progress
        self._bounds = Bounds(backend.limits)
        self._began = backend.now() - ledger.seconds

    def run(self, cells: OpenCells) -> None:
        """Program these cells until none is open; they are read before anything else."""
        self.note(cells)
        if not len(cells):
            return
        cells.reading = self._read(cells.index)
        self._leave_unformed(cells)
        self._accept(cells)
        while len(cells):
            self._pulse(cells)
            self._accept(cells)
            self.note(cells)

    def note(self, cells: OpenCells) -> None:
        """Write a resume point: everything that is needed to go on from here."""
        ledger = self._ledger
        ledger.seconds = self._backend.now() - self._began
        facts = {"strategy": self._strategy.name, "pass": ledger.number + 1, "finished": ledger.finished}
        name = {"strategy": name_column(self._strategy)}
        self._backend.note("resume", facts, {**ledger.columns(), **cells.columns(), **name})
        if self._progress is not None:
            self._progress(ledger.finished, len(ledger.cells))

    def _read(self, index: Index) -> FloatArray:
        reading = self._backend.read(self._ledger.cells.take(index), self._spec.reading)
        self._ledger.reads[index] += 1
        self._ledger.reading[index] = reading
        return reading

    def _leave_unformed(self, cells: OpenCells) -> None:
        low = np.flatnonzero(cells.reading < UNFORMED)
        if low.size:
            again = self._read(cells.index[low])
            self._close(cells, _mark(cells, low[again < UNFORMED]), Outcome.UNFORMED)

    def _accept(self, cells: OpenCells) -> None:
        inside = np.flatnonzero(self._is_inside(cells.index, cells.reading))
        if inside.size:
            again = self._read(cells.index[inside])
            agreed = inside[self._is_inside(cells.index[inside], again)]
            mean = 0.5 * (cells.reading[inside] + again)
            cells.reading[inside] = mean
            self._ledger.reading[cells.index[inside]] = mean
            self._close(cells, _mark(cells, agreed), Outcome.CONVERGED)

    def _is_inside(self, index: Index, reading: FloatArray) -> BoolArray:
        width = self._spec.accepted(self._ledger.number)
        return np.asarray(np.abs(reading - self._ledger.targets[index]) <= width)

    def _pulse(self, cells: OpenCells) -> None:
        self._close(cells, ~np.isfinite(cells.reading), Outcome.UNKNOWN)
        targets = self._ledger.targets[cells.index]
        asked = self._strategy.next_pulses(cells.state, targets, cells.reading)
        choice, cost = self._affordable(cells, self._bounds.inside(asked))
        if not len(cells):
            return
        self._guard(cells, choice)
        delivery = self._backend.pulse(choice.train(self._ledger.cells.take(cells.index)))
        sent = delivery != Delivery.NOT_APPLIED
        self._ledger.pulses[cells.index] += sent
        self._ledger.energy[cells.index] += np.where(sent, cost, 0.0)
        self._listen(cells, choice, delivery)

    def _listen(self, cells: OpenCells, choice: Choice, delivery: ByteArray) -> None:
        after = self._read(cells.index)
        before = cells.reading
        known = (delivery == Delivery.APPLIED) & np.isfinite(after)
        self._strategy.learn(cells.state, before, choice, after, known)
        cells.hear(choice, after, delivery)
        verdict = np.where(self._is_inside(cells.index, after), Outcome.PENDING, cells.verdict(choice))
        self._close(cells, verdict != Outcome.PENDING, verdict.astype(np.uint8))

    def _affordable(self, cells: OpenCells, choice: Choice) -> tuple[Choice, FloatArray]:
        """Close the cells that have no budget for their pulse; return what the others get and cost (J)."""
        ledger, index = self._ledger, cells.index
        through = np.where(choice.is_set, np.maximum(cells.reading, ledger.targets[index]), cells.reading)
        cost = pulse_energy(choice.train(ledger.cells.take(index)), through, self._backend.limits)
        spent = (ledger.pulses[index] >= self._spec.max_pulses) | self._is_worn(index)
        drained = ledger.energy[index] + cost > self._spec.max_energy
        verdict = np.where(
            spent, Outcome.PULSES_SPENT, np.where(drained, Outcome.ENERGY_SPENT, Outcome.PENDING)
        )
        going = verdict == Outcome.PENDING
        self._close(cells, ~going, verdict.astype(np.uint8))
        return choice.take(going), cost[going]

    def _is_worn(self, index: Index) -> BoolArray:
        # The door counts what the cell had before this run as well, and refuses one pulse too many.
        cells, allowed = self._ledger.cells, self._backend.limits.pulses_per_cell
        return np.asarray(self._backend.pulses[cells.row[index], cells.col[index]] >= allowed)

    def _guard(self, cells: OpenCells, choice: Choice) -> None:
        if (~choice.is_set & ((choice.polarity != Polarity.RESET) | (cells.reading < FLOOR))).any():
            raise InputError(
                f"strategy '{self._strategy.name}' asked for a RESET below 5uS or for forming; "
                f"nothing was sent. Let it SET the cells that lie below their target"
            )

    def _close(self, cells: OpenCells, which: BoolArray, outcome: Outcome | ByteArray) -> None:
        if which.any():
            index = cells.index[which]
            self._ledger.outcome[index] = outcome if isinstance(outcome, Outcome) else outcome[which]
            self._ledger.finished += index.size
            if self._spec.passes > 1:
                self._ledger.remember(index, cells.state.cells, self._strategy.remembers, which)
            cells.keep(~which)


def name_column(strategy: Strategy) -> ByteArray:
    """Return the name of a strategy as a column of characters."""
    return np.frombuffer(strategy.name.encode(), np.uint8)


def _mark(cells: OpenCells, places: Index) -> BoolArray:
    marked = np.zeros(len(cells), bool)
    marked[places] = True
    return marked
