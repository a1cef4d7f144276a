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
    relative error of 1/RC, the leak (1/s), its relative spread and the input offset (V); of the multipliers
    the relative gain error and the output offset (V); `tia_offset` (V) of the amplifier of each column;
    `dac_bits` 0 for ideal ones; `read_noise` of the cells during a run.
    """

    model_config = _STRICT
    clamp: _Positive = 0.15
    rail: _Positive = 5.0
    opamp_gain: _Positive = 1e5
    rc_error: _Spread = 0.002
    leak: Annotated[float, Field(ge=0)] = 1e-3
    leak_spread: _Spread = 0.0
    offset: _Spread = 1e-4
    multiplier_gain: _Spread = 0.002
    multiplier_offset: _Spread = 1e-4
    tia_offset: Annotated[float, Field(ge=0, le=0.02)] = 0.0
    dac_bits: Annotated[int, Field(ge=0, le=20)] = 12
    read_noise: bool = True

    @property
    def leak_time(self) -> float:
        """Return the time constant of the leak (s)."""
        return 1.0 / self.leak if self.leak else inf


@final
class ErrorOptions(BaseModel):
    """Hold the standard deviations from which `seed` draws the hidden true errors of one bench.

    DAC of each row: relative gain, offset (V), nonlinearity (of full scale). ADC of each column, in two
    ranges: relative gain, offset and nonlinearity (of full scale). `r_line`, `r_switch` and `beta`, the
    relative (lognormal) errors of the lines, of the switches and of the transistors of the chip, `vt0` (V)
    that of their threshold. The source meter, as far as its certificate lets it go: relative gain and offset
    of its voltage (V) and of its current (A).
    """

    model_config = _STRICT
    seed: Annotated[int, Field(ge=0)]
    dac_gain: Annotated[float, Field(ge=0, le=0.05)] = 0.003
    dac_offset: Annotated[float, Field(ge=0, le=0.01)] = 0.3e-3
    dac_inl: Annotated[float, Field(ge=0, le=0.01)] = 0.0003
    adc_gain: Annotated[float, Field(ge=0, le=0.1)] = 0.02
    adc_offset: Annotated[float, Field(ge=0, le=0.05)] = 0.005
    adc_inl: Annotated[float, Field(ge=0, le=0.02)] = 0.001
    r_line: Annotated[float, Field(ge=0, le=0.5)] = 0.2
    r_switch: Annotated[float, Field(ge=0, le=0.5)] = 0.3
    beta: _Spread = 0.05
    vt0: Annotated[float, Field(ge=0, le=0.1)] = 0.02
    meter_gain_v: Annotated[float, Field(ge=0, le=0.01)] = 1e-4
    meter_offset_v: Annotated[float, Field(ge=0, le=0.01)] = 1e-4
    meter_gain_i: Annotated[float, Field(ge=0, le=0.01)] = 1e-4
    meter_offset_i: Annotated[float, Field(ge=0, le=1e-6)] = 5e-9


@final
class Options(BaseModel):
    """Hold the simulated macros: device preset, chip number, size, temperature (K), lines (ohm).

    `word_line` names the line that runs along a row with the word line, `inhibit` the share of the driven
    voltage to which unselected lines are raised. Without `errors` the bench is ideal. `card` is a table of
    resistors (row,col,ohm) in the place of the macros; empty for none.
    """

    model_config = _STRICT
    preset: str = "taox180"
    card: str = ""
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
    errors: ErrorOptions | None = None
