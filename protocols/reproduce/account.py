"""Account for time and energy of a run that closed the loop, as a run with a record of its own."""

from pathlib import Path

from protocols.ledger.findings import Findings, facts_of, findings_of
from protocols.ledger.page import page_of
from protocols.ledger.report import paragraphs
from protocols.ledger.sampled import Sampled
from rramlab.run import Run
from rramlab.session import Session

COMMAND = "ledger"
RESULT = "ledger"


def account(session: Session, source: Path, folder: Path, resume: Path | None, seed: int) -> Findings:
    """Return the account of the run in `source`; digital baselines are measured now, and kept."""
    sampled = Sampled.open(source)
    run = _new(session, folder, source, seed) if resume is None else Run.resume(resume, command=COMMAND)
    with run, session.terminal.progress() as progress:
        found = findings_of(sampled, progress.update)
        facts = facts_of(found) | {"times": _times(found), "words": paragraphs(found)}
        run.keep(RESULT, {}, facts=facts)
        page_of(found).write(run.folder / "index.html", pictures=True)
    return found


def _times(found: Findings) -> dict[str, dict[str, float | str | bool]]:
    """Return the digital baselines that the published ratios are told beside."""
    chosen = {"alone": found.alone, "lean": found.lean, "large": found.large}
    return {
        which: {
            "name": d.name,
            "batch": d.batch,
            "seconds": d.seconds,
            "joule": d.joule,
            "measured": d.measured,
        }
        for which, d in chosen.items()
    }


def _new(session: Session, folder: Path, source: Path, seed: int) -> Run:
    bench = session.bench()
    return Run.create(
        folder,
        command=COMMAND,
        seed=seed,
        bench_text=bench.text,
        limits=bench.limits,
        parameters={"source": str(source)},
    )
