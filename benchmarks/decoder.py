"""Decode letters on simulated macros, beside a digital decoder: right class, error of a pixel, of a weight.

Each chip is programmed by `rramlab decode`, with read noise on, and decodes latents of training letters
of H, K and U (`--samples` of each). Goal: class accuracy >= 97 % of the digital one. 5 macros hold one copy
of each weight, 10 hold two.
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

LAYERS = ("fc1", "fc2", "up1", "up2")
HEAD = ("right %", "digital", "ratio", "pixel rms", "by weights", "by products", *(f"{n} %" for n in LAYERS))


def main() -> None:
    """Decode on every chip and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chips", type=int, default=3)
    parser.add_argument("--macros", type=int, nargs="+", default=[5, 10])
    parser.add_argument("--samples", type=int, default=100)
    asked = parser.parse_args()
    print(" " * 20 + "".join(f"{name:>12s}" for name in HEAD))
    for macros in asked.macros:
        found = [row(decoded(macros, chip, asked.samples)) for chip in range(1, asked.chips + 1)]
        for chip, values in enumerate(found, 1):
            tell(f"{macros} macros, chip {chip}", values)
        tell(f"{macros} macros, mean", np.mean(found, axis=0).tolist())


def decoded(macros: int, chip: int, samples: int) -> dict[str, Any]:
    """Return what `rramlab decode` finds on one chip."""
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        rramlab(folder, "bench", "init", "bench.toml")
        text = (folder / "bench.toml").read_text()
        for name, value in (("macros", macros), ("chip", chip)):
            text = re.sub(rf"(?m)^{name} = \d+", f"{name} = {value}", text)
        (folder / "bench.toml").write_text(text)
        words = ("--json", "--bench", "bench.toml", "decode", "--samples", str(samples), "--run", "run")
        facts: dict[str, Any] = json.loads(rramlab(folder, *words))
        return facts


def row(facts: dict[str, Any]) -> list[float]:
    """Return the figures of one chip in the order of the table."""
    right, digital = (100.0 * facts[name] for name in ("accuracy", "accuracy_digital"))
    pixels = [facts[f"pixel_error_rms{part}"] for part in ("", "_of_weights", "_of_products")]
    weights = [100.0 * facts["weight_error_relative"][layer] for layer in LAYERS]
    return [right, digital, right / digital, *pixels, *weights]


def tell(what: str, values: list[float]) -> None:
    """Print a line of the table."""
    print(f"{what:20s}" + "".join(f"{value:12.4g}" for value in values), flush=True)


def rramlab(folder: Path, *words: str) -> str:
    """Return what a command prints."""
    done = subprocess.run(
        [sys.executable, "-m", "rramlab", *words], cwd=folder, capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(f"rramlab {' '.join(words)}:\n{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    main()
