"""Endurance: what closes is found, left alone and counted; runs count on; a cut off one ends the same."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from toy_world import Toy, ToyOptions
from typer.testing import CliRunner

from protocols.characterise.retold import Retold
from protocols.endurance.cells import Cycler, History
from protocols.endurance.outcome import Endured
from protocols.endurance.request import Request, counts
from protocols.endurance.run import carry_out
from protocols.endurance.statistics import FailureCurve, Wear, Windows, spreads
from rramlab.cells import Cells
from rramlab.cli import app
from rramlab.errors import InputError, LimitExceeded
from rramlab.limits import Limits
from rramlab.pulse import Delivery, Polarity, PulseTrain
from rramlab.reading import ReadSpec
from rramlab.runfile import RunFile
from rramlab.session import Session
from rramlab.terminal import Terminal

CELLS = Cells.grid(range(4), range(4))


class Switch(Toy):
    """SET and RESET take a cell to 60 and 10 uS; cells of row 0 stay high and of row 1 stay low, after
    as many cycles as ten times their column; r3c3 closes at cycle 5 only."""

    def _pulse(self, train: PulseTrain) -> np.ndarray:
        up = train.polarity == Polarity.SET
        place = train.cells.row, train.cells.col
        cycle = (self.pulses[place] + 1) // 2
        g = np.where(up, 60e-6, 10e-6)
        worn = cycle > 10 * train.cells.col
        g = np.where((train.cells.row == 0) & worn, 61e-6, g)
        g = np.where((train.cells.row == 1) & worn, 9e-6, g)
        g = np.where((train.cells.row == 3) & (train.cells.col == 3) & (cycle == 5), 30e-6, g)
        self.g[place] = g
        return np.full(len(train), Delivery.APPLIED, np.uint8)


def cycled(cycles: int = 40, per_decade: int = 10) -> tuple[History, Switch]:
    request = Request(cycles=cycles, per_decade=per_decade)
    with Switch() as backend:
        history = History.begin(CELLS)
        cycler = Cycler(Retold(backend), request.pulses(), 2.0, ReadSpec(), lambda *_: None)
        cycler.run(history, counts(0, cycles, per_decade))
    return history, backend


def test_cells_that_close_are_named_and_left_alone_from_then_on() -> None:
    history, backend = cycled()
    outcome = history.outcome.reshape(4, 4)
    assert (outcome[0] == Endured.STUCK_HIGH).all()
    assert (outcome[1] == Endured.STUCK_LOW).all()
    assert (outcome[2:] == Endured.ENDURED).all()  # one closed cycle is no failure
    failed_at = history.failed_at.reshape(4, 4)
    assert failed_at[0, 0] == 2  # closed in two cycles in a row
    # It is noticed at the next count that is due (12, then 13), and no pulse follows.
    assert failed_at[0, 1] == counts(0, 40, 10)[counts(0, 40, 10) > 10][0] + 1
    assert np.array_equal(backend.pulses[0], 2 * failed_at[0])
    assert (backend.pulses[2:] == 80).all()


def test_the_closed_cycle_of_a_cell_is_read_again_in_the_next_one() -> None:
    history, _ = cycled()
    cycle, lrs, _ = history.planes()
    assert 5 in cycle and 6 in cycle
    assert np.isfinite(lrs[:, 15]).sum() >= len(counts(0, 40, 10))


def test_a_cell_below_the_floor_gets_no_reset() -> None:
    class Burnt(Switch):
        def _pulse(self, train: PulseTrain) -> np.ndarray:
            done = super()._pulse(train)
            self.g[2, 2] = 2e-6
            return done

    with Burnt() as backend:
        history = History.begin(CELLS)
        Cycler(Retold(backend), Request().pulses(), 2.0, ReadSpec(), lambda *_: None).run(
            history, counts(0, 3, 5)
        )
        assert backend.pulses[2, 2] == 2  # two SETs
    assert history.outcome[10] == Endured.STUCK_LOW


def test_unformed_cells_are_left_out() -> None:
    with Toy(ToyOptions(fresh=True)) as backend:
        history = History.begin(CELLS)
        Cycler(Retold(backend), Request().pulses(), 2.0, ReadSpec(), lambda *_: None).run(
            history, counts(0, 3, 5)
        )
        assert backend.pulses.sum() == 0
    assert (history.outcome == Endured.UNFORMED).all()
    assert FailureCurve.of(history).cells == 0


def test_counts_are_even_over_decades_and_go_on_over_runs() -> None:
    assert counts(0, 100, 3).tolist() == [1, 2, 5, 10, 22, 46, 100]
    assert counts(100, 900, 1).tolist() == [101, 1000]
    assert counts(1000, 5, 3).tolist() == [1001, 1005]


def test_more_cycles_than_a_session_allows_are_refused_at_the_start() -> None:
    Request(cycles=100).check(Limits())
    with pytest.raises(LimitExceeded, match=r"--cycles 100 and go on with --after, or raise .* to 600"):
        Request(cycles=300).check(Limits())
    with pytest.raises(LimitExceeded, match="never above 2000"):
        Request(cycles=1001).check(Limits(pulses_per_cell=2000))
    with pytest.raises(LimitExceeded, match="v_set"):
        Request(set_pulse="SET 2.2V gate=1.4V 1us").check(Limits())
    with pytest.raises(InputError, match="a cycle is a SET and a RESET"):
        Request(set_pulse="RESET 1.5V gate=3.3V 1us")


def test_figures_are_those_that_were_put_in() -> None:
    rng = np.random.default_rng(0)
    cells = Cells.grid(range(20), range(20))
    history = History.begin(cells)
    per_cell, cycle = rng.normal(0, 0.05, 400), [1, 3, 10, 30, 100]
    for count in cycle:
        lrs = 60e-6 * 10 ** (per_cell + rng.normal(0, 0.02, 400) - 0.03 * np.log10(count))
        history.cycle.append(count)
        history.lrs.append(lrs)
        history.hrs.append(10e-6 * 10 ** rng.normal(0, 0.1, 400))
    history.cycles[:] = 100
    history.failed_at[:8] = 30
    history.outcome[:8] = Endured.WINDOW_CLOSED
    wear = Wear.of(*history.planes()[:2])
    assert abs(wear.log10_per_decade + 0.03) < 5 * wear.error < 0.01
    lrs, hrs = spreads(history)
    assert abs(lrs.cell_sigma - 0.05) < 5 * lrs.cell_error < 0.02
    assert abs(hrs.cycle_sigma - 0.1) < 5 * hrs.cycle_error < 0.02
    curve = FailureCurve.of(history)
    assert curve.cycle.tolist() == [1, 30, 100]
    assert curve.failed.tolist() == [0, 8, 8]
    assert curve.low[-1] < 8 / 400 < curve.high[-1]
    assert Windows.of(history).ratio[1, 0] == pytest.approx(6.0, rel=0.05)


def run(*words: Any, code: int = 0) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == code, result.output
    return result.output


SMALL = ("--cells", "r0,c0-7", "--cycles", "20", "--per-decade", "4")


def test_runs_count_on_and_a_cut_off_one_ends_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr("protocols.endurance.run.draw", lambda *_: None)
        run("endurance", *SMALL, "--run", "whole")
    facts = json.loads(run("--json", "endurance", "--after", "whole", "--cycles", "30", "--run", "more"))
    assert (facts["cycles_before"], facts["cycles"]) == (20, 50)
    kept = RunFile.open("more").kept["endurance"].columns
    assert kept["cycle"].tolist()[-2:] == [40, 50]
    assert len(RunFile.open("more").tables["pulses"]["row"]) <= 60 * 8
    assert Path("more/index.html").read_text().count("<img") == 3
    assert "leave out --cells" in run("endurance", "--after", "more", "--cells", "r0c0", code=2)

    class Cut(Exception):
        pass

    monkeypatch.setattr("protocols.endurance.run.draw", lambda *_: None)

    cycle = Cycler._cycle
    session, request = Session(None, Terminal(quiet=True)), Request("r0,c0-7", 20, 4)
    for at in (3, 11):

        def dying(self: Cycler, history: History, *rest: Any, at: int = at) -> None:
            cycle(self, history, *rest)
            if rest[-1] == at:
                raise Cut

        monkeypatch.setattr(Cycler, "_cycle", dying)
        folder = Path("cut")
        with pytest.raises(Cut):
            carry_out(session, request, folder, folder if folder.exists() else None, None, 0)
    monkeypatch.setattr(Cycler, "_cycle", cycle)
    run("endurance", "--resume", "cut")
    whole, cut = (RunFile.open(name).kept["endurance"].columns for name in ("whole", "cut"))
    for name in whole:
        assert np.array_equal(whole[name], cut[name], equal_nan=True), name
