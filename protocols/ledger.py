"""Account for time and energy per sample: what was counted, from what constants."""

import tomllib
from dataclasses import dataclass
from importlib import resources
from math import isnan
from typing import Any, final


@final
@dataclass(frozen=True)
class Entry:
    """Hold one line of the ledger: energy per sample (J; NaN: not known), how it was had, and its source."""

    name: str
    joule: float
    how: str
    source: str


@final
@dataclass(frozen=True)
class Ledger:
    """Hold time (s) and energy (J) per sample of the analog bench and of the digital baseline."""

    analog_seconds: float
    digital_seconds: float
    analog: tuple[Entry, ...]
    digital: Entry

    @property
    def analog_joule(self) -> float:
        """Return the energy per sample (J) of everything that was counted on the bench."""
        return sum(entry.joule for entry in self.analog if not isnan(entry.joule))

    def rows(self) -> list[list[str]]:
        """Return the ledger as rows of text: what, energy per sample, how it was had, source."""
        entries = [*self.analog, Entry("analog, sum", self.analog_joule, "", ""), self.digital]
        return [[e.name, _energy(e.joule), e.how, e.source] for e in entries]


def account(array_joule: float, analog_seconds: float, digital_seconds: float) -> Ledger:
    """Return the ledger of a run: the array as computed from its waveforms, the parts from their power.

    `analog_seconds` is the time per sample with the tick of this bench, one sample after the other;
    `digital_seconds` was measured on this machine, many samples together.
    """
    data: dict[str, Any] = tomllib.loads(_text())
    how_array = "not measured on this bench" if isnan(array_joule) else "sum of V^2 G over the waveforms"
    array = Entry("cells of the array", array_joule, how_array, "this run")
    parts = tuple(_part(part, analog_seconds) for part in data["part"])
    watt = data["digital"]["watt"]
    how = f"{digital_seconds * 1e6:.3g} us measured x {watt:g} W"
    digital = Entry("digital baseline", watt * digital_seconds, how, data["digital"]["source"])
    return Ledger(analog_seconds, digital_seconds, (array, *parts), digital)


def _energy(joule: float) -> str:
    return "unknown" if isnan(joule) else f"{joule * 1e6:.4g} uJ"


def _part(part: dict[str, Any], seconds: float) -> Entry:
    joule = part["count"] * part["watt"] * seconds
    return Entry(
        part["name"], joule, f"{part['count']} x {part['watt'] * 1e3:g} mW x {seconds:g} s", part["source"]
    )


def _text() -> str:
    return resources.files("protocols").joinpath("ledger.toml").read_text(encoding="utf-8")
