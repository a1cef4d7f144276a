"""Write noise: rotation, single pulses, sigma and laws against known answers; a cut off run ends the same."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sim_worlds import bench
from toy_world import Toy, ToyOptions

import protocols.write_noise.run as running
from protocols.characterise.retold import Retold
from protocols.noise.left import left_at, power_law, single_spread
from protocols.noise.rotation import levels_of
from protocols.noise.single import SinglePulses, following
from protocols.noise.writing import Writer, Writes
from protocols.write_noise.request import Request
from rramlab.cells import Cells
from rramlab.errors import InputError, LimitExceeded
from rramlab.limits import Limits
from rramlab.reading import ReadSpec
from rramlab.runfile import RunFile
from rramlab.session import Session
from rramlab.terminal import Terminal


def test_every_cell_visits_every_level_and_every_turn_holds_all_levels() -> None:
    for levels in (2, 3, 6, 8, 9, 16):
        turns = np.array([levels_of(64, levels, turn) for turn in range(levels)])
        assert all(sorted(column) == list(range(levels)) for column in turns.T)
        counts = np.array([np.bincount(turn, minlength=levels) for turn in turns])
        assert np.ptp(counts) <= np.ceil(64 / levels)
    # Levels do not lie along the columns of the array.
    assert np.ptp(levels_of(64, 8, 0).reshape(8, 8), axis=0).min() > 0


def test_the_pulses_of_a_session_are_parted_or_refused() -> None:
    assert Request().pulses_per_write(Limits()) == 38
    assert Request(single=0, writes=1).pulses_per_write(Limits()) == 100
    for wrong in (Request(levels=64), Request(writes=50)):
        with pytest.raises(LimitExceeded, match="raise pulses_per_cell under"):
            wrong.pulses_per_write(Limits())
    with pytest.raises(InputError, match="single pulses or writes"):
        Request(single=0, writes=0)


def known(cells: int, writes: int, rng: np.random.Generator) -> Writes:
    """Return writes whose error has a sigma of 2 % of the level, and a bias of -0.1 uS at the second time."""
    levels = np.array([20e-6, 50e-6, 100e-6])
    level = np.array([levels_of(cells, 3, k) for k in range(writes)])
    error = 0.02 * levels[level][:, None, :] * rng.normal(size=(writes, 2, cells))
    error[:, 1] -= 0.1e-6
    again = error[:, 0] + rng.normal(0, 0.05e-6 * 2**0.5, (writes, cells))
    error[0, :, 0] = np.nan  # one write did not converge
    return Writes(levels, level, error, again, np.ones((writes, cells), np.int32))


def test_sigma_per_level_is_that_which_was_put_in() -> None:
    rng = np.random.default_rng(0)
    writes = known(300, 6, rng)
    assert writes.converged == pytest.approx(1 - 1 / 1800)
    found = [left_at(writes, i, 0, 1e-6, rng) for i in range(3)]
    for each, level in zip(found, writes.levels, strict=True):
        # 600 errors: 3 % of uncertainty.
        assert each.sigma.value == pytest.approx(0.02 * level, rel=0.12)
        assert each.sigma.uncertainty == pytest.approx(0.02 * level / np.sqrt(1200), rel=0.3)
        assert each.robust.value == pytest.approx(0.02 * level, rel=0.2)
        assert each.sigma.low < each.sigma.value < each.sigma.high
    assert found[0].inside == pytest.approx(0.988, abs=0.02)
    assert left_at(writes, 0, 1, 1e-6, rng).bias.value == pytest.approx(-0.1e-6, abs=0.07e-6)
    assert writes.reading_sigma(1) == pytest.approx(0.05e-6, rel=0.2)
    sigma = np.array([each.sigma.value for each in found])
    law = power_law(writes.levels, sigma, np.array([each.sigma.uncertainty for each in found]))
    assert law.slope == pytest.approx(1.0, abs=0.15)


def test_cycle_and_cell_spread_of_single_pulses_are_parted() -> None:
    rng = np.random.default_rng(1)
    levels, cells = np.linspace(20e-6, 100e-6, 5), rng.normal(0, 3e-6, 200)
    left = levels[:, None, None] + cells[None, :, None] + rng.normal(0, 2e-6, (5, 200, 6))
    left[:, 7] = 30e-6  # a cell that does not follow
    left[:, 8] = np.nan  # one that was never formed
    assert np.flatnonzero(~following(left)).tolist() == [7, 8]
    spreads, count = single_spread(left)
    assert count == 198
    for each in spreads:
        assert abs(each.cycle_sigma - 2e-6) < 5 * each.cycle_error < 1e-6
        assert abs(each.cell_sigma - 3e-6) < 5 * each.cell_error < 2e-6


def test_single_pulses_reach_their_levels_within_the_limits() -> None:
    levels = np.linspace(20e-6, 100e-6, 4)
    with bench(macros=1, chip=2) as backend:
        cells = Cells.grid(range(2), range(16))
        pulses = SinglePulses(Retold(backend), backend.limits, ReadSpec(samples=4))
        left = pulses.left(cells, levels, 2, lambda *_: None)
        assert backend.pulses.max() <= 16
    follows = following(left)
    assert follows.sum() >= 29  # 1 % of the cells are stuck, 1 % have a narrow window
    mean = left[:, follows].mean(axis=(1, 2))
    assert mean == pytest.approx(levels, rel=0.15)
    spreads, _ = single_spread(left)
    assert all(0.5e-6 < each.cycle_sigma < 10e-6 for each in spreads)


def test_unformed_cells_get_no_pulse() -> None:
    with Toy(ToyOptions(fresh=True)) as backend:
        pulses = SinglePulses(Retold(backend), backend.limits, ReadSpec())
        left = pulses.left(Cells.of_shape(backend.shape), np.array([20e-6, 50e-6]), 1, lambda *_: None)
        assert backend.pulses.sum() == 0
    assert np.isnan(left).all()
    assert single_spread(left)[1] == 0


REQUEST = Request("r0,c0-23", levels=3, single=1, writes=2, waits=(1.0, 60.0), samples=4)


def test_a_cut_off_run_ends_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    session = Session(None, Terminal(quiet=True))
    facts = running.carry_out(session, REQUEST, Path("whole"), None, None, 3)
    assert facts["converged_percent"] > 80
    assert facts["times"] == ["right after", "1 s later", "1 min later"]
    assert len(facts["levels"]) == len(facts["single"]) == 3
    assert 0.2 < facts["levels"][1]["sigma_uS"][0][0] < 1.5
    assert len(list(Path("whole").glob("*.png"))) == 4
    monkeypatch.setattr(running, "draw", lambda *_: None)
    cut_off_and_resumed(session, monkeypatch)
    whole, cut = (RunFile.open(name).kept["write_noise"].columns for name in ("whole", "cut"))
    for name in whole:
        assert np.array_equal(whole[name], cut[name], equal_nan=True), name


def cut_off_and_resumed(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """Carry out with cuts among the single pulses, in the first write, and in the second one's wait."""
    folder = Path("cut")

    class Cut(Exception):
        pass

    cycle, watched = SinglePulses._cycle, Writer._watched
    made: list[int] = []

    def cutting(at: int) -> Any:
        def dying(self: Any, *given: Any) -> Any:
            made.append(1)
            if len(made) == at:
                raise Cut
            return (cycle if isinstance(self, SinglePulses) else watched)(self, *given)

        return dying

    def write_dying(done: int, total: int) -> None:
        raise Cut

    once = Writer._once

    def in_the_write(self: Writer, *given: Any) -> Any:
        self._watch = write_dying
        return once(self, *given)

    for owner, name, fake in (
        (SinglePulses, "_cycle", cutting(3)),
        (Writer, "_once", in_the_write),
        (Writer, "_watched", cutting(2)),
    ):
        made.clear()
        with monkeypatch.context() as patch, pytest.raises(Cut):
            patch.setattr(owner, name, fake)
            running.carry_out(session, REQUEST, folder, folder if folder.exists() else None, None, 3)
    running.carry_out(session, REQUEST, None, folder, None, 3)
