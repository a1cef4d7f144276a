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
    reset_floor: float = Field(default=3e-6, ge=1e-6, le=50e-6, description="no RESET below this reading (S)")
    form_ceiling: float = Field(default=1e-6, gt=0, le=5e-6, description="form only cells below this (S)")

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
        self._refuse(abs(spec.v_read), "v_read", "read")
        self._refuse(spec.gate, "gate", "read")

    def check_sweep(self, staircase: Staircase, reading: FloatArray) -> None:
        """Refuse a sweep beyond the limits of SET and RESET; `reading` (S) as in `check_history`."""
        volts = staircase.voltages
        closed = staircase.gate <= self.gate_set * _ROUNDING
        self._refuse(float(volts.max(initial=0.0)), "v_set" if closed else "v_set_open_gate", "sweep")
        self._refuse(-float(volts.min(initial=0.0)), "v_reset", "sweep")
        self._refuse(staircase.gate, "gate", "sweep")
        self._refuse(staircase.compliance, "i_set", "sweep")
        if (volts < 0).any() and (reading < self.reset_floor).any():
            raise LimitExceeded(
                f"sweep: the cell reads below {format_quantity(self.reset_floor, 'S')} and a negative "
                f"voltage is a RESET, which could burn it; nothing was sent. Sweep upwards from 0 V"
            )

    def check_inputs(self, voltages: FloatArray, verb: str) -> None:
        """Refuse input voltages, or start states as voltages (V), that would disturb the array."""
        largest = float(np.abs(voltages).max(initial=0.0))
        self._refuse(largest, "v_read", verb)

    def check_train(self, train: PulseTrain) -> None:
        """Refuse a train in which any pulse leaves the limits; the whole train is refused."""
        kind = train.polarity.astype(np.intp)
        open_gate = (kind == Polarity.SET) & ~(train.gate <= self.gate_set * _ROUNDING)
        drive = ("v_set", "v_reset", "v_form", "v_set_open_gate")
        # The gate first: what a drive may be depends on it.
        self._refuse_any(train, "gate", train.gate, ("gate", "gate", "gate_form"), kind)
        self._refuse_any(train, "drive", train.drive, drive, np.where(open_gate, 3, kind))
        self._refuse_any(train, "width", train.width, ("width", "width", "width_form"), kind)
        current = self.current(train)
        self._refuse_any(train, "current", current, ("i_set", "i_reset", "i_form"), kind)
        energy = current * train.drive * train.width
        self._refuse_any(train, "energy", energy, ("energy", "energy", "energy_form"), kind)

    def check_history(self, train: PulseTrain, pulses: NDArray[np.int64], reading: FloatArray) -> None:
        """Refuse pulses that the history of their cell forbids: too many, RESET too low, FORM not fresh.

        `reading` (S) is the reading since the last pulse of each cell, NaN where there is none.
        """
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

    def _refuse(self, asked: float, name: str, what: str) -> None:
        # Written so that a value that is not a number is refused as well.
        if not asked <= getattr(self, name) * _ROUNDING:
            raise LimitExceeded(self._sentence(what, asked, name))

    def _refuse_any(
        self, train: PulseTrain, what: str, asked: FloatArray, names: tuple[str, ...], kind: NDArray[np.intp]
    ) -> None:
        """Refuse values that leave the limit of their kind: `names[kind]` is the limit of each pulse."""
        allowed = np.array([getattr(self, name) for name in names])[kind]
        beyond = ~((asked >= 0) & (asked <= allowed * _ROUNDING))
        if beyond.any():
            i = int(np.argmax(beyond))
            name = Polarity(int(train.polarity[i])).name
            cell = f"{name} of cell r{train.cells.row[i]}c{train.cells.col[i]}"
            raise LimitExceeded(self._sentence(f"{cell}: {what}", float(asked[i]), names[kind[i]]))

    def _sentence(self, what: str, asked: float, name: str) -> str:
        extra = type(self).model_fields[name].json_schema_extra
        assert isinstance(extra, dict)
        unit, allowed = str(extra["unit"]), float(getattr(self, name))
        hard = format_quantity(float(str(extra["hard"])), unit)
        # As many digits as it takes to tell the two apart.
        digits = next((n for n in range(4, 16) if f"{asked:.{n}g}" != f"{allowed:.{n}g}"), 16)
        where = "above" if asked > allowed else "outside"
        return (
            f"{what} of {format_quantity(asked, unit, digits)} is {where} the operating limit of "
            f"{format_quantity(allowed, unit, digits)}; nothing was sent. Lower it, or raise {name} under "
            f"[limits] in the bench file (never above {hard}) if the macro's data sheet allows"
        )

    def _refuse_cell(self, train: PulseTrain, forbidden: BoolArray, why: str) -> None:
        if forbidden.any():
            i = int(np.argmax(forbidden))
            raise LimitExceeded(
                f"cell r{train.cells.row[i]}c{train.cells.col[i]} {why}; nothing was sent. "
                f"Leave the cell out of the request"
            )


# The transistor that the current estimate assumes (A/V^2, V): level 1, 3.3 V device of 180 nm, and the most
# conductive cell of the widest window (S). It is the worst case, so it stands here and not in the bench file.
_BETA, _V_THRESHOLD, _G_WORST = 170e-6, 0.70, 150e-6
# A limit that went through text and back still admits its own value.
_ROUNDING = 1 + 1e-9


def _sink_current(drive: FloatArray, overdrive: FloatArray) -> FloatArray:
    """Return the SET current (A): cell at the drain; saturated when the drain is left the overdrive."""
    total = _BETA * overdrive + _G_WORST
    root = total**2 - 2 * _BETA * _G_WORST * drive
    triode = _G_WORST * (drive - (total - np.sqrt(np.maximum(root, 0.0))) / _BETA)
    saturation = 0.5 * _BETA * overdrive**2
    return np.where(drive - saturation / _G_WORST >= overdrive, saturation, triode)


def _follower_current(drive: FloatArray, overdrive: FloatArray) -> FloatArray:
    """Return the RESET current (A): cell at the source, without body effect (the worst case)."""
    g = _G_WORST / _BETA
    lifted = np.minimum(drive, overdrive)
    node = overdrive + g - np.sqrt((overdrive + g) ** 2 - lifted * (2 * overdrive - lifted))
    return _G_WORST * node
