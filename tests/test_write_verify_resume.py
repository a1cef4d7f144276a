import numpy as np
import pytest
from write_verify_toy import Killed, ToyMacro

from protocols.write_verify import Adaptive, GateStaircase, Ispva, PingPong, Spec, WriteVerify
from rramlab.cells import Cells
from rramlab.errors import InputError
from rramlab.recorder import MemoryRecorder

SHAPE = (3, 3)
# 3 uS, so that the plain staircases need few enough pulses to try every point of a kill.
SPEC = Spec(tolerance=3e-6, passes=2, wait=60.0, max_pulses=190, batch=5)
TARGETS = np.random.default_rng(3).uniform(20e-6, 80e-6, 9)


def start(kill_at=None):
    macro = ToyMacro(SHAPE, seed=2, recorder=MemoryRecorder())
    macro.relaxes, macro.kill_at = 0.3e-6, kill_at
    return macro


def program(macro, strategy, resume=None):
    with macro:
        return WriteVerify(macro, strategy, SPEC).program(Cells.of_shape(SHAPE), TARGETS, resume)


def reborn(dead, seed=5):
    """The same cells in a new process, the door brought up to date from the record."""
    macro = ToyMacro(SHAPE, seed=seed, recorder=MemoryRecorder())
    macro.G, macro.offset, macro.relaxes = dead.G, dead.offset, dead.relaxes
    macro.replay(dead.recorder.events)
    return macro


def last_note(macro):
    notes = [event for event in macro.recorder.events if event.verb == "resume"]
    return notes[-1].columns if notes else None


def steps(strategy):
    macro = start(kill_at=10**9)
    program(macro, strategy)
    return 10**9 - macro.kill_at


@pytest.mark.parametrize("strategy", [Adaptive(), PingPong(), GateStaircase(), Ispva()], ids=lambda s: s.name)
def test_a_run_killed_anywhere_goes_on(strategy):
    total = steps(strategy)
    assert total > 20
    for kill_at in range(0, total, 1 if strategy.name == "adaptive" else total // 15):
        dead = start(kill_at)
        with pytest.raises(Killed):
            program(dead, strategy)
        macro, note = reborn(dead), last_note(dead)
        assert note is not None
        result = program(macro, strategy, note)
        assert result.success == 1.0, kill_at
        # The last wait moved cells by 0.3 uS: beyond 3 + 5 * 0.3 uS a cell was not programmed at all.
        assert np.abs(macro.G.ravel() - TARGETS).max() < 4.5e-6, kill_at
        assert np.array_equal(result.pulses, macro.pulses.ravel()), kill_at
        assert (result.reads >= note["reads"]).all() and (result.energy >= note["energy"]).all()
        assert len(result.passes) == 2 and result.seconds > 2 * SPEC.wait


def test_after_a_resume_every_open_cell_is_read_before_it_is_pulsed():
    strategy = Adaptive()
    for kill_at in range(steps(strategy)):
        dead = start(kill_at)
        with pytest.raises(Killed):
            program(dead, strategy)
        macro = reborn(dead)
        program(macro, strategy, last_note(dead))
        read = set()
        for verb, cells in macro.log:
            assert verb == "read" or set(cells.tolist()) <= read
            read |= set(cells.tolist())


def test_a_resume_point_of_other_targets_is_refused():
    macro = start()
    program(macro, Adaptive())
    note = last_note(macro)
    with macro, pytest.raises(InputError, match="other cells or targets"):
        WriteVerify(macro, Adaptive(), SPEC).program(Cells.of_shape(SHAPE), TARGETS[::-1], note)


def test_a_resume_point_of_another_strategy_is_refused():
    macro = start()
    program(macro, Adaptive())
    with pytest.raises(InputError, match="strategy 'ping-pong'"):
        program(macro, PingPong(), last_note(macro))


def test_a_finished_run_resumed_is_finished():
    macro = start()
    first = program(macro, Adaptive())
    macro.log.clear()
    again = program(macro, Adaptive(), last_note(macro))
    assert macro.log == [] and np.array_equal(again.pulses, first.pulses)
    assert np.array_equal(again.outcome, first.outcome)
