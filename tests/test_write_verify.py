from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from write_verify_toy import ToyMacro

from protocols.write_verify import Adaptive, GateStaircase, Ispva, PingPong, Spec, WriteVerify
from rramlab.cells import Cells
from rramlab.errors import InputError
from rramlab.limits import Limits
from rramlab.outcome import Outcome
from rramlab.pulse import Polarity
from rramlab.recorder import MemoryRecorder

ALL = [Adaptive(), PingPong(), GateStaircase(), Ispva()]
QUICK = Spec(passes=1, wait=0.0, max_pulses=190)


def targets_of(macro, seed=1):
    return np.random.default_rng(seed).uniform(20e-6, 80e-6, macro.shape[0] * macro.shape[1])


def program(macro, strategy=None, spec=QUICK, targets=None, resume=None):
    targets = targets_of(macro) if targets is None else targets
    with macro:
        return WriteVerify(macro, strategy, spec).program(Cells.of_shape(macro.shape), targets, resume)


@pytest.mark.parametrize("strategy", ALL, ids=lambda s: s.name)
def test_every_strategy_brings_every_cell_of_the_toy_home(strategy):
    macro = ToyMacro()
    result = program(macro, strategy)
    assert result.success == 1.0
    # Two readings of 0.05 uS noise inside +-1 uS: the truth beyond 1.2 uS is a four-sigma event, 64 cells.
    assert np.abs(macro.G.ravel() - result.target).max() < 1.2e-6
    assert result.pulses.min() >= 1 and result.error.std() < 1e-6


@pytest.mark.parametrize("strategy", ALL, ids=lambda s: s.name)
def test_counts_are_those_of_the_bench(strategy):
    macro = ToyMacro()
    result = program(macro, strategy)
    assert np.array_equal(result.pulses, macro.pulses.ravel())
    reads = np.bincount(np.concatenate([c for verb, c in macro.log if verb == "read"]), minlength=64)
    assert np.array_equal(result.reads, reads - 1)  # the last reading of many samples is not counted
    assert result.seconds == pytest.approx(macro.time)


def test_acceptance_needs_two_readings_inside():
    macro = ToyMacro(noise=1.0e-6)
    seen = {}
    inside = np.abs(targets_of(macro))
    recorder = MemoryRecorder()
    macro.recorder = recorder
    result = program(macro, spec=Spec(passes=1, wait=0.0, max_pulses=60))
    asked = None
    for event in recorder.events[:-1]:
        if event.stage == "request" and event.verb == "read":
            asked = event.columns["row"] * 8 + event.columns["col"]
        if event.stage == "result" and event.verb == "read":
            for cell, g in zip(asked, event.columns["conductance"], strict=True):
                seen.setdefault(int(cell), []).append(abs(g - inside[cell]) <= 1e-6)
    for cell in np.flatnonzero(result.converged):
        assert seen[int(cell)][-3:-1] == [True, True]  # the very last one is that of the end of the pass
    # and no cell was pulsed after such a pair: it would have been left alone
    assert all(not (a and b) for s in seen.values() for a, b in pairwise(s[:-2]))


@pytest.mark.parametrize("strategy", ALL, ids=lambda s: s.name)
@settings(max_examples=12, deadline=None)
@given(pulses=st.integers(1, 12), energy=st.floats(1e-12, 5e-9), seed=st.integers(0, 99))
def test_budgets_are_never_overdrawn(strategy, pulses, energy, seed):
    macro = ToyMacro(seed=seed, noise=0.5e-6)
    result = program(macro, strategy, Spec(passes=2, max_pulses=pulses, max_energy=energy))
    assert result.pulses.max() <= pulses
    assert result.energy.max() <= energy
    spent = result.outcome == Outcome.PULSES_SPENT
    assert (result.pulses[spent] == pulses).all()
    ended = {Outcome.CONVERGED, Outcome.PULSES_SPENT, Outcome.ENERGY_SPENT, Outcome.NO_RESPONSE}
    assert set(result.outcome.tolist()) <= {int(o) for o in ended}


def test_the_budget_of_the_session_counts_earlier_runs():
    macro = ToyMacro(limits=Limits(pulses_per_cell=6), noise=1.5e-6)
    for _ in range(4):
        program(macro, PingPong())
    assert macro.pulses.max() == 6


def test_stuck_cells_are_left_alone_and_cost_the_others_nothing():
    stuck, free = ToyMacro(seed=4), ToyMacro(seed=4)
    stuck.G[0, :] = 180e-6
    stuck.G[1, :] = 7e-6
    stuck.G[2, :] = 0.05e-6
    stuck.stuck[:3] = True
    a, b = program(stuck), program(free)
    rows = a.outcome.reshape(8, 8)
    assert (rows[0] == Outcome.STUCK_HIGH).all() and (rows[1] == Outcome.STUCK_LOW).all()
    assert (rows[2] == Outcome.UNFORMED).all() and (a.pulses.reshape(8, 8)[2] == 0).all()
    assert (rows[3:] == Outcome.CONVERGED).all()
    assert a.pulses.reshape(8, 8)[:2].max() <= 12
    assert a.pulses[24:].sum() <= b.pulses[24:].sum() + 24
    assert sum(len(c) for c in a.by_outcome().values()) == 64


def test_no_cell_below_five_microsiemens_is_reset():
    macro = ToyMacro(noise=1e-6)
    recorder = macro.recorder = MemoryRecorder()
    program(macro, targets=np.full(64, 10e-6), spec=Spec(passes=1, wait=0.0, max_pulses=20))
    last = np.full(64, np.nan)
    asked = None
    for event in recorder.events:
        if event.stage == "request":
            asked = event.columns["row"] * 8 + event.columns["col"]
            if event.verb == "pulse":
                assert (last[asked[event.columns["polarity"] == Polarity.RESET]] > 5e-6).all()
        if event.stage == "result" and event.verb == "read":
            last[asked] = event.columns["conductance"]


@pytest.mark.parametrize("strategy", ALL, ids=lambda s: s.name)
def test_a_pulse_of_unknown_delivery_is_followed_by_a_reading_of_the_cell(strategy):
    macro = ToyMacro()
    macro.unknown = macro.not_applied = 0.15
    result = program(macro, strategy)
    for (verb, cells), (following, read) in pairwise(macro.log):
        if verb == "pulse":
            assert following == "read" and set(cells) <= set(read)
    # Five lost in a row have odds of 0.3^5 = 0.0024 per pulse: a few cells of 30 pulses end as UNKNOWN.
    assert result.success > 0.75
    ended = {Outcome.CONVERGED, Outcome.UNKNOWN, Outcome.PULSES_SPENT}
    assert set(result.outcome.tolist()) <= {int(o) for o in ended}


def test_a_bench_that_never_applies_a_pulse_ends_soon():
    macro = ToyMacro()
    macro.not_applied = 1.0
    result = program(macro)
    assert (result.outcome == Outcome.UNKNOWN).all() and (result.pulses == 0).all()


def test_a_cell_that_cannot_be_read_is_not_pulsed():
    macro = ToyMacro()
    macro.unread = 1.0
    result = program(macro)
    assert (result.outcome == Outcome.UNKNOWN).all() and not macro.trains


@pytest.mark.parametrize("bad", [4.9e-6, 9e-6, 151e-6, np.nan, np.inf, -20e-6])
def test_targets_that_make_no_sense_are_refused_before_the_first_pulse(bad):
    macro = ToyMacro()
    targets = targets_of(macro)
    targets[5] = bad
    with pytest.raises(InputError, match="outside the window"):
        program(macro, targets=targets)
    assert macro.log == []


def test_targets_and_cells_must_match():
    with pytest.raises(InputError, match="one for each cell"):
        program(ToyMacro(), targets=np.full(3, 50e-6))


@pytest.mark.parametrize("wrong", [{"window": (4e-6, 1e-4)}, {"tolerance": 0.0}, {"passes": 0}, {"batch": 0}])
def test_a_spec_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(InputError):
        Spec(**wrong)


@pytest.mark.parametrize("strategy", ALL, ids=lambda s: s.name)
@settings(max_examples=10, deadline=None)
@given(
    i_set=st.floats(30e-6, 200e-6), v_set=st.floats(0.8, 2.5), gate=st.floats(1.2, 3.6),
    i_reset=st.floats(30e-6, 300e-6), v_reset=st.floats(0.6, 2.8), energy=st.floats(20e-12, 5e-9),
)  # fmt: skip
def test_no_request_leaves_the_limits(strategy, i_set, v_set, gate, i_reset, v_reset, energy):
    limits = Limits(i_set=i_set, v_set=v_set, v_set_open_gate=min(v_set, 1.6), gate=gate, i_reset=i_reset,
                    v_reset=v_reset, energy=energy, width=0.8e-6)  # fmt: skip
    macro = ToyMacro((4, 4), limits=limits, noise=0.3e-6)
    with macro:  # the door raises LimitExceeded if one does; the reading gate must fit as well
        spec = Spec(passes=1, wait=0.0, max_pulses=40, reading=type(Spec().reading)(gate=min(gate, 3.3)))
        result = WriteVerify(macro, strategy, spec).program(Cells.of_shape((4, 4)), targets_of(macro))
    assert (result.outcome != Outcome.PENDING).all()


@pytest.mark.parametrize("strategy", ALL, ids=lambda s: s.name)
def test_the_same_seed_gives_the_same_pulses(strategy):
    one, two = ToyMacro(seed=7), ToyMacro(seed=7)
    a, b = program(one, strategy), program(two, strategy)
    assert np.array_equal(a.achieved, b.achieved) and len(one.trains) == len(two.trains)
    for x, y in zip(one.trains, two.trains, strict=True):
        assert all(np.array_equal(x.columns()[k], y.columns()[k]) for k in x.columns())


def test_passes_bring_relaxed_cells_back():
    macro = ToyMacro((16, 16))
    macro.relaxes = 0.4e-6
    result = program(macro, spec=Spec(passes=3, wait=60.0))
    first, last = result.passes[0], result.passes[-1]
    assert len(result.passes) == 3 and macro.time > 180
    assert first.open_after > 0 and last.open_after == 0
    assert first.pulses < result.passes[1].pulses <= last.pulses == result.pulses.sum()
    # Every wait moves every cell by 0.4 uS: with 256 cells the share is 0.95 +- 0.014, four sigma.
    assert last.share_settled > 0.89 and last.sigma_settled < 0.65e-6


def test_batches_give_every_cell_its_turn():
    macro = ToyMacro()
    result = program(macro, PingPong(), Spec(passes=1, wait=0.0, batch=10, max_pulses=190))
    assert result.success == 1.0
    assert max(len(train) for train in macro.trains) == 10


def test_the_result_goes_into_the_record():
    result = program(ToyMacro())
    columns = result.columns()
    per_cell = ("row", "col", "target", "achieved", "outcome", "pulses", "reads", "energy")
    assert all(len(columns[name]) == 64 for name in per_cell)
    assert np.allclose(columns["achieved"] - columns["target"], result.error)
    assert result.within(1e-6) == pytest.approx((np.abs(result.error) <= 1e-6).mean())
