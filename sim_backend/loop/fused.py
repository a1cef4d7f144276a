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
    return cast("Callable[P, R]", compile_lanes(function))


def compile_lanes(function: Callable[..., Any], **options: bool) -> Any:
    """Compile with the options of the house and keep the disk cache true to the sources."""
    build = cast(Any, numba.njit)
    liberties = {"contract", "nsz"}
    made = build(cache=True, nogil=True, fastmath=liberties, error_model="numpy", **options)(function)
    mark_source(made)
    return made


def mark_source(dispatcher: Any) -> None:
    """Make the disk cache depend on every kernel of this folder.

    numba looks only at the file of the outermost function, and would go on with an old callee.
    """
    cache_file = getattr(getattr(dispatcher, "_cache", None), "_cache_file", None)
    if cache_file is not None:
        files = sorted(Path(__file__).parent.glob("*.py"))
        kernels = [p for p in files if b"@fused" in p.read_bytes()]
        cache_file._source_stamp = tuple((p.name, p.stat().st_mtime_ns, p.stat().st_size) for p in kernels)
