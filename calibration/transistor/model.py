"""Model a cell behind its transistor: what its readings at several gate voltages are made of.

    1/G = R_0 + R / (1 + chi V^2) + x / I,    I = beta (u x - x^2 / 2),    u = V_gate - vt

A level-1 NMOS in its linear region, with its source at the grounded line: no body effect, so that no
textbook number enters. V is what the filament has of the voltage. Filament and all else that does not depend
on the gate (contacts, lines, switch) are in series: readings cannot tell these apart.
"""

from dataclasses import dataclass
from typing import Self, final

import numpy as np
from numpy.typing import NDArray

from rramlab.corrections.converter import DRIVE_SCALE, READ_SCALE, curves
from rramlab.corrections.record import Record
from rramlab.pulse import Columns

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

VT_SPREAD = 0.02
"""Standard deviation (V) of the threshold between cells, as small transistors have it: only a weight."""
BEND, BEND_SPREAD = 1.5, 3.0
"""How much filaments bend (1/V^2), and how different they may be from that: what readings tell is better."""
WIDE_OPEN = 1e7
"""Resistance (ohm) that no cell's constant part exceeds."""
CONTACT = 400.0
"""Resistance (ohm) of contacts, lines and switch, about: it only says how much voltage a filament has."""
_NEAR_SATURATION = 0.1


@final
@dataclass(frozen=True, eq=False)
class GateData:
    """Hold the readings of the cells of one macro, as means over rounds.

    `gate`, `asked` (V, points) say how a point was read; `volts` (V, cells x points) stood at the cell's row,
    `resistance` (ohm, cells x points) is 1/G, `noise` (ohm, the same) its standard deviation.
    """

    macro: int
    row: IntArray
    col: IntArray
    gate: FloatArray
    asked: FloatArray
    volts: FloatArray
    resistance: FloatArray
    noise: FloatArray

    @classmethod
    def of(cls, part: Columns) -> Self:
        """Return the data of a part; cells that conduct too little at any gate are left out."""
        g = np.asarray(part["conductance"], dtype=float)
        good = (g.mean(axis=0) > 0.0).all(axis=-1)
        g, row, col = g[:, good], part["row"][good], part["col"][good]
        mean, volts = g.mean(axis=0), np.asarray(part["volts"], dtype=float).T[good]
        relative = g / mean - 1.0
        # What all points of a round have in common is a resistance of its own, and does not count.
        free = relative - relative.mean(axis=2, keepdims=True)
        each = free.std(axis=0, ddof=1) / np.sqrt(len(g))
        pooled = np.sqrt(np.mean(each**2, axis=1, keepdims=True)) + 1e-9
        size = np.sqrt(np.median(each**2, axis=0) / np.median(each**2))
        noise = pooled * size / mean
        return cls(int(part["macro"]), row, col, part["gate"], part["asked"], volts, 1.0 / mean, noise)

    @property
    def current(self) -> FloatArray:
        """Return the current (A) of each point."""
        return self.volts / self.resistance

    def take(self, cells: NDArray[np.bool_]) -> "GateData":
        """Return the data of some of the cells."""
        own = (self.volts[cells], self.resistance[cells], self.noise[cells])
        return GateData(self.macro, self.row[cells], self.col[cells], self.gate, self.asked, *own)


@final
@dataclass(frozen=True, eq=False)
class Own:
    """Hold what is a cell's own (cells x 1): how it bends (1/V^2), its threshold beside others' (V)."""

    bend: FloatArray
    shift: FloatArray


def open_transistor(data: GateData, beta: float, vt: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the resistance (ohm) of the transistor at each point, and its slopes by beta and vt."""
    u, current = data.gate - vt, data.current
    inside = np.maximum(u**2 - 2.0 * current / beta, (_NEAR_SATURATION * u) ** 2)
    root = np.sqrt(inside)
    return (u - root) / current, -1.0 / (beta**2 * root), (u / root - 1.0) / current


def whitened(
    data: GateData, beta: float, vt: float, beside: FloatArray | None = None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return differences (cells x points), slopes (.. x 2) and what is beside, in standard deviations.

    What is a cell's own (constant part, bend, threshold) is in the covariance that weighs them; all of it is
    linear about what the cell itself shows.
    """
    own = shown(data, beta, vt)
    root, difference, _, by = _linear(data, beta, vt, own)
    more = np.zeros((*difference.shape, 0)) if beside is None else beside
    flat = np.linalg.solve(root, np.concatenate([difference[..., None], by, more], axis=-1))
    return flat[..., 0], flat[..., 1:3], flat[..., 3:]


def _linear(
    data: GateData, beta: float, vt: float, own: Own
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return the root of the covariance, differences, and slopes by a cell's own and all cells' numbers."""
    ohm, by_beta, by_vt = open_transistor(data, beta, vt + own.shift)
    square = (data.volts - (ohm + CONTACT) * data.current) ** 2
    rest = np.median(data.resistance - ohm, axis=1, keepdims=True)
    by_bend = -rest * square / (1.0 + own.bend * square) ** 2
    spread = [np.full_like(ohm, WIDE_OPEN), by_bend * BEND_SPREAD, by_vt * VT_SPREAD]
    slopes = np.stack(spread, axis=-1)
    covariance = slopes @ np.swapaxes(slopes, 1, 2)
    points = np.arange(ohm.shape[1])
    covariance[:, points, points] += data.noise**2
    model = ohm - by_vt * own.shift + rest / (1.0 + own.bend * square) - by_bend * (own.bend - BEND)
    by = np.stack([by_beta, by_vt], axis=-1)
    return np.asarray(np.linalg.cholesky(covariance)), data.resistance - model, slopes, by


def shown(data: GateData, beta: float, vt: float) -> Own:
    """Return the bend and the threshold that each cell shows most probably."""
    cells = len(data.row)
    own = Own(np.full((cells, 1), BEND), np.zeros((cells, 1)))
    for _ in range(2):
        own = _shown(data, beta, vt, own)
    return own


def _shown(data: GateData, beta: float, vt: float, own: Own) -> Own:
    root, difference, slopes, _ = _linear(data, beta, vt, own)
    flat = np.linalg.solve(root, np.concatenate([difference[..., None], slopes], axis=-1))
    found = np.einsum("cpi,cp->ci", flat[..., 1:], flat[..., 0])
    bend, shift = BEND + BEND_SPREAD * found[:, 1:2], VT_SPREAD * found[:, 2:3]
    return Own(np.clip(bend, BEND - 2 * BEND_SPREAD, BEND + 2 * BEND_SPREAD), np.clip(shift, -0.15, 0.15))


def fitted_cells(data: GateData, beta: float, vt: float) -> tuple[FloatArray, Own]:
    """Return what each cell has in series with its transistor (ohm, cells x points), and what is its own."""
    own = shown(data, beta, vt)
    ohm, _, _ = open_transistor(data, beta, vt + own.shift)
    square = (data.volts - (ohm + CONTACT) * data.current) ** 2
    rest = np.median(data.resistance - ohm, axis=1, keepdims=True)
    bent = rest / (1.0 + own.bend * square)
    weight = data.noise**-2.0
    level = np.sum(weight * (data.resistance - ohm - bent), axis=1) / weight.sum(axis=1)
    return bent + level[:, None], own


def readout_slopes(data: GateData, readout: Record) -> tuple[FloatArray, IntArray]:
    """Return by what resistances (ohm) move with the eight numbers of the readout (cells x points x 8).

    And where these stand in its covariance (cells x 8).
    """
    r, m = readout, data.macro
    asked = np.broadcast_to(data.asked, data.volts.shape)
    gain = 1.0 + r["adc_gain"][m, data.col][:, None]
    driven, sensed = data.resistance / data.volts, data.resistance / (data.current * gain)
    one = np.ones((*asked.shape, 1))
    drive = np.concatenate([asked[..., None], one, curves(asked, DRIVE_SCALE)], axis=-1)
    sense = np.concatenate([data.current[..., None], one, curves(data.current, READ_SCALE)], axis=-1)
    slopes = np.concatenate([driven[..., None] * drive, sensed[..., None] * sense], axis=-1)
    places = [
        r.index("dac_gain")[m, data.row],
        r.index("dac_offset")[m, data.row],
        np.tile(r.index("dac_inl")[m], (len(data.row), 1)),
        r.index("adc_gain")[m, data.col],
        r.index("adc_offset")[m, data.col],
        np.tile(r.index("adc_inl")[m], (len(data.row), 1)),
    ]
    return slopes, np.column_stack(places)
