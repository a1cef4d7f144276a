"""Fit a preset to experiments: measurements simulated, with the same random numbers, until they agree."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from numpy.typing import NDArray

from rramlab.errors import InputError
from rramlab.progress import Progress, Silent
from sim_backend.fit.experiment import Experiment, Feature
from sim_backend.fit.least_squares import ENOUGH, ROUGHLY, Minimum, least_squares
from sim_backend.fit.parameter import Parameter, changed, steps
from sim_backend.fit.slices import Slices
from sim_backend.preset import Preset

FloatArray = NDArray[np.float64]

_REMEMBERED = 4
NORMAL_95 = 1.959964
"""Half width of a 95 % interval, in standard deviations."""


@final
@dataclass(frozen=True)
class Settings:
    """Hold how to fit: least copies of each cell, resamplings of the cells, rounds, random starts, seed.

    After a first fit the weights are taken over from `reweight` simulated experiments (0: they stay those of
    the resampled data): weights that share the data's accidents prefer what came out small by accident.
    """

    copies: int = 4
    resamplings: int = 200
    rounds: int = 12
    tries: int = 0
    reweight: int = 40
    seed: int = 1


@final
@dataclass(frozen=True)
class Estimate:
    """Hold one fitted number (SI) with its 95 % interval.

    `known` is the standard deviation over that of the prior: near 1 the data say nothing about it.
    """

    name: str
    value: float
    low: float
    high: float
    known: float


@final
@dataclass(frozen=True)
class Fit:
    """Hold a fitted preset, its estimates, their covariance in coordinates, and how well it fits.

    `misfit` is the sum of squares per degree of freedom in units of the data's own uncertainty; above 1 the
    intervals were widened by its root.
    """

    preset: Preset
    estimates: Sequence[Estimate]
    covariance: FloatArray
    misfit: float
    rounds: int


def fit(
    preset: Preset,
    experiments: Sequence[Experiment],
    parameters: Sequence[Parameter],
    settings: Settings | None = None,
    progress: Progress | None = None,
    what: str = "fit",
) -> Fit:
    """Return the preset whose simulated experiments agree best with the measured ones, with uncertainties.

    Slice means of every group are compared, whitened by the covariance that resampling the cells gives.
    Priors centre on the preset handed in. Covariance: resampled data through the linearised estimator, so
    that rows of the same cell count as dependent; plus the share of the simulation's own noise.
    """
    settings = settings or Settings()
    if not experiments or not parameters:
        raise InputError("a fit needs at least one table and one parameter; name them")
    match = Match(preset, experiments, parameters, settings)
    progress = progress or Silent()
    start = match.best_start(progress, what)
    exact = ENOUGH if not settings.reweight else ROUGHLY
    step, rounds = steps(parameters), settings.rounds
    found = least_squares(match.residuals, start, step, rounds, progress, what, exact)
    if settings.reweight:
        match.reweigh(found.place)
        again = f"{what}: weights of the model"
        found = least_squares(match.residuals, found.place, step, rounds, progress, again)
    return match.conclude(found)


@final
class Match:
    """Hold what is needed to compare simulated with measured slice means."""

    def __init__(
        self,
        preset: Preset,
        experiments: Sequence[Experiment],
        parameters: Sequence[Parameter],
        settings: Settings,
    ) -> None:
        self.preset, self.experiments = preset, experiments
        self.parameters, self.settings = parameters, settings
        self.start = np.array([p.encode(p.read(preset)) for p in parameters])
        self.width = np.array([p.prior for p in parameters])
        self._touched = [np.array([e.touched(p.name) for p in parameters]) for e in experiments]
        self._seen: list[dict[bytes, list[FloatArray]]] = [{} for _ in experiments]
        self._copies = [_copies(e, settings.copies) for e in experiments]
        made = zip(experiments, self._copies, strict=True)
        parts = [_parts(e, settings, copies) for e, copies in made]
        self._parts = [part for each in parts for part in each]
        self._slices = [[part.slices for part in each] for each in parts]

    def residuals(self, place: FloatArray) -> FloatArray:
        """Return the whitened differences and the pull of the priors."""
        preset = self.at(place)
        simulated = [v for k in range(len(self.experiments)) for v in self._simulated(k, place, preset)]
        pairs = zip(self._parts, simulated, strict=True)
        found = [part.whitened(means - part.seen) for part, means in pairs]
        return np.concatenate([*found, (place - self.start) / self.width])

    def _simulated(self, k: int, place: FloatArray, preset: Preset) -> list[FloatArray]:
        """Return the slice means of an experiment; those of the last few places are remembered."""
        key, seen = place[self._touched[k]].tobytes(), self._seen[k]
        if key not in seen:
            rng, e = np.random.default_rng(self.settings.seed), self.experiments[k]
            values = e.simulate(preset, rng, self._copies[k])
            if len(seen) >= _REMEMBERED:
                del seen[next(iter(seen))]
            slices = self._slices[k]
            found = e.features(values, held=False)
            seen[key] = [s.means(f.values) for s, f in zip(slices, found, strict=True)]
        else:
            seen[key] = seen.pop(key)  # the one that was needed last goes last
        return seen[key]

    def best_start(self, progress: Progress, what: str) -> FloatArray:
        """Return the best of the start and of `tries` random places half a prior's width around it."""
        rng = np.random.default_rng([self.settings.seed, 5])
        best, least = self.start, float("inf")
        for done in range(self.settings.tries + 1 if self.settings.tries else 0):
            away = 0.5 * self.width * rng.standard_normal(len(self.start))
            place = self.start + away if done else self.start
            r = self.residuals(place)
            if float(r @ r) < least:
                best, least = place, float(r @ r)
            progress.update(f"{what}: starts", done, self.settings.tries)
        return best

    def reweigh(self, place: FloatArray) -> None:
        """Take the weights from as many simulated experiments as the settings ask for."""
        rng = np.random.default_rng([self.settings.seed, 9])
        preset, many = self.at(place), self.settings.reweight
        values = [
            f.values for e in self.experiments for f in e.features(e.simulate(preset, rng, many), held=False)
        ]
        self._parts = [part.reweighed(v) for part, v in zip(self._parts, values, strict=True)]

    def at(self, place: FloatArray) -> Preset:
        """Return the preset at coordinates (p,)."""
        named = zip(self.parameters, place, strict=True)
        return changed(self.preset, {p.name: p.decode(float(x)) for p, x in named})

    def conclude(self, found: Minimum) -> Fit:
        """Return the fit at a minimum."""
        count = len(self.start)
        data, j = found.residuals[:-count], found.jacobian[:-count]
        free = max(len(data) - count, 1)
        misfit = float(data @ data) / free
        covariance = self._covariance(j, misfit)
        sd = np.sqrt(np.diag(covariance))
        half = NORMAL_95 * sd
        estimates = [
            Estimate(p.name, p.decode(x), p.decode(x - h), p.decode(x + h), float(s / w))
            for p, x, h, s, w in zip(self.parameters, found.place, half, sd, self.width, strict=True)
        ]
        return Fit(self.at(found.place), estimates, covariance, misfit, found.rounds)

    def _covariance(self, j: FloatArray, misfit: float) -> FloatArray:
        prior = np.diag(self.width**-2.0)
        inverse = np.linalg.inv(j.T @ j + prior)
        noise = np.concatenate([part.noise for part in self._parts], axis=1)
        scatter = noise @ j
        spread = scatter.T @ scatter / len(noise) * max(misfit, 1.0)
        return np.asarray(inverse @ (spread + prior) @ inverse)


@final
@dataclass(frozen=True)
class Part:
    """Hold one feature of the data: its slice means, what whitens differences, and what resampling moves."""

    slices: Slices
    seen: FloatArray
    whitener: FloatArray
    moved: FloatArray
    tolerance: FloatArray
    copies: int

    @property
    def noise(self) -> FloatArray:
        """Return the whitened differences of resampled data, (resamplings, groups x slices).

        Those of the simulation, which has a finite number of cells itself, are in it.
        """
        return np.asarray(np.stack([self.whitened(m) for m in self.moved]) * np.sqrt(1.0 + 1.0 / self.copies))

    def reweighed(self, simulated: FloatArray) -> "Part":
        """Return the part with weights from simulated experiments, (experiments, rows)."""
        means = np.stack([self.slices.means(each) for each in simulated])
        return replace(self, whitener=_whiteners(means - means.mean(axis=0), self.tolerance))

    def whitened(self, difference: FloatArray) -> FloatArray:
        """Return differences (groups, slices) in units of their uncertainty, flat."""
        return np.asarray(np.einsum("gij,gj->gi", self.whitener, difference)).ravel()


def _copies(experiment: Experiment, least: int) -> int:
    """Return how many sets of the cells of a table are simulated."""
    return max(least, -(-experiment.crowd // (int(experiment.cells.max()) + 1)))


def _parts(experiment: Experiment, settings: Settings, copies: int) -> list[Part]:
    rng = np.random.default_rng([settings.seed, 77])
    count = int(experiment.cells.max()) + 1
    draws = rng.multinomial(count, np.full(count, 1.0 / count), settings.resamplings)
    weights = draws[:, experiment.cells].astype(np.float64)
    return [_part(f, weights, copies) for f in experiment.features(experiment.measured(), held=False)]


def _part(feature: Feature, weights: FloatArray, copies: int) -> Part:
    slices = Slices(feature.group, feature.edges)
    seen = slices.means(feature.values)
    again = np.stack([slices.means(feature.values, w) for w in weights])
    moved = np.nan_to_num(again - seen)
    tolerance = feature.floor**2 + (feature.share * seen) ** 2
    return Part(slices, seen, _whiteners(moved, tolerance), moved, tolerance, copies)


def _whiteners(moved: FloatArray, tolerance: FloatArray) -> FloatArray:
    return np.stack([_whitener(moved[:, g], tolerance[g]) for g in range(moved.shape[1])])


def _whitener(moved: FloatArray, tolerance: FloatArray) -> FloatArray:
    covariance = moved.T @ moved / len(moved)
    # Resampling cannot resolve all correlations: a tenth of them is given up, which also bounds the inverse.
    covariance = 0.9 * covariance + 0.1 * np.diag(np.diag(covariance)) + np.diag(tolerance)
    return np.linalg.inv(np.linalg.cholesky(covariance))
