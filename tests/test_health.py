"""Rig health: what failures have in common is named; chance is left alone."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from toy_world import Toy, ToyOptions
from typer.testing import CliRunner

from protocols.characterise.retold import Retold
from protocols.read.run import _dead
from protocols.rig.aliases import dead_bits
from protocols.rig.checkup import check_up
from protocols.rig.condition import Bounds, Condition
from protocols.rig.explain import LARGEST_ODDS, explain
from protocols.rig.faults import dead_lines
from protocols.rig.odds import log10_chance
from protocols.rig.tables import Layout, load_map
from rramlab.cells import Cells
from rramlab.cli import app
from rramlab.errors import InputError
from rramlab.limits import Limits
from rramlab.pulse import Delivery, PulseTrain
from rramlab.reading import ReadSpec
from rramlab.runfile import RunFile

ROWS, COLS = 96, 32


def plane(rows: Any = (), cols: Any = slice(None), shape: tuple[int, int] = (ROWS, COLS)) -> np.ndarray:
    failed = np.zeros(shape, bool)
    failed[rows, cols] = True
    return failed


def sprinkled(failed: np.ndarray, share: float = 0.02) -> np.ndarray:
    return failed | (np.random.default_rng(1).random(failed.shape) < share)


@pytest.mark.parametrize(
    ("failed", "words"),
    [
        (plane(slice(8, 16)), "word lines 8-15 do not answer (256 of 256 cells"),
        (plane(5), "word line 5 does not answer (32 of 32 cells"),
        (plane(slice(None), 7), "column 7 does not answer (96 of 96 cells"),
        (plane(slice(32, 64)), "macro 1 does not answer"),
        (plane(slice(64, 96), slice(16, 32)), "macro 2, columns 16-31"),
        (plane(7, slice(12, 32)), "word line 7, columns 12-31"),
        (plane(slice(40, 64), 7), "word lines 40-63, column 7"),
        (plane([2, 34, 66]), "word line 2 of every macro"),
        (plane(slice(0, None, 2)), "cells with address bit 5 = 0 do not answer"),
        (plane(slice(None), slice(None)), "the whole array does not answer"),
    ],
)
def test_a_fault_of_the_rig_is_named_also_among_bad_cells(failed: np.ndarray, words: str) -> None:
    found = explain(failed, macro_rows=32)
    assert len(found) == 1
    assert words in found[0].sentence()
    assert np.array_equal(found[0].mask, failed)
    noisy = explain(sprinkled(failed), macro_rows=32)
    assert [each.where for each in noisy] == [found[0].where]


def test_the_measured_case_of_two_address_bits_is_named() -> None:
    # Public 1T1R data (NI-RRAM, bake at 85 C): every address with bit 11 XOR bit 12 = 1 reads about nothing.
    address = np.arange(16384)
    failed = ((address >> 11 ^ address >> 12) & 1).astype(bool).reshape(-1, 128)
    (found,) = explain(sprinkled(failed, 0.03))
    assert found.where == "address bit 11 XOR address bit 12 = 1"
    assert (found.failed, found.cells) == (8192, 8192)
    assert (
        "word lines 16-47, 80-111 (address bit 11 XOR address bit 12 = 1) do not answer" in found.sentence()
    )
    assert found.log10_odds < -1000


def test_several_faults_are_named_one_by_one() -> None:
    failed = plane([5, 9]) | plane(slice(None), 3)
    assert {each.where for each in explain(failed, macro_rows=32)} == {
        "column 3",
        "word line 5",
        "word line 9",
    }


def test_row_and_column_bits_together_are_found() -> None:
    row, col = np.indices((32, 32))
    (found,) = explain(((row >> 2 ^ col >> 1) & 1).astype(bool))
    assert found.where == "address bit 7 XOR address bit 1 = 1"


def test_a_line_that_fails_in_part_is_told_as_such() -> None:
    failed = plane(11) & (np.random.default_rng(3).random((ROWS, COLS)) < 0.6)
    (found,) = explain(failed, macro_rows=32)
    assert found.where == "word line 11"
    assert not found.is_whole
    assert "holds more cells than chance that do not answer" in found.sentence()


def test_failures_by_chance_are_not_explained() -> None:
    # At most 1 in 1 000 per array by construction: of 50 arrays 3 or more by chance in 1 of 50 000 runs.
    rng = np.random.default_rng(0)
    shares = (0.005, 0.02, 0.1, 0.3, 0.6)
    found = [explain(rng.random((32, 32)) < share) for share in shares for _ in range(10)]
    assert sum(map(bool, found)) <= 2


def test_cells_that_were_not_looked_at_do_not_count() -> None:
    examined = plane(slice(0, 32), slice(0, 8))
    (found,) = explain(plane(4) & examined, examined)
    assert (found.where, found.cells) == ("word line 4", 8)
    assert explain(plane(4), plane(slice(40, 60))) == []


def test_the_odds_are_those_of_the_hypergeometric_distribution() -> None:
    # 4 failures among 10 cells, all 4 in a part of 4: 1 of C(10, 4) = 210 ways.
    assert 10 ** log10_chance(4, 4, 4, 10) == pytest.approx(1 / 210)
    assert 10 ** log10_chance(0, 4, 4, 10) == pytest.approx(1.0)
    assert LARGEST_ODDS == 1e-3


# On a bench.


class Broken(Toy):
    """Word lines 2 and 3 have no contact, column 5 takes no pulses, r9c1 is short, r10c1 no number."""

    def _read(self, cells: Cells, spec: ReadSpec) -> np.ndarray:
        g = super()._read(cells, spec)
        g = np.where((cells.row == 2) | (cells.row == 3), 2e-8, g)
        g = np.where((cells.row == 9) & (cells.col == 1), 3e-4, g)
        return np.where((cells.row == 10) & (cells.col == 1), np.nan, g)

    def _pulse(self, train: PulseTrain) -> np.ndarray:
        reached = train.cells.col != 5
        super()._pulse(train.take(reached))
        return np.full(len(train), Delivery.APPLIED, np.uint8)


def test_a_bench_is_looked_over_with_test_pulses() -> None:
    with Broken(ToyOptions(rows=16, cols=16)) as backend:
        backend.g[:] = np.random.default_rng(0).uniform(20e-6, 90e-6, backend.shape)
        cells = Cells.of_shape(backend.shape)
        found = check_up(Retold(backend), Limits(), cells, ReadSpec(), Bounds(), test=True)
    told = found.sentences()
    assert any(sentence.startswith("word lines 2-3 do not answer") for sentence in told)
    # Two of its 16 cells are on the dead word lines and say nothing.
    assert any("column 5 is not moved by pulses (14 of 14 cells" in sentence for sentence in told)
    assert found.count(Condition.SHORT) == found.count(Condition.NO_NUMBER) == 1
    assert found.count(Condition.STUCK) == 14
    assert backend.pulses[:, 5].max() == 12  # all that gentle pulses can be
    assert np.median(backend.pulses[:2]) <= 2


class Aliased(Toy):
    """Row bit 3 goes nowhere: rows 8 to 15 are rows 0 to 7."""

    def _read(self, cells: Cells, spec: ReadSpec) -> np.ndarray:
        return super()._read(Cells(cells.row & ~8, cells.col), spec)


@pytest.mark.parametrize(("kind", "bits"), [(Aliased, ["row bit 3"]), (Toy, [])])
def test_an_address_bit_that_does_nothing_is_found(kind: type[Toy], bits: list[str]) -> None:
    with kind(ToyOptions(rows=16, cols=16)) as backend:
        backend.g[:] = np.random.default_rng(0).uniform(20e-6, 90e-6, backend.shape)
        first, second = backend.read_all(), backend.read_all()
    assert [bit.name for bit in dead_bits(first, second)] == bits


def test_cells_programmed_alike_are_no_dead_bit() -> None:
    rng = np.random.default_rng(2)
    truth = 50e-6 + rng.normal(0, 0.6e-6, (32, 32))  # one target, an ordinary tolerance, a good reading
    first, second = (truth + rng.normal(0, 0.1e-6, truth.shape) for _ in range(2))
    assert dead_bits(first, second) == []


# Tables and the command.


def test_tables_of_others_are_understood(tmp_path: Path) -> None:
    plain = tmp_path / "map.csv"
    plain.write_text("# conductance (uS)\n10,20\n,40\n")
    assert load_map(plain, Layout())[1, 1] == pytest.approx(40e-6)
    assert np.isnan(load_map(plain, Layout())[1, 0])
    listed = tmp_path / "cells.tsv"
    listed.write_text("row\tcol\tG (uS)\n0\t1\t30\n2\t0\t50\n2\t0\t60\n")
    assert load_map(listed, Layout())[2, 0] == pytest.approx(60e-6)
    addressed = tmp_path / "addr.csv"
    addressed.write_text("5,10000\n130,20000\n")
    assert load_map(addressed, Layout(("addr", "R"), 128))[1, 2] == pytest.approx(50e-6)
    for text, words in (("a,b\n1,2\n", "name row and col"), ("", "no numbers"), ("1,2\n3\n", "no table")):
        plain.write_text(text)
        with pytest.raises(InputError, match=words):
            load_map(plain, Layout())
    with pytest.raises(InputError, match="--columns"):
        load_map(addressed, Layout(("addr", "R")))


def run(*words: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == code, result.output
    return result.output


def test_the_command_reads_explains_and_keeps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    facts = json.loads(run("--json", "health", "--cells", "r0-15,c0-31", "--test", "--run", "h"))
    kept = RunFile.open("h").kept["health"]
    assert facts["cells"] == len(kept.columns["row"]) == 512
    assert facts["answering_percent"] > 95
    assert facts["faults"] == []
    assert Path("h/condition.png").exists()
    again = json.loads(run("--json", "health", "--readings", "h"))
    assert again["cells"] == 512
    table = np.random.default_rng(0).uniform(20, 90, (32, 32))
    table[8:16] = 0.02
    np.savetxt("t.csv", table, delimiter=",")
    assert "Word lines 8-15 do not answer (256 of 256 cells" in run("health", "--csv", "t.csv")
    run("health", "--csv", "t.csv", "--require", "90", code=1)
    assert "test pulses need a bench" in run("health", "--csv", "t.csv", "--test", code=2)


def test_read_says_when_a_line_is_dead() -> None:
    plane = np.full((32, 32), 50e-6)
    assert dead_lines(plane) == []
    plane[20] = 1e-8
    (sentence,) = dead_lines(plane)
    assert sentence.startswith("word line 20 does not answer (32 of 32 cells")
    # A map of r8-39 only: lines keep their numbers, and what was not read is no fault.
    (sentence,) = _dead(plane, Cells.grid(range(8, 40), range(32)), 32)
    assert sentence.startswith("word line 28 does not answer (32 of 32 cells")
