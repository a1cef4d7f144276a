"""Networks of letters on disk, as safetensors files that carry everything needed to use them."""

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from rramlab.disk import write_aside
from rramlab.errors import InputError
from rramlab.letters.classifier import Classifier
from rramlab.letters.decoder import Decoder
from rramlab.letters.encoder import Encoder

FORMAT = "rramlab-letters-1"
FACTS = ("classes", "source", "scale", "metadata")

FloatArray = NDArray[np.float64]
Network = Encoder | Decoder | Classifier
T = TypeVar("T", bound=Network)
_KINDS: dict[str, type[Network]] = {"encoder": Encoder, "decoder": Decoder, "classifier": Classifier}


def save_network(network: Network, path: Path | str) -> None:
    """Write an encoder, decoder or classifier to `path`; the numbers keep the 32 bits of training."""
    whole, facts = record_of(network)
    arrays = {name: np.ascontiguousarray(value, dtype=np.float32) for name, value in whole.items()}
    header = {"format": FORMAT, "kind": _kind_of(network), "facts": json.dumps(facts)}
    write_aside(Path(path), save(arrays, metadata=header))


def record_of(network: Network) -> tuple[dict[str, FloatArray], dict[str, Any]]:
    """Return arrays and facts of a network, from which `from_record` makes the same again."""
    values = {each.name: getattr(network, each.name) for each in fields(network)}
    arrays = {name: np.asarray(value) for name, value in values.items() if name not in FACTS}
    return arrays, {name: value for name, value in values.items() if name in FACTS}


def from_record(kind: type[T], arrays: Mapping[str, Any], facts: Mapping[str, Any]) -> T:
    """Return the network of a kind that `record_of` wrote down."""
    listed = {"classes": tuple(facts["classes"])} if "classes" in facts else {}
    return kind(**arrays, **{**facts, **listed})


def load_encoder(path: Path | str) -> Encoder:
    """Read an encoder; InputError says what is wrong with any other file."""
    network = _load("encoder", Path(path))
    assert isinstance(network, Encoder)
    return network


def load_decoder(path: Path | str) -> Decoder:
    """Read a decoder; InputError says what is wrong with any other file."""
    network = _load("decoder", Path(path))
    assert isinstance(network, Decoder)
    return network


def load_classifier(path: Path | str) -> Classifier:
    """Read a classifier; InputError says what is wrong with any other file."""
    network = _load("classifier", Path(path))
    assert isinstance(network, Classifier)
    return network


def _kind_of(network: Network) -> str:
    return next(kind for kind, each in _KINDS.items() if isinstance(network, each))


def _load(kind: str, path: Path) -> Network:
    if not path.is_file():
        raise InputError(f"no {kind} of letters at {path}; `rramlab train letters` writes one")
    try:
        return _read(kind, path)
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{path} is no {kind} of letters ({error}); possible are files written by `rramlab train letters`"
        ) from error


def _read(kind: str, path: Path) -> Network:
    """Return the network in a file, or raise whatever its first defect causes."""
    with safe_open(path, framework="np") as file:
        header: dict[str, str] = file.metadata() or {}
        found = f"{header.get('format', 'not named')} {header.get('kind', '')}".strip()
        if found != f"{FORMAT} {kind}":
            raise ValueError(f"its format is {found!r}, wanted {FORMAT + ' ' + kind!r}")
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    return from_record(_KINDS[kind], arrays, json.loads(header["facts"]))
