"""Show on one page what a calibration found."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from calibration.page.conductance import Reading
from calibration.page.words import sentence
from calibration.runner import Result
from calibration.show.values import told
from calibration.show.words import conditions, residuals, words
from rramlab.page import Page
from rramlab.reading import ReadSpec
from rramlab.session import Work

SHOWN = 50e-6
"""Conductance (S) of which before and after are told."""
METHOD = (
    "A value comes with its standard uncertainty (one sigma); of many values the least, the most and the "
    "median uncertainty are told. They hold the scatter of the measurements and what the certificate "
    "of the source meter leaves open. The records, with the covariance of all values, stand in the folder "
    "that the bench file names; from now on the door takes these errors out of readings, products and runs."
)


def write_page(results: Sequence[Result], work: Work) -> None:
    """Write the page of a calibration into the folder of its run."""
    page_of(results, work.bench.reading.spec(), work.bench.bench.id, work.run.folder).write(
        work.run.folder / "index.html", pictures=True
    )


def page_of(results: Sequence[Result], spec: ReadSpec, bench: str, folder: Path) -> Page:
    """Return the page."""
    made = [one for one in results if one.record is not None]
    page = Page("Calibration", f"Bench '{bench}', {len(made)} of {len(results)} records; run {folder.name}.")
    page.section("What was wrong, and what is left", "\n\n".join(_sentences(results, spec)))
    _add_before_and_after(page, results, spec)
    for one in made:
        _add_record(page, one)
    return page.section("How to read it", METHOD)


def _sentences(results: Sequence[Result], spec: ReadSpec) -> list[str]:
    said = []
    for one in results:
        title = one.procedure.title
        if one.record is None:
            said.append(f"{title}: {'left out' if one.left_out else 'not found'}, {one.why}.")
            continue
        said.append(sentence(one.record, title))
        if one.record.kind == "readout":
            said.append(Reading.of(one.record, spec, SHOWN).sentence())
    return said


def _add_before_and_after(page: Page, results: Sequence[Result], spec: ReadSpec) -> None:
    record = next((one.record for one in results if one.record and one.record.kind == "readout"), None)
    if record is None:
        return
    from calibration.page.figures import before_and_after

    readings = [Reading.of(record, spec, g) for g in np.linspace(5e-6, 100e-6, 20)]
    page.figure(
        "Error of a reading before and after correction: a, of 95 % of the cells as reported, and the 95 % "
        "interval of the median cell once corrected; b, cell by cell at one conductance.",
        before_and_after(readings, Reading.of(record, spec, SHOWN)),
        name="before-and-after",
    )


def _add_record(page: Page, result: Result) -> None:
    record = result.record
    assert record is not None
    page.section(result.procedure.title, f"Record '{record.kind}' of {record.date}.")
    rows = [[words(record.kind, name), told(record, name)] for name in record.values]
    page.table("", ["what", "value ± standard uncertainty"], rows)
    for name, (figure, caption) in result.procedure.figures(result.parts, record).items():
        page.figure(caption, figure, name=_file_name(record.kind, name))
    beside = {"Conditions": conditions(record), "What the model leaves unexplained": residuals(record)}
    for caption, pairs in beside.items():
        if pairs:
            page.table(caption, ["what", "value"], pairs)


def _file_name(kind: str, name: str) -> str:
    plain = name.removesuffix(".png")
    return plain if plain.startswith(kind) else f"{kind}-{plain}"
