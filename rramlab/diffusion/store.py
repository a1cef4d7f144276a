"""Score networks on disk, as safetensors files that carry everything needed to sample from them."""

import json
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from rramlab.diffusion.network import ScoreWeights
from rramlab.diffusion.schedule import VpSchedule
from rramlab.errors import InputError

FORMAT = "rramlab-score-network-1"
_ARRAYS = ("w1", "w2", "w3", "frequencies")
_NUMBERS = ("gain", "scale", "activation_limit")


def save_weights(weights: ScoreWeights, path: Path | str) -> None:
    """Write a network to `path`; numbers are kept to the last bit, metadata as text."""
    arrays = {name: getattr(weights, name).copy() for name in _ARRAYS}
    numbers = {name: getattr(weights, name) for name in _NUMBERS}
    numbers |= {"beta_0": weights.schedule.beta_0, "beta_1": weights.schedule.beta_1}
    header = {"format": FORMAT, "numbers": json.dumps(numbers), "metadata": json.dumps(weights.metadata)}
    save_file(arrays, Path(path), metadata=header)


def load_weights(path: Path | str) -> ScoreWeights:
    """Read a network written by `save_weights`; InputError says what is wrong with any other file."""
    place = Path(path)
    if not place.is_file():
        raise InputError(f"no weight file at {place}; `rramlab train ring` writes one")
    try:
        return _read(place)
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{place} is no score network of rramlab ({error}); possible are files written by "
            "`rramlab train ring` or by rramlab.diffusion.save_weights"
        ) from error


def ring_weights() -> ScoreWeights:
    """Return the trained ring network that ships with the package."""
    with as_file(files("rramlab.diffusion") / "weights" / "ring.safetensors") as path:
        return load_weights(path)


def _read(path: Path) -> ScoreWeights:
    """Return the network in a file, or raise whatever its first defect causes."""
    with safe_open(path, framework="np") as file:
        header: dict[str, str] = file.metadata() or {}
        if header.get("format") != FORMAT:
            raise ValueError(f"its format is {header.get('format', 'not named')!r}, wanted {FORMAT!r}")
        missing = [name for name in _ARRAYS if name not in file.keys()]  # noqa: SIM118 (no mapping)
        if missing:
            raise ValueError(f"it lacks {', '.join(missing)}")
        values: dict[str, Any] = {name: file.get_tensor(name) for name in _ARRAYS}
    numbers: dict[str, Any] = json.loads(header["numbers"])
    schedule = VpSchedule(numbers["beta_0"], numbers["beta_1"])
    values |= {name: float(numbers[name]) for name in _NUMBERS}
    return ScoreWeights(**values, schedule=schedule, metadata=json.loads(header["metadata"]))
