"""Score networks on disk, as safetensors files that carry everything needed to sample from them."""

import json
from collections.abc import Mapping
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from rramlab.diffusion.condition import Condition
from rramlab.diffusion.network import ScoreWeights
from rramlab.diffusion.schedule import VpSchedule
from rramlab.disk import write_aside
from rramlab.errors import InputError

FORMAT = "rramlab-score-network-1"
_ARRAYS = ("w1", "w2", "w3", "frequencies")
_NUMBERS = ("gain", "scale", "activation_limit")


def record_of(weights: ScoreWeights) -> tuple[dict[str, NDArray[np.float64]], dict[str, Any]]:
    """Return a network as arrays and plain facts, for a run file."""
    arrays = {name: getattr(weights, name).copy() for name in _ARRAYS}
    facts: dict[str, Any] = {name: getattr(weights, name) for name in _NUMBERS}
    facts |= {"beta_0": weights.schedule.beta_0, "beta_1": weights.schedule.beta_1}
    facts |= {"metadata": weights.metadata}
    if weights.condition is not None:
        arrays["condition"] = weights.condition.table.copy()
        facts |= {"classes": list(weights.classes), "form": weights.condition.form}
    return arrays, facts


def from_record(arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]) -> ScoreWeights:
    """Return the network that `record_of` wrote down."""
    values: dict[str, Any] = {name: arrays[name] for name in _ARRAYS}
    values |= {name: float(facts[name]) for name in _NUMBERS}
    schedule = VpSchedule(facts["beta_0"], facts["beta_1"])
    condition = None
    if "condition" in arrays:
        condition = Condition(tuple(facts["classes"]), arrays["condition"], facts["form"])
    return ScoreWeights(**values, schedule=schedule, metadata=dict(facts["metadata"]), condition=condition)


def save_weights(weights: ScoreWeights, path: Path | str) -> None:
    """Write a network to `path`; numbers are kept to the last bit, metadata as text."""
    arrays, facts = record_of(weights)
    metadata = facts.pop("metadata")
    header = {"format": FORMAT, "numbers": json.dumps(facts), "metadata": json.dumps(metadata)}
    # Not by save_file: what that writes only its owner may read, whatever the umask.
    write_aside(Path(path), save(arrays, metadata=header))


def load_weights(path: Path | str) -> ScoreWeights:
    """Read a network written by `save_weights`; InputError says what is wrong with any other file."""
    place = Path(path)
    if not place.is_file():
        raise InputError(
            f"no weight file at {place}; `rramlab train ring` and `rramlab train latent` write one"
        )
    try:
        return _read(place)
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{place} is no score network of rramlab ({error}); possible are files written by "
            "`rramlab train` or by rramlab.diffusion.save_weights"
        ) from error


def ring_weights() -> ScoreWeights:
    """Return the trained ring network that ships with the package."""
    return _shipped("ring")


def unaware_ring_weights() -> ScoreWeights:
    """Return the ring network that ships for comparison: trained without the noise of programmed weights."""
    return _shipped("ring_unaware")


def letters_weights() -> ScoreWeights:
    """Return the trained network of the letters H, K, U that ships with the package."""
    return _shipped("letters")


def _shipped(name: str) -> ScoreWeights:
    with as_file(files("rramlab.diffusion") / "weights" / f"{name}.safetensors") as path:
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
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    return from_record(arrays, json.loads(header["numbers"]) | {"metadata": json.loads(header["metadata"])})
