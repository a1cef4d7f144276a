"""Hold the 21 embedding tables that the published controller firmware plays."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from rramlab.errors import InputError

FloatArray = NDArray[np.float64]

PAIRS = 7
"""Frequencies of a table: each makes a sine and a cosine channel."""


@final
@dataclass(frozen=True)
class PublishedTable:
    """Hold one table: 7 frequencies, 14 constants, and a scale of its own where it has one."""

    name: str
    t_coef: tuple[float, ...]
    c: tuple[float, ...] = (0.0,) * (2 * PAIRS)
    scale: float | None = None

    def __post_init__(self) -> None:
        if len(self.t_coef) != PAIRS or len(self.c) != 2 * PAIRS:
            raise InputError(
                f"table '{self.name}' has {len(self.t_coef)} frequencies and {len(self.c)} constants; "
                f"it needs {PAIRS} and {2 * PAIRS}"
            )

    def embedding(self, u: FloatArray) -> FloatArray:
        """Return the embedding (len(u), 14) in network units at diffusion times u: sines, then cosines."""
        phase = 2.0 * np.pi * np.outer(u, self.t_coef)
        return np.asarray(np.hstack([np.sin(phase), np.cos(phase)]) + np.array(self.c), dtype=np.float64)

    def full_scale(self, v_bias: float) -> float:
        """Return what one network unit is in shares of the converter's range, at this bias (V)."""
        return 5.0 * v_bias if self.scale is None else self.scale


@cache
def published_tables() -> MappingProxyType[str, PublishedTable]:
    """Return all tables by the letter that the `In` command takes."""
    text = (files("drivers") / "published_tables.toml").read_text(encoding="utf-8")
    return MappingProxyType({name: _table(name, entry) for name, entry in tomllib.loads(text).items()})


def published_table(name: str) -> PublishedTable:
    """Return the table of this letter; upper and lower case differ."""
    tables = published_tables()
    if name not in tables:
        raise InputError(f"the published firmware has no table '{name}'; possible: {', '.join(tables)}")
    return tables[name]


def _table(name: str, entry: dict[str, Any]) -> PublishedTable:
    c = tuple(entry.get("c", (0.0,) * (2 * PAIRS)))
    return PublishedTable(name, tuple(entry["t_coef"]), c, entry.get("scale"))
