"""Name what is fitted: a number of the preset, on a scale where a prior and a step make sense."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from rramlab.errors import InputError, did_you_mean
from sim_backend.preset import Preset

FloatArray = NDArray[np.float64]

LOOSE = 1.0
"""Prior standard deviation of ln(value), when none is given: a factor of e either way."""
_LINEAR = {"drift": 1e-6, "drift_low": 1e-6, "curve_drift": 1e-6, "tails_skew": 0.5}
_STEP = 0.03
_INSIDE = 8.0


@final
@dataclass(frozen=True)
class Parameter:
    """Hold one number to fit, 'section.key' or 'section.key[i]', and how wide its prior is.

    Positive numbers are fitted as ln(value), those of either sign as value over a natural scale.
    """

    name: str
    prior: float = LOOSE

    @property
    def scale(self) -> float:
        """Return the natural scale of a number that may be negative, 0 for a positive one."""
        return _LINEAR.get(self.name.partition(".")[2].partition("[")[0], 0.0)

    def encode(self, value: float) -> float:
        """Return the coordinate of a value."""
        if self.scale:
            return value / self.scale
        if value <= 0.0:
            raise InputError(f"'{self.name}' is {value:g} and is fitted as a logarithm; start above zero")
        return math.log(value)

    def decode(self, place: float) -> float:
        """Return the value (SI) at a coordinate."""
        return place * self.scale if self.scale else math.exp(min(max(place, -80.0), 80.0))

    def read(self, preset: Preset) -> float:
        """Return the value in a preset."""
        section, key, index = _parts(self.name)
        held = _held(preset, section, key)
        return float(held if index is None else held[index])


def changed(preset: Preset, values: Mapping[str, float]) -> Preset:
    """Return a copy of a preset with other numbers, also single ones of a list: 'section.key[i]'."""
    changes: dict[str, Any] = {}
    for name, value in values.items():
        section, key, index = _parts(name)
        path = f"{section}.{key}"
        if index is None:
            changes[path] = value
            continue
        held = list(changes.get(path, _held(preset, section, key)))
        held[index] = value
        changes[path] = tuple(held)
    return preset.override(changes)


def expand(names: Sequence[str], preset: Preset) -> list[str]:
    """Return the names with each list of numbers written out: 'a.b' becomes 'a.b[0]', 'a.b[1]', ..."""
    found: list[str] = []
    for name in names:
        section, key, index = _parts(name)
        held = _held(preset, section, key)
        many = isinstance(held, tuple) and index is None
        found += [f"{name}[{k}]" for k in range(len(held))] if many else [name]
    return found


def steps(parameters: Sequence[Parameter]) -> FloatArray:
    """Return the steps (p,) of numerical derivatives, in coordinates."""
    return np.array([min(_STEP, 0.3 * p.prior) for p in parameters])


def _parts(name: str) -> tuple[str, str, int | None]:
    section, _, key = name.partition(".")
    key, bracket, index = key.partition("[")
    if bracket and not (index.endswith("]") and index[:-1].isdigit()):
        raise InputError(f"'{name}' is no parameter; write 'section.key' or 'section.key[0]'")
    return section, key, int(index[:-1]) if bracket else None


def _held(preset: Preset, section: str, key: str) -> Any:
    part = getattr(preset, section, None)
    if part is None or isinstance(part, str):
        sections = [n for n, v in vars(preset).items() if not isinstance(v, str)]
        raise InputError(f"a preset has no section '{section}'; {did_you_mean(section, sections)}")
    if key not in vars(part):
        raise InputError(f"section [{section}] has no '{key}'; {did_you_mean(key, list(vars(part)))}")
    return getattr(part, key)
