"""A network on its way into the macros: screening, places, the order of writing, trims, what is counted."""

from dataclasses import replace

import numpy as np
import pytest
from toy_world import Toy, ToyOptions
from write_verify_toy import ToyMacro

from protocols.network import (
    COPIES,
    MARGIN,
    PRODUCTS,
    VOLTS_IN_USE,
    Writer,
    check_macros,
    network_spec,
    place,
    program_network,
    screen,
)
from protocols.write_verify import Spec
from rramlab.cells import Cells
from rramlab.diffusion.store import ring_weights
from rramlab.errors import InputError, Unsupported
from rramlab.limits import Limits
from rramlab.network_mapping import Targets
from rramlab.outcome import Outcome
from rramlab.reading import ReadSpec
from rramlab.recorder import MemoryRecorder

REFERENCE, WINDOW = 50e-6, (20e-6, 100e-6)
SCORE = ring_weights()


class Loop(Toy):
    """A toy of whole macros that says it can close the loop, and keeps the voltages it multiplied."""

    can = Toy.can | {"solve"}
    blur = 0.0  # A, on each current

    def __init__(self, macros=3, rows=32, cols=32, seed=0):
        super().__init__(ToyOptions(rows=rows, cols=cols, macros=macros), Limits(), MemoryRecorder(), seed)
        self.asked = []

    def _multiply(self, voltages, macro):
        self.asked.append(np.array(voltages))
        currents = super()._multiply(voltages, macro)
        return currents + self._rng.normal(0, self.blur, currents.shape) if self.blur else currents


class Macros:
    """Macros of numbers: each cell ends beside its target by an error of its own, and use has a drop."""

    def __init__(self, mapping, error=0.0, references=0.0, drop=1.0):
        rng = np.random.default_rng(7)
        self.plane = np.full(mapping.shape, np.nan)
        self.error = rng.uniform(-error, error, mapping.shape)
        cells = mapping.reference_targets().cells
        self.error[cells.row, cells.col] = references
        self.drop, self.log, self.targets, self.found = drop, [], {}, {}

    def write(self, what, targets):
        self.log.append(what)
        self.targets[what] = targets
        at = targets.cells.row, targets.cells.col
        self.plane[at] = targets.conductances + self.error[at]
        return what

    def measure(self, what, cells):
        self.log.append(what)
        found = np.full_like(self.plane, np.nan)
        found[cells.row, cells.col] = self.plane[cells.row, cells.col]
        return found

    def use(self, what, macros):
        self.log.append(what)
        self.found[what] = self.drop * self.plane
        return self.found[what]

    def program(self, mapping):
        return program_network(SCORE, mapping, self.write, self.measure, self.use)


def mapping_of(copies=COPIES):
    return place(SCORE, np.ones((96, 32), bool), Spec(window=WINDOW), REFERENCE, copies)


def misses(weights):
    return [np.abs(a - b).max() for a, b in zip(weights.layers, SCORE.layers, strict=True)]


def test_cells_that_were_never_formed_or_are_stuck_high_are_screened_out():
    with Loop() as bench:
        bench.g[32:64] = 60e-6
        bench.g[3, 4] = 0.3e-6  # never formed
        bench.g[5, 6] = 90e-6  # stuck: more than three times the 20 uS of its macro
        bench.g[40, 7] = 90e-6  # in order among cells of 60 uS
        bench.g[70, 8] = 55e-6  # high, but less than three times
        usable = screen(bench, 3, ReadSpec())
    assert usable.shape == (96, 32)
    # The noise of a reading is 10 nS, a hundred times less than any distance to a threshold.
    assert list(zip(*np.nonzero(~usable), strict=True)) == [(3, 4), (5, 6)]


def test_layers_keep_clear_of_unusable_cells_and_of_the_ends_of_the_window():
    usable = np.ones((96, 32), bool)
    usable[[2, 34, 35, 70], :] = False
    usable[:, 9] = False
    mapping = place(SCORE, usable, Spec(window=WINDOW), REFERENCE)
    for number, layer in enumerate(mapping.placements):
        assert (layer.macro, layer.copies) == (number, COPIES[number])
        for cells in (layer.reference_cells(), *(layer.weight_cells(k) for k in range(layer.copies))):
            assert usable[cells.row, cells.col].all()
    targets = mapping.weight_targets(SCORE)
    assert targets.clipped == 0
    assert targets.conductances.min() >= WINDOW[0] + MARGIN - 1e-12
    assert targets.conductances.max() <= WINDOW[1] - MARGIN + 1e-12


def test_references_are_written_first_and_weights_against_them_as_measured():
    mapping = mapping_of()
    macros = Macros(mapping, references=0.8e-6)
    macro, done = macros.program(mapping)
    assert macros.log == [
        "references",
        "references as written",
        "weights",
        "network before trim 1",
        "trim 1",
        "network",
    ]
    assert done == ["weights", "trim 1"]
    nominal = mapping.weight_targets(SCORE).conductances
    np.testing.assert_allclose(macros.targets["weights"].conductances - nominal, 0.8e-6, rtol=1e-9)
    assert max(misses(macro.written)) < 1e-9
    assert macro.clipped == 0


def test_the_trim_moves_the_last_copy_by_the_miss_and_nothing_else():
    mapping = mapping_of()
    macros = Macros(mapping, error=1e-6, drop=0.995)
    macro, _ = macros.program(mapping)
    before = mapping.to_weights(macros.found["network before trim 1"], SCORE)
    assert min(misses(before)) > 1e-3
    first, trim = (macros.targets[what] for what in ("weights", "trim 1"))
    aimed = np.full(mapping.shape, np.nan)
    aimed[first.cells.row, first.cells.col] = first.conductances
    moved = trim.conductances - aimed[trim.cells.row, trim.cells.col]
    expected, last = [], []
    pairs = zip(mapping.layers, mapping.placements, before.layers, SCORE.layers, strict=True)
    for layer, site, was, wanted in pairs:
        # A weight is the mean over its copies: one of n moves n times as far.
        expected.append(-site.copies * layer.scale * (was - wanted).ravel())
        last.append(site.weight_cells(site.copies - 1).flat(32))
    np.testing.assert_array_equal(trim.cells.flat(32), np.concatenate(last))
    np.testing.assert_allclose(moved, np.concatenate(expected), atol=1e-13)
    # What is left is the drop of half a per cent on the correction itself.
    assert all(now < 0.01 * was for now, was in zip(misses(macro.written), misses(before), strict=True))


@pytest.mark.parametrize("off", [-6e-6, 6e-6])
def test_targets_that_the_window_cuts_are_counted(off):
    mapping = mapping_of((1, 1, 1))
    macros = Macros(mapping, references=off)
    macro, _ = macros.program(mapping)
    low, high = WINDOW
    wanted = mapping.weight_targets(SCORE).conductances + off
    cut = int(((wanted < low) | (wanted > high)).sum())
    assert cut > 0
    assert macros.targets["weights"].clipped == cut
    # The trim asks again for what is missing, at the same edge.
    assert macro.clipped == cut + macros.targets["trim 1"].clipped == 2 * cut
    for what in ("weights", "trim 1"):
        assert macros.targets[what].conductances.min() >= low
        assert macros.targets[what].conductances.max() <= high


def test_a_macro_in_use_is_the_mean_of_products_with_one_row_driven():
    bench, seen = Loop(), []
    bench.g[:] = np.random.default_rng(1).uniform(20e-6, 100e-6, bench.shape)
    bench.blur = VOLTS_IN_USE * 1e-6
    with bench:
        found = Writer(bench, Spec(), lambda *told: seen.append(told)).use("network", 2)
    assert len(bench.asked) == 2
    for volts in bench.asked:
        assert volts.shape == (PRODUCTS * 32, 32)
        assert (np.count_nonzero(volts, axis=1) == 1).all()
        assert volts.max() == VOLTS_IN_USE
        np.testing.assert_allclose(volts.sum(axis=0), PRODUCTS * VOLTS_IN_USE)
    assert np.isnan(found[64:]).all()
    # 2048 cells, 1 uS of noise per product: the spread of the means is 0.1 uS to 1.6 % (standard error);
    # 10 % is six of them, odds 1e-9.
    assert (found - bench.g)[:64].std() == pytest.approx(1e-6 / np.sqrt(PRODUCTS), rel=0.1)
    assert seen == [("network", 0, 2), ("network", 1, 2)]


def test_references_are_measured_with_many_samples_and_nothing_else_is():
    bench, cells = Loop(), Cells.parse("r3c4; r40c5")
    bench.g[3, 4] = 70e-6
    with bench:
        found = Writer(bench, Spec(), lambda *_: None).measure("references", cells)
    assert found[3, 4] == pytest.approx(70e-6, abs=0.1e-6)  # ten sigma
    assert np.isfinite(found).sum() == 2
    (asked,) = (event for event in bench.recorder.events if event.stage == "request")
    assert asked.facts["samples"] == 64


def test_targets_are_written_within_tolerance_and_the_work_is_told():
    bench, seen = ToyMacro((32, 32), seed=3), []
    wanted = np.linspace(20e-6, 100e-6, 24)
    targets = Targets(Cells.grid(range(4), range(6)), wanted)
    spec = network_spec(Spec(window=WINDOW, passes=1, wait=0.0))
    with bench:
        done = Writer(bench, spec, lambda *told: seen.append(told)).write("weights", targets)
    # Seed 3; a cell of this toy without faults ends within 1 uS, whatever its noise of 50 nS.
    assert (done.outcome == Outcome.CONVERGED).all()
    assert np.abs(bench.G[:4, :6].ravel() - wanted).max() < 1.3e-6
    assert seen[-1] == ("weights", 24, 24)


def test_targets_on_the_edge_of_the_window_pass_give_or_take_rounding():
    edges = np.array(WINDOW)
    spec = network_spec(Spec(window=WINDOW))
    spec.check(edges * (1 + np.array([-1e-7, 1e-7])))
    with pytest.raises(InputError, match="outside the window"):
        spec.check(edges + np.array([0, 0.01e-6]))
    assert replace(spec, window=WINDOW) == Spec(window=WINDOW)


@pytest.mark.parametrize(
    ("macros", "rows", "cols"), [(2, 32, 32), (3, 31, 32), (3, 32, 31), (3, 64, 32), (3, 64, 64)]
)
def test_a_bench_without_three_macros_of_the_right_size_is_refused(macros, rows, cols):
    with pytest.raises(InputError, match=f"here are {macros} of {rows} x {cols}"):
        check_macros(Loop(macros, rows, cols))


def test_a_bench_that_cannot_close_the_loop_is_refused_before_anything_is_sent():
    check_macros(Loop())
    open_loop = Toy(ToyOptions(rows=32, cols=32, macros=3))
    with pytest.raises(Unsupported, match="needs 'solve', and this bench \\(toy\\)"):
        check_macros(open_loop)
