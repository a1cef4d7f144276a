"""Carry what every command needs: the bench file and the terminal."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, final

from rramlab.terminal import Terminal

if TYPE_CHECKING:  # loaded by the commands that open a bench, not by --help
    from rramlab.bench import Bench


@final
@dataclass(frozen=True)
class Session:
    """Hold the bench file that was named and the terminal to talk to."""

    bench_path: Path | None
    terminal: Terminal

    def bench(self) -> Bench:
        """Return the bench of the file, or the embedded simulated one."""
        from rramlab.bench import Bench

        return Bench.load(self.bench_path)
