"""Hold what a board with the published firmware played, as the oscilloscope saw it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray

from drivers.play.request import PlayRequest, title
from drivers.published_schedule import PublishedSettings
from drivers.published_tables import published_table
from rramlab.loop import Coefficients
from rramlab.pulse import Columns

FloatArray = NDArray[np.float64]

_NETWORK = "network unit"
UNITS = {
    "time": "s",
    "drift": "1/s",
    "drive": "1/s",
    "noise": f"{_NETWORK}/sqrt(s)",
    "t_coef": "1/s",
    "c": _NETWORK,
    **dict.fromkeys(("end", "state", "output", "embedding"), _NETWORK),
    **dict.fromkeys(("share_f", "share_g2", "share_t", "share_sigma"), "1"),
}


@final
@dataclass(frozen=True, eq=False)
class Seen:
    """Hold the runs of one table in network units: `state` and `output` (runs, samples, 2) at `time` (s)."""

    time: FloatArray
    state: FloatArray
    output: FloatArray

    @property
    def end(self) -> FloatArray:
        """Return the states (runs, 2) at the end."""
        return self.state[:, -1]

    def columns(self) -> Columns:
        """Return everything as named columns for the record."""
        return {"end": self.end, "time": self.time, "state": self.state, "output": self.output}

    @classmethod
    def of(cls, columns: Mapping[str, Any]) -> Self:
        """Return what the columns of a record hold."""
        return cls(*(np.asarray(columns[name], float) for name in ("time", "state", "output")))

    @classmethod
    def together(cls, runs: list["Seen"]) -> "Seen":
        """Return single runs as one."""
        states, outputs = [run.state for run in runs], [run.output for run in runs]
        return cls(runs[0].time, np.concatenate(states), np.concatenate(outputs))


@final
@dataclass(frozen=True, eq=False)
class Outcome:
    """Hold request, settings, coefficients and runs by table, and what was said on the line."""

    request: PlayRequest
    settings: Mapping[str, PublishedSettings]
    coefficients: Mapping[str, Coefficients]
    seen: Mapping[str, Seen]
    talk: Columns


def table_columns(settings: PublishedSettings, c: Coefficients) -> Columns:
    """Return a table with what it makes the converters play, in shares of their range and in SI."""
    table, ticks = published_table(settings.table), len(c.drift)
    shares = {"f": settings.f(), "g2": settings.g2(), "t": settings.embedding(), "sigma": settings.sigma()}
    own = {"t_coef": np.array(table.t_coef), "c": np.array(table.c)}
    return own | {f"share_{name}": x[:ticks] for name, x in shares.items()} | dict(c.columns())


def facts_of(found: Outcome) -> dict[str, Any]:
    """Return the figures of a run as plain numbers; without an end it is null."""
    return {
        "runs": found.request.runs,
        "equation": "sde" if found.request.noise else "ode",
        "tables": {name: _facts(found.settings[name], seen) for name, seen in found.seen.items()},
        "commands": len(found.talk["asked"]),
    }


def _facts(settings: PublishedSettings, seen: Seen) -> dict[str, Any]:
    lost = int(np.isnan(seen.end).any(axis=1).sum())
    ends = seen.end[~np.isnan(seen.end).any(axis=1)]
    spread = len(ends) > 0
    return {
        "name": title(settings.table),
        "v_bias": settings.v_bias,
        "coef": settings.coef,
        "noise": settings.noise,
        "offsets": list(settings.offsets),
        "off_screen": lost,
        "end_mean": ends.mean(axis=0).tolist() if spread else None,
        "end_spread": ends.std(axis=0).tolist() if spread else None,
    }
