"""Find what the loop makes of the network's output: gain of the drive, what the last amplifiers add.

The output of the network is computed from its products, and where short runs end is compared with the law

    dx/ds = (drive - cut) (drive_gain y(x) + drive_offset) + offset - leak x

With all hidden units shut, y is zero and the drive_offset stands alone. Amplifiers of hidden units have
offsets as well, and those of references lose a part: both are found beside, with a prior. What one part
cannot know is how its own network deviated while it was read: the scatter of the parts tells.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self, final

import numpy as np
from numpy.typing import NDArray

from calibration.least_squares import Problem
from calibration.least_squares_fit import fit
from calibration.loop.multipliers_network import HIDDEN, LAYERS, STATES, Amplifiers, Network
from calibration.loop.runs import VOLTS, Batch, Wiring, batches_of
from rramlab.pulse import Columns

FloatArray = NDArray[np.float64]

AMPLIFIERS = 0.1
"""Prior of what the amplifier of a hidden unit adds (network units)."""
LOSSES = 1e-3
"""Prior of the part of a reference that its amplifier loses."""
ROUNDS = 3
_STEP = 1e-4
FINEST = 1e-6
"""To what a state is seen at best (network units): single precision."""


@final
@dataclass(frozen=True, eq=False)
class Multipliers:
    """Hold what one part found: drive_gain (2), drive_offset (2; V), cut (1/s); and the fit of the slopes.

    `meant` and `slope` (runs, 2; network units per s and unit drive) are the mean output by which the state
    should have moved and the mean slope that was left for it, `noise` the residual of a slope.
    """

    values: FloatArray
    meant: FloatArray
    slope: FloatArray
    rest: FloatArray
    left_out: int


@final
@dataclass(frozen=True, eq=False)
class Runs:
    """Hold runs of several batches side by side: begin and end (runs, 2), drive and embedding by tick."""

    begin: FloatArray
    end: FloatArray
    tick: float
    drive: FloatArray
    embedding: FloatArray

    @classmethod
    def of(cls, batches: Sequence[Batch]) -> Self:
        """Return batches of the same ticks side by side."""
        count = [len(batch.begin) for batch in batches]
        drive = np.repeat(np.stack([batch.drive for batch in batches], axis=1), count, axis=1)
        embedding = np.repeat(np.stack([batch.embedding for batch in batches], axis=1), count, axis=1)
        begin, end = (
            np.concatenate([getattr(batch, name) for batch in batches]) for name in ("begin", "end")
        )
        return cls(begin, end, float(batches[0].tick), drive[:, :, None], embedding)

    @property
    def weight(self) -> FloatArray:
        """Return the drive times time (runs) that each run had."""
        return np.asarray(self.drive.sum(axis=(0, 2)) * self.tick)


@final
@dataclass(frozen=True, eq=False)
class Shut:
    """Hold what runs did whose hidden units were shut: mean slope (2; network units per s) drive (1/s)."""

    slope: FloatArray
    drive: float

    @classmethod
    def of(cls, batch: Batch, offset: FloatArray, leak: FloatArray) -> Self:
        """Return it for the offset (V/s) and leak (1/s) of the integrators."""
        state, step = 0.5 * (batch.begin + batch.end), batch.end - batch.begin
        slope = step / batch.seconds - offset / VOLTS + leak * state
        return cls(slope.mean(axis=0), float(batch.drive.mean()))

    def added(self, cut: float) -> FloatArray:
        """Return what the last amplifiers add (2; network units) if so much (1/s) is cut off the drive."""
        return np.asarray(self.slope / (self.drive - cut))


def found(columns: Columns, offset: FloatArray, leak: FloatArray) -> Multipliers:
    """Return what a part says, for the offset (V/s) and leak (1/s) of the integrators."""
    wiring = Wiring.of(columns)
    network = Network.of(wiring, columns["products"])
    shut = Shut.of(batches_of(columns, "shut")[0], offset, leak)
    runs = [Runs.of(batches_of(columns, kind)) for kind in ("full", "faint")]
    constant = offset / VOLTS, leak, shut

    def moved(unknowns: FloatArray) -> FloatArray:
        return np.concatenate([predicted(one, network, unknowns, *constant) for one in runs])

    data, weight = (np.concatenate([getattr(one, name) for one in runs]) for name in ("end", "weight"))
    unknowns, rest, left_out = solved(moved, data, weight)
    meant = (moved(np.r_[1.0, 1.0, unknowns[2:]]) - moved(np.r_[0.0, 0.0, unknowns[2:]])) / weight[:, None]
    values = np.r_[unknowns[:2], VOLTS * shut.added(float(unknowns[2])), unknowns[2]]
    return Multipliers(
        values, meant, meant * unknowns[:2] + rest / weight[:, None], rest / weight[:, None], left_out
    )


def solved(
    moved: Callable[[FloatArray], FloatArray], data: FloatArray, weight: FloatArray
) -> tuple[FloatArray, FloatArray, int]:
    """Return drive_gain (2), cut and the amplifiers' offsets (2 x hidden); residuals, and runs left out."""
    unknowns = np.r_[1.0, 1.0, np.zeros(1 + LAYERS + 2 * HIDDEN)]
    prior = np.r_[np.inf, np.inf, np.inf, np.full(LAYERS, LOSSES), np.full(2 * HIDDEN, AMPLIFIERS)]
    cell = np.repeat(np.arange(len(data)), STATES)
    shape = np.repeat(weight, STATES)
    here = moved(unknowns)
    slopes = [(moved(unknowns + step) - here).ravel() / _STEP for step in _STEP * np.eye(len(unknowns))]
    design = np.stack(slopes, axis=1)
    for _ in range(ROUNDS):
        rest = (data - here).ravel()
        values, size = rest + design @ unknowns, max(float(np.median(np.abs(rest / shape))), 1e-6)
        shapes = shape, np.abs(design[:, :STATES]).sum(axis=1)
        problem = Problem(design, values, np.full(rest.size, FINEST), cell, shapes, prior=prior)
        done = fit(problem, np.array([size, 0.01]))
        unknowns = done.solution.unknowns
        here = moved(unknowns)
    return unknowns, data - here, len(done.left_out)


def predicted(
    runs: Runs,
    network: Network,
    unknowns: FloatArray,
    offset: FloatArray,
    leak: FloatArray,
    shut: Shut,
) -> FloatArray:
    """Return where the law of the loop takes the runs (network units), by Heun's steps."""
    gain, cut = unknowns[:2], float(unknowns[2])
    added = shut.added(cut)
    nuisance = Amplifiers(unknowns[3 + LAYERS :].reshape(2, HIDDEN), unknowns[3 : 3 + LAYERS])
    x, tick = runs.begin, runs.tick
    for drive, embedding in zip(runs.drive, runs.embedding, strict=True):

        def slope(x: FloatArray, drive: FloatArray = drive, embedding: FloatArray = embedding) -> FloatArray:
            y = network.output(x, embedding, nuisance)
            return np.asarray((drive - cut) * (gain * y + added) + offset - leak * x)

        first = slope(x)
        x = x + 0.5 * tick * (first + slope(x + tick * first))
    return x
