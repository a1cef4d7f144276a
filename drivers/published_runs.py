"""Play closed-loop runs on the published firmware, and read them off an oscilloscope."""

from typing import final

import numpy as np
from numpy.typing import NDArray

from drivers.loop_watch import SEEN, LoopWatch, columns_of, scales_of
from drivers.published_commands import commands
from drivers.published_match import match
from drivers.published_options import PublishedOptions
from drivers.published_pace import DEAD_TIME, Pace
from drivers.published_schedule import DURATION, PublishedSettings
from drivers.published_talk import PublishedTalk
from drivers.published_watch import signals_at_ticks
from rramlab.errors import LinkError, LinkFault, Unsupported
from rramlab.loop import LoopResult, LoopRun

FloatArray = NDArray[np.float64]

STATED = 1e-3
"""How far (network units) a start that is asked for may be from the pre-charge that the bench file states."""


@final
class PublishedRuns:
    """Play runs: settings first, then for each start an armed oscilloscope and one `Go`.

    `start` (V) is the pre-charge of the integrators, which this firmware cannot set.
    """

    def __init__(
        self,
        talk: PublishedTalk,
        watch: LoopWatch,
        pace: Pace,
        options: PublishedOptions,
        start: tuple[float, float] | None,
    ) -> None:
        self._talk, self._watch, self._pace = talk, watch, pace
        self._options, self._start = options, start
        self._played: PublishedSettings | None = None
        self._opening = 0

    def solve(self, run: LoopRun) -> LoopResult:
        """Return what the oscilloscope saw of each run; what it cannot see is NaN."""
        settings = match(run.coefficients, run.volts, self._options.circuit, self._options.trims)
        self._check_start(run)
        self._prepare(run)
        ticks = len(run.coefficients.drift)
        try:
            seen = np.array([self._one(settings, run, number, ticks) for number in range(len(run.start))])
        finally:
            self._talk.log.write()
        return _result(run, seen / run.volts, self._watch.sees_output)

    def _prepare(self, run: LoopRun) -> None:
        """Set the oscilloscope so that this run is on its screen."""
        options, (states, outputs) = self._options, scales_of(run)
        states = options.volts_per_div or states
        outputs = options.output_volts_per_div or outputs
        self._watch.prepare(states, outputs, options.trigger_level, DURATION)

    def _check_start(self, run: LoopRun) -> None:
        if not len(run.start):
            raise Unsupported("a closed-loop batch without start states was asked for; give at least one")
        if self._start is None:
            raise Unsupported(
                "the published firmware cannot set a start state; write the pre-charge of its integrators as "
                "start = [x1, x2] (V) into [backend.options.board]"
            )
        stated = np.array(self._start) / run.volts
        apart = np.abs(run.start - stated)
        if apart.max() > STATED:
            asked = run.start[int(np.argmax(apart.max(axis=1)))]
            raise Unsupported(
                f"a start at {_pair(asked)} was asked for; the published firmware cannot set one, and its "
                f"integrators are charged to {_pair(stated)} (network units of {run.volts:g} V): start there"
            )

    def _one(self, settings: PublishedSettings, run: LoopRun, number: int, ticks: int) -> FloatArray:
        """Return the signals (V) of one run (ticks + 1, signals)."""
        if not self._went(settings) and not self._went_at_last(settings):
            raise LinkError(
                LinkFault.INSTRUMENT,
                f"{self._talk.name} was asked for run {number + 1} of {len(run.start)}, and the oscilloscope "
                f"saw none begin: the board refused it ({DEAD_TIME:g} s must pass between two), or the "
                "trigger on the switch line has the wrong channel or level",
            )
        record = self._watch.record()
        self._talk.log.saw(SEEN, number, columns_of(record))
        signals = signals_at_ticks(record, ticks)
        self._compare_start(signals[0, :2] / run.volts, run.start[number])
        return signals

    def _went(self, settings: PublishedSettings) -> bool:
        """Ask for one run and tell whether it was seen."""
        self._set(settings)
        self._pace.wait()
        self._watch.arm()
        # Arming took its time, in which the counter of the firmware may have come round.
        self._pace.wait()
        began = self._go()
        self._talk.wait_for_the_end()
        if self._watch.saw():
            self._pace.began(began)
            return True
        return False

    def _go(self) -> float:
        """Return when (s) a run began, if one did."""
        try:
            return self._talk.go()
        except BaseException:  # also Ctrl-C: it may have begun, or may begin when a late command arrives
            self._pace.forget()
            raise

    def _went_at_last(self, settings: PublishedSettings) -> bool:
        """Ask once more, where nobody knew how long ago the counter of the firmware was at zero."""
        if self._pace.is_known:
            self._pace.forget()
            return False
        self._pace.wait_it_out()
        return self._went(settings)

    def _set(self, settings: PublishedSettings) -> None:
        """Set the firmware, unless it has these settings since its line was opened."""
        if self._played == settings and self._opening == self._talk.openings:
            return
        self._played = None
        for command in commands(settings):
            self._talk.ask(command)
        self._played, self._opening = settings, self._talk.openings

    def _compare_start(self, seen: FloatArray, asked: FloatArray) -> None:
        tolerance = self._options.start_tolerance
        if not (np.abs(seen - asked) <= tolerance).all():
            raise LinkError(
                LinkFault.MISMATCH,
                f"the run began at {_pair(seen)}, and {_pair(asked)} +- {tolerance:g} was asked for (network "
                "units): measure the pre-charge and correct start in [backend.options.board], or the "
                "channels of the oscilloscope",
            )


def _result(run: LoopRun, seen: FloatArray, with_output: bool) -> LoopResult:
    """Return the result of signals (runs, ticks + 1, signals) in network units."""
    ticks = len(run.coefficients.drift)
    sampled = np.append(np.arange(0, ticks, run.stride), ticks)
    states = seen[:, sampled, :2]
    kept = min(run.kept, len(seen))
    output = seen[:kept, sampled, 2:] if with_output else np.full((kept, sampled.size, 2), np.nan)
    hidden = tuple(np.full((kept, sampled.size, layer.outputs), np.nan) for layer in run.layers[:-1])
    return LoopResult(
        end=states[:, -1],
        time=sampled * run.coefficients.tick,
        state=states[:kept],
        hidden=hidden,
        output=output,
        trace=states.transpose(1, 0, 2),
        energy=np.full(len(seen), np.nan),
    )


def _pair(values: FloatArray) -> str:
    return "(" + ", ".join(f"{value:.3f}" for value in values) + ")"
