"""Correct closed-loop runs: ask of the converters what makes the circuit do what was meant.

The circuit is taken to obey, per state dimension and in volts per second of wall time,

    dx/ds = drift_gain drift x + drive_gain drive y + noise_gain (noise + bias)
            + offset + drive drive_offset - leak x

The drift, the drive and the noise are played for all dimensions together, so that what differs between them
stays; a bias is a channel of its own per dimension. A converter that cuts off what is below a code plays half
a code too little on the average: `drift_cut` and `drive_cut` (1/s) are added, which makes it round instead.
"""

from dataclasses import replace

import numpy as np

from rramlab.corrections.record import Record
from rramlab.loop import LoopRun


def corrected(run: LoopRun, loop: Record, strength: float = 1.0) -> LoopRun:
    """Return the run to ask for; `strength` multiplies the drive (the loop's overall gain)."""
    c = run.coefficients
    gains = {name: float(loop[name].mean()) for name in ("drift_gain", "drive_gain", "noise_gain", "leak")}
    drive = c.drive * strength / gains["drive_gain"]
    added = (loop["offset"] + drive[:, None] * loop["drive_offset"]) / run.volts
    cut = {name: float(loop.values.get(name, np.zeros(()))) for name in ("drift_cut", "drive_cut")}
    played = replace(
        c,
        drift=(c.drift + gains["leak"]) / gains["drift_gain"] + cut["drift_cut"],
        drive=drive + cut["drive_cut"],
        noise=c.noise / gains["noise_gain"],
        bias=(c.bias - added) / loop["noise_gain"],
    )
    return replace(run, coefficients=played)
