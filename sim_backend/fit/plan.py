"""Read what to fit to what: a TOML file that names tables, their columns, and what is held back."""

import os
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal, Self, final

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from rramlab.complaint import first_complaint
from rramlab.errors import InputError
from sim_backend.fit.conduction import Curves
from sim_backend.fit.experiment import Experiment
from sim_backend.fit.pulses import Pulses, ReadSetting
from sim_backend.fit.relaxation import Relaxing
from sim_backend.fit.roles import with_cells, with_lines
from sim_backend.fit.runs import RunTable, run_table
from sim_backend.fit.table import Table, read_table

_STRICT = ConfigDict(frozen=True, extra="forbid")
_Positive = Annotated[float, Field(gt=0)]
_NEAR = 0.01

FLOOR, ROUGH = 0.01, 0.03
"""Disagreement in ln(G) that is tolerated: of a run, whose steps are known, and of a table."""
FEWEST = 10
"""Rows below which a table is refused: nothing could be said of the certainty of a fit."""
ENOUGH = 64
"""Cells per band of a run."""
DEFAULT_BANDS = tuple(1e-6 * g for g in (0.0, 12.0, 28.0, 44.0, 60.0, 76.0, 92.0, 108.0, 128.0))


@final
class Reading(BaseModel):
    """Hold how the cells of a table were read: V, V, s, and s from the pulse to the reading."""

    model_config = _STRICT
    v_read: _Positive = 0.2
    v_wl: _Positive = 3.3
    duration: _Positive = 1e-3
    delay: _Positive = 1e-3

    def setting(self) -> ReadSetting:
        """Return the setting."""
        return ReadSetting(self.v_read, self.v_wl, self.duration, self.delay)


@final
class TablePlan(BaseModel):
    """Hold one table: a file with its columns by role, or a run; rows kept and held back, what is fitted.

    A run tells itself of what kind it is and how its cells were read.
    """

    model_config = _STRICT
    kind: Literal["pulses", "relaxation", "curves"] | None = None
    file: str = ""
    run: str = ""
    columns: dict[str, str | int] = {}
    values: dict[str, float] = {}
    keep: dict[str, tuple[float, float]] = {}
    hold: dict[str, list[float]] = {}
    hold_within: dict[str, tuple[float, float]] = {}
    read: Reading = Reading()
    least: Annotated[int, Field(ge=10)] = 100
    bands: tuple[float, ...] = DEFAULT_BANDS
    parameters: list[str] = []
    stage: str = ""

    @property
    def source(self) -> str:
        """Return the file or the run."""
        return self.run or self.file

    @model_validator(mode="after")
    def _of_one_source(self) -> Self:
        if bool(self.file) == bool(self.run):
            raise ValueError("a table has either a 'file' or a 'run'")
        if self.file and (self.kind is None or not self.columns):
            raise ValueError("a 'file' needs its 'kind' and its 'columns'")
        if self.run and (self.columns or self.kind):
            raise ValueError("a 'run' tells its kind and columns itself; leave out 'kind' and 'columns'")
        return self

    def load(self, folder: Path) -> Experiment:
        """Return the table as an experiment; its file or run is looked for from `folder` on."""
        given = run_table(os.path.normpath(folder / self.run)) if self.run else self._of_file(folder)
        table = with_lines(with_cells(given.table.filled(**self.values)))
        kept = self._kept(table)
        table = table.where(kept)
        if not len(table):
            raise InputError(f"'keep' leaves no row of {self.source}; widen its ranges (SI units)")
        if len(table) < FEWEST:
            raise InputError(
                f"{self.source} has {len(table)} rows to fit; give {FEWEST} or more, better hundreds"
            )
        held = self._held(table)
        if held.all():
            raise InputError(f"'hold' leaves no row of {self.source} to fit; hold fewer back")
        if given.history is not None and not kept.all():
            raise InputError(
                f"'keep' cannot part the cells of run {self.run} from their pulses; leave it out"
            )
        return self._experiment(replace(given, table=table, reading=self._reading(given)), held)

    def _of_file(self, folder: Path) -> RunTable:
        assert self.kind is not None
        return RunTable(self.kind, read_table(folder / self.file, self.columns), self.read.setting())

    def _reading(self, given: RunTable) -> ReadSetting:
        """Return how cells were read: as the run says, unless the plan says otherwise."""
        asked = {name: getattr(self.read, name) for name in self.read.model_fields_set}
        reading = replace(given.reading, **asked)
        if given.kind == "relaxation" and not reading.delay > 0.0:
            raise InputError(
                f"run '{self.run}' did not program its cells, so that their age is unknown: let it program "
                f"them (--levels 8), or tell the time (s) since then in a plan: read = {{delay = 60.0}}"
            )
        return reading

    def _experiment(self, given: RunTable, held: NDArray[np.bool_]) -> Experiment:
        table, reading = given.table, given.reading
        if given.kind == "pulses":
            floor = FLOOR if self.run else ROUGH
            return Pulses(table, reading, held, self.least, floor)
        if given.kind == "relaxation":
            return Relaxing(table, reading, held, self._bands(table), given.history)
        return Curves(table, reading, held, self.bands, quiet=bool(self.run))

    def _bands(self, table: Table) -> Sequence[float]:
        """Return the bands (S): of a run, shares of its cells, large enough to have a distribution."""
        if not self.run or "bands" in self.model_fields_set:
            return self.bands
        first = table["programmed"][table["time"] == 0.0]
        count = min(max(len(first) // ENOUGH, 1), len(self.bands) - 1)
        inner = np.quantile(first, np.linspace(0.0, 1.0, count + 1)[1:-1])
        edges = [0.0, *inner.tolist(), float(first.max()) + 1e-6]
        return [round(edge, 6) for edge in edges]  # whole microsiemens, for people

    def _kept(self, table: Table) -> NDArray[np.bool_]:
        kept = np.ones(len(table), bool)
        for role, (low, high) in self.keep.items():
            kept &= (table[role] >= low) & (table[role] <= high)
        return kept

    def _held(self, table: Table) -> NDArray[np.bool_]:
        held = np.zeros(len(table), bool)
        for role, (low, high) in self.hold_within.items():
            held |= (table[role] >= low) & (table[role] <= high)
        for role, values in self.hold.items():
            for value in values:
                held |= np.abs(table[role] - value) <= _NEAR * abs(value)
        return held


@final
class Effort(BaseModel):
    """Hold how much to compute: the same words as the settings of a fit."""

    model_config = _STRICT
    copies: Annotated[int, Field(ge=1)] = 1
    resamplings: Annotated[int, Field(ge=20)] = 200
    rounds: Annotated[int, Field(ge=1)] = 12
    tries: Annotated[int, Field(ge=0)] = 0
    reweight: Annotated[int, Field(ge=0)] = 0
    seed: int = 1


@final
class Plan(BaseModel):
    """Hold what to fit: the preset to begin with, changes to it, and the tables, stage by stage."""

    model_config = _STRICT
    name: str = "mine"
    base: str = "taox180"
    start: dict[str, float | list[float]] = {}
    effort: Effort = Effort()
    table: Annotated[list[TablePlan], Field(min_length=1)]

    @staticmethod
    def load(path: Path) -> "Plan":
        """Return the plan in a file; say in one sentence which key is wrong."""
        try:
            return Plan.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
        except OSError as error:
            raise InputError(f"the plan {path} cannot be read ({error.strerror}); name a TOML file") from None
        except tomllib.TOMLDecodeError as error:
            raise InputError(f"the plan {path} is no TOML: {error}") from None
        except ValidationError as error:
            raise InputError(f"the plan {path}: {first_complaint(error, Plan)}; see docs/fit.md") from None

    def stages(self) -> list[tuple[str, list[TablePlan]]]:
        """Return the tables that are fitted together, in the order of the file."""
        found: dict[str, list[TablePlan]] = {}
        for k, each in enumerate(self.table):
            found.setdefault(each.stage or f"{each.kind or each.source} {k + 1}", []).append(each)
        return list(found.items())
