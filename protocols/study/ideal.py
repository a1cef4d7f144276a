"""Run a network on ideal circuits whose cells alone are noisy: relative errors of writing and of reading."""

from dataclasses import dataclass
from typing import Self, final

import numpy as np
from numpy.typing import NDArray

from protocols.study.spectrum import Course, Spectrum
from rramlab.diffusion.network import ScoreWeights
from rramlab.loop import Coefficients
from rramlab.network_mapping import NetworkMapping

FloatArray = NDArray[np.float64]
Small = NDArray[np.float32]

CHUNK = 1000
"""Runs that are followed together: what they need stays in the cache of a processor."""


@final
@dataclass(frozen=True, eq=False)
class NoisyLayer:
    """Hold one written layer in weights: `weights` (inputs, outputs), and conductances over the scale.

    `size` (inputs, outputs + 1) is the conductance of each cell as a weight, the reference last: a relative
    fluctuation of the cell moves its current by so much.
    """

    weights: Small
    size: Small

    def frozen(self, spectrum: Spectrum, runs: int, rng: np.random.Generator) -> Small:
        """Return deviations of the weights (runs, inputs, outputs) that stay for a run."""
        drawn = rng.standard_normal((runs, *self.size.shape), dtype=np.float32)
        drawn *= np.float32(spectrum.frozen) * self.size
        return np.asarray(drawn[..., :-1] - drawn[..., -1:])

    def product(self, x: Small, still: Small | None, course: Course | None) -> Small:
        """Return the outputs (runs, outputs) for inputs (runs, inputs) in the next tick.

        The currents of a column fluctuate independently, cell by cell, so their powers add up.
        """
        out = x @ self.weights
        if still is None or course is None:
            return np.asarray(out)
        swing = np.sqrt((x * x) @ (self.size * self.size)) * course.tick()
        out += np.matmul(x[:, None, :], still)[:, 0]
        return np.asarray(out + swing[:, :-1] - swing[:, -1:])


@final
@dataclass(frozen=True, eq=False)
class IdealMacro:
    """Hold a network whose conductances were written with relative errors, each cell and reference once."""

    layers: tuple[NoisyLayer, ...]
    gain: float

    @classmethod
    def write(
        cls, score: ScoreWeights, mapping: NetworkMapping, relative: float, rng: np.random.Generator
    ) -> Self:
        """Return the network as written: every conductance times 1 + relative n, with n of N(0, 1)."""
        targets = [mapping.reference_targets(), mapping.weight_targets(score)]
        ground = np.full(mapping.shape, np.nan)
        for each in targets:
            errors = 1.0 + relative * rng.standard_normal(len(each.cells))
            ground[each.cells.row, each.cells.col] = each.conductances * np.maximum(errors, 0.0)
        written = mapping.to_weights(ground, score)
        layers = zip(written.layers, mapping.layers, mapping.regions(), strict=True)
        return cls(
            tuple(
                NoisyLayer(
                    w.astype(np.float32), (ground[np.ix_(r.rows, r.cols)] / m.scale).astype(np.float32)
                )
                for w, m, r in layers
            ),
            score.gain,
        )

    def error(self, score: ScoreWeights) -> float:
        """Return the rms error of a weight, over all layers (units of the network)."""
        pairs = zip(self.layers, score.layers, strict=True)
        return float(np.sqrt(np.mean(np.concatenate([(a.weights - w).ravel() for a, w in pairs]) ** 2)))

    def solve(
        self, coefficients: Coefficients, start: FloatArray, relative: float, rng: np.random.Generator
    ) -> FloatArray:
        """Return the end states of runs from `start` (runs, 2), with this relative read noise."""
        chunks = [start[i : i + CHUNK].astype(np.float32) for i in range(0, len(start), CHUNK)]
        return np.concatenate([self._run(coefficients, each, relative, rng) for each in chunks]).astype(float)

    def _run(self, c: Coefficients, x: Small, relative: float, rng: np.random.Generator) -> Small:
        spectrum = Spectrum.of(relative, c.tick, c.duration)
        noise: list[tuple[Small | None, Course | None]] = [(None, None)] * len(self.layers)
        if relative:
            noise = [
                (layer.frozen(spectrum, len(x), rng), spectrum.course((len(x), layer.size.shape[1]), rng))
                for layer in self.layers
            ]
        kicks, step = (c.noise * c.tick**0.5).tolist(), c.tick
        rates = zip(c.drift.tolist(), c.drive.tolist(), c.embedding.astype(np.float32), kicks, strict=True)
        for drift, drive, embedding, kick in rates:
            signal = x
            for layer, (still, course) in zip(self.layers[:-1], noise[:-1], strict=True):
                signal = np.maximum(layer.product(signal, still, course) + embedding, np.float32(0.0))
            out = self.layers[-1].product(signal, *noise[-1])
            x = np.float32(1.0 + step * drift) * x + np.float32(step * drive * self.gain) * out
            if kick:
                x = x + np.float32(kick) * rng.standard_normal(x.shape, dtype=np.float32)
        return x
