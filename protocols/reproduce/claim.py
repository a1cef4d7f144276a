"""Set a published claim beside what was measured: by a rule that stands beside the answer."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import final

from protocols.reproduce.state import Done


@final
class Verdict(StrEnum):
    """Tell how a claim and a value stand to each other."""

    AGREES = "yes"
    DIFFERS = "no"
    NOT_COMPARABLE = "not comparable"
    NOT_MEASURED = "not measured"


@final
@dataclass(frozen=True)
class Found:
    """Hold what was measured, under which conditions, and whether it agrees."""

    value: str
    conditions: str
    verdict: Verdict


@final
@dataclass(frozen=True)
class Row:
    """Hold one row of the table, all of it text."""

    panel: str
    published: str
    value: str
    conditions: str
    rule: str
    verdict: str

    def facts(self) -> dict[str, str]:
        """Return the row as plain texts."""
        return asdict(self)


@final
@dataclass(frozen=True)
class Claim:
    """Hold a claim with its panel, the experiment that shows it, the rule, and who judges by it."""

    panel: str
    published: str
    experiment: str
    rule: str
    judge: Callable[[Done], Found]

    def row(self, done: Mapping[str, Done], planned: Collection[str]) -> Row:
        """Return the row of this claim; one whose experiment is not planned, to come, or failed says so."""
        if self.experiment in planned:
            found = self._found(done.get(self.experiment))
        else:
            found = Found("left out by these sizes (--full has it)", "", Verdict.NOT_MEASURED)
        return Row(self.panel, self.published, found.value, found.conditions, self.rule, found.verdict)

    def _found(self, done: Done | None) -> Found:
        if done is None:
            return Found("still to come", "", Verdict.NOT_MEASURED)
        if done.error:
            return Found(f"'{self.experiment}' failed: {done.error}", "", Verdict.NOT_MEASURED)
        try:
            return self.judge(done)
        except (
            LookupError,
            TypeError,
            ValueError,
        ) as error:  # a run in which no cell worked keeps no figures
            told = f"'{self.experiment}' gave no such figure ({type(error).__name__}: {error})"
            return Found(told, "", Verdict.NOT_MEASURED)


def judged(agrees: bool) -> Verdict:
    """Return the verdict of a rule."""
    return Verdict.AGREES if agrees else Verdict.DIFFERS
