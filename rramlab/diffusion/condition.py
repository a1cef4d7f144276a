"""The condition of a score network: one vector for each class, added to the embedding of the time."""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rramlab.errors import InputError, did_you_mean

FloatArray = NDArray[np.float64]

TRAINED, PROJECTION = "trained", "projection"
FORMS = (TRAINED, PROJECTION)
"""A table from a small trained network (released code), or from a fixed random projection (the paper)."""


@final
@dataclass(frozen=True, eq=False)
class Condition:
    """Hold names of classes and the vector of each: `table` (classes, n_hidden), in units of the network.

    The vector of a class travels on the same converters as the embedding of the time, so it enters the
    pre-activations of both hidden layers. No class at all, the null token, is the zero vector.
    """

    classes: tuple[str, ...]
    table: FloatArray
    form: str = TRAINED

    def __post_init__(self) -> None:
        """Freeze the table and refuse names or numbers that no condition can have."""
        table = np.array(self.table, dtype=np.float64)
        names = tuple(str(name) for name in self.classes)
        wrong = table.ndim != 2 or len(table) != len(names) or not np.isfinite(table).all()
        if wrong or not names or len(set(names)) < len(names) or "" in names:
            raise ValueError(
                f"classes {', '.join(names) or 'none'} with a table of shape {table.shape} were given; "
                "possible are one name of its own and one row of finite numbers for each class"
            )
        if self.form not in FORMS:
            raise ValueError(f"a {self.form!r} condition was asked for; possible are {' and '.join(FORMS)}")
        table.flags.writeable = False
        object.__setattr__(self, "table", table)
        object.__setattr__(self, "classes", names)

    def vector(self, name: str | None) -> FloatArray:
        """Return what a class adds to the embedding, (n_hidden,); None is the null token, all zeros."""
        if name is None:
            return np.zeros(self.table.shape[1])
        if name not in self.classes:
            raise InputError(
                f"this network knows no class '{name}'; {did_you_mean(name, list(self.classes))}"
            )
        return np.asarray(self.table[self.classes.index(name)])


def nearest_centre(points: ArrayLike, centres: ArrayLike) -> NDArray[np.intp]:
    """Return the number of the nearest of the centres (k, 2) for each point (n, 2)."""
    apart = np.asarray(points, float)[:, None, :] - np.asarray(centres, float)[None]
    return np.asarray(np.argmin((apart**2).sum(axis=2), axis=1))
