"""Scale the noise of a simulated device: its preset, whole, with other numbers for writing and reading."""

import json
import pkgutil
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self, final

from rramlab.bench import Bench
from rramlab.errors import InputError

Tree = dict[str, Any]

WRITE = {
    "variation": {"set_cycle": 1, "reset_cycle": 1, "increment_cycle": 1},
    "relaxation": {
        "variance_per_decade": 2, "quiet_variance": 2, "drift": 1, "drift_low": 1,
        "curve_core": 1, "jump_down": 1, "jump_up": 1,
    },
}  # fmt: skip
"""What makes conductances other than they were written, with the power by which it grows."""
READ = {
    "noise": {"relative": 1},
    "telegraph": {"amplitude": 1, "strong_min": 1, "strong_max": 1},
}
"""What makes the cells fluctuate while they are read; the noise of the read chain is none of theirs."""


@final
@dataclass(frozen=True, eq=False)
class Technology:
    """Hold the preset of a simulated device as sections of numbers, and the options of its bench."""

    sections: Tree
    options: Tree

    @classmethod
    def of(cls, bench: Bench) -> Self:
        """Return the device of a simulated bench; InputError where there is none whose noise has a size."""
        world = pkgutil.resolve_name(bench.backend.use)
        options = world.options().model_validate(bench.backend.options).model_dump(exclude_none=True)
        if not {"preset", "chip"} <= set(options) or options.get("card"):
            raise InputError(
                f"the noise of bench '{bench.bench.id}' cannot be scaled; a study needs simulated macros: "
                f"leave out --bench, or name a bench file of sim_backend:SimBackend"
            )
        return cls(_preset(options["preset"], bench.backend.use.partition(":")[0].partition(".")[0]), options)

    def scaled(self, write: float, read: float) -> Tree:
        """Return the sections with the noise of writing and of reading multiplied by factors."""
        sections: Tree = json.loads(json.dumps(self.sections))
        for factor, wanted in ((write, WRITE), (read, READ)):
            for section, keys in wanted.items():
                for key, power in keys.items():
                    sections[section][key] = _times(sections[section][key], factor**power)
        return sections

    @contextmanager
    def bench(self, bench: Bench, write: float, read: float, chip: int) -> Iterator[Bench]:
        """Give a bench with this noise and another chip, for as long as it takes to open it."""
        with TemporaryDirectory(prefix="rramlab-") as folder:
            preset = Path(folder) / "preset.toml"
            preset.write_text(toml(self.scaled(write, read)), encoding="utf-8")
            options = self.options | {"preset": str(preset), "chip": chip}
            world = bench.backend.model_copy(update={"options": options})
            yield bench.model_copy(update={"backend": world})


def toml(sections: Mapping[str, Any]) -> str:
    """Return sections of numbers and texts as TOML."""
    head = [f"{key} = {json.dumps(value)}" for key, value in sections.items() if not isinstance(value, dict)]
    for name, keys in sections.items():
        if isinstance(keys, dict):
            head += ["", f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in keys.items())]
    return "\n".join(head) + "\n"


def _times(value: Any, factor: float) -> Any:
    return [each * factor for each in value] if isinstance(value, list) else value * factor


def _preset(name: str, package: str) -> Tree:
    """Return a preset file, or one that ships beside the world, laid over the one that it is based on."""
    shipped = resources.files(package) / "presets" / f"{name}.toml"
    try:
        text = (
            Path(name).read_text("utf-8") if name.endswith(".toml") else shipped.read_text(encoding="utf-8")
        )
    except OSError as error:
        raise InputError(f"the device preset '{name}' cannot be read: {error}") from None
    tree = tomllib.loads(text)
    base = tree.pop("base", None)
    return tree if base is None else _over(_preset(base, package), tree)


def _over(below: Tree, above: Mapping[str, Any]) -> Tree:
    both = {
        key: _over(below[key], value)
        for key, value in above.items()
        if isinstance(value, dict) and key in below
    }
    return below | dict(above) | both
