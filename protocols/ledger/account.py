"""Account for the energy of a sample, component by component, from waveforms and one set of constants."""

from collections import defaultdict
from dataclasses import dataclass
from math import isnan, nan
from typing import final

import numpy as np
from numpy.typing import NDArray

from protocols.ledger.constants import Constants, Drive, Part
from protocols.ledger.waveforms import Waveforms
from rramlab.quantity import format_quantity

FloatArray = NDArray[np.float64]

ARRAY, LOAD = "array", "amplifiers, load"
AGREE = 0.01
"""The ledger and the record of the bench agree when they are no further apart than this share."""


@final
@dataclass(frozen=True)
class Entry:
    """Hold one line: energy per sample (J; NaN: not known), what it belongs to, how it was had, source."""

    name: str
    group: str
    joule: float
    how: str
    source: str


@final
@dataclass(frozen=True)
class Account:
    """Hold time (s) and energy per sample of one system, all from one set of constants.

    `recorded` is the array's energy (J) as the bench recorded it for the same runs, NaN where it did not.
    """

    name: str
    seconds: float
    entries: tuple[Entry, ...]
    recorded: float = nan

    @property
    def joule(self) -> float:
        """Return the energy per sample (J) of everything that is known."""
        return sum(entry.joule for entry in self.entries if not isnan(entry.joule))

    @property
    def watt(self) -> float:
        """Return the mean power (W) during a sample."""
        return self.joule / self.seconds

    @property
    def array_joule(self) -> float:
        """Return the energy per sample (J) of the cells, NaN where a waveform is missing."""
        return sum(entry.joule for entry in self.entries if entry.group == ARRAY)

    @property
    def apart(self) -> float:
        """Return by which share the integrated array energy differs from the recorded one, NaN if unknown."""
        return abs(self.array_joule / self.recorded - 1.0) if self.recorded else nan

    def groups(self) -> dict[str, float]:
        """Return the energy per sample (J) of each group of components, in order."""
        sums: dict[str, float] = defaultdict(float)
        for entry in self.entries:
            sums[entry.group] += 0.0 if isnan(entry.joule) else entry.joule
        return dict(sums)

    def rows(self) -> list[list[str]]:
        """Return the account as rows of text: what, energy, how it was had, source; the sum last."""
        rows = [[e.name, energy_text(e.joule), e.how, e.source] for e in self.entries]
        return [*rows, ["sum", energy_text(self.joule), "", ""]]


def account_of(waveforms: Waveforms, constants: Constants) -> Account:
    """Return the account of a system; a set with its own time per sample gets the waveforms in that time."""
    drawn = waveforms if constants.seconds is None else waveforms.stretched(constants.seconds)
    parts = tuple(_part(part, drawn) for part in constants.parts)
    entries = (*_array(drawn), *_load(drawn, constants.drive), *parts)
    recorded = float(drawn.recorded.mean()) if drawn.recorded.size else nan
    return Account(constants.name, drawn.seconds, entries, recorded)


def energy_text(joule: float) -> str:
    """Return an energy as text with a prefix that fits."""
    return "unknown" if isnan(joule) else format_quantity(joule, "J")


def _array(drawn: Waveforms) -> list[Entry]:
    how = f"sum of V^2 G over the waveforms of {drawn.runs} runs"
    energies = [float(each.mean()) if each.size else nan for each in drawn.array_joule()]
    return [
        Entry(
            f"cells of layer {i + 1}", ARRAY, joule, _seen(how, joule), "this run: conductances as measured"
        )
        for i, joule in enumerate(energies)
    ]


def _load(drawn: Waveforms, drive: Drive) -> list[Entry]:
    """Return what output stages burn: the rail carries each current, the array and resistors use a part."""
    rows = sum(drive.rail * layer.row_current() - layer.power() for layer in drawn.layers)
    columns = sum(drive.rail * layer.column_current() for layer in drawn.layers)
    outputs = [layer.volts for layer in drawn.layers] + [drawn.output]
    behind = sum(drive.rail / drive.resistor * np.abs(volts).sum(axis=-1) for volts in outputs)
    lines = {
        "drivers of the rows": (rows, f"{drive.rail:g} V x current into the rows, less what the cells use"),
        "amplifiers of the columns": (columns, f"{drive.rail:g} V x current out of the columns"),
        "networks at the outputs": (behind, f"{drive.rail:g} V x V / {drive.resistor:g} ohm"),
    }
    return [_drawn(drawn, name, np.asarray(power), how, drive) for name, (power, how) in lines.items()]


def _drawn(drawn: Waveforms, name: str, power: FloatArray, how: str, drive: Drive) -> Entry:
    integral = drawn.integral(power)
    joule = float(integral.mean()) if integral.size else nan
    return Entry(name, LOAD, joule, _seen(how, joule), drive.source)


def _seen(how: str, joule: float) -> str:
    return "this bench records no such waveform" if isnan(joule) else how


def _part(part: Part, drawn: Waveforms) -> Entry:
    count = part.each * drawn.counts()[part.per]
    steady = f"{count} x {part.watt * 1e3:g} mW x {drawn.seconds:g} s"
    how = steady if part.watt else f"{count} x {energy_text(part.joule)}"
    joule = count * (part.watt * drawn.seconds + part.joule)
    return Entry(part.name, part.group, joule, how, part.source)
