"""Hold short closed-loop runs that a calibration asks for, as columns that a record can keep."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray

from rramlab.backend import Backend
from rramlab.loop import Coefficients, LoopRun, Region
from rramlab.pulse import Columns

FloatArray = NDArray[np.float64]
Table = dict[str, NDArray[Any]]
"""Columns that others are added to."""

VOLTS = 0.05
"""What one network unit is on the lines (V): that of sampling."""
REACH = 3.0
"""Largest start state (network units), 0.15 V: inside the limit of a row voltage."""
_NAMES = ("start", "begin", "end", "tick", "drift", "drive", "embedding", "bias")


@final
@dataclass(frozen=True, eq=False)
class Batch:
    """Hold runs that played the same: states in network units, coefficients as in `rramlab.loop`.

    `begin` (runs, 2) is where the state was seen at the start, `end` at the end; `start` what was asked for.
    """

    start: FloatArray
    begin: FloatArray
    end: FloatArray
    tick: FloatArray
    drift: FloatArray
    drive: FloatArray
    embedding: FloatArray
    bias: FloatArray

    @property
    def seconds(self) -> float:
        """Return the length of a run (s)."""
        return float(self.tick) * len(self.drift)

    def columns(self, name: str) -> Table:
        """Return the batch as columns whose names begin with a name of its own."""
        return {f"{name}_{one}": np.asarray(getattr(self, one)) for one in _NAMES}

    @classmethod
    def of(cls, columns: Columns, name: str) -> Self:
        """Return the batch of this name from columns."""
        return cls(**{one: np.asarray(columns[f"{name}_{one}"], dtype=float) for one in _NAMES})


@final
@dataclass(frozen=True, eq=False)
class Wiring:
    """Hold the network that the loop is closed with: its places, and what tells its transimpedances."""

    layers: tuple[Region, ...]
    scale: tuple[float, ...]
    gain: float

    def columns(self) -> Table:
        """Return the wiring as columns."""
        found: Table = {"scale": np.array(self.scale), "gain": np.array(self.gain)}
        for i, layer in enumerate(self.layers):
            found |= {f"rows{i}": np.array(layer.rows), f"cols{i}": np.array(layer.cols)}
            found |= {f"copies{i}": np.array(layer.copies)}
        return found

    @classmethod
    def of(cls, columns: Columns) -> Self:
        """Return the wiring that `columns` wrote down."""
        scale = tuple(float(one) for one in columns["scale"])
        layers = tuple(
            Region(
                tuple(columns[f"rows{i}"].astype(int).tolist()),
                tuple(columns[f"cols{i}"].astype(int).tolist()),
                int(columns[f"copies{i}"]),
            )
            for i in range(len(scale))
        )
        return cls(layers, scale, float(columns["gain"]))

    @property
    def hidden(self) -> int:
        """Return the number of hidden units of a layer."""
        return self.layers[0].outputs


def played(ticks: int, hidden: int, tick: float, **given: FloatArray | float) -> Coefficients:
    """Return coefficients that are zero but for those given, each a number or one per tick."""
    shapes: dict[str, tuple[int, ...]] = dict.fromkeys(("drift", "drive", "noise"), (ticks,))
    shapes |= {"embedding": (ticks, hidden), "bias": (ticks, 2)}
    parts = {
        name: np.broadcast_to(given.get(name, 0.0), shape).astype(float) for name, shape in shapes.items()
    }
    return Coefficients(tick=tick, **parts)


def carried_out(backend: Backend, wiring: Wiring, start: FloatArray, c: Coefficients) -> Batch:
    """Return what became of runs from these start states (runs, 2; network units)."""
    run = LoopRun(wiring.layers, wiring.scale, wiring.gain, VOLTS, start, c, kept=0, stride=len(c.drift))
    found = backend.solve(run)
    # A start state has an error of its own where it is set by a converter; what was seen there is better.
    seen = found.trace[0] if found.trace.shape[0] else start
    begin = np.where(np.isfinite(seen), seen, start)
    return Batch(start, begin, found.end, np.array(c.tick), c.drift, c.drive, c.embedding, c.bias)


def spread(rng: np.random.Generator, runs: int, reach: float = REACH) -> FloatArray:
    """Draw start states (runs, 2) evenly over +-reach, opposite ones in pairs."""
    half = rng.uniform(0.3 * reach, reach, (runs // 2, 2)) * rng.choice([-1.0, 1.0], (runs // 2, 2))
    return np.concatenate([half, -half])


def line(x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return intercept and slope of y against x, their covariance from the scatter, and the residuals.

    What scatters more at large x, as what is rounded to so many digits does, counts where it scatters: HC3 of
    MacKinnon and White, J. Econometrics 29, 305 (1985).
    """
    design = np.column_stack([np.ones_like(x), x])
    found = np.linalg.lstsq(design, y, rcond=None)[0].astype(float)
    rest: FloatArray = y - design @ found
    inverse = np.linalg.inv(design.T @ design)
    own = np.einsum("ni,ij,nj->n", design, inverse, design)
    pull = (design * (rest / (1.0 - own))[:, None]) @ inverse
    return found, np.asarray(pull.T @ pull * widened(len(x) - 2)), rest


def widened(dof: int) -> float:
    """Return what turns a variance from few degrees of freedom into one whose 95 % interval is right.

    The square of Student's 97.5 % point over that of the normal distribution, by its expansion in 1/dof
    (Fisher and Cornish, Technometrics 2, 209 (1960)).
    """
    z, n = 1.959964, float(dof)
    first = (z**3 + z) / 4.0
    second = (5.0 * z**5 + 16.0 * z**3 + 3.0 * z) / 96.0
    third = (3.0 * z**7 + 19.0 * z**5 + 17.0 * z**3 - 15.0 * z) / 384.0
    return float(((z + first / n + second / n**2 + third / n**3) / z) ** 2)


def named(batches: Sequence[Batch], kind: str) -> Table:
    """Return several batches of one kind as columns."""
    found: Table = {f"{kind}_count": np.array(len(batches))}
    for k, batch in enumerate(batches):
        found |= batch.columns(f"{kind}{k}")
    return found


def batches_of(columns: Columns, kind: str) -> list[Batch]:
    """Return the batches of one kind from columns."""
    return [Batch.of(columns, f"{kind}{k}") for k in range(int(columns[f"{kind}_count"]))]
