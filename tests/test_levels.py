"""Levels: the plan, what a reading tells of a level, and a run that was cut off."""

import json
from collections.abc import Callable
from math import erfc, log2, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cut_off import resumed, whole
from toy_world import Toy
from typer.testing import CliRunner

from protocols.characterise.discernibility import (
    LevelSpread,
    bootstrap,
    effective_bits,
    total_sigma,
    wrong_level,
)
from protocols.characterise.retold import Retold
from protocols.levels.cells import Leveller, Levels
from protocols.levels.figures import moments, straightness
from protocols.levels.request import Request
from rramlab.bench import Bench, embedded
from rramlab.cells import Cells
from rramlab.cli import app
from rramlab.errors import InputError, LimitExceeded
from rramlab.outcome import Outcome
from rramlab.reading import ReadSpec
from rramlab.runfile import RunFile

TARGET = np.linspace(20e-6, 100e-6, 33)
PITCH = 2.5e-6


def drawn(sigma: float, cells: int = 200, reads: int = 4, bias: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(6)
    level = np.repeat(np.arange(TARGET.size), cells)
    return level, TARGET[level][:, None] + bias + sigma * rng.standard_normal((level.size, reads))


# What a reading tells, against known answers.


@pytest.mark.parametrize("sigma", [0.3e-6, 0.8e-6, 2e-6])
def test_overlap_and_wrong_levels_of_normal_distributions(sigma: float) -> None:
    level, readings = drawn(sigma)
    spread = LevelSpread.of(level, readings, TARGET)
    beyond = erfc(PITCH / 2 / sigma / sqrt(2))  # share beyond half a pitch, both sides
    # Two normal densities of one sigma share the area beyond the middle between them, from either side.
    assert spread.overlap().mean() == pytest.approx(beyond, abs=0.02)
    expected = beyond * (1 - 1 / TARGET.size)  # the outermost levels have one neighbour
    # 26 400 readings: a standard error of 0.003 at most.
    assert wrong_level(level, readings, TARGET) == pytest.approx(expected, abs=0.013)


def test_information_goes_from_all_levels_to_none() -> None:
    def information(sigma: float) -> float:
        n = TARGET.size
        return LevelSpread(TARGET, TARGET, np.full(n, sigma), np.full(n, 100)).information()

    assert information(0.05e-6) == pytest.approx(log2(33), abs=1e-6)
    assert information(1e-3) == pytest.approx(0.0, abs=1e-3)
    # Many levels in a wide window are a uniform input: log2(span / (sigma sqrt(2 pi e))), Shannon 1948.
    sigma, wide = 1.25e-6, TARGET.size * PITCH
    assert information(sigma) == pytest.approx(log2(wide / (sigma * sqrt(2 * np.pi * np.e))), abs=0.06)
    two = LevelSpread(TARGET[:2], TARGET[:2], np.full(2, PITCH / 2), np.full(2, 9)).information()
    assert two == pytest.approx(0.4859, abs=2e-3)  # capacity of +-1 in noise of sigma 1, in bit


def test_effective_bits_count_levels_whose_intervals_do_not_meet() -> None:
    # 17 levels over 80 uS lie 5 uS apart: +-2.5 uS is +-1.96 sigma of 1.2755 uS.
    assert 2 ** effective_bits(80e-6, 2.5e-6 / 1.96) == pytest.approx(17)
    level, readings = drawn(0.5e-6, bias=0.5e-6)
    assert total_sigma(level, readings, TARGET) == pytest.approx(0.5e-6 * sqrt(2), rel=0.03)


def test_levels_with_few_cells_take_the_spread_of_their_neighbours() -> None:
    rng = np.random.default_rng(7)
    level = np.arange(TARGET.size)
    readings = TARGET[:, None] + 1e-6 * rng.standard_normal((TARGET.size, 1))
    spread = LevelSpread.of(level, readings, TARGET)
    # 24 cells and more behind each, 13 at the ends: within four standard errors of 1 uS.
    assert ((spread.sigma > 0.4e-6) & (spread.sigma < 1.8e-6)).all()
    assert (np.abs(spread.mean - TARGET) < 1.2e-6).all()
    assert (spread.count == 1).all()


def test_errors_from_drawing_cells_anew_are_those_of_repeated_experiments() -> None:
    rng = np.random.default_rng(8)
    level = np.repeat(np.arange(TARGET.size), 6)
    found = []
    for _ in range(40):
        readings = TARGET[level][:, None] + 1e-6 * rng.standard_normal((level.size, 1))
        found.append(effective_bits(80e-6, total_sigma(level, readings, TARGET)))
    claimed, _ = bootstrap(level, readings, TARGET, np.random.default_rng(1), draws=60)
    # A deviation of 40 is known to 11 %, one of 60 to 9 %: 0.6 to 1.7 is beyond three and a half sigma.
    assert 0.6 < claimed / np.std(found, ddof=1) < 1.7


# The plan.


def bench(**limits: Any) -> Bench:
    found = Bench.parse(embedded())
    return found.model_copy(update={"limits": found.limits.model_copy(update=limits)})


@pytest.mark.parametrize(("cells", "levels", "rounds"), [(1, 16, 16), (5, 16, 4), (64, 64, 1), (100, 64, 1)])
def test_every_level_is_programmed_as_often_as_any_other(cells: int, levels: int, rounds: int) -> None:
    plan = Request(levels=levels).schedule(cells, seed=3)
    assert plan.shape == (rounds, cells)
    counts = np.bincount(plan.ravel(), minlength=levels)
    assert counts.min() >= 1 and np.ptp(counts) <= 1
    assert np.array_equal(plan, Request(levels=levels).schedule(cells, seed=3))
    assert not np.array_equal(plan, Request(levels=levels).schedule(cells, seed=4))


@pytest.mark.parametrize(
    "asked",
    [{"levels": 1}, {"times": ()}, {"times": (0.0, 1.0)}, {"times": (2.0, 1.0)}, {"reads": 1}, {"rounds": 0}],
)
def test_a_request_that_makes_no_sense_is_refused(asked: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        Request(**asked)


def test_what_the_bench_cannot_hold_is_refused_before_the_first_pulse() -> None:
    with pytest.raises(InputError, match="window of this bench"):
        Request(high=150e-6).check(64, bench())
    with pytest.raises(LimitExceeded, match="Name 4 cells"):
        Request(levels=64).check(1, bench())
    Request(levels=64).check(1, bench(pulses_per_cell=1000))
    Request(levels=64).check(4, bench())


def test_the_sweep_of_a_level_stays_within_the_read_voltage() -> None:
    stairs = Request().staircase(bench())
    assert np.abs(stairs.voltages).max() == pytest.approx(0.2) and stairs.voltages[[0, -1]] == pytest.approx(
        0
    )
    assert (np.abs(np.diff(stairs.voltages)) < 0.0201).all()


# Time.


@pytest.mark.parametrize("last", range(5))
def test_a_wait_that_was_cut_off_is_not_waited_twice(last: int) -> None:
    cells = Cells.grid(range(1), range(2))

    def work(retold: Retold) -> tuple[float, float]:
        retold.read(cells, ReadSpec())
        retold.wait_until(100.0)
        return retold.now(), float(retold.read(cells, ReadSpec())[0])

    (time, _), events = whole(Toy, work)
    assert time == pytest.approx(100.0) and events == 6
    # A reading that was under way is taken once more, and takes its 2 ms.
    assert resumed(Toy, work, last)[0] == pytest.approx(100.0, abs=0.01)


# The command.


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    monkeypatch.chdir(tmp_path)
    Path("one.toml").write_text(embedded().replace("macros = 3", "macros = 1"))

    def call(*words: str, code: int = 0) -> str:
        result = CliRunner().invoke(app, ["--bench", "one.toml", *words])
        assert result.exit_code == code, result.output
        return result.output

    return call


def test_the_command_programs_reads_sweeps_and_goes_on(
    run: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("levels", "--cells", "r0-3,c0-7", "--levels", "16", "--rounds", "2", "--times", "1s,1000s")
    more = ("--reads", "3", "--passes", "1", "--wait", "0s")
    facts = json.loads(run("--json", *words, *more, "--run", "whole"))
    assert (
        facts["programmed_percent"] > 90
        and facts["rounds"] == 2
        and facts["pitch_uS"] == pytest.approx(80 / 15)
    )
    assert facts["bits"][0] > facts["bits"][1] > 3.5  # they relax, and are still told apart
    # The tolerance is 1 uS; a reading alone has 0.1 to 0.3 uS.
    assert 0.08 < facts["read_sigma_uS"][0] < 0.4 and 0.2 < facts["sigma_uS"][0] < 1.0
    assert facts["time_s"][1] == pytest.approx(1000, rel=0.01)
    assert facts["departure_percent"] < 5
    kept = RunFile.open("whole").kept["levels"]
    assert kept.columns["reading"].shape == (2, 2, 32, 3) and kept.units["reading"] == "S"
    assert len(kept.columns["curve_level"]) == 16  # one I-V per level
    assert Path("whole/index.html").read_text().count("<img") == 4
    seen = []

    def broken(self: Leveller, *what: Any) -> Any:
        seen.append(what)
        if len(seen) == 2:
            raise KeyboardInterrupt
        return honest(self, *what)

    honest = Leveller._sweep
    with monkeypatch.context() as patch:
        patch.setattr(Leveller, "_sweep", broken)
        run(*words, *more, "--run", "cut", code=130)
    monkeypatch.setattr("protocols.levels.run.draw", lambda *what: None)  # drawn once is enough
    assert "leave out --levels" in run("levels", "--resume", "cut", "--levels", "8", code=2)
    run("levels", "--resume", "cut")
    again = RunFile.open("cut").kept["levels"].columns
    for name, column in kept.columns.items():
        assert np.array_equal(column, again[name], equal_nan=column.dtype.kind == "f"), name


def test_a_run_cut_off_in_the_middle_of_programming_ends_with_all_levels(
    run: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = (
        "levels",
        "--cells",
        "r0,c0-7",
        "--levels",
        "8",
        "--rounds",
        "2",
        "--times",
        "1s",
        "--curves",
        "0",
    )
    pulsed = []

    def broken(self: Any, train: Any) -> Any:
        pulsed.append(len(train))
        if len(pulsed) == 12:
            raise KeyboardInterrupt
        return honest(self, train)

    from sim_backend.backend import SimBackend

    honest = SimBackend._pulse
    monkeypatch.setattr("protocols.levels.run.draw", lambda *what: None)
    with monkeypatch.context() as patch:
        patch.setattr(SimBackend, "_pulse", broken)
        run(*words, "--run", "cut", code=130)
    run("levels", "--resume", "cut")
    kept = RunFile.open("cut").kept["levels"].columns
    good = kept["outcome"] == Outcome.CONVERGED
    assert good.mean() > 0.8
    error = kept["reading"][:, 0].mean(axis=-1) - kept["target"][kept["level"]]
    assert np.abs(error[good]).max() < 5e-6  # 1 uS of tolerance, and a second of relaxation
    assert "has no 'sweep'" not in run("show", "cut")


def test_the_command_refuses_before_a_run_is_made(
    run: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Name 4 cells" in run("levels", "--cells", "r0c0", "--run", "l", code=4)
    monkeypatch.setattr("sim_backend.backend.SimBackend.capabilities", frozenset({"read", "pulse", "wait"}))
    assert "has no 'sweep'" in run("levels", "--run", "l", code=5)
    assert not Path("l").exists()


def test_nothing_programmed_is_no_moment() -> None:
    none = np.zeros((1, 2), np.uint8) + Outcome.STUCK_HIGH
    found = Levels(
        Cells.grid(range(1), range(2)), TARGET, np.zeros((1, 2), int), none, np.zeros((1, 2), np.int32),
        np.ones((1, 1)), np.ones((1, 1, 2, 3)), np.zeros(0, int), np.zeros((0, 41)), np.zeros((0, 41)),
    )  # fmt: skip
    assert moments(found, 0) == [] and straightness(found) == []
