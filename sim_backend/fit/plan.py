"""Read what to fit to what: a TOML file that names tables, their columns, and what is held back."""

import tomllib
from pathlib import Path
from typing import Annotated, Literal, final

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rramlab.errors import InputError
from sim_backend.fit.conduction import Curves
from sim_backend.fit.experiment import Experiment
from sim_backend.fit.pulses import Pulses, ReadSetting
from sim_backend.fit.relaxation import Relaxing
from sim_backend.fit.roles import with_cells, with_lines
from sim_backend.fit.table import Table, read_table

_STRICT = ConfigDict(frozen=True, extra="forbid")
_Positive = Annotated[float, Field(gt=0)]
_NEAR = 0.01

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
    """Hold one table: its file, columns by role, rows kept and held back, and what is fitted to it."""

    model_config = _STRICT
    kind: Literal["pulses", "relaxation", "curves"]
    file: str
    columns: dict[str, str | int]
    values: dict[str, float] = {}
    keep: dict[str, tuple[float, float]] = {}
    hold: dict[str, list[float]] = {}
    hold_within: dict[str, tuple[float, float]] = {}
    read: Reading = Reading()
    least: Annotated[int, Field(ge=10)] = 100
    bands: tuple[float, ...] = DEFAULT_BANDS
    parameters: list[str] = []
    stage: str = ""

    def load(self, folder: Path) -> Experiment:
        """Return the table as an experiment; its file is looked for from `folder` on."""
        table = with_lines(with_cells(read_table(folder / self.file, self.columns).filled(**self.values)))
        table = table.where(self._kept(table))
        if not len(table):
            raise InputError(f"'keep' leaves no row of {self.file}; widen its ranges (SI units)")
        held = self._held(table)
        if held.all():
            raise InputError(f"'hold' leaves no row of {self.file} to fit; hold fewer back")
        if self.kind == "pulses":
            return Pulses(table, self.read.setting(), held, self.least)
        if self.kind == "relaxation":
            return Relaxing(table, self.read.setting(), held, self.bands)
        return Curves(table, self.read.setting(), held, self.bands)

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
            raise InputError(f"the plan {path}: {_first(error)}") from None

    def stages(self) -> list[tuple[str, list[TablePlan]]]:
        """Return the tables that are fitted together, in the order of the file."""
        found: dict[str, list[TablePlan]] = {}
        for k, each in enumerate(self.table):
            found.setdefault(each.stage or f"{each.kind} {k + 1}", []).append(each)
        return list(found.items())


def _first(error: ValidationError) -> str:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"'{where}': {first['msg'].lower()}; see docs/fit.md"
