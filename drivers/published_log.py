"""Keep what was said on the line of the published firmware, and write it down when there is time to."""

from typing import final

import numpy as np

from drivers.controller import Note
from rramlab.pulse import Columns

SAID = "said"
"""Name of the note that holds commands and replies."""


@final
class PublishedLog:
    """Hold commands and replies until `write`: the record takes its time, and the pace of runs is exact."""

    def __init__(self) -> None:
        self._note: Note | None = None
        self._lines: list[tuple[float, str, str]] = []

    def said(self, moment: float, asked: str, replied: str) -> None:
        """Hold a command and the line that came back at a moment (s)."""
        self._lines.append((moment, asked, replied))

    def begin(self, note: Note) -> None:
        """Write into this record from now on, beginning with what was said when the line was opened."""
        self._note = note
        self.write()

    def write(self) -> None:
        """Write down what was said since the last time."""
        if self._note is not None and self._lines:
            lines, self._lines = self._lines, []
            self._note(SAID, {}, _columns(lines))

    def saw(self, what: str, run: int, columns: Columns) -> None:
        """Write down what was seen of a run."""
        if self._note is not None:
            self._note(what, {"run": run}, columns)


def _columns(lines: list[tuple[float, str, str]]) -> Columns:
    moments, asked, replied = zip(*lines, strict=True)
    return {"moment": np.array(moments), "asked": np.array(asked), "replied": np.array(replied)}
