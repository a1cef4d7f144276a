"""Load a device technology from a TOML data file into a frozen preset."""

import difflib
import math
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar, final

from sim_backend.technology import (
    Conduction,
    Delivery,
    Forming,
    Kinetics,
    Noise,
    Relaxation,
    Retention,
    Telegraph,
    Transistor,
    Variation,
    Wear,
    Window,
    Yield,
)

T = TypeVar("T")


@final
@dataclass(frozen=True)
class Preset:
    """Hold all numbers of one device technology, SI units."""

    name: str
    description: str
    window: Window
    conduction: Conduction
    transistor: Transistor
    kinetics: Kinetics
    variation: Variation
    forming: Forming
    noise: Noise
    telegraph: Telegraph
    relaxation: Relaxation
    retention: Retention
    yields: Yield
    wear: Wear
    delivery: Delivery

    @staticmethod
    def load(name: str | Path) -> "Preset":
        """Return the preset of a name that ships with the package, or of a TOML file."""
        tree = _read(name)
        return _build(Preset, tree, str(name))

    def override(self, changes: Mapping[str, float | tuple[float, ...]]) -> "Preset":
        """Return a copy with changed numbers, each named as 'section.key'."""
        tree = _as_tree(self)
        for path, value in changes.items():
            _merge(tree, _nest(path, value), f"preset '{self.name}'")
        return _build(Preset, tree, f"preset '{self.name}'")


def preset_names() -> list[str]:
    """Return the names of the presets that ship with the package."""
    folder = resources.files("sim_backend") / "presets"
    names = [entry.name for entry in folder.iterdir()]
    return sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml"))


def _read(name: str | Path) -> dict[str, Any]:
    tree = _parse(name)
    base = tree.pop("base", None)
    if base is None:
        return tree
    merged = _read(base)
    _merge(merged, tree, str(name))
    return merged


def _parse(name: str | Path) -> dict[str, Any]:
    if isinstance(name, Path) or name.endswith(".toml"):
        return tomllib.loads(Path(name).read_text(encoding="utf-8"))
    if name not in preset_names():
        raise ValueError(f"unknown preset '{name}'; {_nearest(name, preset_names())}")
    file = resources.files("sim_backend") / "presets" / f"{name}.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


def _merge(tree: dict[str, Any], change: dict[str, Any], where: str) -> None:
    for key, value in change.items():
        if key not in tree:
            raise ValueError(f"{where}: unknown key '{key}'; {_nearest(key, list(tree))}")
        if isinstance(tree[key], dict) and isinstance(value, dict):
            _merge(tree[key], value, f"{where}, section [{key}]")
        else:
            tree[key] = value


def _nest(path: str, value: float | tuple[float, ...]) -> dict[str, Any]:
    section, _, key = path.partition(".")
    return {section: {key: value}} if key else {section: value}


def _as_tree(value: Any) -> Any:
    if is_dataclass(value):
        return {f.name: _as_tree(getattr(value, f.name)) for f in fields(value)}
    return value


def _build(kind: type[T], tree: dict[str, Any], where: str) -> T:
    known = {f.name: f.type for f in fields(kind)}  # type: ignore[arg-type]
    for key in tree:
        if key not in known:
            raise ValueError(f"{where}: unknown key '{key}'; {_nearest(key, list(known))}")
    needed = [f.name for f in fields(kind) if f.default is MISSING]  # type: ignore[arg-type]
    missing = [name for name in needed if name not in tree]
    if missing:
        raise ValueError(f"{where}: missing {', '.join(missing)}; copy it from the preset 'taox180'")
    return kind(**{name: _value(known[name], value, f"{where}: {name}") for name, value in tree.items()})


def _value(kind: Any, value: Any, where: str) -> Any:
    if isinstance(kind, type) and is_dataclass(kind):
        if not isinstance(value, dict):
            raise ValueError(f"{where} is a section; write it as a [section] with its keys")
        return _build(kind, value, where)
    if kind is str:
        return str(value)
    if kind is int and isinstance(value, int) and 0 < value <= 32:
        return value
    if kind is float:
        return _number(value, where)
    if isinstance(value, (list, tuple)) and len(value) >= 2:
        return tuple(_number(v, where) for v in value)
    raise ValueError(f"{where} = {value!r} has the wrong type; {kind} is wanted")


_SHARES = ("fraction", "unformable", "stuck_lrs", "reduced", "stuck_probability", "h_min")
_MAY_BE_NEGATIVE = ("drift", "drift_low", "tc_per_kelvin")


def _number(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"{where} = {value!r} is not a finite number; give it in SI units")
    if value < 0 and not where.endswith(_MAY_BE_NEGATIVE):
        raise ValueError(f"{where} = {value!r} is negative; zero or more is possible (SI units)")
    if value > 1 and where.endswith(_SHARES):
        raise ValueError(f"{where} = {value!r} is not a share; 0 to 1 is possible")
    return float(value)


def _nearest(key: str, known: list[str]) -> str:
    close = difflib.get_close_matches(key, known, n=1, cutoff=0.4)
    return f"did you mean '{close[0]}'?" if close else f"possible: {', '.join(sorted(known))}"
