"""Write what a run says as an HDF5 file and read it back."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rramlab.contents import Contents, Kept
from rramlab.errors import RunError
from rramlab.tables import Table
from rramlab.units import limit_unit, meaning_of, unit_of

FORMAT, VERSION = "rramlab run", 1
# Smaller ones cost more as chunks than they save.
_SMALL = 512
_PACKED = {"compression": "gzip", "compression_opts": 1, "shuffle": True, "fletcher32": True}
# HDF5 takes attributes up to 64 KiB; what must be read back whole is a dataset.
_LONGEST = 4096
_SHAPES = {
    "pulses": "one value per pulse",
    "reads": "one value per cell read",
    "sweeps": "one value per step of a sweep",
    "waits": "one value per wait",
    "multiplies": "one value per request; its arrays are in the group of its number",
    "solves": "one value per request; its arrays are in the group of its number",
    "notes": "one value per note; its arrays, if any, are in the group of its row",
}


def image(contents: Contents) -> bytes:
    """Return the bytes of the HDF5 file, made in memory."""
    # A full disk must meet a plain write: the library can be left in a state that it cannot close.
    import h5py

    with h5py.File("run.h5", "w", driver="core", backing_store=False, block_size=1 << 22) as file:
        file.attrs.update({"format": FORMAT, "format_version": VERSION} | _plain(contents.attributes))
        _write_start(file, contents)
        for name, table in contents.tables.items():
            group = file.create_group(name)
            group.attrs["shape"] = _SHAPES[name]
            _write_table(group, name, table)
            for number, arrays in contents.arrays.get(name, {}).items():
                _write_table(group.create_group(f"{number:06d}"), name, arrays)
        for name, kept in contents.kept.items():
            _write_kept(file.create_group(f"kept/{name}"), kept)
            file[f"config/kept/{name}"] = _bytes(np.array(json.dumps(dict(kept.facts))))
            file[f"config/columns/{name}"] = _bytes(np.array(json.dumps(list(kept.columns))))
        file.flush()
        return bytes(file.id.get_file_image())


def read(path: Path) -> Contents:
    """Return what the file says; RunError if it is no file of a run."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            if file.attrs.get("format") != FORMAT:
                raise RunError(f"'{path}' is an HDF5 file, but not one of a run; name the folder of a run")
            return _read(file)
    except (OSError, KeyError, ValueError) as error:
        raise RunError(
            f"'{path}' cannot be read ({error}); if its journal is there: rramlab recover {path.parent}"
        ) from error


def read_through(path: Path) -> int:
    """Read each dataset of a file once, one at a time, and return how many events the file is made of."""
    import h5py

    with h5py.File(path, "r") as file:
        file.visititems(_read_one)
        return int(file.attrs["n_events"])


def _read_one(name: str, item: Any) -> None:
    if hasattr(item, "dtype"):
        item[()]  # a broken chunk fails its checksum here


def _write_start(file: Any, contents: Contents) -> None:
    start, config = contents.start, file.create_group("config")
    for name in ("command", "seed"):
        file.attrs[name] = start.get(name, "")
    config["bench"] = _bytes(np.array(start.get("bench", "")))
    config.create_group("kept")
    config["start"] = _bytes(np.array(json.dumps(dict(start))))
    config["identities"] = _bytes(np.array(json.dumps([dict(one) for one in contents.identities])))
    for part in ("parameters", "software", "process"):
        config.create_group(part).attrs.update(_plain(start.get(part, {})))
    for i, identity in enumerate(contents.identities):
        file.create_group(f"identities/{i}").attrs.update(_plain(identity))
    limits = file.create_group("limits")
    for name, value in start.get("limits", {}).items():
        limits[name] = value
        limits[name].attrs["units"] = limit_unit(name)
    _write_calibration(file.create_group("calibration"), start.get("calibration", ()))


def _write_calibration(group: Any, records: Sequence[Mapping[str, Any]]) -> None:
    if not records:
        group.attrs["reason"] = "no calibration was in use"
    for record in records:
        part = group.create_group(record["kind"])
        plain = {key: fact for key, fact in record.items() if key not in ("values", "uncertainty")}
        part.attrs.update(_plain(plain))
        for name, value in record["values"].items():
            part[name], part[f"u_{name}"] = np.array(value), np.array(record["uncertainty"][name])
            part[name].attrs["units"] = part[f"u_{name}"].attrs["units"] = record["units"][name]


def _write_table(group: Any, table: str, columns: Table) -> None:
    group.attrs["columns"] = json.dumps(list(columns))
    for name, column in columns.items():
        dataset = _write(group, name, column)
        dataset.attrs["units"] = unit_of(table, name, column.dtype)
        dataset.attrs["meaning"] = meaning_of(table, name)


def _write_kept(group: Any, kept: Kept) -> None:
    facts = json.dumps(dict(kept.facts))
    # A JSON text that is cut off would be read by nobody.
    told = facts if len(facts) <= _LONGEST else f"too long for an attribute; all of it in /config{group.name}"
    group.attrs.update(_plain({"columns": list(kept.columns), "facts": told}))
    for name, column in kept.columns.items():
        _write(group, name, column).attrs["units"] = kept.units[name]


def _write(group: Any, name: str, column: NDArray[Any]) -> Any:
    stored = _bytes(column) if column.dtype.kind == "U" else column
    packed = _PACKED if stored.nbytes > _SMALL and stored.ndim else {}
    dataset = group.create_dataset(name, data=stored, **packed)
    dataset.attrs["shape"] = str(column.shape)
    if column.dtype.kind == "U":
        dataset.attrs["encoding"] = "utf-8"
    return dataset


def _read(file: Any) -> Contents:
    config = file["config"]
    tables = {name: _columns(file[name]) for name in _SHAPES}
    arrays = {name: {int(key): _columns(sub) for key, sub in _groups(file[name])} for name in _SHAPES}
    return Contents(
        start=json.loads(_text(config["start"])),
        attributes={name: _python(value) for name, value in file.attrs.items()},
        identities=tuple(json.loads(_text(config["identities"]))),
        tables=tables,
        arrays={name: found for name, found in arrays.items() if found},
        kept={name: _read_kept(file["kept"][name], facts, config) for name, facts in config["kept"].items()},
    )


def _read_kept(group: Any, facts: Any, config: Any) -> Kept:
    name = group.name.rpartition("/")[2]
    whole = f"columns/{name}"  # files of an earlier version have their names in the attribute alone
    names = json.loads(_text(config[whole]) if whole in config else group.attrs["columns"])
    columns = {one: _array(group[one]) for one in names}
    units = {name: str(group[name].attrs["units"]) for name in columns}
    return Kept(columns, units, json.loads(_text(facts)))


def _columns(group: Any) -> Table:
    # HDF5 lists names by the alphabet; a table has an order of its own.
    return {name: _array(group[name]) for name in json.loads(group.attrs["columns"])}


def _groups(group: Any) -> list[tuple[str, Any]]:
    return [(name, item) for name, item in group.items() if not hasattr(item, "dtype")]


def _array(dataset: Any) -> NDArray[Any]:
    stored = np.asarray(dataset[()])
    return np.char.decode(stored, "utf-8", "surrogatepass") if "encoding" in dataset.attrs else stored


def _text(dataset: Any) -> str:
    return bytes(dataset[()]).decode("utf-8", "surrogatepass")


def _bytes(column: NDArray[Any]) -> NDArray[Any]:
    # HDF5 knows no text of width zero.
    encoded = np.asarray(np.char.encode(column, "utf-8", "surrogatepass"))
    return encoded.astype(f"S{max(encoded.dtype.itemsize, 1)}")


def _plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return facts as attributes: numbers and text as they are, everything else as JSON."""
    simple = bool | int | float | str
    told = {name: fact if isinstance(fact, simple) else json.dumps(fact) for name, fact in facts.items()}
    return {name: fact[:_LONGEST] if isinstance(fact, str) else fact for name, fact in told.items()}


def _python(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
