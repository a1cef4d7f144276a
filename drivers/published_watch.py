"""Read the state of a run at the ends of its ticks out of what an oscilloscope recorded."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from drivers.published_schedule import SWITCHING, TICK
from drivers.waveform import Waveform
from rramlab.errors import LinkError, LinkFault, Unsupported

FloatArray = NDArray[np.float64]

WRITING = 1.2e-3
"""Time (s) of a tick in which its 18 converter words are written one after the other."""
LEAST = 4
"""Fewest points that a line is drawn through."""


def signals_at_ticks(record: Mapping[str, Waveform], ticks: int) -> FloatArray:
    """Return each signal (V) before the run and at the end of each tick (ticks + 1, signals)."""
    return np.column_stack([at_ticks(waveform, ticks) for waveform in record.values()])


def at_ticks(waveform: Waveform, ticks: int) -> FloatArray:
    """Return the signal (V) before a run that begins at 0 s, and at the end of each tick (ticks + 1,).

    Within a tick the converters stand still, and the state is a smooth curve: a straight line through the
    points after the converters were written, at its end, has the noise of many points and no lag. A tick in
    which the signal left the screen is NaN.
    """
    time = waveform.time
    volts = np.where(waveform.off_screen, np.nan, waveform.volts)
    _check_covers(time, ticks)
    begin = float(volts[time < -SWITCHING].mean())
    ends = TICK * np.arange(1, ticks + 1)
    first = np.searchsorted(time, ends - TICK + WRITING)
    last = np.searchsorted(time, ends, side="right")
    lines = zip(ends, first, last, strict=True)
    return np.array([begin, *(_end_of_line(time[a:b] - end, volts[a:b]) for end, a, b in lines)])


def _end_of_line(time: FloatArray, volts: FloatArray) -> float:
    """Return the value at time 0 of the straight line through some points."""
    middle = time.mean()
    spread = time - middle
    slope = (spread @ volts) / (spread @ spread)
    return float(volts.mean() - slope * middle)


def _check_covers(time: FloatArray, ticks: int) -> None:
    """Refuse a record that does not hold the run, or too few points of it."""
    step = (time[-1] - time[0]) / (time.size - 1)
    if time[0] > -SWITCHING - LEAST * step or time[-1] < ticks * TICK:
        raise LinkError(
            LinkFault.MISMATCH,
            f"the record reaches from {time[0]:.6g} to {time[-1]:.6g} s, the run from 0 to "
            f"{ticks * TICK:g} s; did somebody turn the time base of the oscilloscope?",
        )
    if (TICK - WRITING) / step < LEAST:
        needed = int(LEAST * (time[-1] - time[0]) / (TICK - WRITING)) + 1
        raise Unsupported(
            f"the record has a point every {step:.2g} s, too few for ticks of {TICK:g} s; write at least "
            f"points = {needed} into [backend.options.oscilloscope]"
        )
