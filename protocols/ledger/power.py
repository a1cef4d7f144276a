"""Read the energy that a digital machine uses, where it can be read: RAPL, NVML, or a stated power."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, final

from protocols.ledger.constants import read_toml

POWERCAP = Path("/sys/class/powercap")


class EnergyMeter(ABC):
    """Count energy (J) from some moment on."""

    name: str

    @abstractmethod
    def joule(self) -> float:
        """Return the energy counted so far (J)."""


@final
class Rapl(EnergyMeter):
    """Count the energy of the processor packages with the kernel's counters, whoever uses them."""

    name = "RAPL, whole package"

    def __init__(self, zones: tuple[Path, ...]) -> None:
        self._zones = zones
        self._ranges = [_microjoule(zone / "max_energy_range_uj") for zone in zones]
        self._last = [_microjoule(zone / "energy_uj") for zone in zones]
        self._total = 0

    def joule(self) -> float:
        """Return the energy counted so far (J); a counter that ran over is put right."""
        now = [_microjoule(zone / "energy_uj") for zone in self._zones]
        for new, old, span in zip(now, self._last, self._ranges, strict=True):
            self._total += new - old if new >= old else new - old + span
        self._last = now
        return 1e-6 * self._total


@final
class Nvml(EnergyMeter):
    """Count the energy of the first accelerator with the driver's counter."""

    name = "NVML, whole accelerator"

    def __init__(self, library: Any) -> None:
        self._library = library
        self._handle = library.nvmlDeviceGetHandleByIndex(0)

    def joule(self) -> float:
        """Return the energy counted so far (J)."""
        return 1e-3 * float(self._library.nvmlDeviceGetTotalEnergyConsumption(self._handle))


@final
@dataclass(frozen=True)
class Stated:
    """Hold a power (W) that nobody measured, and its source."""

    watt: float
    source: str

    @property
    def how(self) -> str:
        """Return in words how the energy was had."""
        return f"stated: {self.watt:g} W, {self.source}"


def stated(device: str, watt: float | None = None) -> Stated:
    """Return the stated power of "cpu" or "cuda": the data file's, or `watt` (W) of the user."""
    data = read_toml("digital")[device]
    return Stated(data["watt"], data["source"]) if watt is None else Stated(watt, "as given by the user")


def meter_of(device: str, root: Path = POWERCAP) -> EnergyMeter | str:
    """Return a meter for "cpu" or "cuda", or in words why there is none."""
    return _nvml() if device == "cuda" else _rapl(root)


def _rapl(root: Path) -> EnergyMeter | str:
    """Return the packages: zones such as intel-rapl:0; their parts, intel-rapl:0:0, are in them."""
    zones = tuple(zone for zone in sorted(root.glob("*-rapl:*")) if zone.name.count(":") == 1)
    if not zones:
        return f"no RAPL counters in {root}"
    try:
        return Rapl(zones)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        return f"the RAPL counters cannot be read ({reason})"


def _nvml() -> EnergyMeter | str:
    try:
        library = import_module("pynvml")
    except ImportError:
        return "pynvml, which reads NVML, is not installed"
    try:
        library.nvmlInit()
        meter = Nvml(library)
        meter.joule()
    except library.NVMLError as error:
        return f"NVML does not answer ({error})"
    return meter


def _microjoule(path: Path) -> int:
    return int(path.read_text(encoding="ascii"))
