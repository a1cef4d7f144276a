"""Letters in closed loop: what is asked, what the converters play, what is kept, and who judges."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from commands import empty_folder, run

from protocols.letters import run as letters_run
from protocols.letters.judge import Judge, Verdict
from protocols.letters.loop import ClassRuns, run_classes, under
from protocols.letters.outcome import ANALOG, DATA, DIGITAL, Drawn, Outcome, facts_of
from protocols.letters.page import page_of
from protocols.letters.report import show
from protocols.letters.request import LettersRequest, classes_of, parse_classes
from protocols.moving import MOVES, holding, moved_around, program_around
from protocols.network import Macro, place
from protocols.sampling import Sampling
from protocols.write_verify import Spec
from rramlab.contents import Kept
from rramlab.diffusion.network import class_embedding
from rramlab.diffusion.store import letters_weights, ring_weights
from rramlab.errors import InputError
from rramlab.figures import letters
from rramlab.runfile import RunFile

SCORE = letters_weights()
MAPPING = place(SCORE, np.ones((96, 32), bool), Spec(window=(20e-6, 100e-6)), 50e-6)
MACRO = Macro(MAPPING, np.full((96, 32), 50e-6), SCORE)
SAMPLING = Sampling(seconds=0.1, tick=0.005)
JUDGE = Judge.open(None, ("H", "K", "U"))


def answer(loop: Any) -> Any:
    """Return what a bench may answer: every state stays where it is, a little to the right for H."""
    runs, ticks = len(loop.start), len(loop.coefficients.drift) + 1
    shift = loop.coefficients.embedding.sum()
    columns = {
        "end": loop.start + np.array([shift, 0.0]),
        "energy": np.full(runs, 1e-6),
        "time": np.linspace(0, 0.1, ticks),
        "state": np.tile(loop.start[: loop.kept, None], (1, ticks, 1)),
        "output": np.zeros((loop.kept, ticks, 2)),
        "hidden1": np.zeros((loop.kept, ticks, 14)),
        "hidden2": np.zeros((loop.kept, ticks, 14)),
    }
    return SimpleNamespace(record=lambda: columns)


class Lab:
    """Hold a bench that counts its closed loops, and a run that keeps what it is told."""

    def __init__(self, found: dict[str, Kept] | None = None) -> None:
        self.loops: list[Any] = []
        self.told: dict[str, Kept] = {}
        self.found = found or {}
        self.backend = SimpleNamespace(solve=self._solve)
        self.run = SimpleNamespace(keep=self._keep)

    def kept(self, name: str) -> Kept | None:
        return self.found.get(name)

    def _solve(self, loop: Any) -> Any:
        self.loops.append(loop)
        return answer(loop)

    def _keep(self, name: str, columns: Any, units: Any = None, facts: Any = None) -> None:
        self.told[name] = Kept(columns, units or {}, facts or {})


def drawn(lab: Lab, classes: tuple[str, ...] = ("H", "K")) -> dict[str, ClassRuns]:
    start = np.random.default_rng(1).normal(size=(20, 2))
    return run_classes(lab, SCORE, MACRO, SAMPLING, start, classes, lambda *_: None)  # type: ignore[arg-type]


# What is asked.


def test_classes_are_a_list_of_names():
    assert parse_classes("H, K,,U ") == ("H", "K", "U")
    with pytest.raises(InputError, match="each class once"):
        LettersRequest(classes=("H", "H"))
    assert parse_classes(" ,") == ()


def test_a_request_survives_its_record():
    asked = LettersRequest(weights="w", classes=("K", "H"), samples=7, kind="sde", passes=1)
    assert LettersRequest(**json.loads(json.dumps(asked.parameters()))) == asked
    assert (asked.network().runs, asked.network().kind, asked.network().passes) == (7, "sde", 1)


def test_a_network_must_know_the_classes():
    with pytest.raises(InputError, match=r"no class 'A'; possible: H, K, U"):
        classes_of(LettersRequest(classes=("H", "A")), SCORE)
    with pytest.raises(InputError, match="train one that does with `rramlab train latent`"):
        classes_of(LettersRequest(), ring_weights())
    assert classes_of(LettersRequest(), SCORE) == ("H", "K", "U")
    assert classes_of(LettersRequest(classes=("U",)), SCORE) == ("U",)


# What the converters play.


def test_a_class_stands_on_the_embedding_channels_and_nowhere_else():
    start = np.zeros((3, 2))
    plain = SAMPLING.declare(SCORE, MAPPING, start)
    told = under(plain, SCORE, "K")
    ticks = len(plain.coefficients.drift)
    t = 1.0 - (np.arange(ticks) + 0.5) / ticks
    np.testing.assert_allclose(told.coefficients.embedding, class_embedding(SCORE, t, "K"), atol=1e-14)
    for name in ("drift", "drive", "noise"):
        assert getattr(told.coefficients, name) is getattr(plain.coefficients, name)
    assert (told.layers, told.scale, told.start is start) == (plain.layers, plain.scale, True)
    assert under(plain, SCORE, None) is plain


def test_all_classes_begin_at_the_same_states_and_are_kept():
    lab = Lab()
    found = drawn(lab)
    assert list(found) == ["H", "K"]
    first, second = lab.loops
    assert first.start is second.start
    assert (first.coefficients.embedding != second.coefficients.embedding).any()
    assert list(lab.told) == ["class H", "class K"]
    assert lab.told["class K"].units == {"time": "s", "energy": "J"}


def test_a_class_that_is_kept_is_not_run_again():
    before = Lab()
    wanted = drawn(before)
    after = Lab({"class H": before.told["class H"]})
    found = drawn(after)
    assert len(after.loops) == 1
    for name in ("H", "K"):
        for column in ClassRuns.__dataclass_fields__:
            np.testing.assert_array_equal(getattr(found[name], column), getattr(wanted[name], column))


# Around cells that do not hold.


def ended(cells: Any, error: np.ndarray, converged: np.ndarray) -> Any:
    return SimpleNamespace(cells=cells, error=error, converged=converged)


def test_only_layers_with_a_cell_that_gave_up_far_off_are_moved():
    targets = MAPPING.weight_targets(SCORE)
    count, weak = len(targets.cells), 30  # in the second copy of the first layer
    error, converged = np.full(count, 0.2e-6), np.ones(count, bool)
    error[[weak, weak + 1, weak + 2]] = -30e-6, -2e-6, 20e-6
    converged[[weak, weak + 1]] = False  # the third came there and went away again
    usable = holding(np.ones((96, 32), bool), [ended(targets.cells, error, converged)])
    gone = [(int(r), int(c)) for r, c in zip(*np.nonzero(~usable), strict=True)]
    assert gone == [(int(targets.cells.row[weak]), int(targets.cells.col[weak]))]
    moved = moved_around(MAPPING, usable)
    assert moved.placements[1:] == MAPPING.placements[1:]
    assert moved.placements[0] != MAPPING.placements[0]
    cells = moved.placements[0].region.cells()
    assert usable[cells.row, cells.col].all()
    assert moved_around(moved, usable) == moved


def test_a_cell_that_cannot_be_read_does_not_hold():
    targets = MAPPING.weight_targets(SCORE)
    error, converged = np.zeros(len(targets.cells)), np.ones(len(targets.cells), bool)
    error[5], converged[5] = np.nan, False
    assert (~holding(np.ones((96, 32), bool), [ended(targets.cells, error, converged)])).sum() == 1


class Attempts:
    """Hold stages that program without a bench: the cells given as weak do not hold their weights."""

    def __init__(self, weak: set[tuple[int, int]], found: dict[str, Kept] | None = None) -> None:
        self.work, self.weak = Lab(found), weak
        self.tried: list[tuple[str, Any]] = []

    def mapping(self) -> Any:
        kept = self.work.kept("mapping")
        return (MAPPING if kept is None else kept.facts), np.ones((96, 32), bool)

    def program(self, watch: Any, mapping: Any, again: str = "") -> Any:
        self.tried.append((again, mapping))
        cells = mapping.weight_targets(SCORE).cells
        weak = np.array([(r, c) in self.weak for r, c in zip(cells.row, cells.col, strict=True)])
        done = ended(cells, np.where(weak, -40e-6, 0.0), ~weak)
        return Macro(mapping, np.full((96, 32), 50e-6), SCORE), [done]


def test_a_network_stays_where_all_cells_hold():
    stages = Attempts(weak={(95, 31)})
    macro, done = program_around(stages, print)  # type: ignore[arg-type]
    assert (macro.mapping, len(done), stages.work.told) == (MAPPING, 1, {})


def test_a_network_moves_away_from_weak_cells_and_finds_its_way_again():
    cells = MAPPING.weight_targets(SCORE).cells
    stages = Attempts(weak={(int(cells.row[3]), int(cells.col[3]))})
    macro, done = program_around(stages, print)  # type: ignore[arg-type]
    assert [again for again, _ in stages.tried] == ["", "move 1: "]
    assert len(done) == 2
    told = stages.work.told
    assert told["mapping"].facts == macro.mapping.to_dict() != MAPPING.to_dict()
    assert (~told["mapping"].columns["usable"]).sum() == 1
    # A run that was cut off after that goes through the same attempts, whose results are kept.
    after = Attempts(stages.weak, told)
    assert program_around(after, print)[0].mapping == macro.mapping  # type: ignore[arg-type]
    assert after.tried == stages.tried


def test_moving_comes_to_an_end():
    everywhere = {(r, c) for r in range(96) for c in range(32)}
    stages = Attempts(everywhere)
    program_around(stages, print)  # type: ignore[arg-type]
    assert len(stages.tried) <= 1 + MOVES


# Who judges.


def test_the_judge_takes_latents_for_what_they_are():
    rng = np.random.default_rng(3)
    for name in ("H", "K", "U"):
        found = JUDGE.verdict(JUDGE.data(400, name, rng), name)
        # 99.4 % of all latents are taken for their class: 95 % of 400 is 11 standard errors away.
        assert found.accuracy > 0.95
        assert found.nearest > 0.95
        assert found.sliced_wasserstein < 0.03  # 0.01 on average
    other = JUDGE.verdict(JUDGE.data(400, "H", rng), "K")
    assert other.accuracy < 0.05
    assert other.nearest < 0.05
    # The centres are about 0.84 apart along x: 2 / pi of that.
    assert other.sliced_wasserstein == pytest.approx(0.84 * 2 / np.pi, rel=0.1)


def test_a_letter_that_nobody_here_can_judge_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"letter 'A'.*--letters"):
        Judge.open(None, ("A",))
    with pytest.raises(InputError, match="rramlab train letters"):
        Judge.open(str(tmp_path), ("H",))
    with pytest.raises(InputError, match=r"gone is no folder; name the one that `rramlab train letters`"):
        Judge.open(str(tmp_path / "gone"), ("H",))


# What is told.


def outcome(accuracy: float = 0.9) -> Outcome:
    analog = drawn(Lab())
    verdicts = {
        ANALOG: Verdict(0.45, 0.9, 0.03),
        DIGITAL: Verdict(accuracy, 0.9, 0.02),
        DATA: Verdict(1.0, 1.0, 0.01),
    }
    classes = {name: Drawn(a, a.end, verdicts) for name, a in analog.items()}
    request = LettersRequest(classes=("H", "K"), samples=20)
    start = np.zeros((20, 2))
    return Outcome(request, SCORE, MACRO, [], SAMPLING, start, classes, JUDGE, 1e-4)


def test_ratios_are_analog_over_digital():
    facts = facts_of(outcome())
    assert facts["accuracy_ratio"] == pytest.approx(0.5)
    assert facts["sliced_wasserstein_ratio"] == pytest.approx(1.5)
    assert facts["classes"]["K"]["analog"]["nearest"] == 0.9
    assert np.isnan(facts_of(outcome(accuracy=0.0))["accuracy_ratio"])
    assert {"start", "analog H", "digital H", "analog K"} <= set(outcome().columns())


def test_the_page_shows_sheets_latents_and_paths():
    html = page_of(outcome()).html()
    assert html.count("<img") == 7
    assert "Simulated, since no oscilloscope is on this bench" in html
    assert "The same start under different classes" in html


@pytest.mark.parametrize(("clipped", "hint"), [(2, False), (30, True)])
def test_a_bench_that_needs_calibration_is_told_so(clipped: int, hint: bool):
    done: Any = SimpleNamespace(cells=range(100))
    found = replace(outcome(), macro=replace(MACRO, clipped=clipped), programmed=[done])
    told: list[str] = []
    quiet = SimpleNamespace(table=lambda *_: None, say=told.append, document=lambda _: None)
    show(SimpleNamespace(terminal=quiet), found, Path("run"))  # type: ignore[arg-type]
    assert any("rramlab calibrate all --prepare" in line for line in told) == hint


# The figures.


def test_a_mosaic_has_paper_between_and_where_letters_are_missing():
    sheet = letters.mosaic(np.ones((3, 4, 4)), rows=2, columns=2)
    assert sheet.shape == (9, 9)
    assert sheet.sum() == 3 * 16
    assert not sheet[4].any()
    assert not sheet[5:, 5:].any()


@pytest.mark.parametrize(
    "draw",
    [
        lambda: letters.letter_sheets({}),
        lambda: letters.mosaic(np.zeros((0, 4, 4)), 1, 1),
        lambda: letters.class_clouds({}),
        lambda: letters.letter_paths([0.0, 1.0], {"H": np.zeros((1, 3, 2))}, {"H": np.zeros((1, 2, 4, 4))}),
        lambda: letters.letter_paths([0.0], {}, {}),
    ],
)
def test_what_is_no_letter_is_not_drawn(draw):
    with pytest.raises(ValueError, match="given"):
        draw()


# From the command line.


@pytest.fixture
def quiet_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(letters_run, "write_page", lambda *_: None)
    with empty_folder(tmp_path, None):
        yield


WORDS = ("letters", "--classes", "H,U", "--samples", "60", "--passes", "1")


@pytest.mark.slow
@pytest.mark.usefixtures("quiet_folder")
def test_letters_are_programmed_drawn_and_drawn_again_from_the_same_macro(monkeypatch: pytest.MonkeyPatch):
    facts = json.loads(run("--json", *WORDS, "--run", "a"))
    assert list(facts["classes"]) == ["H", "U"]
    # 99.8 % on average; 90 % of 120 leaves room for one odd macro.
    assert facts["accuracy"]["analog"] > 0.9
    kept = RunFile.open("a").kept
    assert kept["letters"].columns["analog U"].shape == (60, 2)
    more = "--classes", "K", "--samples", "8", "--run", "b"
    again = json.loads(run("--json", "letters", "--after", "a", *more))
    assert list(again["classes"]) == ["K"]
    assert len(RunFile.open("b").tables["pulses"]) == 0
    assert kept["score"].facts["classes"] == ["H", "K", "U"]
    with monkeypatch.context() as patch:
        patch.setattr(letters_run, "baseline", lambda *_: 1 / 0)
        run("-q", *WORDS, "--run", "c", code=70)
    run("letters", "--resume", "c")
    resumed = RunFile.open("c").kept["letters"].columns
    for name, wanted in kept["letters"].columns.items():
        np.testing.assert_array_equal(resumed[name], wanted, err_msg=name)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--classes", "H,A"), "no class 'A'; possible: H, K, U"),
        (("--classes", "h"), "no class 'h'"),
        (("--samples", "0"), "0 runs were asked for"),
        (("--weights", "nope.safetensors"), "no weight file at nope.safetensors"),
        (("--letters", "nowhere"), "nowhere"),
        (("--kind", "ddpm"), "possible: ode, sde"),
    ],
)
@pytest.mark.usefixtures("quiet_folder")
def test_what_makes_no_sense_is_refused_before_a_run_is_made(words: tuple[str, ...], said: str):
    assert said in " ".join(run("letters", *words, "--run", "a", code=2).split())
    assert not Path("a").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--form", "learnt"), "possible are trained and projection"),
        (("--dropout", "1"), "dropout=1.0"),
        (("--steps", "1"), "at least 4"),
        (("--letters", "nowhere"), "nowhere"),
        (("--out", "weights.npz"), "name a new .safetensors file"),
    ],
)
@pytest.mark.usefixtures("quiet_folder")
def test_training_that_makes_no_sense_is_refused(words: tuple[str, ...], said: str):
    assert said in " ".join(run("train", "latent", *words, code=2).split())
