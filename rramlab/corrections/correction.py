"""Take the known errors of a bench out of what goes through its door."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray

from rramlab.cells import Cells
from rramlab.corrections import loop
from rramlab.corrections.converter import PRODUCT_SCALE, mended
from rramlab.corrections.readout import Readout
from rramlab.corrections.record import Record
from rramlab.errors import CalibrationError
from rramlab.loop import LoopRun
from rramlab.pulse import Columns
from rramlab.reading import ReadSpec

FloatArray = NDArray[np.float64]
READOUT, ZERO, PRODUCT, LOOP, STRENGTH = "readout", "zero", "product", "loop", "strength"
"""Kinds of records that the door uses; there may be others, which are for people and for the fit."""


@final
@dataclass(frozen=True, eq=False)
class Correction:
    """Hold the calibration of a bench by kind; without any, everything passes as it is."""

    records: Mapping[str, Record] = field(default_factory=dict)

    def conductance(self, cells: Cells, spec: ReadSpec, raw: FloatArray) -> FloatArray:
        """Return the conductance (S) of paths whose readings were reported as `raw` (S)."""
        readout = self._readout()
        return raw if readout is None else readout.conductance(cells, spec, raw)

    def uncertainty(self, cells: Cells, spec: ReadSpec, conductance: FloatArray) -> FloatArray:
        """Return the standard uncertainty (S) of conductances; NaN where nothing was calibrated."""
        readout = self._readout()
        if readout is None:
            return np.full(conductance.shape, np.nan)
        return readout.uncertainty(cells, spec, conductance)

    def beside(self, cells: Cells, spec: ReadSpec, raw: FloatArray, conductance: FloatArray) -> Columns:
        """Return what the record holds beside a corrected reading: as it was reported, and how sure it is."""
        if self._readout() is None:
            return {}
        return {"raw": raw, "uncertainty": self.uncertainty(cells, spec, conductance)}

    def inputs(self, voltages: FloatArray, macro: int) -> FloatArray:
        """Return what to ask of the row converters so that the rows get these voltages (V)."""
        readout = self._readout()
        return voltages if readout is None else readout.inputs(voltages, macro)

    def currents(self, reported: FloatArray, macro: int) -> FloatArray:
        """Return the column currents (A) that were reported so."""
        r = self.records.get(PRODUCT)
        if r is None:
            return reported
        return mended(
            reported, r["adc_gain"][macro], r["adc_offset"][macro], r["adc_inl"][macro], PRODUCT_SCALE
        )

    def run(self, run: LoopRun) -> LoopRun:
        """Return the closed-loop run to ask for, so that the circuit does this one."""
        found, strength = self.records.get(LOOP), self.records.get(STRENGTH)
        if found is None:
            return run
        return loop.corrected(run, found, 1.0 if strength is None else float(strength["factor"]))

    def check(self, identity: Mapping[str, str]) -> None:
        """Refuse a calibration of another bench: CalibrationError names the part and what renews it."""
        foreign = [
            (kind, part, serial)
            for kind, record in self.records.items()
            for part, serial in record.identity.items()
            if identity.get(part) != serial
        ]
        if foreign:
            kinds = list(dict.fromkeys(kind for kind, _, _ in foreign))
            _, part, serial = foreign[0]
            named = ", ".join(f"'{kind}' of {self.records[kind].date}" for kind in kinds)
            raise CalibrationError(
                f"the calibration {named} is of another bench: its {part} was '{serial}', here is "
                f"'{identity.get(part, 'none')}'; renew it with: "
                f"rramlab calibrate {kinds[0] if len(kinds) == 1 else 'all'}"
            )

    def facts(self) -> list[dict[str, Any]]:
        """Return the records as plain JSON, for the record of a run."""
        return [record.facts() for record in self.records.values()]

    @classmethod
    def from_facts(cls, facts: Sequence[Mapping[str, Any]]) -> Self:
        """Return the correction that `facts` wrote down."""
        return cls({one["kind"]: Record.from_facts(one) for one in facts})

    def _readout(self) -> Readout | None:
        record, zero = self.records.get(READOUT), self.records.get(ZERO)
        if record is None:
            return None
        # A zero from before the offsets were found anew says nothing about them.
        return Readout(record, zero if zero is not None and zero.made >= record.made else None)
