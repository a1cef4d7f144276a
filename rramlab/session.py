"""Carry what every command needs: the bench file, the terminal, and a run with its bench open."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from rramlab.errors import BenchBusy, CalibrationError, InputError, RunError, still_on
from rramlab.terminal import Terminal

if TYPE_CHECKING:  # loaded by the commands that open a bench, not by --help
    from rramlab.backend import Backend
    from rramlab.bench import Bench
    from rramlab.cells import Cells
    from rramlab.contents import Kept
    from rramlab.corrections.correction import Correction
    from rramlab.run import Run


MOST_SEED = 2**63 - 1
"""Largest seed: what a whole number in the run file can hold."""


@final
@dataclass(frozen=True)
class Plan:
    """Say which run a command wants: a new folder, one to continue, or a macro to take over.

    `parameters` are the options that a continued run takes over; `check` looks at the bench and refuses a
    plan that does not fit it, before a folder is made. With a `correction` the run works with that, and not
    with the calibration of the bench: to make a new one. One that goes on `in_parts` begins the part anew in
    which it was cut off; a simulated macro goes back to the last kept result for it. What is `given` to a new
    run, such as its targets, is kept with its beginning.
    """

    command: str
    folder: Path
    seed: int = 0
    parameters: Mapping[str, Any] | None = None
    resume: Path | None = None
    after: Path | None = None
    resumable: bool = True
    check: Callable[[Backend], None] | None = None
    correction: Correction | None = None
    in_parts: bool = False
    given: Mapping[str, Kept] | None = None

    def __post_init__(self) -> None:
        if self.resume is not None and self.after is not None:
            raise InputError("--resume continues a run, --after begins a new one; give one of them")
        if not 0 <= self.seed <= MOST_SEED:
            raise InputError(f"--seed {self.seed} is not possible; give a whole number from 0 to {MOST_SEED}")
        if self.resume is None and self.folder.name in ("", ".."):
            raise InputError(
                f"--run {self.folder} is no folder of its own; name a new one, such as runs/mine"
            )


@final
@dataclass(frozen=True)
class Work:
    """Hold a run that is being written and the bench that it writes about."""

    run: Run
    backend: Backend
    bench: Bench
    found: Mapping[str, Kept]

    def kept(self, name: str) -> Kept | None:
        """Return a result that an earlier process of this run kept, or None."""
        return self.found.get(name)

    def resume_point(self) -> Mapping[str, Any] | None:
        """Return the columns of the last resume point that no kept result has made obsolete, or None."""
        last = None
        for event in self.run.events():
            if event.stage == "note":
                last = event if event.verb == "resume" else None if event.verb == "keep" else last
        return None if last is None else last.columns


@final
@dataclass(frozen=True)
class Session:
    """Hold the bench file that was named and the terminal to talk to."""

    bench_path: Path | None
    terminal: Terminal

    def bench(self) -> Bench:
        """Return the bench of the file, or the embedded simulated one."""
        from rramlab.bench import Bench

        return Bench.load(self.bench_path)

    @contextmanager
    def work(self, plan: Plan) -> Iterator[Work]:
        """Open the bench and the run of a plan; on the way out lines are safe before the run is finished."""
        from rramlab.runfile import RunFile

        with (
            self._run(plan) as (run, backend, bench),
            self._said_how_to_go_on(plan, run),
            _told_if_unsafe(backend),
            backend,
        ):
            self.terminal.say(f"run {run.folder} on bench '{bench.bench.id}'")
            if plan.resume is not None:
                run.revive(backend, in_parts=plan.in_parts)
                self._say_what_was_open(run.settle(backend))
            elif plan.after is not None:
                run.keep_memory(backend.memory())
            run.identify(backend.identify())
            found = RunFile.open(run.folder).kept if plan.resume is not None else {}
            yield Work(run, backend, bench, found)
            run.keep_memory(backend.memory())

    @contextmanager
    def _said_how_to_go_on(self, plan: Plan, run: Run) -> Iterator[None]:
        """Say how a run that stops half way is continued."""
        try:
            yield
        except (BenchBusy, CalibrationError):  # nothing was begun
            raise
        except BaseException:
            way = f"{plan.command} --resume" if plan.resumable else "show"
            with suppress(OSError):  # the terminal may be what was closed
                self.terminal.hint(f"what was measured is kept; go on with: rramlab {way} {run.folder}")
            raise

    def _say_what_was_open(self, settled: Mapping[str, int]) -> None:
        """Say what became of the pulses whose answers were lost with an earlier process."""
        if settled:
            told = ", ".join(f"{count} {what}" for what, count in settled.items())
            self.terminal.say(f"pulses that were under way when the run was cut off: {told}")

    @contextmanager
    def _run(self, plan: Plan) -> Iterator[tuple[Run, Backend, Bench]]:
        """Open the run, new or continued, with a bench that is known to exist before a folder is made."""
        from rramlab.bench import Bench
        from rramlab.corrections.correction import Correction
        from rramlab.run import Run
        from rramlab.runfile import RunFile

        if plan.resume is None:
            bench, seed = self.bench(), plan.seed
            backend = bench.open(seed=seed, correction=plan.correction)
            if plan.check is not None:
                plan.check(backend)
            if plan.after is not None:
                backend.restore(RunFile.open(plan.after).memory())
            run = Run.create(
                plan.folder,
                command=plan.command,
                seed=seed,
                bench_text=bench.text,
                limits=bench.limits,
                parameters=plan.parameters,
                calibration=backend.correction.facts(),
                given=plan.given,
            )
        else:
            # The bench file may have moved since; the run carries its own copy, and its own options.
            text = None if self.bench_path is None else self.bench().text
            run = Run.resume(plan.resume, command=plan.command, bench_text=text)
            bench, seed = Bench.parse(run.start.bench, str(plan.resume)), run.start.seed
            # And its own calibration: what was begun with one ends with it.
            backend = bench.open(seed=seed, correction=Correction.from_facts(run.start.calibration))
        backend.recorder = run.recorder
        try:
            with run:
                yield run, backend, bench
        except (BenchBusy, CalibrationError):
            if plan.resume is None:
                run.discard()
            raise


@contextmanager
def _told_if_unsafe(backend: Backend) -> Iterator[None]:
    """Raise LinkError, whatever else went wrong, when a bench was left with its outputs on."""
    try:
        yield
    except BaseException as error:
        if backend.unsafe:
            raise still_on(backend.unsafe, error) from error
        raise


def free_folder(name: str) -> Path:
    """Return runs/NAME, or runs/NAME-2 and so on when it is taken; `runs` is made if there is none."""
    from rramlab.runfolder import next_free

    base = Path("runs") / name
    try:
        base.parent.mkdir(exist_ok=True)
    except OSError as error:
        raise RunError(
            f"no folder 'runs' can be made here ({error.strerror}); name a place with --run"
        ) from None
    return next_free(base) if base.exists() else base


def fits(cells: Cells | None) -> Callable[[Backend], None]:
    """Return a check of a plan: these cells lie on the bench."""

    def check(backend: Backend) -> None:
        if cells is not None:
            cells.check(backend.shape)

    return check


def refuse_new_options(ctx: Any, *free: str) -> None:
    """Refuse options given beside --resume: a run that is continued keeps those it was begun with."""
    given = {name for name in ctx.params if ctx.get_parameter_source(name).name == "COMMANDLINE"}
    changed = [each for each in ctx.command.params if each.name in given.difference(("resume", *free))]
    if changed:
        names = ", ".join(each.opts[0] for each in changed)
        raise InputError(f"a continued run keeps the options it was begun with; leave out {names}")
