"""Hold how far a reproduction has come."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

from protocols.reproduce.experiments import Experiment
from protocols.reproduce.plan import Plan
from rramlab.runfile import RunFile

Facts = Mapping[str, Any]


@final
@dataclass(frozen=True)
class Done:
    """Hold one experiment: its folder, the figures and options in its record, or why there are none.

    `seconds` passed from the first to the last event of its record.
    """

    name: str
    folder: Path
    facts: Facts = field(default_factory=dict)
    asked: Facts = field(default_factory=dict)
    seconds: float = 0.0
    error: str = ""

    @classmethod
    def recorded(cls, experiment: Experiment, file: RunFile) -> "Done":
        """Return what the record of a finished run tells."""
        folder = file.path
        if experiment.result not in file.kept:
            return cls(experiment.name, folder, error=f"its record holds no result '{experiment.result}'")
        seconds = float(file.attributes["ended"]) - float(file.attributes["began"])
        facts = {**file.kept[experiment.result].facts, **experiment.more(file)}
        return cls(experiment.name, folder, facts, file.start.parameters, seconds)


@final
@dataclass(frozen=True)
class Reproduction:
    """Hold the plan, all experiments in order, and those that were tried by name."""

    plan: Plan
    experiments: tuple[Experiment, ...]
    done: Mapping[str, Done]

    @property
    def failed(self) -> list[Done]:
        """Return the experiments that were tried and gave no result."""
        return [each for each in self.done.values() if each.error]
