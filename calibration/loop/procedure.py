"""Calibrate the closed loop: integrators, multipliers, and what amplifiers add, from short runs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, final
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from calibration.loop import integrators, multipliers, multipliers_fit
from calibration.loop.integrators import Integrators
from calibration.loop.multipliers_fit import Multipliers
from calibration.loop.multipliers_network import check, chosen, products
from calibration.loop.products import of_products
from calibration.loop.runs import Wiring, widened
from calibration.procedure import Found, Known, Procedure
from rramlab.backend import Backend
from rramlab.corrections.record import Record
from rramlab.pulse import Columns

if TYPE_CHECKING:  # loaded where a page is made
    from matplotlib.figure import Figure

FloatArray = NDArray[np.float64]

REPEATS = 8
"""How often the network and its runs are measured: their scatter is the uncertainty of the drive."""
UNITS = {
    "drift_gain": "1",
    "drive_gain": "1",
    "noise_gain": "1",
    "offset": "V/s",
    "drive_offset": "V",
    "leak": "1/s",
    "drift_cut": "1/s",
    "drive_cut": "1/s",
}
_SEED = 4051


@final
class Loop(Procedure):
    """Let the state rest, ramp, grow, and follow the network, and ask what it should have done.

    Nothing is programmed: the loop is closed through whatever the cells hold, as products show it. The more
    they hold, the surer the gain of the drive.
    """

    name: ClassVar[str] = "loop"
    title: ClassVar[str] = "Closed loop: integrators, multipliers, amplifiers"
    after: ClassVar[tuple[str, ...]] = ("readout", "product")
    days: ClassVar[float] = 30.0
    parts_of_bench: ClassVar[tuple[str, ...]] = ("board",)

    def parts(self, backend: Backend) -> int:
        """Return one part for the integrators and several for the network."""
        check(backend)
        return 1 + REPEATS

    def measure(self, backend: Backend, part: int) -> Columns:
        """Measure the integrators (part 0), or the network and what it does to the state."""
        rng = chance(backend, part)
        if part == 0:
            return integrators.measure(backend, chosen(products(backend, 1)), rng)
        return multipliers.measure(backend, rng)

    def evaluate(self, parts: Sequence[Columns], known: Known) -> Found:
        """Return gains, offsets, leak, and what the converters cut off, for both dimensions."""
        alone = integrators.found(parts[0])
        offset, leak = alone.values[:, 0], alone.values[:, 1]
        driven = [multipliers_fit.found(part, offset, leak) for part in parts[1:]]
        values, covariance = together(driven, parts[1:])
        covariance[:2, :2] += of_products(parts[1:], known)
        return whole(alone, values, covariance, driven, parts)

    def figures(self, parts: Sequence[Columns], record: Record) -> "dict[str, tuple[Figure, str]]":
        """Return rest, ramps and growth with their fits, slope against output, and all residuals."""
        from calibration.loop.figures import figures

        return figures(parts, record)


def chance(backend: Backend, part: int) -> np.random.Generator:
    """Return what the runs of a part are drawn by: the same for the same bench, another one for another."""
    who = "|".join(f"{name}={value}" for name, value in sorted(backend.identify().items()))
    return np.random.default_rng([_SEED, part, crc32(who.encode())])


def together(found: Sequence[Multipliers], parts: Sequence[Columns]) -> tuple[FloatArray, FloatArray]:
    """Return the mean over the parts, and its covariance from their scatter.

    What amplifiers add hangs on the lines they sit on: of that, the parts with the usual lines tell.
    """
    values = np.array([one.values for one in found])
    same = alike(parts)
    dof = len(values) - 1
    mean = values.mean(axis=0)
    deviation = values - mean
    mean[2:4] = values[same, 2:4].mean(axis=0)
    deviation[:, 2:4] = np.where(same[:, None], values[:, 2:4] - mean[2:4], 0.0) * np.sqrt(
        len(same) / same.sum()
    )
    return mean, deviation.T @ deviation / dof / len(values) * widened(dof)


def alike(parts: Sequence[Columns]) -> NDArray[np.bool_]:
    """Return which parts closed the loop through the same last layer, and transimpedance, as most did."""
    last = [(tuple(part["cols2"].tolist()), float(part["scale"][2])) for part in parts]
    most = max(set(last), key=last.count)
    return np.array([one == most for one in last])


def whole(
    alone: Integrators,
    driven: FloatArray,
    of_driven: FloatArray,
    found: Sequence[Multipliers],
    parts: Sequence[Columns],
) -> Found:
    """Return everything in the order of the record, with its covariance."""
    offset, leak, noise_gain, drift_gain, cut = alone.values.T
    values = {
        "drift_gain": drift_gain,
        "drive_gain": driven[:2],
        "noise_gain": noise_gain,
        "offset": offset,
        "drive_offset": driven[2:4],
        "leak": leak,
        "drift_cut": np.asarray(cut.mean()),
        "drive_cut": np.asarray(driven[4]),
    }
    # From the stages' order (both dimensions' five numbers, then those of the drive) to that of the record.
    joint = np.zeros((15, 15))
    joint[:10, :10] = alone.covariance.reshape(10, 10)
    joint[10:, 10:] = of_driven
    pick = np.zeros((14, 15))
    places = [3, 8, 10, 11, 2, 7, 0, 5, 12, 13, 1, 6]
    pick[np.arange(12), places] = 1.0
    pick[12, [4, 9]] = 0.5
    pick[13, 14] = 1.0
    return Found(values, UNITS, pick @ joint @ pick.T, conditions(found, parts), residuals(alone, found))


def conditions(found: Sequence[Multipliers], parts: Sequence[Columns]) -> dict[str, object]:
    """Return through what the loop was closed."""
    wiring = Wiring.of(parts[1])
    return {
        "output_rms": float(np.mean([np.sqrt(np.mean(one.meant**2)) for one in found])),
        "runs_left_out": int(sum(one.left_out for one in found)),
        "scale_S": list(wiring.scale),
        "last_columns": list(wiring.layers[-1].cols),
        "parts_alike": int(alike(parts[1:]).sum()),
    }


def residuals(alone: Integrators, found: Sequence[Multipliers]) -> dict[str, float]:
    """Return the rms of what each stage left unexplained."""
    rests = {name: rest for name, (_, _, rest) in alone.fits.items()}
    told = {"rest": "rest_V_per_s", "ramp": "ramp", "growth": "growth_per_s"}
    rms = {f"rms_{told[name]}": float(np.sqrt(np.mean(rest**2))) for name, rest in rests.items()}
    return rms | {"rms_drive": float(np.sqrt(np.mean([np.mean(one.rest**2) for one in found])))}
