"""Hold forming, I-V and levels against the hidden truth of the simulated macro: goal and measured value."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from protocols.forming.request import Request as FormingRequest
from protocols.forming.run import carry_out as form
from protocols.iv.request import Request as IvRequest
from protocols.iv.run import carry_out as sweep
from protocols.levels.request import Request as LevelsRequest
from protocols.levels.run import carry_out as program_levels
from rramlab.bench import embedded
from rramlab.runfile import RunFile
from rramlab.session import Session
from rramlab.terminal import Terminal
from sim_backend.chip import manufacture
from sim_backend.options import Options

Row = tuple[str, str, str, bool]


def truth(formed: bool) -> Any:
    """Return the cells of the chip that the embedded bench file makes."""
    return manufacture(Options(formed=formed)).population.cells


def bench(folder: Path, formed: bool) -> Session:
    """Return a quiet session on the simulated bench."""
    path = folder / f"{formed}.toml"
    path.write_text(embedded() if formed else embedded().replace("formed = true", "formed = false"))
    return Session(path, Terminal(quiet=True))


def row(what: str, goal: float, found: float, tolerance: float, unit: str = "") -> Row:
    return what, f"{goal:.3f} ± {tolerance:.3f} {unit}", f"{found:.3f} {unit}", abs(found - goal) <= tolerance


def forming_rows(folder: Path) -> Iterator[Row]:
    """Compare forming voltages with those of the cells, at three widths."""
    session, hidden = bench(folder, False), truth(False)
    good = (hidden.status == 0)[:1024]
    for width in (1e-6, 1e-5, 1e-4):
        name = f"{1e6 * width:g} us"
        asked = FormingRequest("r0-31,c0-31", width)
        facts = form(session, asked, folder / f"f{name}", None, None, 0)
        # 0.12 V a decade, as the cells do; a gate held low at wide pulses plays no part.
        volts = hidden.v_form[:1024][good] - 0.12 * np.log10(width / 1e-6)
        found = facts["forming_voltage_V"]
        yield row(f"forming {name}: mean", volts.mean(), found["mean"], 3 * found["mean_error"], "V")
        yield row(f"forming {name}: sigma", volts.std(), found["sigma"], 3 * found["sigma_error"], "V")
        share = 100 * good.sum() / (hidden.fresh[:1024] == 1).sum()
        yield row(f"forming {name}: yield", share, facts["yield_percent"], 0.3, "%")


def iv_rows(folder: Path) -> Iterator[Row]:
    """Compare switching voltages with the hidden factors of the cells."""
    hidden = truth(True)
    asked = IvRequest("r0-3,c0-7", cycles=6)
    facts = sweep(bench(folder, True), asked, folder / "iv", None, None, 0)
    columns = RunFile.open(folder / "iv").kept["iv"].columns
    index = columns["row"] * 32 + columns["col"]
    for name, factor in (("v_set", hidden.set_factor), ("v_reset", hidden.reset_factor)):
        volts = np.abs(np.nanmean(columns[name][:, 1:], axis=1))
        good = np.isfinite(volts)
        related = float(np.corrcoef(volts[good], factor[index[good]])[0, 1])
        yield f"{name}: correlation with the hidden factor", "above 0.80", f"{related:.3f}", related > 0.8
        spread = facts[f"{name}_V"]
        share = spread["cell_sigma"] / abs(spread["mean"])
        error = 3 * spread["cell_error"] / abs(spread["mean"])
        # The factors spread by 5 %; threshold, nonlinearity and state of a cell come on top.
        yield row(f"{name}: spread over cells / mean", float(factor[index[good]].std()), share, error + 0.015)


def level_rows(folder: Path) -> Iterator[Row]:
    """Tell how well 64 levels are told apart over time."""
    asked = LevelsRequest("r0-31,c0-31", times=(1.0, 10.0, 100.0, 1e3, 1e4), curves=0)
    facts = program_levels(bench(folder, True), asked, folder / "levels", None, None, 0)
    for i, time in enumerate(facts["time_s"]):
        found = f"{facts['bits'][i]:.2f} ± {facts['bits_error'][i]:.2f}, {facts['sigma_uS'][i]:.2f} uS, "
        found += f"{facts['wrong_level_percent'][i]:.1f} % wrong"
        yield f"64 levels after {time:.4g} s: bits, sigma, wrong", "told", found, True
    share = facts["programmed_percent"]
    yield "64 levels: programmed", "above 95 %", f"{share:.1f} %", share > 95
    pulses = facts["pulses_per_level"]
    yield "64 levels: pulses per level", "told", f"{pulses:.1f}", True


def main() -> int:
    """Print the table; return 1 when a goal is missed."""
    missed = 0
    print(f"{'what':<46} {'goal':<22} {'measured':<40}")
    with TemporaryDirectory() as name:
        os.environ.setdefault("RRAMLAB_STATE", name)
        for rows in (forming_rows, iv_rows, level_rows):
            for what, goal, found, good in rows(Path(name)):
                missed += not good
                print(f"{what:<46} {goal:<22} {found:<40} {'' if good else 'MISSED'}", flush=True)
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
