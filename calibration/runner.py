"""Carry out procedures on an open bench: measure part by part, evaluate, keep, and file the record."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

from calibration.order import Listed, before, loaded, refining
from calibration.procedure import Found, Procedure
from calibration.runner_identity import belonging
from rramlab.corrections.correction import Correction
from rramlab.corrections.library import Library
from rramlab.corrections.record import Record
from rramlab.errors import CalibrationError, InputError, LimitExceeded, Unsupported
from rramlab.progress import Progress
from rramlab.pulse import Columns
from rramlab.session import Work

DAY = 86400.0
OUTCOMES = (CalibrationError, InputError, LimitExceeded, Unsupported)
"""What ends one procedure and lets others go on; a link that is lost ends the run."""


@final
@dataclass(frozen=True, eq=False)
class Result:
    """Hold what became of a procedure: its record, or why there is none; and what it measured.

    One that was left out did not fail: this bench has not got what it needs.
    """

    procedure: Procedure
    record: Record | None
    parts: Sequence[Columns] = ()
    why: str = ""
    left_out: bool = False


@final
@dataclass(frozen=True, eq=False)
class Runner:
    """Measure and evaluate procedures; what an earlier process of the run kept is not done again.

    `listed` are all procedures that there are, `known` the records from before; `library` takes a record
    when it is whole.
    """

    work: Work
    listed: Mapping[str, Listed]
    known: dict[str, Record]
    library: Library
    progress: Progress
    clock: Callable[[], float] = time.time

    def result(self, procedure: Procedure) -> Result:
        """Return what became of a procedure; its record is in run and library when this returns."""
        done = self._kept(procedure) or self._left_out(procedure) or self._attempted(procedure)
        if done.record is not None:
            self.known[procedure.name] = done.record
            self.library.renew(done.record)
        return done

    def _kept(self, procedure: Procedure) -> Result | None:
        """Return what an earlier process of this run came to, or None."""
        kept = self.work.kept(procedure.name)
        if kept is None:
            return None
        if kept.facts["why"]:
            return Result(procedure, None, why=kept.facts["why"])
        parts = [self._measured(procedure, part, 0)[0] for part in range(kept.facts["parts"])]
        return Result(procedure, Record.from_facts(kept.facts["record"]), parts)

    def _left_out(self, procedure: Procedure) -> Result | None:
        """Return why a procedure is not for this bench, or cannot begin; None if it can."""
        lacks = self.listed[procedure.name].lacks(self.work.backend, self.work.run.start.parameters)
        missing = [name for name in procedure.after if name not in self.known]
        why = lacks or (f"it builds on '{missing[0]}', which is not known" if missing else "")
        return Result(procedure, None, why=why, left_out=True) if why else None

    def _attempted(self, procedure: Procedure) -> Result:
        try:
            return self._carried_out(procedure)
        except OUTCOMES as error:
            self.work.run.keep(procedure.name, {}, facts={"why": str(error)})
            return Result(procedure, None, why=str(error))

    def _carried_out(self, procedure: Procedure) -> Result:
        names = before([procedure.name], loaded(self.listed))
        names += [name for name in refining(names, self.listed) if name in self.known]
        known = {name: self.known[name] for name in names}
        self.work.backend.correction = Correction(known)
        count = procedure.parts(self.work.backend)
        measured = [self._measured(procedure, part, count) for part in range(count)]
        self.progress.update(procedure.title, count, count)
        parts = [columns for columns, _ in measured]
        record = self._record(procedure, procedure.evaluate(parts, known), measured[0][1], known)
        facts: dict[str, Any] = {"why": "", "parts": count, "record": record.facts()}
        self.work.run.keep(procedure.name, record.values, record.units, facts)
        return Result(procedure, record, parts)

    def _measured(self, procedure: Procedure, part: int, count: int) -> tuple[Columns, float]:
        """Return a part and when it was measured (s since the epoch)."""
        name = f"{procedure.name}-part-{part:04d}"
        kept = self.work.kept(name)
        if kept is not None:
            return kept.columns, float(kept.facts["measured"])
        self.progress.update(procedure.title, part, count)
        columns, now = dict(procedure.measure(self.work.backend, part)), self.clock()
        self.work.run.keep(name, columns, facts={"measured": now, "part": part, "of": count})
        return columns, now

    def _record(self, procedure: Procedure, found: Found, made: float, known: Mapping[str, Record]) -> Record:
        """Return what was found as a record of this bench, as old as what was measured first."""
        built_on = {name: record.made for name, record in known.items()}
        return Record(
            kind=procedure.name,
            values=found.values,
            units=found.units,
            covariance=found.covariance,
            identity=belonging(procedure.parts_of_bench, self.work.backend.identify()),
            made=made,
            valid=procedure.days * DAY,
            conditions=_plain({**found.conditions, "bench": self.work.bench.bench.id, "built_on": built_on}),
            residuals=_plain(found.residuals),
            run=str(self.work.run.folder.absolute()),
        )


def _plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return facts as JSON can hold them; a procedure may give numbers and arrays of numpy."""
    told: dict[str, Any] = json.loads(json.dumps(dict(facts), default=lambda value: value.tolist()))
    return told
