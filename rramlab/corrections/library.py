"""Keep the calibration records of a bench in a folder: one JSON file per kind, older ones beside."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import final

from rramlab.corrections.correction import LOOP, PRODUCT, READOUT, STRENGTH, ZERO, Correction
from rramlab.corrections.record import Record
from rramlab.disk import clear_errors, write_aside
from rramlab.errors import CalibrationError

OLDER = "older"
USED = (READOUT, ZERO, PRODUCT, LOOP, STRENGTH)


@final
@dataclass(frozen=True)
class Library:
    """Hold a folder of calibration records."""

    folder: Path

    def records(self) -> dict[str, Record]:
        """Return the newest record of each kind; CalibrationError names a file that is none."""
        return {path.stem: _read(path) for path in self._files()}

    def look(self) -> dict[str, Record | CalibrationError]:
        """Return the newest record of each kind, or what is wrong with its file."""
        return {path.stem: _tried(path) for path in self._files()}

    def history(self, kind: str) -> list[Record]:
        """Return all readable records of a kind, oldest first."""
        paths = [*(self.folder / OLDER).glob(f"{kind}-*.json"), self.folder / f"{kind}.json"]
        found = [_tried(path) for path in paths if path.is_file()]
        return sorted((one for one in found if isinstance(one, Record)), key=lambda record: record.made)

    def correction(self, now: float) -> Correction:
        """Return what the door takes out at this time (s since the epoch); an expired record is refused.

        Records of which the door has no use are left to people, such as a zero from before the last readout.
        """
        records = {path.stem: _read(path) for path in self._files() if path.stem in USED}
        return Correction(
            _holding({kind: one for kind, one in records.items() if is_used(one, records)}, now)
        )

    def known(self, kinds: Iterable[str], now: float, beside: Iterable[str] = ()) -> dict[str, Record]:
        """Return the records of these kinds that hold now; a missing or expired one is refused.

        Of the kinds `beside` come those that hold.
        """
        found = _holding({kind: self._made(kind) for kind in kinds}, now)
        shelf = {kind: one for kind, one in self.look().items() if kind in beside and isinstance(one, Record)}
        return found | {
            kind: one for kind, one in shelf.items() if is_used(one, found) and now <= one.expires
        }

    def save(self, record: Record) -> Path:
        """Keep a record as the newest of its kind, and the one before it under `older`; return its path."""
        path = self.folder / f"{record.kind}.json"
        with clear_errors(self.folder):
            (self.folder / OLDER).mkdir(parents=True, exist_ok=True)
            self._set_aside(path)
            write_aside(path, json.dumps(record.facts(), indent=1).encode())
        return path

    def renew(self, record: Record) -> bool:
        """Keep a record unless one as new is there, and tell whether it was kept; twice does no harm."""
        before = self.look().get(record.kind)
        if isinstance(before, Record) and before.made >= record.made:
            return False
        self.save(record)
        return True

    def _made(self, kind: str) -> Record:
        path = self.folder / f"{kind}.json"
        if not path.exists():
            raise CalibrationError(
                f"this builds on the calibration '{kind}', which was not made yet; "
                f"make it with: rramlab calibrate {kind}; or all in order with: rramlab calibrate all"
            )
        return _read(path)

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("*.json"))

    def _set_aside(self, path: Path) -> None:
        """Copy what is there to `older`: the newest record is never missing, whenever the process dies."""
        if path.exists():
            before = _tried(path)
            name = f"{path.stem}-{int(before.made)}" if isinstance(before, Record) else f"{path.stem}-broken"
            write_aside(self.folder / OLDER / f"{name}.json", path.read_bytes())


def is_used(record: Record, beside: Mapping[str, object]) -> bool:
    """Tell whether the door makes use of a record; a zero is against the readout that it was made with."""
    readout = beside.get(READOUT)
    if record.kind == ZERO:
        return isinstance(readout, Record) and record.made >= readout.made
    return record.kind in USED


def _holding(records: dict[str, Record], now: float) -> dict[str, Record]:
    for kind, record in records.items():
        if now > record.expires:
            days = record.valid / 86400.0
            raise CalibrationError(
                f"the calibration '{kind}' of {record.date} held for {days:g} days and has expired; "
                f"renew it with: rramlab calibrate {kind}; or take [calibration] out of the bench file "
                "to work uncalibrated"
            )
    return records


def _tried(path: Path) -> Record | CalibrationError:
    try:
        return _read(path)
    except CalibrationError as error:
        return error


def _read(path: Path) -> Record:
    kind = path.stem if path.parent.name != OLDER else path.stem.rpartition("-")[0]
    cure = f"renew it with: rramlab calibrate {kind}"
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        record = Record.from_facts(facts)
    except (OSError, ValueError) as error:
        raise CalibrationError(f"the calibration file {path} cannot be read ({error}); {cure}") from None
    except CalibrationError as error:
        raise CalibrationError(f"the calibration file {path}: {error}; {cure}") from None
    if record.kind != kind:
        raise CalibrationError(f"the calibration file {path} holds '{record.kind}'; its name must say so")
    return record
