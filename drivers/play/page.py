"""Show on one page what a board with the published firmware played."""

from drivers.play.figure import ends, waveforms
from drivers.play.outcome import Outcome
from drivers.play.report import CAPTION, HEAD, end_rows
from drivers.play.request import title
from drivers.published_tables import PAIRS, published_table
from rramlab.page import Page

MOST_LINES = 60
"""Lines of the talk that stand on the page; the record has all."""


def page_of(found: Outcome) -> Page:
    """Return the page."""
    names = ", ".join(title(table) for table in found.seen)
    equation = "with noise (SDE)" if found.request.noise else "without noise (ODE)"
    page = Page(
        "Runs of the published firmware",
        f"{found.request.runs} runs of each of {names}, {equation}, played by the board from its own tables "
        "and seen by an oscilloscope. All runs begin at the pre-charge of the integrators, which this "
        "firmware cannot change.",
    )
    _runs(page, found)
    _tables(page, found)
    _talk(page, found)
    return page


def _runs(page: Page, found: Outcome) -> None:
    page.section("What came out")
    page.table(CAPTION, HEAD, end_rows(found))
    page.figure("Waveforms of all runs", waveforms(found))
    page.figure("Where runs began (cross), and ended", ends(found))


def _tables(page: Page, found: Outcome) -> None:
    page.section(
        "The tables",
        "Channel i plays scale (sin(2 pi t_coef u) + c), channel i + 7 the same with a cosine; u = 1 - t.",
    )
    for name, settings in found.settings.items():
        table = published_table(name)
        head = ["", *(f"{i + 1}" for i in range(PAIRS))]
        rows = [["t_coef", *table.t_coef], ["c, sines", *table.c[:PAIRS]], ["c, cosines", *table.c[PAIRS:]]]
        scale = table.full_scale(settings.v_bias)
        page.table(f"{title(name)}, scale {scale:g} of the converters' range; {settings.text()}", head, rows)


def _talk(page: Page, found: Outcome) -> None:
    asked, replied, moment = (found.talk[name] for name in ("asked", "replied", "moment"))
    more = f"; the first {MOST_LINES} of {len(asked)}" if len(asked) > MOST_LINES else ""
    rows = [
        [f"{when - moment[0]:.2f}", str(line), str(reply).replace("\n", " | ") or "(empty line)"]
        for when, line, reply in zip(moment, asked, replied, strict=True)
    ][:MOST_LINES]
    page.section("What was said on the line", "C000 and D9 are out of range: they prove who answers.")
    page.table(f"Commands and replies{more}", ["s", "asked", "replied"], rows)
