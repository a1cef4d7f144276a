"""Run commands in an empty folder in memory: every event is made durable, and a run has a thousand."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

import pytest
from kills import memory_disk
from typer.testing import CliRunner

from rramlab.cli import app

RUNNER = CliRunner()


def run(*words: str, code: int = 0) -> str:
    """Return what a command printed; its exit code must be `code`."""
    result = RUNNER.invoke(app, list(words))
    assert result.exit_code == code, result.output
    return result.output


@contextmanager
def empty_folder(tmp_path: Path, drawing: ModuleType | None) -> Iterator[None]:
    """Work in an empty folder; with `drawing`, a module, its figures are not drawn."""
    with TemporaryDirectory(dir=memory_disk(tmp_path)) as folder, pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        if drawing is not None:
            patch.setattr(drawing, "draw", lambda *_: None)
        yield
