"""The letter decoder on tiles of macros: where weights lie, what macros make of inputs, what a run tells."""

import io
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from commands import empty_folder, run
from PIL import Image
from toy_world import Toy, ToyOptions

from protocols.decoder import run as decoder_run
from protocols.decoder import stages as decoder_stages
from protocols.decoder.outcome import Decoded, Outcome, compare, facts_of
from protocols.decoder.page import page_of
from protocols.decoder.points import points_of, sampled
from protocols.decoder.product import FULL_SCALE, MacroProduct, ranges_of
from protocols.decoder.request import DecodeRequest
from protocols.decoder.run import decode
from protocols.decoder.stages import Programming, Stages, check_bench
from protocols.letters.judge import Judge
from protocols.network import MARGIN
from protocols.write_verify.programmed import Programmed
from rramlab.bench import Bench, embedded
from rramlab.contents import Kept
from rramlab.errors import InputError, RunError, Unsupported
from rramlab.figures import style
from rramlab.figures.decoder import feature_maps, mosaic
from rramlab.letters import drawn_latents
from rramlab.limits import Limits
from rramlab.outcome import Outcome as Ending
from rramlab.tile_layout import OUTPUTS, macros_needed, pack, spans
from rramlab.tile_rows import left, shared
from rramlab.tiling import Tiling

JUDGE = Judge.open(None, ("H", "K", "U"))
MATRICES = JUDGE.decoder.matrices
POINTS = drawn_latents().x[::1500]
WINDOW = 20e-6, 100e-6


def tiling(macros: int = 10, copies: int = 2) -> Tiling:
    return Tiling.fit(MATRICES, macros, WINDOW, 50e-6, MARGIN, copies)


def written(of: Tiling, matrices=MATRICES, references: float = 0.0) -> np.ndarray:
    """Return the map (S) of macros that hold exactly what a tiling asks for, references off by some S."""
    plane = np.full(of.shape, 50e-6)
    first = of.reference_targets()
    plane[first.cells.row, first.cells.col] = first.conductances + references
    weights = of.weight_targets(matrices, plane)
    plane[weights.cells.row, weights.cells.col] = weights.conductances
    assert weights.clipped == 0
    return plane


def bench(plane: np.ndarray) -> Toy:
    """Return a bench of macros that hold these conductances."""
    toy = Toy(ToyOptions(rows=32, cols=32, macros=len(plane) // 32), Limits())
    toy.g[...] = plane
    return toy


# How matrices are split.


def test_a_layer_is_split_evenly_into_as_few_parts_as_possible() -> None:
    assert spans(144, OUTPUTS) == [(24 * k, 24 * k + 24) for k in range(6)]
    assert spans(40, 32) == [(0, 20), (20, 40)]
    assert spans(32, 32) == [(0, 32)]


def test_five_macros_hold_the_decoder_and_ten_two_copies_of_it() -> None:
    assert [macros_needed(MATRICES, copies) for copies in (1, 2, 3)] == [5, 10, 15]
    assert tiling(5, 1).macros == 5
    few = tiling(5, 4).copies
    assert (few["fc2"], few["up1"]) == (1, 1)
    assert few["fc1"] == 4  # two rows each find room beside the others
    assert set(tiling(10).copies.values()) == {2}


def test_few_macros_are_refused_with_how_many_are_needed() -> None:
    with pytest.raises(InputError, match=r"need 5 macros .*\(10 for 2 copies.*has 3: set macros = 10"):
        tiling(3)


def test_every_weight_lies_in_one_cell_of_each_copy() -> None:
    for macros, copies in ((5, 1), (10, 2), (14, 3)):
        found = tiling(macros, copies)
        cells = found.cells()
        assert len(np.unique(cells.flat(32))) == len(cells)
        for layer, matrix in MATRICES.items():
            seen = np.zeros(matrix.shape, int)
            for tile in found.of(layer):
                tile.piece.of(seen)[...] += 1
            np.testing.assert_array_equal(seen, found.copies[layer])


def test_macros_to_spare_are_used_before_tiles_share_one() -> None:
    assert pack([16, 16, 8])[0] == [0, 0, 1]
    assert sorted(pack([16, 16, 8], 3)[0]) == [0, 1, 2]
    assert max(pack([20, 16, 16, 12], 2)[0]) == 1  # emptiest first would need a third macro
    assert len({tile.place.macro for tile in tiling(11, 1).tiles}) == 11


# Weights and conductances.


@pytest.mark.parametrize("references", [0.0, 2e-6])
def test_weights_come_back_from_their_conductances(references: float) -> None:
    found = tiling()
    back = found.to_matrices(written(found, references=references))
    for layer, matrix in MATRICES.items():
        np.testing.assert_allclose(back[layer], matrix, atol=1e-12)


def test_a_tiling_survives_its_record() -> None:
    found = tiling(7)
    assert Tiling.from_dict(json.loads(json.dumps(found.to_dict()))) == found


def test_the_trim_of_the_last_copy_makes_up_for_all() -> None:
    found, rng = tiling(), np.random.default_rng(3)
    targets = found.weight_targets(MATRICES)
    plane = written(found)
    plane[targets.cells.row, targets.cells.col] += rng.uniform(-1e-6, 1e-6, len(targets.cells))
    before = found.to_matrices(plane)
    trims = found.trimmed(MATRICES, targets, plane)
    assert len(trims.cells) == len(targets.cells) // 2
    aimed = dict(zip(targets.cells, targets.conductances, strict=True))
    moved = trims.conductances - np.array([aimed[cell] for cell in trims.cells])
    plane[trims.cells.row, trims.cells.col] += moved
    after = found.to_matrices(plane)
    for layer, matrix in MATRICES.items():
        assert np.abs(before[layer] - matrix).max() > 0.005
        np.testing.assert_allclose(after[layer], matrix, atol=1e-12)


def test_a_map_that_is_too_small_is_refused() -> None:
    with pytest.raises(InputError, match=r"needed is \(320, 32\)"):
        tiling().to_matrices(np.zeros((96, 32)))


# Around cells that do not hold.


def test_tiles_go_around_unusable_cells() -> None:
    found = tiling()
    for seed in range(5):
        usable = np.random.default_rng(seed).random(found.shape) > 0.008
        around = found.moved(usable)
        cells = around.cells()
        assert len(np.unique(cells.flat(32))) == len(cells) == len(found.cells())
        assert (~usable[cells.row, cells.col]).sum() <= 1  # 8 of 1024 cells, and 14 columns to spare
        assert around.moved(usable) == around


def test_tiles_without_unusable_cells_stay() -> None:
    found = tiling()
    usable = np.ones(found.shape, bool)
    assert found.moved(usable) == found
    usable[5, 3] = False
    pairs = zip(found.tiles, found.moved(usable).tiles, strict=True)
    changed = [(before, after) for before, after in pairs if before != after]
    assert len(changed) == 1
    assert 3 in changed[0][0].place.columns and 3 not in changed[0][1].place.columns


def test_references_stand_in_the_best_column() -> None:
    found = tiling(5, 1)
    usable = np.random.default_rng(1).random(found.shape) > 0.05  # far more than can be gone around
    for tile in found.moved(usable).tiles:
        rows = [32 * tile.place.macro + row for row in tile.place.rows]
        bad = (~usable[rows])[:, tile.place.columns].sum(axis=0)
        assert bad[-1] == bad.min()


def test_rows_are_exchanged_when_one_tile_has_all_the_bad_ones() -> None:
    bad = np.zeros((32, 32), bool)
    bad[np.arange(12), np.arange(12)] = True
    owners = np.repeat([0, 1], 16)
    assert left(bad, owners, [25, 25]) == 5
    better = shared(bad, owners, [25, 25])
    assert left(bad, better, [25, 25]) == 0
    assert (np.bincount(better) == 16).all()


# Products.


@pytest.mark.parametrize(("macros", "copies"), [(5, 1), (10, 2)])
def test_macros_that_hold_the_weights_decode_as_numbers_do(macros: int, copies: int) -> None:
    found = tiling(macros, copies)
    with bench(written(found, references=1e-6)) as toy:
        product = MacroProduct(toy, found, ranges_of(JUDGE.decoder, POINTS))
        images = JUDGE.decoder.decode(POINTS, product)
    np.testing.assert_allclose(images, JUDGE.decoder.decode(POINTS), atol=1e-9)
    assert product.clipped == 0
    # One vector for fc1, one for each of 6 tiles of fc2, 9 for each of 3 tiles of up1, 36 for up2.
    assert product.products == len(POINTS) * sum({1: (1, 6, 27, 36), 2: (2, 12, 54, 72)}[copies])


def test_layers_of_many_inputs_are_split_over_rows() -> None:
    rng = np.random.default_rng(0)
    matrices = {"wide": rng.normal(size=(70, 40))}
    found = Tiling.fit(matrices, 6)
    assert len(found.tiles) == 6  # 3 parts of the inputs, 2 of the outputs
    with bench(written(found, matrices)) as toy:
        x = rng.normal(size=(9, 70))
        y = MacroProduct(toy, found, {"wide": np.abs(x).max()})("wide", x)
    np.testing.assert_allclose(y, x @ matrices["wide"], atol=1e-9)


def test_inputs_beyond_the_range_are_clipped_and_counted() -> None:
    found = tiling(5, 1)
    asked: list[np.ndarray] = []
    with bench(written(found)) as toy:
        toy._multiply = lambda volts, macro: asked.append(volts) or Toy._multiply(toy, volts, macro)  # type: ignore
        product = MacroProduct(toy, found, {"fc1": 4.0})
        out = product("fc1", np.array([[4.0, -4.0], [8.0, -5.0]]))
    assert product.clipped == 2
    np.testing.assert_allclose(out[0], out[1], atol=1e-12)
    assert asked[0].max() == -asked[0].min() == FULL_SCALE
    assert (asked[0] != 0).sum() == 4  # rows of other tiles stay at 0 V


def test_ranges_are_those_of_the_inputs() -> None:
    ranges = ranges_of(JUDGE.decoder, POINTS)
    assert list(ranges) == list(MATRICES)
    assert ranges["fc1"] == pytest.approx(1.1 * 8 * np.abs(POINTS).max())


# The bench.


def test_a_bench_that_cannot_hold_it_is_refused() -> None:
    check = check_bench(MATRICES, 2)
    check(bench(np.zeros((320, 32))))
    with pytest.raises(InputError, match="need 5 macros"):
        check(bench(np.zeros((96, 32))))
    with pytest.raises(InputError, match="needs macros of 32 x 32; those of this bench are 16 x 32"):
        check(Toy(ToyOptions(rows=16, cols=32, macros=20)))
    mute = bench(np.zeros((320, 32)))
    mute.can = Toy.can - {"multiply"}  # type: ignore[misc]
    with pytest.raises(Unsupported, match="'multiply'"):
        check(mute)


# What is asked.


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"samples": 0}, "give 1 to 10000"),
        ({"copies": 0}, "give 1 to 16"),
        ({"classes": ("H", "H")}, "name each class once"),
    ],
)
def test_requests_that_make_no_sense_are_refused(options, said: str) -> None:
    with pytest.raises(InputError, match=said):
        DecodeRequest(**options)


def test_points_are_latents_of_the_classes_or_samples_of_a_run() -> None:
    found = points_of(DecodeRequest(samples=5, classes=("K",)), JUDGE, np.random.default_rng(0))
    assert list(found) == ["K"] and found["K"].shape == (5, 2)
    assert {tuple(x) for x in found["K"]} <= {tuple(x) for x in JUDGE.latents.of_class("K")}
    asked = DecodeRequest(latents="run", samples=2, classes=("U",))
    points = {"H": np.zeros((3, 2)), "U": np.ones((3, 2))}
    np.testing.assert_array_equal(sampled(asked, points)["U"], np.ones((2, 2)))
    with pytest.raises(InputError, match="run 'run' has drawn no 'U'"):
        sampled(asked, {"H": np.zeros((3, 2))})


# Programming.


class Lab:
    """Hold a run that keeps what it is told, and macros of numbers in which some cells are stuck."""

    def __init__(self, stuck=(), found=None) -> None:
        self.backend = bench(np.full((320, 32), 45e-6))
        self.stuck, self.found, self.told, self.wrote = set(stuck), found or {}, {}, []
        self.run = SimpleNamespace(keep=self._keep)
        self.bench = Bench.parse(embedded(), "bench")

    def kept(self, name: str) -> Kept | None:
        return self.found.get(name)

    def resume_point(self) -> None:
        return None

    def _keep(self, name, columns, units=None, facts=None) -> None:
        self.told[name] = Kept(columns, units or {}, facts or {})


class Writer:
    """Write at once; a stuck cell stays at 150 uS."""

    def __init__(self, backend, spec, watch) -> None:
        self.lab, self.g = backend.lab, backend.g

    def write(self, what, targets, resume=None) -> Programmed:
        self.lab.wrote.append(what)
        cells, n = targets.cells, len(targets.cells)
        stuck = np.array([cell in self.lab.stuck for cell in cells])
        achieved = np.where(stuck, 150e-6, targets.conductances)
        self.g[cells.row, cells.col] = achieved
        outcome = np.where(stuck, Ending.STUCK_HIGH, Ending.CONVERGED).astype(np.uint8)
        zero = np.zeros(n, np.int32)
        return Programmed(
            cells, targets.conductances, achieved, achieved, outcome, zero, zero, np.zeros(n), 1.0, ()
        )

    def measure(self, what, cells) -> np.ndarray:
        return self.g.copy()

    def use(self, what, macros) -> np.ndarray:
        return self.g[: 32 * macros].copy()


@pytest.fixture
def stages(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(decoder_stages, "Writer", Writer)

    def make(lab: Lab) -> Stages:
        lab.backend.lab = lab  # type: ignore[attr-defined]
        return Stages(lab, DecodeRequest(), MATRICES, lambda *_: None)  # type: ignore[arg-type]

    return make


STUCK = [(3, 7), (40, 0), (95, 24), (300, 3)]


def test_weights_stand_in_cells_that_hold_them(stages) -> None:
    lab = Lab(STUCK)
    with lab.backend:
        found = stages(lab).program()
    assert not set(found.tiling.cells()) & set(STUCK)
    assert lab.wrote[-3:] == ["move 1: references", "move 1: weights", "trim"]
    for layer, matrix in MATRICES.items():
        np.testing.assert_allclose(found.written[layer], matrix, atol=1e-9)
    assert Tiling.from_dict(lab.told["macros"].facts) == found.tiling


def test_what_was_kept_is_not_done_again(stages) -> None:
    first = Lab(STUCK)
    with first.backend:
        found = stages(first).program()
    second = Lab(STUCK, {name: kept for name, kept in first.told.items() if name != "trim"})
    second.backend.g[...] = first.backend.g
    with second.backend:
        again = stages(second).program()
    assert second.wrote == ["trim"]
    assert again.tiling == found.tiling


def test_macros_are_taken_over_and_a_decoder_that_is_gone_is_noticed(stages) -> None:
    first = Lab()
    with first.backend:
        found = stages(first).program()
    second = Lab()
    second.backend.remembers = True  # type: ignore[misc]
    second.backend.g[...] = first.backend.g
    with second.backend:
        taken = stages(second).taken_over(first.told)
        np.testing.assert_array_equal(taken.written["up1"], found.written["up1"])
        assert second.wrote == []
        second.backend.g += 10e-6
        with pytest.raises(RunError, match="no longer in these macros"):
            stages(second).taken_over(first.told)


# What came out.


@cache
def outcome(blur: float = 0.0) -> Outcome:
    found = tiling(5, 1)
    plane = written(found)
    rng = np.random.default_rng(0)
    with bench(plane + rng.normal(0, blur, plane.shape) if blur else plane) as toy:
        x = {name: JUDGE.latents.of_class(name)[:40] for name in "HK"}
        ranges = ranges_of(JUDGE.decoder, np.concatenate(list(x.values())))
        done = {
            name: decode(toy, JUDGE, MacroProduct(toy, found, ranges), points) for name, points in x.items()
        }
        held = Programming(found, toy.g.copy(), found.to_matrices(toy.g))
    each = {name: compare(JUDGE, name, one, held) for name, one in done.items()}
    return Outcome(DecodeRequest(), JUDGE, held, each)


def test_exact_macros_have_no_error_and_wrong_weights_one_that_is_told_apart() -> None:
    exact, blurred = facts_of(outcome()), facts_of(outcome(1e-6))
    assert exact["pixel_error_rms"] < 1e-9
    assert exact["accuracy"] == exact["accuracy_digital"] > 0.95
    assert exact["macros"] == 5 and exact["products_per_letter"] == 70
    assert blurred["pixel_error_rms"] > 0.02
    # The toy is linear and without noise: all of it comes from the weights.
    assert blurred["pixel_error_rms_of_weights"] == pytest.approx(blurred["pixel_error_rms"], rel=1e-6)
    assert blurred["pixel_error_rms_of_products"] < 1e-9


def test_letters_decoded_in_parts_are_those_of_one_request_and_survive_their_record() -> None:
    found = outcome().classes["K"].analog
    assert found.images.shape == (40, 12, 12) and found.maps["up1"].shape == (4, 8, 6, 6)
    np.testing.assert_allclose(found.images, JUDGE.decoder.decode(found.points), atol=1e-9)
    again = Decoded.of(found.columns(), found.facts())
    np.testing.assert_array_equal(again.images, found.images)
    assert again.facts() == found.facts()


def test_the_page_shows_letters_maps_and_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    dot = io.BytesIO()
    Image.new("L", (1, 1)).save(dot, "PNG")
    monkeypatch.setattr(style, "png", lambda figure: dot.getvalue())
    html = page_of(outcome(1e-6)).html()
    assert html.count("<img") == 7
    for words in ("Feature maps of a letter K", "fc2", "Error of the pixels", "5 1T1R macros"):
        assert words in html


def test_maps_become_one_picture() -> None:
    picture = mosaic(np.arange(8.0)[:, None, None] * np.ones((8, 2, 2)))
    assert picture.shape == (5, 11)
    assert picture[3, 3] == 5.0 and np.isnan(picture[2, 0])
    with pytest.raises(ValueError, match="two can be compared"):
        feature_maps({})


# The command.


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[None]:
    with empty_folder(tmp_path, None):
        for macros in (3, 5):
            Path(f"{macros}.toml").write_text(embedded().replace("macros = 3", f"macros = {macros}"))
        yield


def test_too_few_macros_are_refused_before_a_run_is_made(folder) -> None:
    assert "need 5 macros" in " ".join(run("decode", "--run", "a", code=2).split())
    assert "no run" in run("--bench", "5.toml", "decode", "--latents", "nowhere", code=6)
    assert not Path("a").exists()


@pytest.mark.slow
@pytest.mark.timeout(680)
def test_a_run_goes_on_after_a_fall_and_is_taken_over(folder, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("--bench", "5.toml", "--json", "decode", "--samples", "20", "--passes", "1")
    facts = json.loads(run(*words, "--run", "a"))
    # It reaches about 0.05 and 1.0; a decoder that a few stuck cells spoil has 0.13 and 0.86.
    assert facts["pixel_error_rms"] < 0.12 and facts["accuracy"] > 0.85
    with monkeypatch.context() as patch:
        patch.setattr(decoder_run, "write_page", lambda *_: 1 / 0)
        run(*words, "--run", "b", code=70)
    again = json.loads(run("--json", "decode", "--resume", "b"))
    assert {**again, "run": "a"} == facts
    after = json.loads(run("--bench", "5.toml", "--json", "decode", "--after", "a", "--classes", "K"))
    assert list(after["classes"]) == ["K"] and after["pixel_error_rms"] < 0.15
    assert "of 'decode', not of 'letters'; --after takes it" in " ".join(
        run("--bench", "5.toml", "decode", "--latents", "a", code=6).split()
    )
