"""Make the plan of a fit to runs, and write it down, so that the fit can be checked, changed and repeated."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

from rramlab.errors import InputError, RunError
from sim_backend.fit.plan import Effort, Plan, TablePlan

STAGE = "runs"
FILE = "plan.toml"
EFFORT = {"rounds": 16, "reweight": 20}
"""Some hundreds of cells are few: their weights are those of simulated experiments."""


def plan_of(folders: Sequence[Path], out: Path, base: str) -> Plan:
    """Return the plan that fits all these runs together; it is meant to lie in `out`."""
    names = [folder.resolve() for folder in folders]
    if len(set(names)) < len(names):
        raise InputError("a run was named twice; name each once, or its cells count double")
    tables = [TablePlan(run=os.path.relpath(name, out.resolve()), stage=STAGE) for name in names]
    start = os.path.relpath(Path(base).resolve(), out.resolve()) if base.endswith(".toml") else base
    return Plan(name=out.resolve().name, base=start, effort=Effort(**EFFORT), table=tables)


def write_plan(plan: Plan, out: Path) -> None:
    """Write the plan into the folder `out`; runs are named from there."""
    head = [f"name = {json.dumps(plan.name)}", f"base = {json.dumps(plan.base)}", "", "[effort]"]
    head += [f"{name} = {getattr(plan.effort, name)}" for name in EFFORT]
    parts = [f"[[table]]\nrun = {json.dumps(t.run)}\nstage = {json.dumps(t.stage)}" for t in plan.table]
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / FILE).write_text("\n".join(head) + "\n\n" + "\n\n".join(parts) + "\n", encoding="utf-8")
    except OSError as error:
        raise RunError(f"{out / FILE} cannot be written ({error.strerror}); choose another place") from None
