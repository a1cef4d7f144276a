"""A run that was cut off in a pulse: the bench says what became of it, and no cell is pulsed blindly."""

from pathlib import Path

import numpy as np
import pytest
from write_verify_toy import Killed, ToyMacro

from protocols.write_verify import Adaptive, Spec, WriteVerify
from rramlab.cells import Cells
from rramlab.contents import contents_of
from rramlab.limits import Limits
from rramlab.pulse import Delivery
from rramlab.run import Run

SHAPE = (3, 3)
CELLS = Cells.of_shape(SHAPE)
SPEC = Spec(tolerance=3e-6, passes=1, max_pulses=190, batch=5)
TARGETS = np.random.default_rng(3).uniform(20e-6, 80e-6, 9)
FACTS = {"command": "program", "seed": 1, "bench_text": "[toy]", "limits": Limits(), "minimum_free": 0}


class Board:
    """What survives the host: the cells, and the answers to the requests that were executed."""

    def __init__(self):
        self.first = ToyMacro(SHAPE, seed=2)
        self.answers = {}
        self.seen = np.zeros(SHAPE, int)
        self.forgetful = False


class Macro(ToyMacro):
    """The cells of a board behind a door of their own."""

    def __init__(self, board, kill_at=None, recorder=None):
        super().__init__(SHAPE, seed=7, recorder=recorder)
        self.board, self.kill_at = board, kill_at
        self.G, self.offset = board.first.G, board.first.offset

    def _switch(self, train, arrives):
        super()._switch(train, arrives)
        self.board.seen[train.cells.row, train.cells.col] += arrives
        self.board.answers[self._number] = np.where(arrives, Delivery.APPLIED, Delivery.NOT_APPLIED)

    def _settle(self, request, notes):
        assert notes[0].verb == "start"
        count = len(request.columns["row"])
        if self.board.forgetful:
            return np.full(count, Delivery.UNKNOWN, np.uint8)
        never = np.full(count, Delivery.NOT_APPLIED)
        return self.board.answers.get(request.number, never).astype(np.uint8)


def begin(folder: Path, board: Board, kill_at: int | None = None):
    """Program in a run until the process dies."""
    run = Run.create(folder, **FACTS)
    macro = Macro(board, kill_at, run.recorder)
    with run, macro:
        run.keep("done", WriteVerify(macro, Adaptive(), SPEC).program(CELLS, TARGETS).columns())
    return macro


def go_on(folder: Path, board: Board):
    """Go on with a run as the command does; return what was settled, the macro, and how it ended."""
    with Run.resume(folder, **FACTS) as run, Macro(board, recorder=run.recorder) as macro:
        run.revive(macro)
        settled = run.settle(macro)
        point = run.last_note("resume")
        done = WriteVerify(macro, Adaptive(), SPEC).program(
            CELLS, TARGETS, None if point is None else point.columns
        )
        assert [event.verb for event in run.open_requests() if event.verb == "pulse"] == []
        events = list(run.events())
    return settled, macro, done, events


def by_delivery(events, delivery: Delivery):
    """Return how many pulses of each cell the record says to have had this delivery."""
    table, counted = contents_of(events).tables["pulses"], np.zeros(SHAPE, int)
    which = table["answered"] & (table["delivery"] == delivery)
    np.add.at(counted, (table["row"][which], table["col"][which]), 1)
    return counted


def first_verbs(macro: Macro):
    """Return the cells that were pulsed before they were read."""
    read, blind = set(), set()
    for verb, cells in macro.log:
        blind |= set(cells.tolist()) - read if verb == "pulse" else set()
        read |= set(cells.tolist())
    return blind


def steps(tmp_path: Path) -> int:
    macro = begin(tmp_path / "whole", Board(), 10**9)
    assert macro.kill_at is not None
    return 10**9 - macro.kill_at


def test_every_pulse_is_on_record_as_often_as_the_cells_felt_it(tmp_path: Path) -> None:
    total, met = steps(tmp_path), set()
    for kill_at in range(0, total, 5):
        board, folder = Board(), tmp_path / f"run{kill_at}"
        with pytest.raises(Killed):
            begin(folder, board, kill_at)
        settled, macro, done, events = go_on(folder, board)
        met |= set(settled)
        assert np.array_equal(by_delivery(events, Delivery.APPLIED), board.seen), kill_at
        assert np.array_equal(done.pulses.reshape(SHAPE), board.seen), kill_at
        assert np.array_equal(macro.pulses, board.seen), kill_at
        assert not first_verbs(macro) and done.success == 1.0, kill_at
    assert met == {"applied", "not applied"}


def test_a_board_that_forgot_makes_pulses_unknown_and_cells_read(tmp_path: Path) -> None:
    total, unknown = steps(tmp_path), 0
    for kill_at in range(1, total, 9):
        board, folder = Board(), tmp_path / f"run{kill_at}"
        with pytest.raises(Killed):
            begin(folder, board, kill_at)
        board.forgetful = True
        settled, macro, done, events = go_on(folder, board)
        doubt = by_delivery(events, Delivery.UNKNOWN)
        applied = by_delivery(events, Delivery.APPLIED)
        assert doubt.sum() == settled["unknown"] == settled.total()
        assert (applied <= board.seen).all() and (board.seen <= applied + doubt).all(), kill_at
        assert np.array_equal(macro.pulses, applied + doubt), kill_at  # what may have gone out is counted
        assert not first_verbs(macro) and done.success == 1.0, kill_at
        unknown += settled["unknown"]
    assert unknown > 0


def test_what_was_settled_is_settled_for_good(tmp_path: Path) -> None:
    board = Board()
    with pytest.raises(Killed):
        begin(tmp_path / "run", board, 5)
    for expected in ({"not applied", "applied"}, set()):
        with pytest.raises(Killed), Run.resume(tmp_path / "run", **FACTS) as run:
            macro = Macro(board, recorder=run.recorder)
            with macro:
                run.revive(macro)
                assert set(run.settle(macro)) <= expected
                counted = macro.pulses.copy()
                raise Killed
        again = Macro(board)
        again.replay(run_events(tmp_path / "run"))
        assert np.array_equal(again.pulses, counted)


def run_events(folder: Path):
    with Run.resume(folder, **FACTS) as run:
        events = list(run.events())
        run.close()
    return events
