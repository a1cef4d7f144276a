"""Go through the experiments: what is finished stays, what was cut off goes on, what fails is told."""

from io import StringIO
from pathlib import Path

from rich.console import Console

from protocols.reproduce.experiments import Experiment, Lab, experiments
from protocols.reproduce.page import page_of
from protocols.reproduce.pictures import Album
from protocols.reproduce.plan import Plan
from protocols.reproduce.sizes import Sizes
from protocols.reproduce.state import Done, Reproduction
from rramlab.errors import BenchBusy, CalibrationError, LinkError, RramlabError
from rramlab.runfile import RunFile
from rramlab.runfolder import is_taken
from rramlab.session import Session
from rramlab.terminal import Terminal

PAGE = "index.html"
BENCH_GONE = (LinkError, BenchBusy, CalibrationError)
"""What no other experiment on this bench would survive, or should be tried with."""


def carry_out(session: Session, plan: Plan, workers: int) -> Reproduction:
    """Return what all experiments found; the page is written anew after each.

    A bench that no longer answers, or was left with outputs on, ends it: the error is raised.
    """
    sizes = Sizes.named(plan.size)
    lab = Lab(_quietly(session, plan.bench_path), sizes, plan.folder, plan.seed, workers)
    listed = experiments(sizes)
    done: dict[str, Done] = {}
    album = Album()
    try:
        for number, experiment in enumerate(listed, 1):
            session.terminal.say(f"{number} of {len(listed)}: {experiment.title}")
            done[experiment.name] = attempt(lab, experiment)
            if done[experiment.name].error:
                session.terminal.say(f"  failed: {done[experiment.name].error}")
            found = Reproduction(plan, listed, done)
            page_of(found, album).write(plan.folder / PAGE)
    except BaseException:
        session.terminal.hint(f"go on with: rramlab reproduce --resume --out {plan.folder}")
        raise
    return found


def attempt(lab: Lab, experiment: Experiment) -> Done:
    """Return one experiment as it stands after this attempt, carried out only if it is not finished."""
    folder = lab.folder / experiment.name
    try:
        file = RunFile.open(folder) if is_taken(folder) else None
        if file is None or not file.complete:
            experiment.begin(lab, folder, None if file is None else folder)
            file = RunFile.open(folder)
        return Done.recorded(experiment, file)
    except BENCH_GONE:
        raise
    except RramlabError as error:
        return Done(experiment.name, folder, error=str(error))
    except Exception as error:  # a bug in one experiment is no reason to lose the others
        return Done(experiment.name, folder, error=f"a bug: {type(error).__name__}: {error}")


def _quietly(session: Session, bench_path: Path | None) -> Session:
    """Return a session that shows progress, but no screens of summary: the table at the end has them."""
    terminal = session.terminal
    quiet = terminal.quiet or terminal.as_json
    silent = Console(file=StringIO(), highlight=False, markup=False, emoji=False)
    return Session(bench_path, Terminal(quiet=quiet, out=silent, err=terminal.err))
