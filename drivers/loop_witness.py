"""Let an oscilloscope witness the closed loop of a board that tells its waveforms itself."""

from collections.abc import Callable
from typing import final

from drivers.controller import Note
from drivers.loop_watch import LEVEL, SEEN, LoopWatch, columns_of, scales_of
from rramlab.errors import LinkError, LinkFault
from rramlab.loop import LoopResult, LoopRun


@final
class LoopWitness:
    """Put what an oscilloscope saw of the first run of a batch into the record, beside what the board says.

    A run of a single tick is an open-loop measurement, and is not watched; nor is one of which no waveform
    is to be kept.
    """

    def __init__(self, watch: LoopWatch) -> None:
        self._watch = watch

    def over(self, run: LoopRun, note: Note, solve: Callable[[LoopRun], LoopResult]) -> LoopResult:
        """Return what `solve` finds for a run, watched where an oscilloscope sees the states."""
        if not (self._watch.sees_states and run.kept and len(run.start) and len(run.coefficients.drift) > 1):
            return solve(run)
        self._watch.prepare(*scales_of(run), LEVEL, run.coefficients.duration)
        self._watch.arm()
        result = solve(run)
        if not self._watch.saw():
            raise _unseen()
        note(SEEN, {"run": 0}, columns_of(self._watch.record()))
        return result


def _unseen() -> LinkError:
    return LinkError(
        LinkFault.INSTRUMENT,
        "the board ran the closed loop, and the oscilloscope saw none begin: bring the switch line of the "
        "board to its external trigger or to the channel 'switch', or take x1 and x2 out of "
        "[backend.options.oscilloscope.channels] for runs without a witness",
    )
