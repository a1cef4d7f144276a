"""Read plain tables of measurements: csv, tsv or blanks, with or without a header, also gzipped."""

import gzip
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np
from numpy.typing import NDArray

from rramlab.errors import InputError, did_you_mean
from sim_backend.fit.units import UNIT_OF, Unit, known_unit, role_named

FloatArray = NDArray[np.float64]
_NOTHING = ("", "nan", "NaN", "NA", "None", "null")


@final
@dataclass(frozen=True)
class Table:
    """Hold the columns of a table in SI units, by role, all of one length."""

    name: str
    columns: Mapping[str, FloatArray]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def __getitem__(self, role: str) -> FloatArray:
        if role not in self.columns:
            raise InputError(f"table '{self.name}' has no column '{role}'; name it under 'columns'")
        return self.columns[role]

    def where(self, kept: NDArray[np.bool_]) -> "Table":
        """Return the rows that are kept."""
        return Table(self.name, {role: values[kept] for role, values in self.columns.items()})

    def filled(self, **fixed: float) -> "Table":
        """Return the table with columns of one value for roles that it lacks."""
        more = {role: np.full(len(self), value) for role, value in fixed.items() if role not in self.columns}
        return Table(self.name, dict(self.columns) | more)


def read_table(path: Path | str, columns: Mapping[str, str | int]) -> Table:
    """Return a table whose columns are named by role.

    Each role is mapped to a name in the header or a position from 0, and its unit if that is not
    SI: {"cell": 0, "width": "PW ns", "after": "5 ohm"}. Values that are missing become NaN.
    """
    place = Path(path)
    lines = _lines(place)
    cut = _separator(lines[0][1])
    header = [field.strip().strip('"') for field in _split(lines[0][1], cut)]
    named = not all(_is_number(field) for field in header)
    body = [(number, _split(line, cut)) for number, line in (lines[1:] if named else lines)]
    if not body:
        raise InputError(f"{place} has a header and no rows; give a file with measurements")
    found = {}
    for role, text in columns.items():
        position, unit = _position(str(text), header, named, place, role_named(role))
        found[role] = _sensible(unit.apply(_numbers(body, position, place)), role, place)
    return Table(place.name, found)


def _lines(place: Path) -> list[tuple[int, str]]:
    try:
        data = place.read_bytes()
        text = (gzip.decompress(data) if place.suffix == ".gz" else data).decode("utf-8-sig")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or error
        raise InputError(f"the table {place} cannot be read ({why}); give a csv or tsv file or .gz") from None
    kept = list(enumerate(text.splitlines(), 1))
    kept = [(k, line) for k, line in kept if line.strip() and not line.lstrip().startswith("#")]
    if not kept:
        raise InputError(f"the table {place} is empty; give a file with one measurement per line")
    return kept


def _separator(line: str) -> str | None:
    return next((cut for cut in ("\t", ";", ",") if cut in line), None)


def _split(line: str, cut: str | None) -> list[str]:
    return line.split(cut)


def _is_number(field: str) -> bool:
    try:
        float(field if field.strip() not in _NOTHING else "nan")
    except ValueError:
        return False
    return True


def _position(text: str, header: list[str], named: bool, place: Path, role: str) -> tuple[int, Unit]:
    name, unit = text.strip(), ""
    head, _, last = name.rpartition(" ")
    if name not in header and head and (known_unit(last) or head in header or head.isdigit()):
        name, unit = head, last
    if named and name in header:
        return header.index(name), Unit(unit, role)
    if name.isdigit() and int(name) < len(header):
        return int(name), Unit(unit, role)
    have = did_you_mean(name, header) if named else f"possible: positions 0 to {len(header) - 1}, no header"
    raise InputError(f"{place} has no column '{name}' for '{role}'; {have}")


def _sensible(values: FloatArray, role: str, place: Path) -> FloatArray:
    """Return the values, or refuse a column without any, and conductances most of which are negative."""
    known = values[np.isfinite(values)]
    if not known.size:
        raise InputError(f"{place} has no value for '{role}'; leave the column out, or name another one")
    if UNIT_OF[role] == "S" and np.mean(known < 0.0) > 0.5:
        raise InputError(
            f"{place}: most values of '{role}' are negative, from {known.min():.3g} S on; give conductances"
        )
    return values


def _numbers(body: list[tuple[int, list[str]]], position: int, place: Path) -> FloatArray:
    try:
        fields = [row[position] for _, row in body]
        return np.array([float(f) if f.strip() not in _NOTHING else np.nan for f in fields])
    except (ValueError, IndexError):
        number, row = next((k, r) for k, r in body if len(r) <= position or not _is_number(r[position]))
    what = f"'{row[position].strip()}' is no number" if len(row) > position else f"has {len(row)} fields"
    raise InputError(f"{place}, line {number}, column {position}: {what}; correct it or mark it with '#'")
