"""Hold what a bench file may say about the simulated macros and their analog loop."""

from math import inf
from typing import Annotated, Literal, final

from pydantic import BaseModel, ConfigDict, Field

_STRICT = ConfigDict(frozen=True, extra="forbid", strict=True)
_Positive = Annotated[float, Field(gt=0)]
_Spread = Annotated[float, Field(ge=0, le=0.2)]


@final
class LoopOptions(BaseModel):
    """Hold the analog loop: levels, and standard deviations from which the chip number draws its errors.

    `clamp` (V) of the ReLU amplifiers, `rail` (V) of the integrators, `opamp_gain`; of the integrators the
    relative error of 1/RC, the leak (1/s) and the input offset (V); of the multipliers the relative gain
    error and the output offset (V); `dac_bits` 0 for ideal ones; `read_noise` of the cells during a run.
    """

    model_config = _STRICT
    clamp: _Positive = 0.15
    rail: _Positive = 5.0
    opamp_gain: _Positive = 1e5
    rc_error: _Spread = 0.002
    leak: Annotated[float, Field(ge=0)] = 1e-3
    offset: _Spread = 1e-4
    multiplier_gain: _Spread = 0.002
    multiplier_offset: _Spread = 1e-4
    dac_bits: Annotated[int, Field(ge=0, le=20)] = 12
    read_noise: bool = True

    @property
    def leak_time(self) -> float:
        """Return the time constant of the leak (s)."""
        return 1.0 / self.leak if self.leak else inf


@final
class Options(BaseModel):
    """Hold the simulated macros: device preset, chip number, size, temperature (K), lines (ohm).

    `word_line` names the line that runs along a row with the word line, `inhibit` the share of the driven
    voltage to which unselected lines are raised.
    """

    model_config = _STRICT
    preset: str = "taox180"
    chip: Annotated[int, Field(ge=0)] = 1
    macros: Annotated[int, Field(ge=1)] = 3
    rows: Annotated[int, Field(ge=1)] = 32
    cols: Annotated[int, Field(ge=1)] = 32
    temperature: Annotated[float, Field(ge=200, le=600)] = 298.15
    formed: bool = True
    r_line: Annotated[float, Field(ge=0)] = 1.0
    r_switch: Annotated[float, Field(ge=0)] = 10.0
    word_line: Literal["bl", "sl"] = "bl"
    inhibit: Annotated[float, Field(ge=0, le=1)] = 1.0
    loop: LoopOptions = LoopOptions()
