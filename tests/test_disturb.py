"""Disturb: what stress does is found, what it does not do is bounded; cells at rest tell the two apart."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from commands import RUNNER, empty_folder, run

from protocols.ageing.contrast import checkpoints, effect_of
from protocols.disturb import run as disturb_run
from protocols.disturb.layout import AGGRESSOR, COLUMN, NULL, ROW, Layout, choose_aggressors, parts_of
from rramlab.bench import embedded
from rramlab.cells import Cells
from rramlab.cli import app
from rramlab.errors import InputError
from rramlab.pulse import Polarity
from rramlab.runfile import RunFile
from sim_backend.backend import SimBackend

SMALL = ("--cells", "r0-15,c0-15", "--levels", "2", "--reads", "1000", "--aggressors", "3", "--pulses", "40")


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[None]:
    with empty_folder(tmp_path, None if "shows" in request.node.name else disturb_run):
        yield


def bench(**changes: str) -> str:
    text = embedded()
    for name, value in changes.items():
        old = next(line for line in text.splitlines() if line.startswith(f"{name} = "))
        text = text.replace(old, f"{name} = {value}")
    Path("bench.toml").write_text(text)
    return "bench.toml"


def test_a_bench_that_inhibits_shows_no_disturb_and_bounds_it() -> None:
    facts = json.loads(run("--json", "disturb", *SMALL, "--run", "d"))
    # 8 comparisons of two figures at 3 sigma each: one by chance in 25 runs; the seed is fixed.
    assert facts["seen"] == 0
    assert len(facts["effects"]) == 8
    assert all(0 < effect["bound_uS"] < 1 for effect in facts["effects"])
    assert {"read.png", "half-select.png"} <= {path.name for path in Path("d").iterdir()}


def test_without_inhibit_a_set_disturbs_its_row_and_nothing_else() -> None:
    words = ("--kind", "half-select", *SMALL, "--run", "d")
    facts = json.loads(run("--json", "--bench", bench(inhibit="0.0"), "disturb", *words))
    low, high = (line for line in facts["effects"] if line["stress"] == "row")
    assert low["seen"] and low["change_uS"] > 5 and low["excess_nS"] > 5 * low["excess_uncertainty_nS"]
    assert high["change_uS"] < low["change_uS"]  # a SET moves what is low
    assert not any(line["seen"] for line in facts["effects"] if line["stress"] == "column")


@pytest.mark.slow
def test_where_the_word_line_runs_with_the_source_line_a_reset_disturbs() -> None:
    words = ("--kind", "half-select", *SMALL, "--run", "d")
    file = bench(inhibit="0.0", word_line='"sl"')
    facts = json.loads(run("--json", "--bench", file, "disturb", *words))
    rows = [line for line in facts["effects"] if line["stress"] == "row"]
    assert all(line["seen"] and line["change_uS"] < -5 for line in rows)


def test_no_aggressor_is_reset_below_what_a_cell_bears() -> None:
    # A SET that does nothing and a RESET that takes a cell far down.
    strokes = ("--set", "SET 0.3V gate=1V 20ns", "--reset", "RESET 2V gate=3.3V 1us")
    run("--json", "disturb", *SMALL, "--kind", "half-select", *strokes, "--run", "d")
    pulses = RunFile.open("d").tables["pulses"]
    reset = pulses["polarity"] == Polarity.RESET
    assert pulses["before"][reset].min() > 5e-6
    # Three aggressors with 20 SETs each, and hardly a RESET.
    assert np.isclose(pulses["drive"], 0.3).sum() == 60
    assert np.isclose(pulses["drive"][reset], 2.0).sum() <= 12


def test_read_disturb_is_found_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    genuine = SimBackend._read

    def read(self: SimBackend, cells: Cells, spec: object) -> np.ndarray:
        # A device that gains 0.5 uS per 1000 readings of 1 ms at 0.2 V, nothing at 0.1 V.
        found = genuine(self, cells, spec)
        if spec.v_read > 0.15 and spec.samples != 16:
            self.array.population.cells.conductance[self._index(cells)] += 0.5e-9 * spec.samples
        return found

    monkeypatch.setattr(SimBackend, "_read", read)
    facts = json.loads(run("--json", "disturb", *SMALL, "--kind", "read", "--run", "d"))
    for line in facts["effects"]:
        assert line["seen"] == (line["stress"] == "0.2 V")
        wanted = 0.5 if line["seen"] else 0.0
        # The path adds the transistor: an increment of the filament is seen at 60 to 90 %.
        assert line["excess_nS"] == pytest.approx(
            0.75 * wanted, abs=0.2 * wanted + 4 * line["excess_uncertainty_nS"]
        )


def test_a_run_that_was_cut_off_goes_on_to_the_same_end(monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("--json", "disturb", *SMALL)
    whole = json.loads(run(*words, "--run", "whole"))
    left, genuine = [0], SimBackend._read

    def read(self: SimBackend, *asked: object) -> np.ndarray:
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt
        return genuine(self, *asked)

    # After programming; a continued run lives through its readings again.
    for after in (40, 60):
        left[0] = after
        monkeypatch.setattr(SimBackend, "_read", read)
        begun = Path("cut").exists()
        RUNNER.invoke(app, [*words[:2], "--resume", "cut"] if begun else [*words, "--run", "cut"])
        monkeypatch.setattr(SimBackend, "_read", genuine)
        assert not RunFile.open("cut").complete
    again = json.loads(run("--json", "disturb", "--resume", "cut"))
    # A reading that was on its way is taken once more: the noise after it is another.
    for a, b in zip(whole["effects"], again["effects"], strict=True):
        assert (a["stress"], a["cells"]) == (b["stress"], b["cells"])
        assert abs(a["change_uS"] - b["change_uS"]) < 5 * (
            a["change_uncertainty_uS"] + b["change_uncertainty_uS"]
        )


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("--kind", "write"), 2, "possible: both, half-select, read"),
        (("--voltages", "0.25V"), 4, "above the operating limit of 200mV"),
        (("--set", "SET 2.4V gate=1.6V 1us"), 4, "above the operating limit of 2V"),
        (("--set", "RESET 1V gate=3V 1us"), 2, "where a SET is expected"),
        (("--pulses", "200"), 2, "ask for fewer"),
        (("--cells", "r0-99,c0"), 2, "outside this bench"),
        (("--aggressors", "0"), 2, "give 1 to"),
    ],
)
def test_what_is_not_possible_is_refused_before_a_run_is_made(
    words: tuple[str, ...], code: int, told: str
) -> None:
    assert told in run("disturb", "--run", "d", *words, code=code)
    assert not Path("d").exists()


# The pieces.


def test_an_effect_is_what_goes_beyond_the_null() -> None:
    rng, stress = np.random.default_rng(1), np.array([0.0, 10.0, 100.0, 1000.0])
    inside, seen = 0, 0
    for _ in range(300):
        drift = -0.3e-6 * stress[:, None] / 1000
        null = drift + rng.normal(0, 0.2e-6, (4, 60))
        stressed = drift + 1e-10 * stress[:, None] + rng.normal(0, 0.2e-6, (4, 60))
        effect = effect_of(stress, stressed, null)
        inside += abs(effect.excess - 1e-10) < 1.96 * effect.excess_error
        seen += effect_of(stress, null, drift + rng.normal(0, 0.2e-6, (4, 60))).is_seen
    assert 265 <= inside <= 299  # 285 +- 4; outside once in 1e5
    assert seen <= 8  # two looks at 0.3 % of 300: 1.6; nine or more once in 1e4


def test_counts_are_log_spaced_and_end_at_the_total() -> None:
    assert checkpoints(10_000).tolist() == [0, 1, 3, 10, 32, 100, 316, 1000, 3162, 10_000]
    assert checkpoints(100, step=2)[-1] == 100 and (checkpoints(100, step=2) % 2 == 0).all()
    assert checkpoints(1).tolist() == [0, 1]


def test_cells_are_dealt_out_evenly_and_by_chance() -> None:
    layout = Layout.deal(240, 4, 3, seed=0)
    counts = np.zeros((4, 3), int)
    np.add.at(counts, (layout.state, layout.arm), 1)
    assert (counts == 20).all()
    assert not np.array_equal(layout.state, Layout.deal(240, 4, 3, seed=1).state)


def test_aggressors_have_lines_of_their_own_and_neighbours_know_whose_they_are() -> None:
    cells = Cells.grid(range(8), range(10))
    usable = np.ones(80, bool)
    usable[0] = False
    aggressors = choose_aggressors(cells, usable, np.arange(80), 3)
    assert len(set(cells.row[aggressors])) == len(set(cells.col[aggressors])) == 3
    assert 0 not in aggressors
    part = parts_of(cells, aggressors)
    counts = [int((part == kind).sum()) for kind in (NULL, ROW, COLUMN, AGGRESSOR)]
    assert counts == [5 * 7, 3 * 9, 5 * 3, 3]
    with pytest.raises(InputError, match="give at most 4"):
        choose_aggressors(cells, usable, np.arange(80), 5)
