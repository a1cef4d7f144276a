"""Pulse response: the plan, who takes which pulse, the curves, and a run that was cut off."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cut_off import resumed, whole
from toy_world import Toy
from typer.testing import CliRunner

from protocols.characterise.retold import Retold
from protocols.response.cells import Responded, Responder, Response
from protocols.response.request import Request, parse_list
from protocols.response.statistics import Curve, Curves, crossing, levelled, slope_of
from protocols.response.steps import Part, Step, sequence
from rramlab.bench import embedded
from rramlab.cells import Cells
from rramlab.cli import app
from rramlab.errors import InputError, LimitExceeded
from rramlab.limits import Limits
from rramlab.pulse import Delivery, Polarity
from rramlab.reading import ReadSpec
from rramlab.recorder import MemoryRecorder
from rramlab.runfile import RunFile

SHORT = Request(gates=(1.2, 1.6), ladder=(1.0, 1.6), widths=(1e-7,), repeats=2)
NINE = Cells.grid(range(3), range(3))


def respond(retold: Retold, request: Request = SHORT, cells: Cells = NINE) -> Response:
    limits = retold.backend.limits
    responder = Responder(retold, limits, ReadSpec(), lambda done, of: None)
    return responder.measure(cells, request.steps(limits))


# The plan.


def test_each_repeat_is_a_staircase_a_ladder_and_a_sweep_with_erasures_where_they_belong() -> None:
    parts = [step.part for step in SHORT.steps(Limits())]
    once = [Part.BEGIN, Part.ERASE, Part.GATE, Part.ERASE, Part.GATE, Part.LADDER, Part.LADDER, Part.ERASE]
    assert parts == [*once, Part.WIDTH, *once, Part.WIDTH, Part.ERASE, Part.LEAVE]
    steps = SHORT.steps(Limits())
    assert [s.drive for s in steps if s.part == Part.LADDER][:2] == [1.0, 1.6]
    assert {s.polarity for s in steps if s.part in (Part.ERASE, Part.LADDER)} == {Polarity.RESET}


def test_the_last_set_deals_the_gates_out_to_the_cells() -> None:
    last = SHORT.steps(Limits())[-1]
    assert last.train(NINE).gate == pytest.approx([1.2, 1.6] * 4 + [1.2])
    # A cell keeps its gate when others are left out.
    assert last.train_of(NINE.take(np.array([3, 5])), np.array([3, 5])).gate == pytest.approx([1.6, 1.6])


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"gates": (2.2,)}, "v_set"),
        ({"v_set": 2.4}, "v_set"),
        ({"ladder": (1.0, 2.3)}, "v_reset"),
        ({"widths": (1e-4,)}, "width"),
        ({"gate_reset": 3.5}, "gate"),
        ({"gates": (1.8,), "width": 8e-6}, "energy"),
        ({"repeats": 9}, "pulses_per_cell"),
    ],
)
def test_what_the_limits_forbid_is_refused_before_the_first_pulse(asked: dict[str, Any], words: str) -> None:
    with pytest.raises(LimitExceeded, match=words):
        Request(**asked).steps(Limits())


@pytest.mark.parametrize(
    "asked",
    [{"gates": ()}, {"gates": (1.4, 1.2)}, {"ladder": (0.0, 1.0)}, {"widths": (1e-6, 1e-6)}, {"repeats": 0}],
)
def test_a_request_that_makes_no_sense_is_refused(asked: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        Request(**asked)


def test_lists_are_read_with_their_units() -> None:
    assert parse_list("1V, 1200mV,", "V") == pytest.approx((1.0, 1.2)) and parse_list("", "s") == ()


def test_a_request_comes_back_from_its_record() -> None:
    assert Request(**json.loads(json.dumps(SHORT.parameters()))) == SHORT


# Cells.


class Mixed(Toy):
    """Switch between a state of the gate and an erased one; some cells do not, or are no longer RESET."""

    def _read(self, cells: Cells, spec: ReadSpec) -> np.ndarray:
        super()._read(cells, spec)
        found = self.g[cells.row, cells.col].copy()
        found[(cells.row == 2) & (cells.col == 0)] = 0.2e-6  # not formed
        found[(cells.row == 2) & (cells.col == 1)] = np.nan
        found[(cells.row == 2) & (cells.col == 2)] = 90e-6  # stuck
        found[(cells.row == 1) & (cells.col == 0)] = 5e-6  # asleep
        return np.asarray(found)

    def _pulse(self, train: Any) -> np.ndarray:
        low = 2e-6 if not hasattr(self, "low") else self.low
        set_to = 50e-6 * train.gate
        place = train.cells.row, train.cells.col
        self.g[place] = np.where(train.polarity == Polarity.RESET, low, set_to)
        self.time += float(train.width.sum())
        return np.full(len(train), Delivery.APPLIED, np.uint8)


def test_cells_that_do_not_respond_are_outcomes_and_take_no_pulse_that_could_harm() -> None:
    backend, recorder = Mixed(), MemoryRecorder()
    backend.recorder = recorder
    with backend:
        found = respond(Retold(backend))
    outcome = found.outcomes().reshape(3, 3)
    assert outcome[0].tolist() == [Responded.SWITCHES] * 3
    assert outcome[1].tolist() == [Responded.NO_SET, Responded.SWITCHES, Responded.SWITCHES]
    assert outcome[2].tolist() == [Responded.UNFORMED, Responded.UNREADABLE, Responded.NO_RESET]
    asked = [e for e in recorder.events if e.verb == "pulse" and e.stage == "request"]
    pulsed = {
        (int(r), int(c)) for e in asked for r, c in zip(e.columns["row"], e.columns["col"], strict=True)
    }
    assert (2, 0) not in pulsed and (2, 1) not in pulsed and (0, 0) in pulsed
    # Erased cells read 2 uS, below the floor of 3 uS: the second RESET of the ladder leaves them out.
    second = found.where(Part.LADDER)[1]
    assert (found.delivery[second, :3] == Delivery.NOT_APPLIED).all()
    assert (found.delivery[second - 1, :3] == Delivery.APPLIED).all()
    assert (found.reading[second + 1, :3] == found.reading[second, :3]).all()


def test_a_response_that_was_cut_off_anywhere_ends_as_if_it_had_not() -> None:
    request = Request(gates=(1.2,), ladder=(1.0,), widths=(), repeats=1)

    def work(retold: Retold) -> Response:
        return respond(retold, request)

    wanted, events = whole(Mixed, work)
    for last in range(events):
        found = resumed(Mixed, work, last)
        assert np.array_equal(found.reading, wanted.reading, equal_nan=True), last
        if last % 2 == 0:  # before a request: nothing is under way, so that not even a time changes
            assert np.array_equal(found.delivery, wanted.delivery), last
            assert np.array_equal(found.pulsed, wanted.pulsed) and np.array_equal(found.read, wanted.read)


# Statistics, against known answers.


def test_median_spread_cycles_and_cells_of_known_distributions() -> None:
    rng = np.random.default_rng(2)
    cells = 0.10 * rng.standard_normal((1, 1, 1500))
    level = np.array([1.0, 1.2, 1.4])
    median = 1e-6 * (20.0 + 100.0 * (level - 1.0))
    values = median[:, None, None] * np.exp(cells + 0.05 * rng.standard_normal((3, 4, 1500)))
    curve = Curve.of(level, values, level, rng)
    # Four standard errors, of which 1 in 16 000 is beyond; the spread of ln G is hypot(0.10, 0.05).
    assert (np.abs(curve.median - median) < 4 * curve.error).all() and (curve.error < 0.01 * median).all()
    assert (np.abs(curve.spread / median - np.sinh(np.hypot(0.10, 0.05))) < 0.012).all()
    assert curve.cycle == pytest.approx(np.full(3, 0.05), rel=0.06)
    assert curve.cell == pytest.approx(np.full(3, 0.10), rel=0.09)
    assert abs(curve.slope - 100e-6) < 4 * curve.slope_error < 4e-6


def test_slope_and_crossing() -> None:
    assert slope_of(np.array([0.0, 1.0, 2.0]), np.array([1.0, 3.0, 5.0])) == pytest.approx(2.0)
    assert np.isnan(slope_of(np.array([1.0]), np.array([1.0])))
    falling = np.array([10.0, 8.0, 2.0])
    assert crossing(np.array([0.0, 1.0, 2.0]), falling, 5.0) == pytest.approx(1.5)
    assert np.isnan(crossing(np.array([0.0, 1.0, 2.0]), falling, 1.0))


def made(readings: Callable[[Step], float], cells: int = 40) -> Response:
    """Return a response in which each step leaves all cells at a known reading."""
    volts = {"v_set": 2.0, "v_erase": 2.0, "gate_width": 1.4, "gate_reset": 3.3}
    steps = sequence((1.2, 1.6), (1.0, 1.4), (1e-7, 1e-6), 2, width=1e-6, **volts)
    rows = np.array([5e-6, *(readings(step) for step in steps)])
    table = rows[:, None] * np.ones(cells)
    delivery, times = np.zeros((len(steps), cells), np.uint8), np.zeros((len(steps) + 1, 2))
    which = Cells.grid(range(1), range(cells))
    nobody = np.zeros(cells, bool)
    return Response(which, steps, table, delivery, times[1:], times, ReadSpec(), 3e-6, nobody)


def test_curves_take_each_reading_after_its_pulse() -> None:
    def readings(step: Step) -> float:
        by_part = {
            Part.ERASE: 5e-6,
            Part.LADDER: 80e-6 - 50e-6 * (step.drive - 0.8),
            Part.WIDTH: 40e-6 + 5e-6 * (np.log10(step.width) + 7),
        }
        return float(by_part.get(step.part, 50e-6 * step.gates[0]))

    found = made(readings)
    told = Curves.of(found, np.random.default_rng(0))
    assert told.ladder is not None and told.width is not None
    assert told.gate.median == pytest.approx([60e-6, 80e-6]) and told.gate.slope == pytest.approx(50e-6)
    assert told.ladder.median == pytest.approx([70e-6, 50e-6])
    assert told.width.slope == pytest.approx(5e-6) and told.erased == pytest.approx(5e-6)
    # From 80 uS before the ladder to 50 uS: 65 uS is half way, at 1.1 V.
    assert told.half == pytest.approx(1.1) and told.half_error == pytest.approx(0.0, abs=1e-9)
    assert levelled(found, Part.LADDER)[1].shape == (2, 2, 40)


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


WORDS = (
    "response",
    "--cells",
    "r0-1,c0-15",
    "--gates",
    "1.2V,1.5V,1.8V",
    "--ladder",
    "1V,1.5V",
    "--widths",
    "1us",
)


def test_the_command_measures_draws_and_goes_on(
    run: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = json.loads(run("--json", *WORDS, "--run", "whole"))
    assert facts["outcomes"]["SWITCHES"] >= 28 and facts["pulses"] == 24
    medians = facts["curves"]["gate"]["median_uS"]
    assert medians == sorted(medians) and medians[-1] > 2 * medians[0] and facts["half_reset_V"][0] < 1.5
    assert facts["gate_slope_uS_per_V"][0] > 10 * facts["gate_slope_uS_per_V"][1] > 0
    kept = RunFile.open("whole").kept["response"]
    assert kept.columns["reading"].shape == (25, 32) and kept.units["reading"] == "S"
    assert len(RunFile.open("whole").tables["reads"]["row"]) == 25 * 32
    assert Path("whole/index.html").read_text().count("<img") == 3 and Path("whole/medians.png").exists()
    seen = []

    def broken(self: Responder, *what: Any) -> Any:
        seen.append(what)
        if len(seen) == 9:
            raise KeyboardInterrupt
        return honest(self, *what)

    honest = Responder._pulse
    with monkeypatch.context() as patch:
        patch.setattr(Responder, "_pulse", broken)
        run(*WORDS, "--run", "cut", code=130)
    monkeypatch.setattr("protocols.response.run.draw", lambda *what: None)  # drawn once is enough
    run("response", "--resume", "cut")
    again = RunFile.open("cut").kept["response"].columns
    for name, column in kept.columns.items():
        assert np.array_equal(column, again[name], equal_nan=column.dtype.kind == "f"), name


def test_a_bench_of_unformed_cells_is_an_outcome(run: Callable[..., str]) -> None:
    text = Path("one.toml").read_text()
    Path("one.toml").write_text(text.replace("formed = true", "formed = false"))
    facts = json.loads(run("--json", "response", "--cells", "r0,c0-3", "--repeats", "1", "--run", "fresh"))
    assert facts["outcomes"] == {"UNFORMED": 4} and facts["erased_uS"] is None
    assert "pulses" not in RunFile.open("fresh").tables or not len(RunFile.open("fresh").tables["pulses"])


def test_the_command_refuses_before_a_run_is_made(run: Callable[..., str]) -> None:
    assert "operating limit" in run("response", "--v-set", "2.4V", "--run", "i", code=4)
    assert "rising values" in run("response", "--gates", "1.4V,1.2V", "--run", "i", code=2)
    assert not Path("i").exists()
