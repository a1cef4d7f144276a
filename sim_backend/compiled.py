"""Compile numerical kernels with numba behind one typed decorator."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

import numba

P = ParamSpec("P")
R = TypeVar("R")

_WORTH_A_THREAD = 8192


def compiled(*, parallel: bool = False, inline: bool = False) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Return a decorator that compiles a function to machine code and keeps its type.

    `inline` puts it into its callers: worth it for a step of an inner loop that takes a whole state,
    which would otherwise be handed over field by field at every call.
    Kernels hold no random state: they are handed the random numbers, so that their
    results do not depend on the number of threads.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        build = cast(Any, numba.njit)
        dispatcher = build(
            cache=True, parallel=parallel, forceinline=inline, error_model="numpy", nogil=True
        )(function)
        _stamp(dispatcher, function)
        return cast(Callable[P, R], dispatcher)

    return decorate


def in_parallel(work: Callable[[slice], object], count: int) -> None:
    """Run `work` over the range 0 to `count`, in slices on as many threads as numba may use.

    Compiled functions release the interpreter, so plain threads do. Short ranges stay on this
    thread: waking others costs more than it brings, most of all on a busy machine.
    """
    threads = numba.get_num_threads()
    if count < _WORTH_A_THREAD or threads == 1:
        work(slice(0, count))
        return
    step = -(-count // (4 * threads))
    slices = [slice(begin, min(begin + step, count)) for begin in range(0, count, step)]
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, slices))


def _stamp(dispatcher: Any, function: Callable[..., Any]) -> None:
    # numba's disk cache looks only at the file of the outermost function. A kernel that calls
    # one of another file would go on with the old physics after an edit there, without a word.
    cache_file = getattr(getattr(dispatcher, "_cache", None), "_cache_file", None)
    if cache_file is not None:
        cache_file._source_stamp = _source_stamp(Path(function.__code__.co_filename).parent)


def _source_stamp(folder: Path) -> tuple[tuple[str, int, int], ...]:
    kernels = [p for p in sorted(folder.glob("*.py")) if b"@compiled" in p.read_bytes()]
    return tuple((p.name, p.stat().st_mtime_ns, p.stat().st_size) for p in kernels)
