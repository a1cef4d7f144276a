"""Say what a closed-loop run is: a network in the macro, two integrators, and the coefficients over time."""

from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray

from rramlab.cells import Cells
from rramlab.errors import InputError
from rramlab.pulse import Columns

FloatArray = NDArray[np.float64]
PLAYED = ("drift", "drive", "embedding", "noise", "bias")
"""What the channels of the converters play."""


@final
@dataclass(frozen=True)
class Region:
    """Place one layer: global rows of its inputs, columns of its outputs, the reference column last.

    With `copies` the inputs repeat: the rows of one input carry the same voltage, and their currents add up.
    """

    rows: tuple[int, ...]
    cols: tuple[int, ...]
    copies: int = 1

    def __post_init__(self) -> None:
        rows, cols = tuple(int(row) for row in self.rows), tuple(int(col) for col in self.cols)
        object.__setattr__(self, "rows", rows)
        object.__setattr__(self, "cols", cols)
        several = len(rows) > 0 and len(cols) > 1 and self.copies > 0 and len(rows) % self.copies == 0
        if not several or min(rows + cols) < 0 or len(set(rows)) < len(rows) or len(set(cols)) < len(cols):
            raise InputError(
                f"a layer needs rows for its inputs, and columns for its outputs and the reference, "
                f"each once: {self.copies} copies in rows {rows}, columns {cols}"
            )

    @property
    def inputs(self) -> int:
        """Return the number of inputs."""
        return len(self.rows) // self.copies

    @property
    def outputs(self) -> int:
        """Return the number of outputs."""
        return len(self.cols) - 1

    def cells(self) -> Cells:
        """Return the cells of the layer with its reference column, row by row."""
        return Cells(np.repeat(self.rows, len(self.cols)), np.tile(self.cols, len(self.rows)))


@final
@dataclass(frozen=True, eq=False)
class Coefficients:
    """Hold what the DAC channels play, one value per tick: shapes (ticks,), (ticks,) and (ticks, channels).

    `drift` multiplies the state and `drive` the network output (both 1/s, of wall time); `embedding` is added
    to the pre-activations of both hidden layers (units of the network); `noise` is the rms (units of the
    state per sqrt(s)) of a fresh Gaussian per tick and dimension, 0 for an ODE. `bias` (ticks, dimensions;
    units of the state per s) is a constant beside the noise: it takes out what the circuit adds by itself.
    """

    tick: float
    drift: FloatArray
    drive: FloatArray
    embedding: FloatArray
    noise: FloatArray
    bias: FloatArray = field(default_factory=lambda: np.zeros((0, 1)))

    def __post_init__(self) -> None:
        ticks = self.drift.shape[0]
        if self.bias.shape[0] == 0:
            object.__setattr__(self, "bias", np.zeros((ticks, 1)))
        shapes = [getattr(self, name).shape for name in ("drift", "drive", "noise")]
        shapes += [self.embedding.shape[:1], self.bias.shape[:1]]
        if any(shape != (ticks,) for shape in shapes) or ticks == 0 or self.tick <= 0:
            raise InputError(f"coefficients need one value per tick: shapes {shapes}, tick {self.tick} s")

    @property
    def duration(self) -> float:
        """Return the length of the run (s)."""
        return float(self.tick * self.drift.shape[0])

    def columns(self) -> Columns:
        """Return what is played as named columns; a bias only where there is one."""
        return {name: getattr(self, name) for name in PLAYED if name != "bias" or self.bias.any()}


@final
@dataclass(frozen=True, eq=False)
class LoopRun:
    """Declare a batch of closed-loop runs; each row of `start` (runs, 2; network units) is a run of its own.

    `scale` (S per unit weight, of one copy) tells the transimpedance of each layer, `volts` (V) what one
    network unit is on the lines. Waveforms are kept for the first `kept` runs, every `stride` ticks.
    """

    layers: tuple[Region, ...]
    scale: tuple[float, ...]
    gain: float
    volts: float
    start: FloatArray
    coefficients: Coefficients
    kept: int = 8
    stride: int = 1

    def __post_init__(self) -> None:
        if self.start.ndim != 2 or not self.layers or len(self.layers) != len(self.scale):
            raise InputError(
                f"a loop run needs start states (runs, n), layers, and one scale per layer; it was given "
                f"{self.start.shape}, {len(self.layers)} layers and {len(self.scale)} scales"
            )
        if not np.isfinite(self.start).all():
            raise InputError("a start state of a loop run is not a number; give finite ones")

    def moment(self, share: float) -> "LoopRun":
        """Return a run of a single tick at this share (0 to 1) of the duration: an open-loop measurement."""
        c = self.coefficients
        k = min(int(share * len(c.drift)), len(c.drift) - 1)
        tick = slice(k, k + 1)
        parts = c.drift[tick], c.drive[tick], c.embedding[tick], 0.0 * c.noise[tick], c.bias[tick]
        return replace(self, coefficients=Coefficients(c.tick, *parts))

    def record(self) -> tuple[dict[str, Any], Columns]:
        """Return the run as facts and columns for the record."""
        facts = {
            "layers": [asdict(layer) for layer in self.layers],
            "scale": list(self.scale),
            "gain": self.gain,
            "volts": self.volts,
            "tick": self.coefficients.tick,
            "kept": self.kept,
            "stride": self.stride,
        }
        return facts, {"start": self.start, **self.coefficients.columns()}

    @classmethod
    def from_record(cls, facts: dict[str, Any], columns: Columns) -> Self:
        """Return the run that `record` wrote down."""
        played = {name: columns[name].astype(float) for name in PLAYED if name in columns}
        return cls(
            layers=tuple(Region(**layer) for layer in facts["layers"]),
            scale=tuple(facts["scale"]),
            gain=facts["gain"],
            volts=facts["volts"],
            start=columns["start"].astype(float),
            coefficients=Coefficients(facts["tick"], **played),
            kept=facts["kept"],
            stride=facts["stride"],
        )


@final
@dataclass(frozen=True, eq=False)
class LoopResult:
    """Hold what came out: end states (runs, 2), and for the kept runs the sampled waveforms.

    `time` (samples,) in s; `state` (kept, samples, 2); `hidden` one array (kept, samples, n) per hidden
    layer; `output` (kept, samples, 2), all in network units (`volts` V each). `trace` (samples, runs, 2) is
    the state of all runs; `energy` (runs,) is the energy (J) dissipated in the array. What a bench cannot
    see is NaN.
    """

    end: FloatArray
    time: FloatArray
    state: FloatArray
    hidden: tuple[FloatArray, ...]
    output: FloatArray
    trace: FloatArray
    energy: FloatArray

    def slope(self, run: LoopRun) -> FloatArray:
        """Return the mean slope of the state over the run (network units per s), (runs, 2)."""
        return (self.end - run.start) / run.coefficients.duration

    def record(self) -> Columns:
        """Return the result as named columns for the record."""
        hidden = {f"hidden{i + 1}": values for i, values in enumerate(self.hidden)}
        names = ("end", "time", "state", "output", "trace", "energy")
        return {name: getattr(self, name) for name in names} | hidden
