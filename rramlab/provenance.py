"""Say from what a run was made: command, bench, limits, seed, and the software that ran it."""

import json
import platform
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self, final

import rramlab

# A target or a bench file is not printed in an error.
_LONGEST = 60
_LIBRARIES = ("numpy", "h5py", "torch", "numba")


@final
@dataclass(frozen=True)
class Start:
    """Hold what a run was started with: `parameters` are the options that a resumed run must share.

    `bench` is the text of the bench file as used, `limits` the operating limits (SI), `calibration` the
    records by which the door corrected.
    """

    command: str
    seed: int
    bench: str
    limits: Mapping[str, float]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    software: Mapping[str, str] = field(default_factory=dict)
    process: Mapping[str, Any] = field(default_factory=dict)
    calibration: Sequence[Mapping[str, Any]] = ()

    def facts(self) -> dict[str, Any]:
        """Return the start as plain JSON."""
        return asdict(self)

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Self:
        """Return the start that `facts` wrote down."""
        return cls(**facts)

    def differences(self, asked: Mapping[str, Any]) -> list[str]:
        """Return a sentence part for each asked fact or parameter that differs; None is not compared."""
        flat = {**asked, **(asked.get("parameters") or {})}
        told = {**self.facts(), **self.parameters}
        plain = json.loads(json.dumps({name: flat[name] for name in flat if name != "parameters"}))
        return [
            _difference(name, told.get(name), value)
            for name, value in plain.items()
            if value is not None and value != told.get(name)
        ]


def software() -> dict[str, str]:
    """Return the versions of what runs here; torch and numba only if they are in use."""
    used = {name: version(name) for name in _LIBRARIES if name in sys.modules or name == "h5py"}
    here = {
        "python": platform.python_version(),
        "rramlab": rramlab.__version__,
        "system": platform.platform(),
    }
    commit = git_commit(Path(rramlab.__file__).parent.parent)
    return here | used | ({"git_commit": commit} if commit else {})


def process(argv: list[str] | None = None) -> dict[str, Any]:
    """Return the command line, host and working folder of this process."""
    line = list(sys.argv if argv is None else argv)
    return {"argv": line, "host": socket.gethostname(), "folder": str(Path.cwd())}


def git_commit(folder: Path) -> str | None:
    """Return the commit that is checked out in a folder, or None where there is no repository."""
    git = folder / ".git"
    try:
        head = (git / "HEAD").read_text().strip()
        name = head.removeprefix("ref: ")
        if name == head:
            return head
        loose = git / name
        return loose.read_text().strip() if loose.is_file() else _packed(git / "packed-refs", name)
    except OSError:
        return None


def _difference(name: str, before: Any, now: Any) -> str:
    texts = str(before), str(now)
    if max(map(len, texts)) > _LONGEST:
        return f"another {name}"
    return f"{name} {texts[0]}, not {texts[1]}"


def _packed(path: Path, name: str) -> str | None:
    lines = path.read_text().splitlines() if path.is_file() else []
    return next((line.split()[0] for line in lines if line.endswith(f" {name}")), None)
