"""Talk to the person, or the script, at the terminal."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, final

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as RichProgress
from rich.table import Table
from rich.text import Text

from rramlab.progress import Progress, Silent


@final
@dataclass(frozen=True)
class Terminal:
    """Print for people on stderr and stdout, or one JSON document on stdout for scripts."""

    as_json: bool = False
    quiet: bool = False
    # Texts hold paths and names of people's choice: "[a]" and ":x:" in them are no markup.
    out: Console = field(default_factory=lambda: Console(highlight=False, markup=False, emoji=False))
    err: Console = field(
        default_factory=lambda: Console(stderr=True, highlight=False, markup=False, emoji=False)
    )

    def say(self, text: str) -> None:
        """Print a line for a person."""
        if not (self.quiet or self.as_json):
            self.out.print(text, soft_wrap=True)

    def table(self, title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Print a table for a person."""
        if self.quiet or self.as_json:
            return
        table = Table(title=title, title_justify="left", title_style="bold")
        for i, name in enumerate(head):
            table.add_column(name, justify="left" if i == 0 else "right", overflow="fold")
        for row in rows:
            table.add_row(*row)
        self.out.print(table)

    def document(self, facts: Mapping[str, Any]) -> None:
        """Print the result as JSON when a script asked for it."""
        if self.as_json:
            print(json.dumps(_plain(facts), indent=2, allow_nan=False))

    def error(self, text: str) -> None:
        """Print what is the matter."""
        self.err.print(Text("error: ", style="bold red") + Text(text), soft_wrap=True)

    def hint(self, text: str) -> None:
        """Print on stderr what to do next."""
        self.err.print(Text(text), soft_wrap=True)

    @contextmanager
    def progress(self) -> Iterator[Progress]:
        """Show bars with rate and time left while inside; they appear for work longer than a second."""
        if self.quiet or self.as_json:
            yield Silent()
            return
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            _Rate(),
            TimeRemainingColumn(),
        )
        with RichProgress(*columns, console=self.err, transient=True) as bars:
            yield _Bars(bars)


@final
class _Bars(Progress):
    def __init__(self, bars: RichProgress) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def update(self, what: str, done: float, total: float) -> None:
        if what not in self._tasks:
            self._tasks[what] = self._bars.add_task(what, total=total)
        self._bars.update(self._tasks[what], completed=done, total=total)


@final
class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        """Return the rate of a task (1/s)."""
        return Text(f"{task.speed:,.0f}/s" if task.speed else "", style="dim")


def _plain(value: Any) -> Any:
    """Return what JSON can hold: arrays as lists, and null for a number that is none."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)
