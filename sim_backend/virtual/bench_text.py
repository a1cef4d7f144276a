"""Write the bench file that leads to a virtual bench."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

from sim_backend.options import Options

HEAD = "# A virtual bench: one simulated macro behind instruments on the wire."
"""First line of a file that a virtual bench may write over."""
BOARDS = {1: "published-board", 2: "rramlab-board"}
BAUDS = {1: 9600, 2: 921_600}


@final
@dataclass(frozen=True)
class BenchText:
    """Hold what goes into the file: name of the bench, macros, what stands on the table, and where."""

    bench_id: str
    options: Options
    facts: Mapping[str, Any]
    addresses: Mapping[str, str]

    def text(self) -> str:
        """Return the bench file."""
        parts = [self._head(), self._board(), self._meter(), self._scope(), self._calibration()]
        return "\n".join(part for part in parts if part)

    def _head(self) -> str:
        o = self.options
        note = "simulated macro behind instruments on the wire"
        return "\n".join(
            [
                HEAD,
                "# Written by 'rramlab virtual-bench', which must be running when this file is used.",
                "",
                *_table("bench", {"id": self.bench_id, "note": note}),
                *_table("backend", {"use": "drivers:BenchBackend"}),
                *_table(
                    "backend.options",
                    {"macros": o.macros, "rows": o.rows, "cols": o.cols, "clock": self.facts["clock"]},
                ),
            ]
        )

    def _board(self) -> str:
        dialect = self.facts["dialect"]
        entries: dict[str, Any] = {
            "use": BOARDS[dialect],
            "port": self.addresses["board"],
            "baud": self.facts["baud"] or BAUDS[dialect],
        }
        if self.facts["start"] is not None:
            entries["start"] = self.facts["start"]
        return "\n".join(_table("backend.options.board", entries))

    def _meter(self) -> str:
        if "source_meter" not in self.addresses:
            return ""
        resource, serial = self.addresses["source_meter"], self.facts["serials"]["source_meter"]
        entries = {"use": self.facts["meter"], "resource": resource, "serial": serial}
        return "\n".join(_table("backend.options.source_meter", entries))

    def _scope(self) -> str:
        if "oscilloscope" not in self.addresses:
            return ""
        resource, serial = self.addresses["oscilloscope"], self.facts["serials"]["oscilloscope"]
        entries = {"use": self.facts["scope"], "resource": resource, "serial": serial}
        channels = _table("backend.options.oscilloscope.channels", self.facts["channels"])
        return "\n".join([*_table("backend.options.oscilloscope", entries), *channels])

    def _calibration(self) -> str:
        if self.options.errors is None:
            return ""
        return "\n".join(_table("calibration", {"folder": "calibration"}))


def _table(name: str, entries: Mapping[str, Any]) -> list[str]:
    # A JSON string, number or list of numbers is one of TOML as well.
    return [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in entries.items()), ""]
