"""Keep every request inside what the macro survives: operating limits under hard limits.

The operating limits are the defaults; a bench file may set its own, up to the hard limit and not beyond.
Both follow from published 180 nm 1T1R work (gate oxide near 4.9 MV/cm for 3.3 V devices, read disturb above
0.3 V, over-SET above 200 uA) and are to be confirmed with the data sheet of the macro at hand.
"""

from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from rramlab.errors import LimitExceeded
from rramlab.pulse import Polarity, PulseTrain
from rramlab.quantity import format_quantity
from rramlab.reading import ReadSpec, Staircase

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


def _limit(default: float, hard: float, unit: str, what: str) -> Any:
    text = f"{what} ({unit}); never above {format_quantity(hard, unit)}"
    return Field(
        default=default, gt=0, le=hard, description=text, json_schema_extra={"unit": unit, "hard": hard}
    )


@final
class Limits(BaseModel):
    """Hold the operating limits (SI); each field knows the hard limit that it can never pass."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    v_read: float = _limit(0.20, 0.30, "V", "read voltage with the WL on")
    v_set: float = _limit(2.0, 2.5, "V", "BL voltage of a SET")
    v_set_open_gate: float = _limit(1.6, 2.5, "V", "BL voltage of a SET when the gate exceeds gate_set")
    gate_set: float = _limit(2.0, 2.5, "V", "gate up to which v_set holds")
    v_form: float = _limit(3.3, 3.6, "V", "BL voltage of forming")
    gate_form: float = _limit(1.6, 2.0, "V", "gate of forming")
    v_reset: float = _limit(2.0, 2.8, "V", "SL voltage of a RESET")
    gate: float = _limit(3.3, 3.63, "V", "WL voltage")
    i_set: float = _limit(140e-6, 200e-6, "A", "current of a SET")
    i_form: float = _limit(100e-6, 200e-6, "A", "current of forming")
    i_reset: float = _limit(200e-6, 300e-6, "A", "current of a RESET")
    width: float = _limit(10e-6, 1e-3, "s", "width of a pulse")
    width_form: float = _limit(1e-3, 1e-3, "s", "width of a forming pulse")
    energy: float = _limit(1e-9, 5e-9, "J", "energy of a pulse")
    energy_form: float = _limit(5e-9, 50e-9, "J", "energy of a forming pulse")
    pulses_per_cell: int = Field(200, gt=0, le=2000, description="pulses per cell in one session")
    reset_floor: float = Field(default=3e-6, gt=0, le=50e-6, description="no RESET below this reading (S)")
    form_ceiling: float = Field(default=1e-6, gt=0, le=5e-6, description="form only cells below this (S)")

    # The transistor that the current estimate assumes: level 1, 3.3 V device of 180 nm, and the most
    # conductive cell of the widest window. It is the worst case, so it stands here and not in the bench file.
    def current(self, train: PulseTrain) -> FloatArray:
        """Return the largest current (A) that each pulse can drive through its cell."""
        overdrive = np.maximum(train.gate - _V_THRESHOLD, 0.0)
        return np.where(
            train.polarity == Polarity.RESET,
            _follower_current(train.drive, overdrive),
            _sink_current(train.drive, overdrive),
        )

    def check_read(self, spec: ReadSpec) -> None:
        """Refuse a reading that would disturb the cell."""
        self._refuse(abs(spec.v_read), self.v_read, "v_read", "V", "read")
        self._refuse(spec.gate, self.gate, "gate", "V", "read")

    def check_sweep(self, staircase: Staircase) -> None:
        """Refuse a sweep beyond the limits of SET and RESET."""
        volts = np.asarray(staircase.voltages)
        highest, lowest = float(volts.max(initial=0.0)), float(volts.min(initial=0.0))
        self._refuse(
            highest,
            self.v_set if staircase.gate <= self.gate_set else self.v_set_open_gate,
            "v_set",
            "V",
            "sweep",
        )
        self._refuse(-lowest, self.v_reset, "v_reset", "V", "sweep")
        self._refuse(staircase.gate, self.gate, "gate", "V", "sweep")
        self._refuse(staircase.compliance, self.i_set, "i_set", "A", "sweep")

    def check_multiply(self, voltages: FloatArray) -> None:
        """Refuse input voltages that would disturb the array."""
        largest = float(np.abs(voltages).max(initial=0.0))
        self._refuse(largest, self.v_read, "v_read", "V", "multiply")

    def check_train(self, train: PulseTrain) -> None:
        """Refuse a train in which any pulse leaves the limits; the whole train is refused."""
        form, reset = train.polarity == Polarity.FORM, train.polarity == Polarity.RESET
        v_set = np.where(train.gate <= self.gate_set + 1e-9, self.v_set, self.v_set_open_gate)
        drive = np.where(form, self.v_form, np.where(reset, self.v_reset, v_set))
        self._refuse_any(train, train.drive, drive, "drive", "V")
        self._refuse_any(train, train.gate, np.where(form, self.gate_form, self.gate), "gate", "V")
        self._refuse_any(train, train.width, np.where(form, self.width_form, self.width), "width", "s")
        current = self.current(train)
        allowed = np.where(form, self.i_form, np.where(reset, self.i_reset, self.i_set))
        self._refuse_any(train, current, allowed, "current", "A")
        energy = current * train.drive * train.width
        self._refuse_any(train, energy, np.where(form, self.energy_form, self.energy), "energy", "J")

    def check_history(self, train: PulseTrain, pulses: NDArray[np.int64], reading: FloatArray) -> None:
        """Refuse pulses that the history of their cell forbids: too many, RESET too low, FORM not fresh."""
        self._refuse_cell(
            train,
            pulses >= self.pulses_per_cell,
            f"has had its {self.pulses_per_cell} pulses of this session",
        )
        low = (train.polarity == Polarity.RESET) & (reading < self.reset_floor)
        floor = format_quantity(self.reset_floor, "S")
        self._refuse_cell(train, low, f"reads below {floor}: a further RESET could burn it")
        formed = (train.polarity == Polarity.FORM) & ~(reading < self.form_ceiling)
        ceiling = format_quantity(self.form_ceiling, "S")
        self._refuse_cell(
            train, formed, f"does not read below {ceiling}: only a fresh cell that was just read is formed"
        )

    def _refuse(self, asked: float, allowed: float, name: str, unit: str, verb: str) -> None:
        if asked > allowed * (1 + 1e-9):
            raise LimitExceeded(_sentence(verb, asked, allowed, name, unit))

    def _refuse_any(
        self, train: PulseTrain, asked: FloatArray, allowed: FloatArray, name: str, unit: str
    ) -> None:
        beyond = asked > allowed * (1 + 1e-9)
        if beyond.any():
            i = int(np.argmax(beyond))
            what = (
                f"{Polarity(int(train.polarity[i])).name} of cell r{train.cells.row[i]}c{train.cells.col[i]}"
            )
            raise LimitExceeded(_sentence(what, float(asked[i]), float(allowed[i]), name, unit))

    def _refuse_cell(self, train: PulseTrain, forbidden: BoolArray, why: str) -> None:
        if forbidden.any():
            i = int(np.argmax(forbidden))
            raise LimitExceeded(
                f"cell r{train.cells.row[i]}c{train.cells.col[i]} {why}; nothing was sent. "
                f"Leave the cell out of the request"
            )


_BETA, _V_THRESHOLD, _G_WORST = 170e-6, 0.70, 150e-6


def _sink_current(drive: FloatArray, overdrive: FloatArray) -> FloatArray:
    """Return the SET current: cell at the drain, KVL of the triode region, capped by saturation."""
    total = _BETA * overdrive + _G_WORST
    root = total**2 - 2 * _BETA * _G_WORST * drive
    triode = _G_WORST * (drive - (total - np.sqrt(np.maximum(root, 0.0))) / _BETA)
    saturation = 0.5 * _BETA * overdrive**2
    return np.where(root > 0, np.minimum(triode, saturation), saturation)


def _follower_current(drive: FloatArray, overdrive: FloatArray) -> FloatArray:
    """Return the RESET current: cell at the source, without body effect (the worst case)."""
    g = _G_WORST / _BETA
    lifted = np.minimum(drive, overdrive)
    node = overdrive + g - np.sqrt((overdrive + g) ** 2 - lifted * (2 * overdrive - lifted))
    return _G_WORST * node


def _sentence(what: str, asked: float, allowed: float, name: str, unit: str) -> str:
    asked_text, allowed_text = format_quantity(asked, unit), format_quantity(allowed, unit)
    return (
        f"{what}: {name} of {asked_text} is above the operating limit of {allowed_text}; nothing was sent. "
        f"Lower it, or raise the limit in the bench file if the macro's data sheet allows"
    )
