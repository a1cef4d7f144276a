"""Fit the simulated device to measured tables from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:  # loaded by the commands that compute, not by --help
    from sim_backend.fit.check import Verdict
    from sim_backend.fit.experiment import Experiment
    from sim_backend.fit.fitting import Estimate
    from sim_backend.fit.plan import Plan
    from sim_backend.fit.stages import Outcome
    from sim_backend.preset import Preset

fit = typer.Typer(
    help="Fit the simulated device to measured tables, and check what it predicts.\n\n"
    "Example: rramlab fit look plan.toml && rramlab fit tables plan.toml --out mine",
    no_args_is_help=True,
    add_completion=False,
)
PlanFile = Annotated[Path, typer.Argument(help="Plan (TOML): tables, columns, what is held back.")]


@fit.command()
def look(ctx: typer.Context, plan: PlanFile) -> None:
    """Read the tables of a plan and show what was understood: columns in SI units, rows, what is held back.

    Example: rramlab fit look plan.toml
    """
    from sim_backend.fit.plan import Plan
    from sim_backend.fit.stages import base_of

    terminal, found, asked = ctx.obj.terminal, {}, Plan.load(plan)
    base_of(asked, plan.parent)
    for table in asked.table:
        experiment = table.load(plan.parent)
        columns = experiment.table.columns
        rows = [[name, *_span(values)] for name, values in columns.items()]
        held = int(experiment.held.sum())
        title = f"{table.source}: {len(experiment.held)} rows, {held} held back, SI units"
        terminal.table(title, ["column", "least", "median", "most"], rows)
        found[table.source] = {"rows": len(experiment.held), "held": held, "columns": list(columns)}
    terminal.document(found)


@fit.command()
def tables(
    ctx: typer.Context,
    plan: PlanFile,
    out: Annotated[Path, typer.Option(help="Folder for preset, report and page.")] = Path("fit"),
) -> None:
    """Fit a preset to the tables of a plan: NAME.toml, NAME.fit.json and a page with predictions.

    Example: rramlab fit tables plan.toml --out mine
    """
    from sim_backend.fit.plan import Plan

    _carried_out(ctx, Plan.load(plan), plan.parent, out)


@fit.command()
def runs(
    ctx: typer.Context,
    folders: Annotated[
        list[Path], typer.Argument(help="Runs of response, retention, iv, levels, read-noise.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for preset, report and page.")] = Path("fit"),
    base: Annotated[str, typer.Option(help="Preset to begin with: a name or a TOML file.")] = "taox180",
) -> None:
    """Fit a preset to runs, all together: OUT.toml in the folder OUT, a plan to repeat it, and a page.

    Example: rramlab fit runs runs/response runs/iv runs/retention --out mine
    """
    from sim_backend.fit.of_runs import plan_of, write_plan

    plan = plan_of(folders, out, base)
    _carried_out(ctx, plan, out, out)
    write_plan(plan, out)


@fit.command()
def check(
    ctx: typer.Context,
    plan: PlanFile,
    preset: Annotated[str, typer.Option(help="Preset to check: a name or a TOML file.")],
    out: Annotated[Path, typer.Option(help="Folder for the page.")] = Path("fit-check"),
) -> None:
    """Compare what a preset predicts with the tables of a plan, figure by figure: a page with pictures.

    Example: rramlab fit check plan.toml --preset mine/mine.toml --out page
    """
    from sim_backend.fit.plan import Plan

    loaded = _preset(preset)
    found = _judged([table.load(plan.parent) for table in Plan.load(plan).table], loaded, out)
    _show(ctx, found)
    ctx.obj.terminal.say(f"page: {out / 'index.html'}")
    ctx.obj.terminal.document({name: verdict.summary() for name, verdict in found.items()})


def _carried_out(ctx: typer.Context, asked: Plan, folder: Path, out: Path) -> None:
    """Carry out a plan whose files lie in `folder`; write and tell what came of it."""
    from sim_backend.fit.record import write_preset, write_report
    from sim_backend.fit.stages import carry_out

    with ctx.obj.terminal.progress() as progress:
        outcome = carry_out(asked, folder, progress)
    preset_file = out / f"{asked.name}.toml"
    files = ", ".join(table.source for table in asked.table)
    write_preset(preset_file, outcome, f"Fitted by rramlab to {files}, from '{asked.base}'. SI units.")
    found = _judged([e for s in outcome.stages for e in s.experiments], outcome.preset, out)
    write_report(out / f"{asked.name}.fit.json", outcome, {k: [*v.fitted, *v.held] for k, v in found.items()})
    _tell(ctx, outcome, found, preset_file)


def _span(values: Any) -> list[str]:
    """Return least, median and most of a column."""
    import numpy as np

    return [f"{figure(values):.4g}" for figure in (np.nanmin, np.nanmedian, np.nanmax)]


def _preset(name: str) -> Preset:
    from rramlab.errors import InputError
    from sim_backend.preset import Preset

    try:
        return Preset.load(name)
    except OSError as error:
        raise InputError(f"the preset {name} cannot be read ({error.strerror}); name a preset file") from None
    except ValueError as error:
        raise InputError(f"preset '{name}': {error}") from None


def _judged(experiments: list[Experiment], preset: Preset, out: Path) -> dict[str, Verdict]:
    from sim_backend.fit.check import check_page, verdicts

    found = verdicts(experiments, preset)
    check_page(found, preset).write(out / "index.html", pictures=True)
    return found


def _tell(ctx: typer.Context, outcome: Outcome, found: dict[str, Verdict], preset_file: Path) -> None:
    terminal = ctx.obj.terminal
    for stage in outcome.stages:
        rows = [_estimate_row(e) for e in stage.fit.estimates]
        title = f"{stage.name}: misfit {stage.fit.misfit:.2f} per degree of freedom"
        terminal.table(title, ["parameter", "value", "95 % from", "to", ""], rows)
    _show(ctx, found)
    terminal.say(f"preset: {preset_file}; page: {preset_file.parent / 'index.html'}")
    estimates = {e.name: vars(e) for s in outcome.stages for e in s.fit.estimates}
    summary = {name: verdict.summary() for name, verdict in found.items()}
    terminal.document({"preset": str(preset_file), "estimates": estimates, "figures": summary})


def _estimate_row(e: Estimate) -> list[str]:
    from sim_backend.fit.record import UNKNOWN

    return [
        e.name,
        f"{e.value:.4g}",
        f"{e.low:.4g}",
        f"{e.high:.4g}",
        "hardly known" if e.known > UNKNOWN else "",
    ]


def _show(ctx: typer.Context, found: dict[str, Verdict]) -> None:
    for name, verdict in found.items():
        ctx.obj.terminal.table(
            name, ["figure", "within its goal"], [list(r) for r in verdict.summary().items()]
        )
