"""Draw letters on simulated benches with hidden errors: uncalibrated, calibrated, and without any errors.

Each bench is worked as a user works it, by commands in a folder: `bench init --template unknown` (bench 1 as
it comes, the others with other errors and another chip), `calibrate all --prepare`, and `letters` with and
without the table [calibration]. Beside it stands the same chip with exact converters and the loop of the
embedded bench file. Goals: class accuracy >= 97 % of the digital one, sliced Wasserstein distance to the
latents <= 1.3 x digital.

A folder that is given is kept, and what is in it is not done again.
"""

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

CONDITIONS = ("uncalibrated", "calibrated", "without errors")
ERRORS = {"backend.options.errors", "backend.options.loop", "calibration"}
NAMES = ("right %", "digital", "ratio", "distance", "digital", "ratio")
RECORDS = ("readout", "product", "loop", "strength")
PARTS = {
    "no strength": ("readout", "product", "loop"),
    "no loop, no strength": ("readout", "product"),
    "exact amplifiers": RECORDS,
}
"""Conditions under which the calibrated macros are run again: with some of the records, or with amplifiers
that have no offset, which no record takes out."""


def main() -> None:
    """Work the benches and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--benches", type=int, default=3)
    parser.add_argument("--samples", type=int, default=500)
    parser.add_argument("--kind", choices=("ode", "sde"), default="ode")
    parser.add_argument("--folder", type=Path, help="where benches and runs stay")
    parser.add_argument("--parts", action="store_true", help="also find what is left of the errors")
    asked = parser.parse_args()
    conditions = (*CONDITIONS, *PARTS) if asked.parts else CONDITIONS
    with TemporaryDirectory() as scratch:
        place = asked.folder or Path(scratch)
        print(" " * 28 + "".join(f"{name:>10s}" for name in NAMES))
        words = ("--samples", str(asked.samples), "--kind", asked.kind)
        found = [worked(place, number, conditions, words) for number in range(1, asked.benches + 1)]
    for condition in conditions:
        tell(f"mean of {len(found)}: {condition}", mean([each[condition] for each in found]))


def worked(
    place: Path, number: int, conditions: tuple[str, ...], words: tuple[str, ...]
) -> dict[str, dict[str, float]]:
    """Return the figures of one bench under each condition, and print them."""
    folder = place / f"bench-{number}"
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "calibrated.toml").exists():
        write_benches(folder, number)
    if not (folder / "runs" / "calibrate" / "index.html").exists():
        rramlab(folder, "--bench", "calibrated.toml", "calibrate", "all", "--prepare")
    found = {}
    for condition in conditions:
        found[condition] = figures(folder, condition, words)
        tell(f"bench {number}: {condition}", found[condition])
    return found


def write_benches(folder: Path, number: int) -> None:
    """Write a bench file for each condition: the same chip, with errors that nobody tells, and without."""
    rramlab(folder, "bench", "init", "unknown.toml", "--template", "unknown")
    text = (folder / "unknown.toml").read_text()
    text = re.sub(r"(?m)^chip = \d+", f"chip = {number}", text)
    text = re.sub(r"(?m)^seed = \d+", f"seed = {6 + number}", text)
    (folder / "calibrated.toml").write_text(text)
    (folder / "uncalibrated.toml").write_text(without(text, {"calibration"}))
    (folder / "without errors.toml").write_text(without(text, ERRORS))


def without(text: str, tables: set[str]) -> str:
    """Return a bench file without some of its tables."""
    parts = re.split(r"(?m)^(?=\[)", text)
    return "".join(part for part in parts if part[1:].split("]")[0] not in tables)


def leave_part(folder: Path, condition: str) -> None:
    """Write the bench file of a condition, and the records that it knows."""
    part = folder / condition
    part.mkdir(exist_ok=True)
    for kind in PARTS[condition]:
        (part / f"{kind}.json").write_text((folder / "calibration" / f"{kind}.json").read_text())
    text = (folder / "calibrated.toml").read_text()
    text = text.replace('folder = "calibration"', f'folder = "{condition}"')
    if condition == "exact amplifiers":
        text = re.sub(r"(?m)^tia_offset = .*", "tia_offset = 0.0", text)
    (folder / f"{condition}.toml").write_text(text)


def figures(folder: Path, condition: str, asked: tuple[str, ...]) -> dict[str, float]:
    """Return accuracy and distance, analog and digital, as `rramlab letters` finds them."""
    kept = folder / f"{' '.join((condition, *asked))}.json"
    if not kept.exists():
        words = ["--json", "--bench", f"{condition}.toml", "letters", *asked, "--run", f"runs/{kept.stem}"]
        if condition in PARTS:
            leave_part(folder, condition)
            words += ["--after", f"runs/{' '.join(('calibrated', *asked))}"]
        kept.write_text(rramlab(folder, *words))
    facts: dict[str, Any] = json.loads(kept.read_text())
    sets = facts["classes"].values()
    return {
        f"{figure} {which}": float(np.mean([each[which][figure] for each in sets]))
        for figure in ("accuracy", "sliced_wasserstein")
        for which in ("analog", "digital")
    }


def mean(found: list[dict[str, float]]) -> dict[str, float]:
    """Return the mean of each figure."""
    return {name: float(np.mean([each[name] for each in found])) for name in found[0]}


def tell(what: str, found: dict[str, float]) -> None:
    """Print a line of the table."""
    right, wanted, away, apart = found.values()
    shares = f"{100 * right:10.2f}{100 * wanted:10.2f}{right / wanted:10.4f}"
    print(f"{what:28s}{shares}{away:10.4f}{apart:10.4f}{away / apart:10.2f}", flush=True)


def rramlab(folder: Path, *words: str) -> str:
    """Return what a command prints."""
    command = [sys.executable, "-m", "rramlab", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"rramlab {' '.join(words)}:\n{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    main()
