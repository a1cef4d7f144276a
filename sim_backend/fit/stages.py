"""Carry out a plan: stage after stage, each begins with the preset that the one before it left."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

from rramlab.errors import InputError
from rramlab.progress import Progress
from sim_backend.fit.defaults import parameters_for, switched_on
from sim_backend.fit.experiment import Experiment
from sim_backend.fit.fitting import Fit, Settings, fit
from sim_backend.fit.parameter import Parameter, expand
from sim_backend.fit.plan import Plan
from sim_backend.preset import Preset

GOOD_CELLS = {"yields.unformable": 0.0, "yields.stuck_lrs": 0.0, "yields.reduced": 0.0}
"""Bad cells are not fitted: tables hold cells that were chosen to work. They return with the result."""


@final
@dataclass(frozen=True)
class Stage:
    """Hold one stage: its name, the tables and what came of them."""

    name: str
    experiments: Sequence[Experiment]
    fit: Fit


@final
@dataclass(frozen=True)
class Outcome:
    """Hold the fitted preset and the stages that led to it."""

    preset: Preset
    stages: Sequence[Stage]


def carry_out(plan: Plan, folder: Path, progress: Progress) -> Outcome:
    """Return the outcome of a plan whose files lie in `folder`."""
    base = base_of(plan, folder)
    preset = base.override({**GOOD_CELLS, **_tuples(plan.start)})
    stages = []
    for name, tables in plan.stages():
        experiments = [table.load(folder) for table in tables]
        asked = [p for table in tables for p in table.parameters] or parameters_for(experiments, preset)
        preset = preset.override(switched_on(preset, asked, experiments))
        parameters = [Parameter(p) for p in expand(asked, preset)]
        found = fit(preset, experiments, parameters, Settings(**plan.effort.model_dump()), progress, name)
        preset = found.preset
        stages.append(Stage(name, experiments, found))
    healthy: dict[str, Any] = {name: getattr(base.yields, name.partition(".")[2]) for name in GOOD_CELLS}
    final_preset = replace(preset.override(healthy), name=plan.name, description=f"{plan.name}: fitted")
    return Outcome(final_preset, stages)


def base_of(plan: Plan, folder: Path) -> Preset:
    """Return the preset that a plan in `folder` begins with; InputError says why there is none."""
    place = folder / plan.base if plan.base.endswith(".toml") else plan.base
    try:
        return Preset.load(place)
    except OSError as error:
        raise InputError(f"the base {place} cannot be read ({error.strerror}); name a preset file") from None
    except ValueError as error:
        raise InputError(f"the base '{plan.base}': {error}") from None


def _tuples(start: dict[str, float | list[float]]) -> dict[str, Any]:
    return {name: tuple(v) if isinstance(v, list) else v for name, v in start.items()}
