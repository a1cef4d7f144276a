"""Program cells with a strategy, in passes with a wait between them."""

from collections.abc import Iterator
from typing import final

import numpy as np

from protocols.write_verify.adaptive import Adaptive
from protocols.write_verify.ledger import FloatArray, Index, Ledger
from protocols.write_verify.open_cells import OpenCells
from protocols.write_verify.programmed import Programmed
from protocols.write_verify.rounds import Progress, Rounds, name_column
from protocols.write_verify.settling import settle
from protocols.write_verify.spec import Spec
from protocols.write_verify.strategy import Arrays, Strategy
from rramlab.backend import Backend
from rramlab.cells import Cells
from rramlab.errors import InputError
from rramlab.pulse import Columns


@final
class WriteVerify:
    """Program cells of a bench; `progress` is called with (finished, all) cells after every round."""

    def __init__(
        self,
        backend: Backend,
        strategy: Strategy | None = None,
        spec: Spec | None = None,
        progress: Progress | None = None,
    ) -> None:
        self._backend = backend
        self._strategy = Adaptive() if strategy is None else strategy
        self._spec = Spec() if spec is None else spec
        self._progress = progress

    def program(self, cells: Cells, targets: FloatArray, resume: Columns | None = None) -> Programmed:
        """Return what became of the cells; targets in S, `resume` the columns of the last resume point."""
        targets = np.asarray(targets, dtype=float).ravel()
        self._check(cells, targets)
        ledger = self._ledger(cells, targets, resume)
        rounds = Rounds(self._backend, self._strategy, self._spec, ledger, self._progress)
        shared = self._strategy.share() if resume is None else self._go_on(rounds, resume)
        while ledger.number < self._spec.passes:
            self._write(rounds, ledger, shared)
            settle(self._backend, ledger, self._spec)
            rounds.note(self._open(ledger, np.zeros(0, np.intp), shared))
        return ledger.programmed()

    def _check(self, cells: Cells, targets: FloatArray) -> None:
        if targets.size != len(cells):
            raise InputError(
                f"{len(cells)} cells were named with {targets.size} targets; give one for each cell"
            )
        self._spec.check(targets, self._backend.limits.reset_floor)
        cells.check(self._backend.shape)

    def _ledger(self, cells: Cells, targets: FloatArray, resume: Columns | None) -> Ledger:
        door = self._backend.pulses[cells.row, cells.col]
        if resume is None:
            return Ledger(cells, targets, door)
        ledger = Ledger.from_columns(resume)
        if not ledger.is_about(cells, targets):
            raise InputError("the resume point is about other cells or targets; give those of its run")
        if not np.array_equal(resume["strategy"], name_column(self._strategy)):
            raise InputError(
                f"the resume point is not one of strategy '{self._strategy.name}'; give that of its run"
            )
        # The door has also counted the pulses that went out after the note was written.
        ledger.pulses = np.maximum(ledger.pulses, door - ledger.base).astype(np.int32)
        return ledger

    def _go_on(self, rounds: Rounds, resume: Columns) -> Arrays:
        cells = OpenCells.from_columns(resume)
        rounds.run(cells)
        return cells.state.shared

    def _write(self, rounds: Rounds, ledger: Ledger, shared: Arrays) -> None:
        for index in self._batches(ledger):
            rounds.run(self._open(ledger, index, shared))

    def _open(self, ledger: Ledger, index: Index, shared: Arrays) -> OpenCells:
        state = self._strategy.init(ledger.targets[index], ledger.recall(index), shared)
        return OpenCells.of(ledger, index, state)

    def _batches(self, ledger: Ledger) -> Iterator[Index]:
        pending = ledger.pending()
        scouts = 0 if ledger.pulses.any() else self._strategy.scouts
        if 0 < 4 * scouts <= pending.size:
            first = pending[np.linspace(0, pending.size - 1, scouts).astype(np.intp)]
            yield first
            pending = np.setdiff1d(pending, first)
        size = self._spec.batch or max(pending.size, 1)
        for begin in range(0, pending.size, size):
            yield pending[begin : begin + size]
