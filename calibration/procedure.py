"""Say what a calibration procedure is: it measures in parts, and evaluates what was measured to a record."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from rramlab.backend import Backend
from rramlab.corrections.record import Record
from rramlab.pulse import Columns
from rramlab.reading import ReadSpec

if TYPE_CHECKING:  # loaded where a page is made
    from matplotlib.figure import Figure

FloatArray = NDArray[np.float64]
Known = Mapping[str, Record]


@final
@dataclass(frozen=True, eq=False)
class Found:
    """Hold what an evaluation found: values and units by name, one covariance over all values in this order.

    `conditions` are those of the measurement, `residuals` what the model left unexplained, with its scale
    (such as {"rms_A": 3e-9, "chi2_per_dof": 1.1, "dof": 480.0}).
    """

    values: Mapping[str, FloatArray]
    units: Mapping[str, str]
    covariance: FloatArray
    conditions: Mapping[str, Any] = field(default_factory=dict)
    residuals: Mapping[str, float] = field(default_factory=dict)


class Procedure(ABC):
    """Measure one thing about a bench, through the door only.

    `name` is that of the command and of the record's kind, `title` what a person calls it. `after` names the
    records that it builds upon: while it measures, the door corrects by exactly those that are known. `days`
    is how long its record holds. `parts_of_bench` are the parts of the identity that its record belongs to.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    after: ClassVar[tuple[str, ...]] = ()
    days: ClassVar[float]
    parts_of_bench: ClassVar[tuple[str, ...]]

    def __init__(self, reading: ReadSpec) -> None:
        self.reading = reading

    @abstractmethod
    def parts(self, backend: Backend) -> int:
        """Return in how many parts it measures; a run that is cut off goes on after the last whole one."""

    @abstractmethod
    def measure(self, backend: Backend, part: int) -> Columns:
        """Measure one part and return all that was measured, as named arrays (SI)."""

    @abstractmethod
    def evaluate(self, parts: Sequence[Columns], known: Known) -> Found:
        """Return what the measured parts say: a pure function of them and of the records before."""

    @abstractmethod
    def figures(self, parts: Sequence[Columns], record: Record) -> "dict[str, tuple[Figure, str]]":
        """Return figures by file name, each with its caption: the result with error bars, and residuals."""
