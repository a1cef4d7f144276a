"""An oscilloscope beside a board that tells its waveforms itself."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from test_virtual_world import loop_run
from toy_published import ToldClock, ToyFirmware, ToyScope, scope_spec

from drivers.loop_watch import LoopWatch
from drivers.loop_witness import LoopWitness
from rramlab.errors import LinkError
from rramlab.loop import LoopResult, LoopRun
from rramlab.pulse import Columns

RESULT = LoopResult(*(np.zeros(1),) * 3, (), *(np.zeros(1),) * 3)


class Lab:
    """Hold a board that begins a run when it is asked to, a witness, and the notes that were made."""

    def __init__(self, **spec: Any) -> None:
        self.clock = ToldClock()
        self.board = ToyFirmware(self.clock)
        self.scope = ToyScope(self.board)
        self.witness = LoopWitness(LoopWatch(self.scope, scope_spec(**spec), self.clock))
        self.notes: list[tuple[str, dict[str, Any], Columns]] = []

    def solve(self, run: LoopRun) -> LoopResult:
        self.clock.sleep(10.0)  # beyond the dead time of the toy
        self.board.go()
        self.clock.sleep(run.coefficients.duration)
        return RESULT

    def over(self, run: LoopRun, solve: Callable[[LoopRun], LoopResult] | None = None) -> LoopResult:
        def note(what: str, facts: dict[str, Any], columns: Columns | None = None, /) -> None:
            self.notes.append((what, facts, columns or {}))

        return self.witness.over(run, note, solve or self.solve)


def test_the_record_gets_what_the_oscilloscope_saw_of_the_first_run() -> None:
    lab = Lab()
    assert lab.over(loop_run()) is RESULT
    ((what, facts, columns),) = lab.notes
    assert (what, facts) == ("oscilloscope", {"run": 0})
    assert set(columns) == {"time", "x1", "x2"}  # the outputs are not connected
    np.testing.assert_allclose(columns["x1"][columns["time"] < 0], 0.05, atol=1e-5)
    assert columns["x1"][-1] > 0.05 > columns["x2"][-1]
    assert ("trigger", 3, 1.65, "rise") in lab.scope.told


def test_outputs_that_are_connected_are_seen_as_well() -> None:
    lab = Lab(channels={"x1": 1, "x2": 2, "out1": 3, "out2": 4})
    lab.over(loop_run())
    assert set(lab.notes[0][2]) == {"time", "x1", "x2", "out1", "out2"}
    assert ("trigger", "EXT", 1.65, "rise") in lab.scope.told


@pytest.mark.parametrize(
    ("run", "channels"),
    [
        (loop_run().moment(0.5), {"x1": 1, "x2": 2}),
        (replace(loop_run(), kept=0), {"x1": 1, "x2": 2}),
        (loop_run(), {"x1": 1}),
    ],
)
def test_what_is_not_to_be_seen_is_not_watched(run: LoopRun, channels: dict[str, int]) -> None:
    lab = Lab(channels=channels)
    assert lab.over(run) is RESULT
    assert lab.notes == [] and lab.scope.told == []


def test_an_oscilloscope_that_saw_nothing_is_told_with_the_remedy() -> None:
    lab = Lab()
    lab.scope.blind = True
    with pytest.raises(LinkError, match="bring the switch line of the board to its external trigger"):
        lab.over(loop_run())
    assert lab.notes == []


def test_a_run_that_breaks_is_not_waited_for() -> None:
    lab = Lab()

    def breaks(run: LoopRun) -> LoopResult:
        raise ZeroDivisionError

    before = lab.clock.now()
    with pytest.raises(ZeroDivisionError):
        lab.over(loop_run(), breaks)
    assert lab.clock.now() == before and lab.notes == []
