"""Draw what is wrong with a bench and nobody tells: the truth that a calibration looks for."""

from dataclasses import dataclass
from typing import Self, final

import numpy as np

from sim_backend.converter import Converters, ConverterSpread
from sim_backend.options import ErrorOptions, Options

DAC_SCALE = 0.4
"""Full scale of the row drivers (V)."""
READ_SCALE = 60e-6
"""Full scale of the current range of a reading (A)."""
PRODUCT_SCALE = 1e-3
"""Full scale of the current range of a product (A)."""
_DAC, _READ, _PRODUCT, _CHIP, _METER, LOOP = range(101, 107)
"""Numbers that keep the random numbers of the parts apart: none moves when another one grows."""


@final
@dataclass(frozen=True)
class MeterErrors:
    """Hold the errors of the source meter: relative gain and offset of its voltage (V) and current (A)."""

    gain_v: float
    offset_v: float
    gain_i: float
    offset_i: float

    def volts(self, asked: float) -> float:
        """Return the voltage (V) at the terminals for a programmed one."""
        return asked * (1.0 + self.gain_v) + self.offset_v

    def reported(self, current: float) -> float:
        """Return the reading (A) for a current at the terminals."""
        return current * (1.0 + self.gain_i) + self.offset_i

    def limit(self, compliance: float, volts: float) -> float:
        """Return the magnitude of the current (A) whose reading is the compliance, for volts of this sign."""
        offset = self.offset_i if volts >= 0.0 else -self.offset_i
        return max((compliance - offset) / (1.0 + self.gain_i), 1e-12)


@final
@dataclass(frozen=True, eq=False)
class BenchErrors:
    """Hold the true errors of one bench.

    `dac` of the rows: true volts for nominal ones; `adc_read` and `adc_product` of the columns: reported
    amperes for true ones, in the two current ranges. Factors of line and switch resistance and of the
    transistors' beta, and the shift of their threshold (V).
    """

    seed: int
    dac: Converters
    adc_read: Converters
    adc_product: Converters
    line_factor: float
    switch_factor: float
    beta_factor: float
    vt_shift: float
    meter: MeterErrors

    @classmethod
    def of(cls, options: Options) -> Self | None:
        """Return the errors that options ask for, None for an ideal bench."""
        if options.errors is None:
            return None
        return cls.draw(options.errors, options.macros, options.rows, options.cols)

    @classmethod
    def draw(cls, spread: ErrorOptions, macros: int, rows: int, cols: int) -> Self:
        """Draw the errors of a bench of this size from the seed."""
        s = spread
        dac = ConverterSpread(s.dac_gain, s.dac_offset, s.dac_inl)
        chip = np.random.default_rng([s.seed, _CHIP]).standard_normal(4)
        relative = np.array([s.r_line, s.r_switch, s.beta])
        line, switch, beta = (float(factor) for factor in np.exp(relative * chip[:3]))
        return cls(
            s.seed,
            Converters.draw(DAC_SCALE, (macros, rows), dac, np.random.default_rng([s.seed, _DAC])),
            _adc(s, READ_SCALE, (macros, cols), _READ),
            _adc(s, PRODUCT_SCALE, (macros, cols), _PRODUCT),
            line,
            switch,
            beta,
            float(s.vt0 * chip[3]),
            _meter(s),
        )

    def serials(self) -> dict[str, str]:
        """Return by their serial numbers the instruments whose errors these are."""
        return {"board": f"sim-board-{self.seed}", "meter": f"sim-meter-{self.seed}"}

    def transistor(self, kp: float, vt0: float) -> dict[str, float]:
        """Return what changes in a preset with this transistor (A/V^2, V)."""
        return {
            "transistor.kp": kp * self.beta_factor,
            "transistor.vt0": max(vt0 + self.vt_shift, 0.0),
        }


def _adc(s: ErrorOptions, scale: float, shape: tuple[int, int], part: int) -> Converters:
    spread = ConverterSpread(s.adc_gain, s.adc_offset * scale, s.adc_inl)
    return Converters.draw(scale, shape, spread, np.random.default_rng([s.seed, part]))


def _meter(s: ErrorOptions) -> MeterErrors:
    sd = np.array([s.meter_gain_v, s.meter_offset_v, s.meter_gain_i, s.meter_offset_i])
    gain_v, offset_v, gain_i, offset_i = sd * np.random.default_rng([s.seed, _METER]).standard_normal(4)
    return MeterErrors(float(gain_v), float(offset_v), float(gain_i), float(offset_i))
