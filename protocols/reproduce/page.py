"""Put all figures on one page, the table of claims first."""

from protocols.reproduce.claim import Row
from protocols.reproduce.pictures import Album
from protocols.reproduce.state import Done, Reproduction
from protocols.reproduce.table import HEAD, counts, rows
from rramlab import __version__
from rramlab.bench import Bench
from rramlab.page import Page

TITLE = "The published experiment, reproduced"
SOURCE = (
    "Resistive memory-based neural differential equation solver for score-based diffusion model "
    "(arXiv 2404.05648; Nature Communications 2026; IEDM 2024)"
)
FIGURES = {
    2: "Figure 2: the device",
    3: "Figure 3: a ring in closed loop",
    4: "Figure 4: letters on demand",
    5: "Figure 5: noise",
}


def page_of(found: Reproduction, album: Album) -> Page:
    """Return the page."""
    listed = rows(found)
    page = Page(TITLE, lead(found, listed))
    page.table("Published, and found here", HEAD, [list(row.facts().values()) for row in listed])
    page.section("How to read the table", NOTES)
    for figure, heading in FIGURES.items():
        _figure(page, found, album, figure, heading)
    _runs(page, found)
    return page


NOTES = (
    "A row agrees when its rule holds, and the rule stands beside it. Where no number was published, the "
    "rule says so: either the row judges a word of the text by a threshold of ours, or it is not "
    "comparable and only tells what was found.\n\n"
    "The published device was measured; where the bench is simulated, its cells follow a model that was "
    "made from other published arrays: agreement in figure 2 says that the method and the model hold, not "
    "that the published chip does. The time of the projected version is the published 20 µs and assumed, "
    "and so are its parts and their powers; the digital times are of this machine, and the published one "
    "is not known."
)


def lead(found: Reproduction, listed: list[Row]) -> str:
    """Return what was done and what came out."""
    plan, tally = found.plan, counts(listed)
    bench = Bench.parse(plan.bench_text)
    told = ", ".join(f"{count} {verdict}" for verdict, count in tally.items() if count)
    left = len(found.experiments) - len(found.done)
    still = f" Experiments still to come: {left}." if left else ""
    return (
        f"{SOURCE}. Bench '{bench.bench.id}' ({bench.bench.note or bench.backend.use}), sizes {plan.size}, "
        f"seed {plan.seed}, rramlab {__version__}. {sum(tally.values())} rows; agreement: {told}.{still}"
    )


def _figure(page: Page, found: Reproduction, album: Album, figure: int, heading: str) -> None:
    """Add the pictures of a figure; an experiment that failed is told in their place."""
    names = [each.name for each in found.experiments if each.figure == figure]
    done = [found.done[name] for name in names if name in found.done]
    failed = [f"{each.name} failed: {each.error}" for each in done if each.error]
    page.section(heading, "\n\n".join(failed))
    for each in done:
        for caption, picture in album.pictures(each.name, each.folder) if not each.error else ():
            page.figure(caption, picture)


def _runs(page: Page, found: Reproduction) -> None:
    """Add where everything stands."""
    listed = [
        [each.title, each.name, _told(found.done.get(each.name)), _seconds(found.done.get(each.name))]
        for each in found.experiments
    ]
    page.section("The runs", "Each is a folder beside this page, with its own page and its record (run.h5).")
    page.table("", ("experiment", "folder", "how it ended", "time from first to last event (s)"), listed)


def _told(done: Done | None) -> str:
    return "to come" if done is None else done.error or "finished"


def _seconds(done: Done | None) -> str:
    return f"{done.seconds:.1f}" if done is not None and not done.error else ""
