"""Describe a device technology in numbers, loaded from a TOML data file."""

import difflib
import math
import tomllib
from dataclasses import dataclass, fields, is_dataclass
from importlib import resources
from pathlib import Path
from typing import Any, final


@final
@dataclass(frozen=True)
class Conduction:
    """Hold the filament's nonlinearity: chi0 (1/V^2), g_chi (S), v_limit (V), chi_scale."""

    chi0: float
    g_chi: float
    v_limit: float
    chi_scale: float


@final
@dataclass(frozen=True)
class Transistor:
    """Hold the level-1 NMOS: kp (A/V^2), vt0 (V), lam (1/V), gamma (V^0.5), phi (V), series_ohm."""

    kp: float
    w_over_l: float
    vt0: float
    lam: float
    gamma: float
    phi: float
    series_ohm: float


@final
@dataclass(frozen=True)
class Kinetics:
    """Hold the switching law: rate (S/s), voltages (V), conductances (S), activation_ev (eV)."""

    rate: float
    v_activation: float
    set_v0: float
    set_slope: float
    reset_v0: float
    reset_slope: float
    reset_v_min: float
    g_ref: float
    g_floor: float
    g_ceil: float
    activation_ev: float


@final
@dataclass(frozen=True)
class Variation:
    """Hold standard deviations, per pulse (cycle) and per cell (device); vt_device in V, others relative."""

    set_cycle: float
    reset_cycle: float
    increment_cycle: float
    set_device: float
    reset_device: float
    vt_device: float
    chi_device: float
    series_device: float


@final
@dataclass(frozen=True)
class Forming:
    """Hold the breakdown of a fresh cell: conductances (S), voltages (V), t_reference (s), currents (A)."""

    g_fresh: float
    v_mean: float
    v_sigma: float
    v_per_decade: float
    t_reference: float
    g_after: float
    stuck_current: float
    stuck_probability: float


@final
@dataclass(frozen=True)
class Noise:
    """Hold read noise: relative to G at g_reference (S), tau_min (s), white_current (A) per white_time (s)."""

    relative: float
    effective_decades: float
    g_reference: float
    tau_min: float
    decades: int
    white_current: float
    white_time: float


@final
@dataclass(frozen=True)
class Telegraph:
    """Hold random telegraph noise: fractions of cells, relative amplitudes, tau_min and tau_max (s)."""

    fraction: float
    amplitude: float
    spread: float
    tau_min: float
    tau_max: float
    strong_fraction: float
    strong_min: float
    strong_max: float


@final
@dataclass(frozen=True)
class Relaxation:
    """Hold the relaxation bank: variances (S^2 per decade), conductances (S), tau_min (s), drifts (S/decade)."""

    variance_per_decade: float
    peak: float
    h_min: float
    quiet_above: float
    quiet_variance: float
    tau_min: float
    decades: int
    redraw_full: float
    spread: float
    drift: float
    drift_reference: float
    drift_g_high: float
    drift_low: float
    drift_g_low: float


@final
@dataclass(frozen=True)
class Retention:
    """Hold thermal behaviour: energies (eV), loss_rate (1/s) at loss_temperature (K), coefficients (1/K)."""

    tau_ev: float
    loss_rate: float
    loss_temperature: float
    loss_ev: float
    tc_conductance: tuple[float, ...]
    tc_per_kelvin: tuple[float, ...]


@final
@dataclass(frozen=True)
class Yield:
    """Hold the fractions of bad cells; a reduced window has a lognormal ceiling around reduced_ceil."""

    unformable: float
    stuck_lrs: float
    stuck_conductance: float
    stuck_spread: float
    reduced: float
    reduced_ceil: float
    reduced_spread: float


@final
@dataclass(frozen=True)
class Wear:
    """Hold endurance: kinetic voltages shift by shift_per_decade of cycles beyond after_cycles."""

    after_cycles: float
    shift_per_decade: float
    full_swing: float


@final
@dataclass(frozen=True)
class Delivery:
    """Hold the state in which cells come to programming: HRS median (S), log spread, age (s)."""

    g_median: float
    g_spread: float
    age: float


@final
@dataclass(frozen=True)
class Window:
    """Hold the customary programming window (S)."""

    g_min: float
    g_max: float


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

    def override(self, changes: dict[str, float]) -> "Preset":
        """Return a copy with changed numbers, each named as 'section.key'."""
        tree = _as_tree(self)
        for path, value in changes.items():
            _merge(tree, _nest(path, value), f"preset '{self.name}'")
        return _build(Preset, tree, f"preset '{self.name}'")


def preset_names() -> list[str]:
    """Return the names of the presets that ship with the package."""
    folder = resources.files("sim_backend") / "presets"
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


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


def _nest(path: str, value: float) -> dict[str, Any]:
    section, _, key = path.partition(".")
    return {section: {key: value}} if key else {section: value}


def _as_tree(value: Any) -> Any:
    if is_dataclass(value):
        return {f.name: _as_tree(getattr(value, f.name)) for f in fields(value)}
    return value


def _build(kind: type[Any], tree: dict[str, Any], where: str) -> Any:
    known = [f.name for f in fields(kind)]
    for key in tree:
        if key not in known:
            raise ValueError(f"{where}: unknown key '{key}'; {_nearest(key, known)}")
    missing = [name for name in known if name not in tree]
    if missing:
        raise ValueError(f"{where}: missing {', '.join(missing)}; copy it from the preset 'taox180'")
    return kind(**{f.name: _value(f.type, tree[f.name], f"{where}: {f.name}") for f in fields(kind)})


def _value(kind: Any, value: Any, where: str) -> Any:
    if is_dataclass(kind):
        if not isinstance(value, dict):
            raise ValueError(f"{where} is a section; write it as a [section] with its keys")
        return _build(kind, value, where)  # type: ignore[arg-type]
    if kind is str:
        return str(value)
    if kind is int and isinstance(value, int) and 0 < value <= 32:
        return value
    if kind is float:
        return _number(value, where)
    if isinstance(value, (list, tuple)) and len(value) >= 2:
        return tuple(_number(v, where) for v in value)
    raise ValueError(f"{where} = {value!r} has the wrong type; {kind} is wanted")


_MAY_BE_NEGATIVE = ("drift", "drift_low", "tc_per_kelvin")


def _number(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"{where} = {value!r} is not a finite number; give it in SI units")
    if value < 0 and not where.endswith(_MAY_BE_NEGATIVE):
        raise ValueError(f"{where} = {value!r} is negative; zero or more is possible (SI units)")
    return float(value)


def _nearest(key: str, known: list[str]) -> str:
    close = difflib.get_close_matches(key, known, n=1, cutoff=0.4)
    return f"did you mean '{close[0]}'?" if close else f"possible: {', '.join(sorted(known))}"
