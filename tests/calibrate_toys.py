"""Two procedures of a few readings, one built upon the other, and a bench file with a folder for records."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from calibration.order import Listed
from calibration.procedure import Found, Procedure
from rramlab.backend import Backend
from rramlab.cells import Cells
from rramlab.corrections.record import Record
from rramlab.errors import CalibrationError
from rramlab.pulse import Columns, Polarity, PulseTrain

SHAPE = (1, 4), (1, 4)
BENCH = """[bench]
id = "toy"
[backend]
use = "sim_backend:SimBackend"
[backend.options]
macros = 1
rows = 4
cols = 4
[backend.options.errors]
seed = 7
[calibration]
folder = "cal"
"""


class Scale(Procedure):
    """Pulse a row of cells, then read it: a part for each row. Its record has the names of 'readout'."""

    name = "readout"
    title = "Scale of readings"
    days = 30.0
    parts_of_bench = ("board",)
    fails = False

    def parts(self, backend: Backend) -> int:
        return backend.shape[0]

    def measure(self, backend: Backend, part: int) -> Columns:
        row = Cells.grid(range(part, part + 1), range(backend.shape[1]))
        fresh = backend.read(row, self.reading)
        drive = np.full(len(row), 0.9)
        train = PulseTrain(row, np.full(len(row), Polarity.SET), drive, np.full(len(row), 1.2), drive * 1e-7)
        backend.pulse(train)
        many = replace(self.reading, samples=4)
        return {"fresh": fresh, "conductance": backend.read(row, many), "time": np.array(backend.now())}

    def evaluate(self, parts: Sequence[Columns], known: Mapping[str, Record]) -> Found:
        if self.fails:
            raise CalibrationError("0 of 16 cells were good, and 8 are needed; program some with --prepare")
        means = np.array([part["conductance"].mean() for part in parts])
        values = {
            "dac_gain": np.zeros((1, 4)),
            "dac_offset": np.full((1, 4), 1e-4),
            "dac_inl": np.zeros((1, 2)),
            "adc_gain": 1e3 * means[None, :],
            "adc_offset": np.full((1, 4), -2e-7),
            "adc_inl": np.zeros((1, 2)),
            "white_current": np.array(2e-8),
        }
        units = dict(zip(values, ("1", "V", "1", "1", "A", "1", "A"), strict=True))
        sizes = np.concatenate(
            [
                np.full(v.size, s)
                for v, s in zip(values.values(), (1e-3, 1e-5, 1e-4, 1e-3, 1e-9, 1e-4, 1e-10), strict=True)
            ]
        )
        return Found(values, units, np.diag(sizes**2), {"cells": np.int64(16)}, {"rms_A": np.float64(3e-9)})

    def figures(self, parts: Sequence[Columns], record: Record) -> dict[str, tuple[Figure, str]]:
        from rramlab.figures import style

        figure = style.blank(60.0, 40.0)
        figure.subplots().plot([part["conductance"].mean() for part in parts])
        return {"means": (figure, "Mean of each row.")}


class Upon(Procedure):
    """Read a cell through what was found before."""

    name = "upon"
    title = "What builds upon it"
    after = ("readout",)
    days = 1.0
    parts_of_bench = ("board", "macro")

    def parts(self, backend: Backend) -> int:
        return 2

    def measure(self, backend: Backend, part: int) -> Columns:
        return {"conductance": backend.read(Cells.grid(range(4), range(part, part + 1)), self.reading)}

    def evaluate(self, parts: Sequence[Columns], known: Mapping[str, Record]) -> Found:
        value = np.concatenate([part["conductance"] for part in parts]) + float(
            known["readout"]["white_current"]
        )
        return Found({"conductance": value}, {"conductance": "S"}, 1e-16 * np.eye(value.size))

    def figures(self, parts: Sequence[Columns], record: Record) -> dict[str, tuple[Figure, str]]:
        return {}


LISTED = {
    "upon": Listed("calibrate_toys:Upon", ("read",), "What builds upon it."),
    "readout": Listed("calibrate_toys:Scale", ("read", "pulse"), "The scale of readings."),
}


def bench(folder: Path, text: str = BENCH) -> Path:
    """Return the path of a bench file in a folder."""
    path = folder / "toy.toml"
    path.write_text(text)
    return path
