"""Read the constants of an account: what draws power around the macros, and how sure that is."""

import tomllib
from dataclasses import dataclass
from importlib import resources
from typing import Any, Literal, final

SetName = Literal["bench", "projected"]
SETS: tuple[SetName, ...] = ("bench", "projected")
KINDS = ("data sheet", "published", "assumed")


@final
@dataclass(frozen=True)
class Part:
    """Hold a part: `each` of it per unit; draws `watt` (W) all the time, or `joule` (J) per event."""

    name: str
    group: str
    per: str
    kind: str
    source: str
    watt: float = 0.0
    joule: float = 0.0
    each: int = 1


@final
@dataclass(frozen=True)
class Drive:
    """Hold what loads the amplifiers: rail (V) a current comes from, resistor (ohm) at each output."""

    rail: float
    resistor: float
    source: str


@final
@dataclass(frozen=True)
class Constants:
    """Hold one set of constants; `seconds` per sample, None where the run itself tells."""

    name: str
    seconds: float | None
    drive: Drive
    parts: tuple[Part, ...]

    @classmethod
    def load(cls, which: SetName) -> "Constants":
        """Return the set of this name, "bench" or "projected"."""
        data = read_toml(which)
        drive = data["drive"]
        source = f"{drive['kind']}: {drive['source']}"
        parts = tuple(_part(part) for part in data["part"])
        return cls(data["name"], data.get("seconds"), Drive(drive["rail"], drive["resistor"], source), parts)


def read_toml(name: str) -> dict[str, Any]:
    """Return what a data file of this folder says."""
    return tomllib.loads(resources.files(__package__).joinpath(f"{name}.toml").read_text(encoding="utf-8"))


def _part(data: dict[str, Any]) -> Part:
    watt = data["volts"] * data["amps"] if "volts" in data else 0.0
    return Part(
        name=data["name"],
        group=data["group"],
        per=data["per"],
        kind=data["kind"],
        source=f"{data['kind']}: {data['source']}",
        watt=watt,
        joule=data.get("joule", 0.0),
        each=data.get("each", 1),
    )
