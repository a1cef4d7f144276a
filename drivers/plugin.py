"""Find a driver by the name that a bench file gives to it."""

import pkgutil
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from inspect import isabstract
from typing import Any, TypeVar

from rramlab.errors import BenchFileError, did_you_mean

Part = TypeVar("Part")


def load(use: str, kind: type[Part]) -> type[Part]:
    """Return the driver class of a name: an entry point of `rramlab.drivers`, or "module:Class".

    `kind` is what it must be: SourceMeter, Oscilloscope or Controller.
    """
    found = _resolve(use)
    if not (isinstance(found, type) and issubclass(found, kind)) or isabstract(found):
        raise BenchFileError(
            f"use = '{use}' names no complete {kind.__name__}, but {found!r}; "
            f"name a driver of that kind: a class that implements every method of {_place(kind)}"
        )
    return found


def names() -> list[str]:
    """Return the names of all drivers that installed packages bring."""
    return sorted(installed())


@cache
def installed() -> dict[str, EntryPoint]:
    """Return the drivers that installed packages bring, not yet loaded."""
    return {point.name: point for point in entry_points(group="rramlab.drivers")}


def _resolve(use: str) -> Any:
    point = installed().get(use)
    if point is None and ":" not in use:
        raise BenchFileError(
            f"use = '{use}' is no installed driver; {did_you_mean(use, names())}; "
            f"a driver of your own is written 'package.module:Class'"
        )
    try:
        return point.load() if point is not None else pkgutil.resolve_name(use)
    except Exception as error:  # whatever a module of a laboratory does when it is imported
        raise BenchFileError(
            f"use = '{use}' cannot be loaded ({type(error).__name__}: {error}); "
            f"repair the module, or name another driver"
        ) from None


def _place(kind: type[Any]) -> str:
    return f"{kind.__module__}:{kind.__qualname__}"
