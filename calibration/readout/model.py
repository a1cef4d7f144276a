"""State what a read chain reports, and how that depends on each of its errors.

The row driver makes V of a nominal v, the path takes I at V as the standard says, and the column reports
I_rep; P2 and P3 are Legendre's polynomials of v / F_V and I / F (rramlab/corrections/converter.py):

    V = v (1 + dac_gain) + dac_offset + F_V (dac_inl[0] P2 + dac_inl[1] P3)
    I_rep = I (1 + adc_gain) + adc_offset + F (adc_inl[0] P2 + adc_inl[1] P3)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from calibration.least_squares import Problem
from calibration.readout.points import Points
from calibration.readout.standard import RESOLUTION, Meter
from rramlab.corrections.converter import DRIVE_SCALE, READ_SCALE, curves, erred

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

UNITS = {
    "dac_gain": "1",
    "dac_offset": "V",
    "dac_inl": "1",
    "adc_gain": "1",
    "adc_offset": "A",
    "adc_inl": "1",
}
PRIOR = {
    "dac_gain": 0.02,
    "dac_offset": 5e-3,
    "dac_inl": 3e-4,
    "adc_gain": 0.1,
    "adc_offset": 3e-6,
    "adc_inl": 1e-3,
}
"""How far off converters are that nobody has calibrated (sd): what a line without good cells stays at.

Those of the curves matter everywhere: cells of 25 and 90 uS fill a third of the current range, in which a
curve is nearly a straight line. They are those of a driver of 12 bits that is good to a step or so, and of an
amplifier with its converter that is good to 0.1 %; where the data say more, more is expected.
"""
AT_REST = 1e-16
"""Least noise (A) of the standard at rest; how large it is the cells tell among themselves."""


@final
@dataclass(frozen=True)
class Layout:
    """Say where each unknown stands: those of the record in their order, then `extra` of the standard."""

    macros: int
    rows: int
    cols: int
    extra: int

    @property
    def shapes(self) -> dict[str, tuple[int, int]]:
        """Return the shape of each value of the record."""
        row, col, curve = (self.macros, self.rows), (self.macros, self.cols), (self.macros, 2)
        return dict(zip(UNITS, (row, row, curve, col, col, curve), strict=True))

    @property
    def size(self) -> int:
        """Return how many unknowns there are in the record."""
        return sum(a * b for a, b in self.shapes.values())

    def index(self, name: str) -> IntArray:
        """Return where a value stands, in its shape."""
        shapes = self.shapes
        before = list(shapes)[: list(shapes).index(name)]
        begin = sum(shapes[other][0] * shapes[other][1] for other in before)
        return np.arange(begin, begin + shapes[name][0] * shapes[name][1]).reshape(shapes[name])

    def gauge(self) -> FloatArray:
        """Return the gauges: in each macro the gains of the row drivers have the mean zero."""
        gauge = np.zeros((self.macros, self.size + self.extra))
        for macro, places in enumerate(self.index("dac_gain")):
            gauge[macro, places] = 1.0
        return gauge

    def prior(self, expected: Mapping[str, float], standard: FloatArray) -> FloatArray:
        """Return what is known of all unknowns beforehand (sd about zero)."""
        own = [np.full(a * b, expected[name]) for name, (a, b) in self.shapes.items()]
        return np.concatenate([*own, standard])


@final
@dataclass(frozen=True, eq=False)
class ReadChain:
    """Compare the points of a bench with what its read chain would report; `prior` is of all unknowns."""

    points: Points
    layout: Layout
    prior: FloatArray

    def problem(self, unknowns: FloatArray, white: float) -> Problem:
        """Return the linear problem about these unknowns; `white` (A) is the noise of one reading."""
        p = self.points
        reported, design = self.predicted(unknowns)
        values = p.current.ravel() - reported + design @ unknowns
        noise = np.hypot(white * np.repeat(p.share, len(p.volts)), RESOLUTION)
        relative, cell = p.relative.ravel(), np.repeat(np.arange(len(p.row)), len(p.volts))
        own: tuple[FloatArray, ...] = (relative,)
        if isinstance(p.standard, Meter):
            at_rest, zeros = self._at_rest(unknowns)
            ones = np.ones(len(at_rest))
            design = np.concatenate([design, zeros])
            values = np.concatenate([values, zeros @ unknowns - at_rest])
            noise, cell = np.concatenate([noise, AT_REST * ones]), np.append(cell, np.arange(len(ones)))
            own = (np.concatenate([relative, 0.0 * ones]), np.concatenate([0.0 * relative, ones]))
            relative = np.concatenate([relative, 0.0 * ones])
        return Problem(design, values, noise, cell, own, relative, self.prior, self.layout.gauge())

    def predicted(self, unknowns: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the currents (A; points) that would be reported, and their derivatives by the unknowns."""
        p, at = self.points, self._errors(unknowns)
        shape = len(p.row), len(p.volts)
        volts = np.broadcast_to(p.volts, shape)
        true = erred(volts, at["dac_gain"], at["dac_offset"], at["dac_inl"], DRIVE_SCALE)
        path = p.standard.currents(true, unknowns[self.layout.size :])
        reported = erred(path.current, at["adc_gain"], at["adc_offset"], at["adc_inl"], READ_SCALE)
        sense = 1.0 + at["adc_gain"] + np.sum(_tilts(path.current) * at["adc_inl"], axis=-1)
        drive = sense * path.slope
        bend, bow = curves(volts, DRIVE_SCALE), curves(path.current, READ_SCALE)
        places = {"dac_gain": drive * volts, "dac_offset": drive}
        places |= {"adc_gain": path.current, "adc_offset": np.ones(shape)}
        design = np.zeros((*shape, self.layout.size + self.layout.extra))
        cells, steps = np.arange(shape[0])[:, None], np.arange(shape[1])
        for name, slope in places.items():
            line = p.row if name.startswith("dac") else p.col
            design[cells, steps, self.layout.index(name)[p.macro, line][:, None]] = slope
        for name, slopes in (("dac_inl", drive[..., None] * bend), ("adc_inl", bow)):
            where = self.layout.index(name)[p.macro]
            design[cells[..., None], steps[:, None], where[:, None, :]] = slopes
        design[..., self.layout.size :] = sense[..., None] * path.by_unknowns
        return reported.ravel(), design.reshape(-1, design.shape[-1])

    def _at_rest(self, unknowns: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the currents (A) that the standard says at 0 V, which are none, and their derivatives."""
        size = self.layout.size
        path = self.points.standard.currents(np.zeros((len(self.points.row), 1)), unknowns[size:])
        design = np.zeros((len(self.points.row), size + self.layout.extra))
        design[:, size:] = path.by_unknowns[:, 0]
        return path.current[:, 0], design

    def _errors(self, unknowns: FloatArray) -> dict[str, FloatArray]:
        """Return the errors of the converters of each cell, to be broadcast against its voltages."""
        p, found = self.points, {}
        for name in UNITS:
            line = p.row if name.startswith("dac") else p.col
            where = self.layout.index(name)
            found[name] = unknowns[where[p.macro] if name.endswith("inl") else where[p.macro, line]][:, None]
        return found


def _tilts(current: FloatArray) -> FloatArray:
    """Return the slopes of the two curves of the current range."""
    u = current / READ_SCALE
    return np.stack([3.0 * u, 7.5 * u**2 - 1.5], axis=-1)
