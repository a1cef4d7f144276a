"""Keep the calibration records of a bench in a folder: one JSON file per kind, older ones beside."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import final

from rramlab.corrections.correction import Correction
from rramlab.corrections.record import Record
from rramlab.disk import write_aside
from rramlab.errors import CalibrationError


@final
@dataclass(frozen=True)
class Library:
    """Hold a folder of calibration records."""

    folder: Path

    def records(self) -> dict[str, Record]:
        """Return the newest record of each kind; CalibrationError names a file that is none."""
        return {path.stem: _read(path) for path in sorted(self.folder.glob("*.json"))}

    def correction(self, now: float) -> Correction:
        """Return what the door takes out at this time (s since the epoch); an expired record is refused."""
        records = self.records()
        for kind, record in records.items():
            if now > record.expires:
                days = record.valid / 86400.0
                raise CalibrationError(
                    f"the calibration '{kind}' of {record.date} held for {days:g} days and has expired; "
                    f"renew it with: rramlab calibrate {kind}; or take [calibration] out of the bench file "
                    "to work uncalibrated"
                )
        return Correction(records)

    def save(self, record: Record) -> Path:
        """Keep a record as the newest of its kind, and the one before it under `older`; return its path."""
        path = self.folder / f"{record.kind}.json"
        older = self.folder / "older"
        older.mkdir(parents=True, exist_ok=True)
        if path.exists():
            path.replace(older / f"{record.kind}-{int(_read(path).made)}.json")
        write_aside(path, json.dumps(record.facts(), indent=1).encode())
        return path


def _read(path: Path) -> Record:
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        record = Record.from_facts(facts)
    except (OSError, ValueError) as error:
        raise CalibrationError(f"the calibration file {path} cannot be read ({error}); renew it") from None
    except CalibrationError as error:
        raise CalibrationError(f"the calibration file {path}: {error}") from None
    if record.kind != path.stem:
        raise CalibrationError(f"the calibration file {path} holds '{record.kind}'; its name must say so")
    return record
