"""Remember what a reproduction was begun with: its size, its seed and its bench."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import final

from rramlab.bench import Bench
from rramlab.disk import clear_errors, write_aside
from rramlab.errors import InputError, RunError
from rramlab.session import MOST_SEED, Session, free_folder

FILE = "plan.json"
NAME = "reproduce"


@final
@dataclass(frozen=True)
class Plan:
    """Hold folder, name of the sizes, seed, and the bench file as it was; no path is the embedded bench."""

    folder: Path
    size: str
    seed: int
    bench_path: Path | None
    bench_text: str

    @classmethod
    def new(cls, session: Session, folder: Path | None, size: str, seed: int) -> "Plan":
        """Begin a reproduction in a new folder; refuse one that holds something, and an unreadable bench."""
        if not 0 <= seed <= MOST_SEED:
            raise InputError(f"--seed {seed} is not possible; give a whole number from 0 to {MOST_SEED}")
        bench, place = session.bench(), folder or free_folder(NAME)
        if place.exists() and (not place.is_dir() or any(place.iterdir())):
            raise RunError(
                f"'{place}' exists already; name another folder with --out, or go on in it with --resume"
            )
        path = None if session.bench_path is None else session.bench_path.absolute()
        plan = cls(place, size, seed, path, bench.text)
        plan._write()
        return plan

    @classmethod
    def of_folder(cls, session: Session, folder: Path | None) -> "Plan":
        """Return the plan that a folder was begun with; its bench must be the same still."""
        place = folder or Path("runs") / NAME
        try:
            told = json.loads((place / FILE).read_text(encoding="utf-8"))
            path = None if told["bench_path"] is None else Path(told["bench_path"])
            plan = cls(place, told["size"], told["seed"], path, told["bench"])
        except FileNotFoundError:
            raise RunError(
                f"no reproduction was begun in '{place}'; name its folder with --out, or leave out --resume"
            ) from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RunError(
                f"'{place / FILE}' cannot be read ({error}); begin anew in another folder"
            ) from None
        plan._check_bench(session)
        return plan

    def _check_bench(self, session: Session) -> None:
        now = Bench.load(session.bench_path or self.bench_path)
        if now.text != self.bench_text:
            raise RunError(
                f"'{self.folder}' was begun on another bench file, or this one was changed since; "
                f"name the same one, or begin anew in another folder"
            )

    def _write(self) -> None:
        told = {
            "size": self.size,
            "seed": self.seed,
            "bench_path": None if self.bench_path is None else str(self.bench_path),
            "bench": self.bench_text,
        }
        with clear_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            write_aside(self.folder / FILE, json.dumps(told, indent=2).encode())
