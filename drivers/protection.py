"""Protect a bench while it is in use: one user, and a guardian for the case that this process dies."""

from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Self, final

from filelock import FileLock, Timeout
from pydantic import BaseModel

from drivers.breaker import SECONDS, Breaker
from drivers.guarded import Guarded
from drivers.spec import address
from rramlab.backend import Backend
from rramlab.bench_lock import hold, lock_file
from rramlab.journal import Journal


@final
class Protection:
    """Hold the guardian of a bench; without one (`guardian = false` in the bench file) nothing is checked."""

    def __init__(self, backend: Backend, guardian: Guarded | None) -> None:
        self._backend, self._guardian = backend, guardian

    @classmethod
    def begin(
        cls,
        backend: Backend,
        options: BaseModel,
        breakers: Sequence[Breaker],
        guardian: bool,
        exits: ExitStack,
    ) -> Self:
        """Take the bench for this process and start its guardian, before any link is opened.

        What ends both is pushed on `exits`: it comes after the links are closed, so that the guardian can
        reach what this process could not switch off. BenchBusy if somebody else uses the bench.
        """
        name = backend.bench_id or "+".join(address(breaker.spec) for breaker in breakers)
        run = backend.recorder.path.parent if isinstance(backend.recorder, Journal) else None
        world = f"{type(backend).__module__}:{type(backend).__qualname__}"
        written = options.model_dump(mode="json", exclude_unset=True)
        exits.enter_context(hold(name, str(run or ""), world, written))
        made = cls(backend, _guardian(name, run, breakers) if guardian else None)
        exits.callback(made.end)
        return made

    def ready(self) -> None:
        """Wait until the guardian watches; call it before the first output can go on."""
        if self._guardian is not None:
            self._guardian.ready()

    def check(self) -> None:
        """Refuse to go on when the guardian has died; call it before outputs go on."""
        if self._guardian is not None:
            self._guardian.check()

    def end(self) -> None:
        """Let the guardian go, or let it switch off what this process could not."""
        if self._guardian is not None and self._guardian.bye(off=not self._backend.unsafe):
            self._backend.unsafe = ""


def _guardian(name: str, run: Path | None, breakers: Sequence[Breaker]) -> Guarded:
    """Start a guardian, after that of an earlier process has done its work: it would switch off ours."""
    last = lock_file(name).with_suffix(".guardian")
    with suppress(Timeout), FileLock(last, timeout=2 * SECONDS, poll_interval=0.02, mode=0o666):
        pass
    return Guarded.start(breakers, guardian_log(name, run), last)


def guardian_log(bench: str, run: Path | None) -> Path:
    """Return where a guardian writes what it had to do: beside the run, or where the lock lies."""
    return lock_file(bench).with_suffix(".guardian.log") if run is None else run / "guardian.log"
