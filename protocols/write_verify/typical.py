"""Give the response of a typical cell, as a start: what a run reads corrects it at once.

1 us pulses, SET under 2.0 V on the BL with the gate as drive, RESET under a gate of 3.3 V with the SL as
drive; conductances are readings at 0.2 V with the gate at 3.3 V. The figures are those of the device preset
`taox180`; on another technology the first cells of a run shift them.
"""

import numpy as np

from protocols.write_verify.law import Law

_SET_GATE = np.arange(0.90, 2.001, 0.05)
_SET_END = 1e-6 * np.array(
    [4.0, 6.55, 9.34, 12.59, 16.29, 20.5, 25.1, 30.14, 35.58, 41.16, 46.97, 52.82, 58.72, 64.34, 69.87, 75.21,
     80.33, 85.24, 89.95, 94.23, 98.16, 101.57, 104.59]
)  # fmt: skip
_SET_DEPTH = 1e-6 * np.interp(
    _SET_END * 1e6,
    [5, 12, 20, 30, 40, 50, 60, 70, 80, 90, 105],
    [0.25, 0.45, 0.70, 1.05, 1.45, 1.75, 2.05, 2.25, 2.45, 2.60, 2.75],
)

_RESET_SL = np.arange(0.60, 2.001, 0.05)
_RESET_END = 1e-6 * np.array(
    [117.6, 104.85, 92.99, 82.25, 72.53, 63.95, 56.46, 49.87, 44.09, 39.24, 34.63, 30.62, 27.11, 24.03, 21.33,
     18.96, 16.88, 15.13, 13.52, 12.13, 10.92, 9.87, 8.96, 8.17, 7.49, 6.91, 6.41, 5.99, 5.64]
)  # fmt: skip
_RESET_DEPTH = np.interp(
    _RESET_END * 1e6,
    [12, 20, 30, 40, 50, 60, 70, 80, 98],
    [0.24, 0.19, 0.15, 0.12, 0.11, 0.09, 0.08, 0.07, 0.05],
)

SET = Law(_SET_GATE, _SET_END, _SET_DEPTH, jitter=0.009, spread=0.045, gain=0.08)
"""Raises x = G (S); the drive is the gate (V)."""

RESET = Law(np.log(_RESET_SL), -np.log(_RESET_END), _RESET_DEPTH, jitter=0.025, spread=0.07, gain=0.08)
"""Raises x = -ln G (S); the drive is the logarithm of the SL voltage (V)."""
