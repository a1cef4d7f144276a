"""Compile a kernel whose inner loops run over lanes, with multiply and add fused into one instruction."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

import numba

P = ParamSpec("P")
R = TypeVar("R")


def fused(function: Callable[P, R]) -> Callable[P, R]:
    """Return the compiled function; it holds no lock, so that two threads may run it on two blocks.

    Of the liberties of fast arithmetic only those are taken that keep infinities and the order of sums:
    an infinite clamp stays a clamp, and the bits of a result depend on nothing but its inputs.
    """
    build = cast(Any, numba.njit)
    # Kernels go into their callers. One that is called instead exists twice, by itself and optimised along
    # with its caller; which of the two runs, with other multiplications fused, would depend on whether it was
    # compiled just now or comes from the disk cache.
    made = build(cache=True, nogil=True, forceinline=True, fastmath={"contract", "nsz"}, error_model="numpy")(
        function
    )
    mark_source(made)
    return cast("Callable[P, R]", made)


def mark_source(dispatcher: Any) -> None:
    """Make the disk cache depend on every kernel of this folder.

    numba looks only at the file of the outermost function, and would go on with an old callee.
    """
    cache_file = getattr(getattr(dispatcher, "_cache", None), "_cache_file", None)
    if cache_file is not None:
        files = sorted(Path(__file__).parent.glob("*.py"))
        kernels = [p for p in files if b"@fused" in p.read_bytes()]
        cache_file._source_stamp = tuple((p.name, p.stat().st_mtime_ns, p.stat().st_size) for p in kernels)
