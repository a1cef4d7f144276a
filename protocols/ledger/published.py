"""Hold the figures that were published, analog against digital, as they stand in their sources."""

from dataclasses import dataclass
from typing import Any, final

from protocols.ledger.constants import read_toml


@final
@dataclass(frozen=True)
class Claim:
    """Hold one claim: how many times faster and less energy analog is; seconds and joules where told."""

    where: str
    task: str
    time_ratio: float
    energy_ratio: float
    analog_seconds: float | None = None
    digital_seconds: float | None = None
    analog_joule: float | None = None
    digital_joule: float | None = None

    @property
    def name(self) -> str:
        """Return where the claim stands, and for what task."""
        return f"{self.where}, {self.task}"

    @property
    def watts(self) -> tuple[float, float] | None:
        """Return the power (W) of the analog and the digital side, None where not both were told."""
        seconds, joules = (self.analog_seconds, self.digital_seconds), (self.analog_joule, self.digital_joule)
        if None in seconds or None in joules:
            return None
        analog, digital = (float(j or 0.0) / float(s or 1.0) for j, s in zip(joules, seconds, strict=True))
        return analog, digital


def claims() -> tuple[Claim, ...]:
    """Return all claims."""
    return tuple(_claim(data) for data in read_toml("published")["claim"])


def _claim(data: dict[str, Any]) -> Claim:
    """Return a claim; a cut of the energy by a share, and pairs of figures, become ratios."""
    told = dict(data)
    if "energy_cut" in told:
        told["energy_ratio"] = 1.0 / (1.0 - told.pop("energy_cut"))
    for what in ("time", "energy"):
        unit = {"time": "seconds", "energy": "joule"}[what]
        if f"{what}_ratio" not in told:
            told[f"{what}_ratio"] = told[f"digital_{unit}"] / told[f"analog_{unit}"]
    return Claim(**told)
