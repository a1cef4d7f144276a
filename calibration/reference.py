"""Measure the reference conductances that the rows of the network share."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from calibration.loop.runs import widened
from calibration.procedure import Found, Known, Procedure
from calibration.strength.network import ready
from rramlab.backend import Backend
from rramlab.corrections.record import Record
from rramlab.pulse import Columns
from rramlab.reading import ReadSpec

if TYPE_CHECKING:  # loaded where a page is made
    from matplotlib.figure import Figure

FloatArray = NDArray[np.float64]

VISITS, SAMPLES = 8, 32
"""Careful readings of each cell, and samples of each."""
DAY = 86400.0
"""A day (s)."""
TYPICAL = 0.907
"""Median of a variance from eight visits over its mean: chi squared of seven degrees of freedom."""

FAR = 3.0
"""How many times the variance of most cells says that a cell is louder: 1 in 250 that are not look so."""


@final
class Reference(Procedure):
    """Read the reference cells of the network in use many times, as all weights of a row hang on one."""

    name: ClassVar[str] = "reference"
    title: ClassVar[str] = "Reference conductances of the network"
    after: ClassVar[tuple[str, ...]] = ("readout", "product")  # what is programmed is trimmed by products
    days: ClassVar[float] = 7.0
    parts_of_bench: ClassVar[tuple[str, ...]] = ("board", "macro")

    def __init__(self, reading: ReadSpec, prepare: bool = False) -> None:
        super().__init__(reading)
        self._prepare = prepare

    def parts(self, backend: Backend) -> int:
        """Return one part: it takes seconds, but for the programming, which is not done twice."""
        return 1

    def measure(self, backend: Backend, part: int) -> Columns:
        """Read all reference cells again and again, all others in between."""
        mission = ready(backend, self.reading, self._prepare)
        targets = mission.mapping.reference_targets()
        careful = ReadSpec(self.reading.v_read, self.reading.gate, SAMPLES)
        begin = backend.now()
        visits = [backend.read(targets.cells, careful) for _ in range(VISITS)]
        return {
            **targets.cells.columns(),
            "visits": np.array(visits),
            "seconds": np.array(backend.now() - begin),
            "nominal": targets.conductances,
            "uncertainty": backend.uncertainty(targets.cells, np.mean(visits, axis=0), careful),
            "macro": targets.cells.row // backend.macro_shape[0],
            "programmed": np.array(int(mission.programmed)),
        }

    def evaluate(self, parts: Sequence[Columns], known: Known) -> Found:
        """Return the conductance (S) of each reference and its deviation from the nominal."""
        part = parts[0]
        visits = np.asarray(part["visits"], dtype=float)
        conductance = visits.mean(axis=0)
        deviation = conductance - part["nominal"]
        own = visits.var(axis=0, ddof=1) / len(visits) * widened(len(visits) - 1)
        one = np.diag(own + slow(visits, self.days * DAY / float(part["seconds"]))) + of_readout(part)
        conditions = {
            "row": part["row"].tolist(),
            "col": part["col"].tolist(),
            "nominal_S": float(part["nominal"][0]),
            "programmed": bool(part["programmed"]),
            "largest_deviation_S": float(np.abs(deviation).max()),
        }
        return Found(
            {"conductance": conductance, "deviation": deviation},
            {"conductance": "S", "deviation": "S"},
            np.block([[one, one], [one, one]]),
            conditions,
            {"rms_S": float(np.sqrt(visits.var(axis=0, ddof=1).mean()))},
        )

    def figures(self, parts: Sequence[Columns], record: Record) -> "dict[str, tuple[Figure, str]]":
        """Return the references row by row, with uncertainties, beside the nominal."""
        from calibration.reference_figures import figures

        return figures(parts, record)


def slow(visits: FloatArray, holds: float) -> FloatArray:
    """Return the variance (S^2) of what all visits (visits x cells) have in common: noise slower than they.

    Read noise of filaments goes as 1/f: as much in each decade of time. The visits see the decades from one
    of them to all of them, and not those from there to the time that a record holds, which is `holds` times
    as long as they took. A cell moves as most do, unless its own visits say otherwise.
    """
    variance = visits.var(axis=0, ddof=1)
    most = float(np.median(variance)) / TYPICAL
    return np.asarray(
        np.where(variance > FAR * most, variance, most) * np.log10(holds) / np.log10(visits.size)
    )


def of_readout(part: Columns) -> FloatArray:
    """Return the covariance (S^2) that the references owe to the read chain.

    Those of one layer stand in one column, whose gain and offset are the largest part of it: they are taken
    to deviate together.
    """
    u = np.nan_to_num(np.asarray(part["uncertainty"], dtype=float))
    layer = part["macro"]
    return np.asarray(np.outer(u, u) * (layer[:, None] == layer[None, :]))
