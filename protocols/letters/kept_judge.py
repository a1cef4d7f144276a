"""Keep the judge with the run: its folder may be gone when the run goes on, or when another follows."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from protocols.letters.judge import Judge
from rramlab.contents import Kept
from rramlab.errors import RunError
from rramlab.letters import Classifier, Decoder, Latents
from rramlab.letters.store import from_record, record_of
from rramlab.pulse import Columns
from rramlab.runfile import RunFile
from rramlab.session import Work

JUDGE = "judge"
"""Name of the result that holds decoder, classifier and latents."""


def kept_judge(work: Work, ask: Callable[[], Judge]) -> Judge:
    """Return the judge that this run kept, else the one that was asked for, which it keeps now."""
    kept = work.kept(JUDGE)
    if kept is not None:
        return judge_from(kept)
    judge = ask()
    columns, facts = judge_record(judge)
    work.run.keep(JUDGE, columns, facts=facts)
    return judge


def judge_of_run(run: str) -> Judge:
    """Return the judge of an earlier run: as it kept it, or from the folder that it was given."""
    file = RunFile.open(run)
    kept, folder = file.kept.get(JUDGE), file.start.parameters.get("letters")
    return Judge.open(folder, ()) if kept is None else judge_from(kept)


def check_command(run: str, command: str, option: str) -> None:
    """Refuse a run of another command, and say which option takes it."""
    found = RunFile.open(run).start.command
    if found != command:
        other = {"letters": "--latents", "decode": "--after"}.get(found)
        hint = f"; {other} takes it" if other else ""
        raise RunError(f"{option} {run}: this is a run of '{found}', not of '{command}'{hint}")


def judge_record(judge: Judge) -> tuple[Columns, dict[str, Any]]:
    """Return arrays and facts, from which `judge_from` makes the same judge again."""
    columns: dict[str, Any] = {"latents x": judge.latents.x, "latents label": judge.latents.labels}
    facts: dict[str, Any] = {"latents": {"classes": judge.latents.classes, "source": judge.latents.source}}
    for name, network in (("decoder", judge.decoder), ("classifier", judge.classifier)):
        arrays, facts[name] = record_of(network)
        columns |= {f"{name} {each}": values for each, values in arrays.items()}
    return columns, facts


def judge_from(kept: Kept) -> Judge:
    """Return the judge that a run kept."""
    facts = kept.facts
    points, told = _part(kept, "latents"), facts["latents"]
    latents = Latents(points["x"], points["label"], tuple(told["classes"]), told["source"])
    decoder = from_record(Decoder, _part(kept, "decoder"), facts["decoder"])
    classifier = from_record(Classifier, _part(kept, "classifier"), facts["classifier"])
    return Judge(decoder, classifier, latents)


def _part(kept: Kept, name: str) -> Mapping[str, Any]:
    """Return the arrays of one part of the judge, by name."""
    mark = f"{name} "
    return {n.removeprefix(mark): np.asarray(x) for n, x in kept.columns.items() if n.startswith(mark)}
