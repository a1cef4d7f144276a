"""Share out the points of a study: in this process, to processes of this machine, or to a cluster."""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, Executor, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any, final

from protocols.study.follow import follow_parent
from protocols.study.job import Job
from protocols.study.measure import Setting, measure
from rramlab.errors import InputError, RunError
from rramlab.pulse import Columns

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
MOST_WORKERS = 256
PATIENCE = 20.0
"""Time for the scheduler of a cluster to answer (s)."""


class Crew(ABC):
    """Measure points in any order; what comes out does not depend on who measured it."""

    @abstractmethod
    def each(self, settings: Mapping[str, Setting], jobs: Sequence[Job]) -> Iterator[tuple[Job, Columns]]:
        """Return each job with what it shows, as they are finished; `settings` are by network."""


@final
class Alone(Crew):
    """Measure one point after the other in this process."""

    def each(self, settings: Mapping[str, Setting], jobs: Sequence[Job]) -> Iterator[tuple[Job, Columns]]:
        """Return each job with what it shows."""
        for job in jobs:
            yield job, measure(settings[job.network], job)


@final
class Processes(Crew):
    """Measure points in new processes of this machine, with one thread each."""

    def __init__(self, count: int) -> None:
        self._count = count

    def each(self, settings: Mapping[str, Setting], jobs: Sequence[Job]) -> Iterator[tuple[Job, Columns]]:
        """Return each job with what it shows."""
        pool = ProcessPoolExecutor(self._count, get_context("spawn"), follow_parent)
        with _one_thread_each(), _ended(pool):
            futures = {pool.submit(measure, settings[job.network], job): job for job in jobs}
            yield from _finished(futures, as_completed(futures))


@final
class Cluster(Crew):
    """Measure points on the workers of a dask cluster, on which the same rramlab is installed."""

    def __init__(self, address: str) -> None:
        self._address = address

    def each(self, settings: Mapping[str, Setting], jobs: Sequence[Job]) -> Iterator[tuple[Job, Columns]]:
        """Return each job with what it shows."""
        dask = _distributed()
        with self._client(dask) as client, self._answering(dask):
            there = {name: client.scatter(each, broadcast=True) for name, each in settings.items()}
            futures = {client.submit(measure, there[job.network], job, pure=False): job for job in jobs}
            yield from _finished(futures, dask.as_completed(futures, loop=client.loop))

    def check(self) -> None:
        """Refuse an address at which no scheduler answers, and one that has no workers."""
        with self._client(_distributed()) as client:
            try:
                client.wait_for_workers(1, timeout=PATIENCE)
            except TimeoutError:
                raise InputError(
                    f"the scheduler at '{self._address}' has no workers; start some with: "
                    f"dask worker {self._address}"
                ) from None

    @contextmanager
    def _answering(self, dask: Any) -> Iterator[None]:
        """Tell a cluster that is lost, or where rramlab is not installed, from a bug."""
        try:
            yield
        except (CancelledError, TimeoutError, ImportError, dask.KilledWorker) as error:
            raise RunError(
                f"the cluster at '{self._address}' gave no answer ({error}): are scheduler and workers still "
                f"there, with memory enough, and is the same rramlab installed on them? Go on with --resume"
            ) from None

    def _client(self, dask: Any) -> Any:
        try:
            _check_form(dask.comm, self._address)
            return dask.Client(self._address, timeout=PATIENCE, set_as_default=False)
        except (OSError, ValueError, TypeError) as error:
            raise InputError(
                f"no dask scheduler answers at '{self._address}' ({error}); start one with 'dask scheduler' "
                f"and give its address, such as tcp://host:8786"
            ) from None


def _check_form(comm: Any, address: str) -> None:
    """Refuse what is no address: a client would try it in vain, and complain of that when it goes."""
    scheme, place = comm.addressing.parse_address(address)
    comm.registry.get_backend(scheme)
    comm.addressing.parse_host_port(place)


def crew_of(workers: int, scheduler: str | None) -> Crew:
    """Return who measures: so many processes, or the cluster of a scheduler."""
    if scheduler is not None:
        cluster = Cluster(scheduler)
        cluster.check()
        return cluster
    if not 1 <= workers <= MOST_WORKERS:
        raise InputError(f"--workers {workers} is not possible; give 1 to {MOST_WORKERS}")
    return Alone() if workers == 1 else Processes(workers)


def _finished(futures: Mapping[Any, Job], done: Any) -> Iterator[tuple[Job, Columns]]:
    """Return the jobs of futures as they are done."""
    for future in done:
        yield futures[future], future.result()


@contextmanager
def _ended(pool: Executor) -> Iterator[None]:
    """Let no point begin after an error or Ctrl-C; those under way are waited for."""
    try:
        yield
    except BrokenProcessPool:
        raise RunError(
            "a worker ended before its point was done, killed or for want of memory; go on with --resume and "
            "fewer --workers"
        ) from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Have processes that are started inside compute with one thread: together they fill the machine."""
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _distributed() -> Any:
    try:
        import distributed
    except ImportError:
        raise InputError(
            "--scheduler needs dask, which is not installed; install it with: pip install 'rramlab[sweep]', "
            "or leave --scheduler out and give --workers"
        ) from None
    return distributed
