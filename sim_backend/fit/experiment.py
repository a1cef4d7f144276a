"""Say what every measured table must offer so that the model can be fitted to it."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from sim_backend.fit.table import Table
from sim_backend.preset import Preset

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

Figure = Callable[[FloatArray], float]

FIFTHS = np.linspace(0.0, 1.0, 6)


@final
@dataclass(frozen=True)
class Feature:
    """Hold one quantity per row of a table and the groups in which its distribution is compared.

    `values` is (n,), or (copies, n) where cells were simulated several times over; `group` (n,)
    numbers the groups, -1 leaves a row out; `labels` name the groups; `unit` is that of the values,
    '1' for logarithms; `floor` (same unit) and `share` (of the figure itself) are the disagreement of model
    and data that is tolerated besides the data's own uncertainty.
    """

    name: str
    values: FloatArray
    group: IntArray
    labels: Sequence[str]
    unit: str
    floor: float
    edges: FloatArray
    share: float = 0.0


class Experiment(ABC):
    """Hold a measured table, and simulate the same measurement on the same cells.

    Rows that are held back take no part in a fit; they are predicted by it.
    """

    name: str
    table: Table
    held: NDArray[np.bool_]
    """Which rows are held back."""
    cells: IntArray
    """Cell of each row: rows of one cell are not independent."""
    crowd: int = 0
    """Least number of simulated cells: of few cells with much noise the derivatives are mostly noise."""

    @abstractmethod
    def measured(self) -> FloatArray:
        """Return the measured value (S) of each row."""

    @abstractmethod
    def simulate(self, preset: Preset, rng: np.random.Generator, copies: int) -> FloatArray:
        """Return what `copies` simulated sets of the cells would read (S), (copies, rows)."""

    def touched(self, name: str) -> bool:
        """Return whether a parameter can change what is simulated: what cannot, is not simulated again."""
        return bool(name)

    @abstractmethod
    def figures(self) -> Mapping[str, Figure]:
        """Return the figures by which a prediction is judged, of the values of the first feature."""

    @abstractmethod
    def features(self, values: FloatArray, held: bool) -> Sequence[Feature]:
        """Return what is compared, measured or simulated: of the fitted rows, or of those held back."""
