"""Read the bench file: which world stands behind the door, how cells are read, and what the limits are."""

import pkgutil
import sys
import time
import tomllib
from importlib import resources
from inspect import isabstract
from pathlib import Path
from typing import Annotated, Any, Self, final

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from rramlab.backend import Backend
from rramlab.complaint import first_complaint, keys_of
from rramlab.corrections.correction import Correction
from rramlab.corrections.library import Library
from rramlab.errors import BenchFileError, did_you_mean
from rramlab.finding import Finding
from rramlab.limits import Limits
from rramlab.reading import ReadSpec
from rramlab.recorder import Recorder

_STRICT = ConfigDict(frozen=True, extra="forbid", strict=True)


@final
class Identity(BaseModel):
    """Name the bench."""

    model_config = _STRICT
    id: Annotated[str, Field(min_length=1)]
    note: str = ""


@final
class World(BaseModel):
    """Name the class of the backend and its options."""

    model_config = _STRICT
    use: str
    options: dict[str, Any] = {}


@final
class Reading(BaseModel):
    """Hold the reading that defines a conductance (V, V, samples of 1 ms)."""

    model_config = _STRICT
    v_read: Annotated[float, Field(gt=0)] = 0.2
    gate: Annotated[float, Field(gt=0)] = 3.3
    samples: Annotated[int, Field(ge=1, le=10_000)] = 1

    def spec(self) -> ReadSpec:
        """Return the reading as a value for the door."""
        return ReadSpec(self.v_read, self.gate, self.samples)


@final
class Window(BaseModel):
    """Hold the conductance window and the row-shared reference (S)."""

    model_config = _STRICT
    low: Annotated[float, Field(ge=5e-6, le=300e-6)] = 20e-6
    high: Annotated[float, Field(ge=5e-6, le=150e-6)] = 100e-6
    reference: Annotated[float, Field(gt=0)] = 50e-6

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.low < self.reference < self.high:
            raise ValueError("low, reference and high must rise in this order")
        return self


@final
class Calibration(BaseModel):
    """Name the folder of the bench's calibration records, from the folder of the bench file."""

    model_config = _STRICT
    folder: Annotated[str, Field(min_length=1)] = "calibration"


@final
class Bench(BaseModel):
    """Hold a whole bench file; `text` is the file as it was written, for the record, `place` its folder."""

    model_config = _STRICT
    bench: Identity
    backend: World
    reading: Reading = Reading()
    window: Window = Window()
    limits: Limits = Limits()
    calibration: Calibration | None = None
    place: Annotated[Path, Field(exclude=True)] = Path()
    text: Annotated[str, Field(exclude=True)] = ""

    @model_validator(mode="after")
    def _readable(self) -> Self:
        for name in ("v_read", "gate"):
            asked, allowed = getattr(self.reading, name), getattr(self.limits, name)
            if asked > allowed:
                raise ValueError(f"reading.{name} = {asked:g} V is above limits.{name} = {allowed:g} V")
        return self

    @classmethod
    def load(cls, path: Path | None) -> Self:
        """Return the bench of a file, or the embedded simulated bench.

        Modules that the file names are looked for beside it and in the current folder, too.
        """
        if path is None:
            return cls.parse(embedded(), "the embedded bench")
        _look_in(path.absolute().parent, Path.cwd())
        return cls.parse(_read(path), str(path), path.absolute().parent)

    @classmethod
    def parse(cls, text: str, source: str = "the bench file", place: Path | None = None) -> Self:
        """Return the bench of a text in TOML; an unknown key is an error that names the nearest right one."""
        try:
            written = tomllib.loads(text)
            for ours in {"text", "place"} & written.keys():
                raise BenchFileError(
                    f"{source}: unknown key '{ours}'; {did_you_mean(ours, keys_of(cls, ()))}"
                )
            return cls.model_validate(written | {"text": text, "place": place or Path.cwd()})
        except tomllib.TOMLDecodeError as error:
            raise BenchFileError(f"{source} is not valid TOML: {error}") from None
        except ValidationError as error:
            raise BenchFileError(f"{source}: {first_complaint(error, cls)}") from None

    def open(
        self, recorder: Recorder | None = None, seed: int = 0, correction: Correction | None = None
    ) -> Backend:
        """Return the backend that this file names, not yet entered; `seed` is the run's randomness.

        It is corrected by the calibration that the file names, or by the one given here; CalibrationError if
        a record has expired.
        """
        world = self._world()
        backend = world.open(self._options(world), self.limits, recorder, seed)
        backend.bench_id = self.bench.id
        backend.correction = self.correction() if correction is None else correction
        return backend

    def library(self) -> Library:
        """Return the folder of calibration records that this file names; BenchFileError if it names none."""
        if self.calibration is None:
            raise BenchFileError(
                f"bench '{self.bench.id}' names no folder for its calibration; add to the bench file: "
                '[calibration] and below it: folder = "calibration"'
            )
        return Library(self.place / self.calibration.folder)

    def correction(self) -> Correction:
        """Return what the calibration of this bench takes out now: nothing where the file names none."""
        return Correction() if self.calibration is None else self.library().correction(time.time())

    def panic(self) -> list[Finding]:
        """Switch everything off over new links, whoever holds the bench, and return what was read back."""
        world = self._world()
        return world.panic(self._options(world))

    def _options(self, world: type[Backend]) -> BaseModel:
        try:
            return world.options().model_validate(self.backend.options)
        except ValidationError as error:
            raise BenchFileError(
                f"[backend.options] of bench '{self.bench.id}': {first_complaint(error, world.options())}"
            ) from None

    def _world(self) -> type[Backend]:
        try:
            world = pkgutil.resolve_name(self.backend.use)
        except Exception as error:  # whatever a module of a laboratory does when it is imported
            raise BenchFileError(
                f"backend.use = '{self.backend.use}' cannot be loaded ({error}); "
                f"write 'package.module:Class', for example 'sim_backend:SimBackend'"
            ) from None
        if not (isinstance(world, type) and issubclass(world, Backend)) or isabstract(world):
            raise BenchFileError(
                f"backend.use = '{self.backend.use}' names no world that can be opened, but {world!r}; "
                f"write 'package.module:Class' of a complete Backend, such as 'sim_backend:SimBackend'"
            )
        return world


def embedded() -> str:
    """Return the text of the simulated bench that ships with the package."""
    return resources.files("rramlab.benches").joinpath("sim.toml").read_text(encoding="utf-8")


def _look_in(*folders: Path) -> None:
    """Let modules be found in these folders as well, after all others: a command has no folder of its own."""
    sys.path += [str(folder) for folder in dict.fromkeys(folders) if str(folder) not in sys.path]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise BenchFileError(
            f"there is no bench file at {path}; 'rramlab bench init {path}' writes one"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise BenchFileError(f"the bench file {path} cannot be read: {error}") from None
