"""Keep the state of a virtual macro in a file, so that it outlives the process as a real one does."""

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rramlab.errors import InputError
from rramlab.pulse import Columns
from sim_backend.backend import SimBackend

_GENERATOR, _SAVED = "generator", "saved_at"


def generator_of(physics: SimBackend) -> np.random.Generator:
    """Return the randomness that a simulated macro draws from; it belongs to its state."""
    return physics._rng


def write(path: Path, kept: Columns, generator: np.random.Generator) -> None:
    """Write columns and the state of a generator aside and rename them into place."""
    state = np.frombuffer(json.dumps(generator.bit_generator.state).encode(), dtype=np.uint8)
    aside = path.with_name(f".{path.name}.new")
    everything: dict[str, NDArray[Any]] = {**kept, _GENERATOR: state, _SAVED: np.array(time.time())}
    with aside.open("wb") as file:
        np.savez(file, allow_pickle=False, **everything)
    aside.replace(path)


def read(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any], float]:
    """Return the columns, the state of the generator, and the time since they were written (s)."""
    try:
        with np.load(path, allow_pickle=False) as file:
            kept = {name: file[name] for name in file.files}
        state = json.loads(kept.pop(_GENERATOR).tobytes())
        away = max(0.0, time.time() - float(kept.pop(_SAVED)))
    except (OSError, ValueError, KeyError) as error:
        raise InputError(
            f"{path} holds no state of a virtual macro ({error}); remove it, and the macro is made anew"
        ) from None
    return kept, state, away
