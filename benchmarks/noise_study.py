"""Time the quick noise study, and hold its numbers with one worker, two, and a local dask cluster together.

Goals: `rramlab study noise --quick` in at most 3 minutes on two quiet cores; the same numbers to the last
bit, whoever computes them. The cluster needs dask (`pip install 'rramlab[sweep]'`), and is left out without.
Give `--tiny` for a study of a minute.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np

from protocols.study.crew import Alone, Cluster, Crew, Processes
from protocols.study.findings import Findings
from protocols.study.request import Request
from protocols.study.run import Asked, carry_out
from rramlab.session import Session
from rramlab.terminal import Terminal


def main() -> None:
    request = Request.quick()
    if "--tiny" in sys.argv:
        request = replace(
            request, macros=2, map_macros=1, write_factor=(0.0, 4.0), read_factor=(1.0,), chips=1,
            passes=(1,), aged_chips=1, samples=200,
        )  # fmt: skip
    two = timed("2 workers", request, Processes(2), "3 minutes of two quiet cores")
    print(f"the same with 1 worker: {same(two, timed('1 worker', request, Alone()))} (goal True)")
    if find_spec("distributed") is None:
        print("local dask cluster: dask is not installed")
        return
    with local_cluster() as address:
        clustered = timed("dask, 2 workers", request, Cluster(address))
        print(f"the same with dask: {same(two, clustered)} (goal True)")


def timed(name: str, request: Request, crew: Crew, goal: str = "") -> Findings:
    """Return what a study found; print what it took."""
    begun, worked = perf_counter(), cpu()
    with TemporaryDirectory() as folder:
        found, _ = carry_out(Session(None, Terminal(quiet=True)), Asked(request, Path(folder) / "run"), crew)
    took = f"{perf_counter() - begun:.0f} s, {cpu() - worked:.0f} s of processors"
    print(f"{name}: {took}{f' (goal: {goal})' if goal else ''}", flush=True)
    return found


def same(one: Findings, other: Findings) -> bool:
    """Tell whether two studies found the same to the last bit."""
    return all(
        np.array_equal(values, other.parts[name].measures[measure])
        for name, part in one.parts.items()
        for measure, values in part.measures.items()
    )


def cpu() -> float:
    """Return the processor time (s) of this process and of those that have ended."""
    used = [getrusage(who) for who in (RUSAGE_SELF, RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


@contextmanager
def local_cluster() -> Iterator[str]:
    """Give the address of a dask scheduler with two workers on this machine."""
    import distributed

    kind: Any = distributed.LocalCluster
    with kind(n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=40) as cluster:
        yield cluster.scheduler_address


if __name__ == "__main__":
    main()
