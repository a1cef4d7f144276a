"""Estimate what a pulse costs from the operating point of cell and transistor."""

import numpy as np
from numpy.typing import NDArray

from rramlab.limits import Limits
from rramlab.pulse import PulseTrain

FloatArray = NDArray[np.float64]


def pulse_energy(train: PulseTrain, conductance: FloatArray, limits: Limits) -> FloatArray:
    """Return drive x current x width (J) of each pulse through a cell of this `conductance` (S).

    The current is the largest that the transistor lets through, and no more than drive x conductance.
    """
    current = np.minimum(limits.current(train), train.drive * np.abs(conductance))
    return np.asarray(current * train.drive * train.width)
