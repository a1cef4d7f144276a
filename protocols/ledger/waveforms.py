"""Integrate the recorded waveforms of closed-loop runs over the measured conductances of the layers."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from numpy.typing import NDArray

from rramlab.loop import LoopResult, LoopRun, Region

FloatArray = NDArray[np.float64]


@final
@dataclass(frozen=True, eq=False)
class LayerDrawn:
    """Hold what a layer saw: input voltages (V; runs, samples, inputs), conductances (S; inputs, columns).

    The last column is the reference; the conductances of all copies are added up.
    """

    volts: FloatArray
    conductance: FloatArray

    def power(self) -> FloatArray:
        """Return what the cells turn into heat (W; runs, samples): the sum of V^2 G, reference included."""
        return np.asarray(self.volts**2 @ self.conductance.sum(axis=1))

    def row_current(self) -> FloatArray:
        """Return what the drivers of the rows deliver (A; runs, samples), without signs."""
        return np.asarray(np.abs(self.volts) @ self.conductance.sum(axis=1))

    def column_current(self) -> FloatArray:
        """Return what the amplifiers of the columns take up (A; runs, samples), without signs."""
        return np.asarray(np.abs(self.volts @ self.conductance).sum(axis=-1))


@final
@dataclass(frozen=True, eq=False)
class Waveforms:
    """Hold the recorded waveforms of the kept runs: `time` (s; samples), three layers, output (V).

    `ticks` and `channels` are those of the converters, `recorded` (J; kept runs) what the bench itself says
    was dissipated in the array, NaN where it cannot.
    """

    time: FloatArray
    layers: tuple[LayerDrawn, ...]
    output: FloatArray
    seconds: float
    ticks: int
    channels: int
    recorded: FloatArray

    @property
    def runs(self) -> int:
        """Return the number of runs with waveforms."""
        return len(self.output)

    def stretched(self, seconds: float) -> "Waveforms":
        """Return the same voltages over another length of the run (s): a projection."""
        factor = seconds / self.seconds
        nothing = np.full_like(self.recorded, np.nan)
        return replace(self, time=self.time * factor, seconds=seconds, recorded=nothing)

    def integral(self, values: FloatArray) -> FloatArray:
        """Return the integral over time (runs) of values (runs, samples), by the trapezoid rule."""
        if values.shape[1] != self.time.size:
            return np.full(len(values), np.nan)
        return np.asarray(np.trapezoid(values, self.time, axis=1))

    def array_joule(self) -> FloatArray:
        """Return the energy that each layer turns into heat (J; layers, runs)."""
        return np.stack([self.integral(layer.power()) for layer in self.layers])

    def counts(self) -> dict[str, int]:
        """Return how many units of each kind the loop has: columns, neurons, states and so on."""
        states = self.layers[0].volts.shape[-1]
        neurons = sum(layer.volts.shape[-1] for layer in self.layers[1:])
        columns = sum(layer.conductance.shape[1] for layer in self.layers)
        return {
            "column": columns,
            "neuron": neurons,
            "state": states,
            "product": 2 * states,  # f x and g2 y
            "channel": self.channels,
            "word": self.channels * self.ticks,
            "conversion": states,
            "system": 1,
        }


def waveforms_of(run: LoopRun, result: LoopResult, conductance: FloatArray) -> Waveforms:
    """Return the waveforms of a batch with the conductance map (S) that was measured in use."""
    inputs = (result.state, *result.hidden)
    layers = tuple(
        LayerDrawn(values * run.volts, added_up(conductance, region))
        for values, region in zip(inputs, run.layers, strict=True)
    )
    ticks, embedding = len(run.coefficients.drift), run.coefficients.embedding.shape[-1]
    states = result.state.shape[-1]
    return Waveforms(
        time=result.time,
        layers=layers,
        output=result.output * run.volts,
        seconds=run.coefficients.duration,
        ticks=ticks,
        channels=embedding + 2 + states,  # embedding, f and g2, noise
        recorded=result.energy[: len(result.state)],
    )


def added_up(conductance: FloatArray, region: Region) -> FloatArray:
    """Return the conductances of a layer (S; inputs, columns), its copies added up."""
    values = conductance[np.ix_(region.rows, region.cols)]
    return np.asarray(values.reshape(region.copies, region.inputs, -1).sum(axis=0))


def joined(parts: Sequence[Waveforms]) -> Waveforms:
    """Return the waveforms of batches of one network as one; they were recorded at the same times."""
    first = parts[0]
    layers = tuple(
        replace(layer, volts=np.concatenate([part.layers[i].volts for part in parts]))
        for i, layer in enumerate(first.layers)
    )
    return replace(
        first,
        layers=layers,
        output=np.concatenate([part.output for part in parts]),
        recorded=np.concatenate([part.recorded for part in parts]),
    )
