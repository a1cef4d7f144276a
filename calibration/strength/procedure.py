"""Calibrate the strength of the loop: the factor on the drive with which it does what the network says."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from calibration.loop.multipliers_network import products
from calibration.loop.runs import Table, widened
from calibration.procedure import Found, Known, Procedure
from calibration.strength.digital import FACTORS as DIGITAL
from calibration.strength.digital import NOISY_FACTORS, columns_of, ends, noisy_radii, score_of
from calibration.strength.fit import agreed, distance, noise_ratio
from calibration.strength.network import Mission, ready
from protocols.sampling import Sampling, starts
from rramlab.backend import Backend
from rramlab.corrections.record import Record
from rramlab.diffusion.network import ScoreWeights
from rramlab.pulse import Columns
from rramlab.reading import ReadSpec

if TYPE_CHECKING:  # loaded where a page is made
    from matplotlib.figure import Figure

FloatArray = NDArray[np.float64]

FACTORS = (0.94, 1.0, 1.06)
"""Factors on the drive that are tried."""
REPEATS, RUNS = 6, 16
"""How often the network is measured and run, and start states of each."""
CALLS = 6
"""Calls of products before the runs, and after them."""
NOISY_RUNS = 240
"""Runs of the stochastic equation."""
_SEED = 4053


@final
class Strength(Procedure):
    """Run the ring network in closed loop and digitally from the same starts, at a few strengths."""

    name: ClassVar[str] = "strength"
    title: ClassVar[str] = "Strength of the loop against the digital solution"
    after: ClassVar[tuple[str, ...]] = ("loop",)
    days: ClassVar[float] = 7.0
    parts_of_bench: ClassVar[tuple[str, ...]] = ("board", "macro")

    def __init__(self, reading: ReadSpec, prepare: bool = False) -> None:
        super().__init__(reading)
        self._prepare = prepare

    def parts(self, backend: Backend) -> int:
        """Return a part that has the network programmed, those of the ordinary and the stochastic runs."""
        return 1 + REPEATS + 1

    def measure(self, backend: Backend, part: int) -> Columns:
        """Measure the network as it is, and run it; the first part has it programmed if it is not there."""
        mission = ready(backend, self.reading, self._prepare and part == 0)
        found: Table = {"programmed": np.array(int(mission.programmed))}
        if part == 0:
            return found
        rng = np.random.default_rng([_SEED, part])
        noisy = part > REPEATS
        before = _written(backend, mission)
        runs = _noisy(backend, mission, rng) if noisy else _quiet(backend, mission, rng)
        after = _written(backend, mission)
        halfway = [0.5 * (a + b) for a, b in zip(before.layers, after.layers, strict=True)]
        return found | runs | columns_of(mission.score.with_layers(*halfway))

    def evaluate(self, parts: Sequence[Columns], known: Known) -> Found:
        """Return the factor on the drive, with the ratio of drive to noise beside."""
        quiet, noisy = parts[1:-1], parts[-1]
        digital = [ends(score_of(part), part["start"].astype(float)) for part in quiet]
        strength = np.array([_strength(part, one) for part, one in zip(quiet, digital, strict=True)])
        variance = strength.var(ddof=1) / len(strength) * widened(len(strength) - 1)
        mean = float(strength.mean())
        radii = np.linalg.norm(noisy["end"].astype(float), axis=1)
        ratio, u_ratio = noise_ratio(radii, NOISY_FACTORS, noisy_radii(score_of(noisy)))
        before, after = _distances(quiet, digital, 1.0), _distances(quiet, digital, 1.0 / mean)
        return Found(
            {"factor": np.array(1.0 / mean), "drive_to_noise": np.array(ratio)},
            {"factor": "1", "drive_to_noise": "1"},
            np.diag([variance / mean**4, u_ratio**2]),
            {
                "network": "ring",
                "programmed": bool(parts[0]["programmed"]),
                "runs": int(sum(part["start"].shape[0] for part in quiet)),
                "distance_before": before,
                "distance_after": after,
            },
            {"rms_factor": float(strength.std(ddof=1)), "dof": float(len(strength) - 1)},
        )

    def figures(self, parts: Sequence[Columns], record: Record) -> "dict[str, tuple[Figure, str]]":
        """Return end states of loop and network before and after, and the radii of stochastic runs."""
        from calibration.strength.figures import figures

        return figures(parts, record)


def _written(backend: Backend, mission: Mission) -> ScoreWeights:
    """Return the network that the macros hold, as products show it."""
    matrices = products(backend, CALLS)
    return mission.mapping.to_weights(matrices.reshape(-1, matrices.shape[-1]), mission.score)


def _quiet(backend: Backend, mission: Mission, rng: np.random.Generator) -> Table:
    """Return where the ordinary equation ended at several factors, from the same start states."""
    start = starts(RUNS, rng)
    run = Sampling(kept=0).declare(mission.score, mission.mapping, start)
    driven = [replace(run.coefficients, drive=factor * run.coefficients.drive) for factor in FACTORS]
    found = [backend.solve(replace(run, coefficients=one, stride=len(one.drift))).end for one in driven]
    return {"start": start, "end": np.array(found), "factors": np.array(FACTORS)}


def _noisy(backend: Backend, mission: Mission, rng: np.random.Generator) -> Table:
    """Return where the stochastic equation ended."""
    start = starts(NOISY_RUNS, rng)
    run = Sampling(kept=0, kind="sde").declare(mission.score, mission.mapping, start)
    return {"start": start, "end": backend.solve(replace(run, stride=len(run.coefficients.drift))).end}


def _strength(part: Columns, digital: FloatArray) -> float:
    return agreed(part["factors"].astype(float), part["end"].astype(float), DIGITAL, digital)


def _distances(parts: Sequence[Columns], digital: Sequence[FloatArray], factor: float) -> float:
    """Return how far (network units, rms) the loop ends from the network when driven by this factor."""
    apart = [
        distance(
            course(part["factors"].astype(float), part["end"].astype(float), factor), one[DIGITAL.index(1.0)]
        )
        for part, one in zip(parts, digital, strict=True)
    ]
    return float(np.sqrt(np.mean(np.square(apart))))


def course(factors: FloatArray, end: FloatArray, factor: float) -> FloatArray:
    """Return the end states (runs, 2) at a factor between those that were played: by a parabola."""
    powers = np.vander(factors - 1.0, len(factors), increasing=True)
    weights = np.linalg.solve(powers.T, (factor - 1.0) ** np.arange(len(factors)))
    return np.asarray(np.tensordot(weights, end, axes=1))
