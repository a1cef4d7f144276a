"""Say who is there: the bodies of HELLO and STATUS."""

import struct
from dataclasses import dataclass
from typing import Self, final

from rramlab.board_protocol.cursor import Cursor, member, packed_text
from rramlab.board_protocol.words import Fault, Feature

_HELLO = "<IHHHHHHIIIII"
_STATUS = "<IIHHiiiHHI"
NOWHERE = 0xFFFF
"""Row and column of STATUS while no cell is connected."""


@final
@dataclass(frozen=True)
class HelloRequest:
    """Open a session (its number is in the header): watchdog time (ms) and who asks."""

    watchdog: int
    who: str

    def pack(self) -> bytes:
        """Return the body."""
        return struct.pack("<I", self.watchdog) + packed_text(self.who)

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        """Return what a body says."""
        cursor = Cursor(body, "HELLO")
        (watchdog,) = cursor.fields("<I")
        who = cursor.text()
        cursor.end()
        return cls(watchdog, who)


@final
@dataclass(frozen=True)
class HelloReply:
    """Tell what a board is: features, size of one macro, how many, and what a request may carry.

    `most_body` (bytes) holds in both directions, `most_cells` for READ and PULSE, `most_runs` for LOOP_RUN,
    `load_bytes` for each target of LOOP_LOAD. `watchdog` (ms) is in force. `addressing` (ns) passes per pulse
    beside its width, `sample` (ns) per sample of a reading.
    """

    features: Feature
    rows: int
    cols: int
    macros: int
    most_body: int
    most_cells: int
    watchdog: int
    addressing: int
    sample: int
    most_runs: int
    load_bytes: int
    name: str
    serial: str
    firmware: str

    def pack(self) -> bytes:
        """Return the body."""
        size = (self.rows, self.cols, self.macros, self.most_body, self.most_cells, 0)
        times = (self.watchdog, self.addressing, self.sample, self.most_runs, self.load_bytes)
        texts = b"".join(map(packed_text, (self.name, self.serial, self.firmware)))
        return struct.pack(_HELLO, self.features, *size, *times) + texts

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        """Return what a body says."""
        cursor = Cursor(body, "the answer to HELLO")
        features, *numbers = cursor.fields(_HELLO)
        texts = [cursor.text() for _ in range(3)]
        cursor.end()
        return cls(Feature(features), *numbers[:5], *numbers[6:], *texts)


@final
@dataclass(frozen=True)
class StatusReply:
    """Tell how a board stands: loop runs, connected cell, lines as measured (uV), fault, watchdog (ms)."""

    runs_done: int
    runs_asked: int
    row: int
    col: int
    bl: int
    sl: int
    gate: int
    fault: Fault
    watchdog: int
    text: str = ""

    def pack(self) -> bytes:
        """Return the body."""
        lines = (self.row, self.col, self.bl, self.sl, self.gate)
        whole = struct.pack(_STATUS, self.runs_done, self.runs_asked, *lines, self.fault, 0, self.watchdog)
        return whole + packed_text(self.text)

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        """Return what a body says."""
        cursor = Cursor(body, "the answer to STATUS")
        done, asked, row, col, bl, sl, gate, fault, _, watchdog = cursor.fields(_STATUS)
        text = cursor.text()
        cursor.end()
        return cls(done, asked, row, col, bl, sl, gate, member(Fault, fault), watchdog, text)
