"""One self-contained page of a run: pictures inside the file, no script, nothing loaded from elsewhere."""

import os
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Self, final

from rramlab.errors import RunError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_HEAD = b"\x89PNG\r\n\x1a\n"


@final
class Page:
    """Collect text, tables and figures, and write them as one HTML file; each verb returns the page.

    Everything that is given as text is escaped.
    """

    def __init__(self, title: str, lead: str = "") -> None:
        self._title = title
        lines = [f"<p class='lead'>{escape(lead)}</p>"] if lead else []
        self._blocks = [f"<h1>{escape(title)}</h1>", *lines]
        self._pictures: dict[str, bytes] = {}

    def section(self, heading: str, text: str = "") -> Self:
        """Begin a section with a heading; an empty line in `text` begins a new paragraph."""
        paragraphs = [f"<p>{escape(part)}</p>" for part in text.split("\n\n") if part.strip()]
        self._blocks += [f"<h2>{escape(heading)}</h2>", *paragraphs]
        return self

    def summary(self, facts: Mapping[str, object] | Iterable[tuple[str, object]]) -> Self:
        """Add a table of names and values, such as the figures of merit at the head of the page."""
        pairs = facts.items() if isinstance(facts, Mapping) else facts
        rows = "\n".join(f"<tr><th scope='row'>{escape(str(k))}</th>{_cell(v)}</tr>" for k, v in pairs)
        self._blocks.append(f"<table class='summary'>\n<tbody>\n{rows}\n</tbody>\n</table>")
        return self

    def table(self, caption: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> Self:
        """Add a table; numbers stand to the right, with four significant digits when they are not whole."""
        top = "".join(f"<th scope='col'>{escape(name)}</th>" for name in head)
        body = "\n".join(f"<tr>{''.join(_cell(value) for value in row)}</tr>" for row in rows)
        words = f"<caption>{escape(caption)}</caption>\n" if caption else ""
        table = f"<table>\n{words}<thead>\n<tr>{top}</tr>\n</thead>\n<tbody>\n{body}\n</tbody>\n</table>"
        self._blocks.append(f"<div class='wide'>\n{table}\n</div>")
        return self

    def figure(self, caption: str, picture: "Figure | bytes", alt: str = "", name: str = "") -> Self:
        """Add a matplotlib figure, or the bytes of a PNG, with its caption.

        `alt` tells the picture in words to who cannot see it, by default the caption; `name` is the name of
        its file when pictures are saved, by default figure-1, figure-2 ...
        """
        data = _png(picture)
        number = len(self._pictures) + 1
        self._pictures[self._file_name(name, number)] = data
        width, height = (int.from_bytes(data[i : i + 4], "big") for i in (16, 20))
        size, words = f"width='{width}' height='{height}'", escape(alt or caption, quote=True)
        image = f"<img src='data:image/png;base64,{b64encode(data).decode()}' {size} alt='{words}'>"
        text = f"<figcaption><b>Figure {number}.</b> {escape(caption)}</figcaption>"
        self._blocks.append(f"<figure>\n{image}\n{text}\n</figure>")
        return self

    def html(self) -> str:
        """Return the whole page as text."""
        body = "\n".join(self._blocks)
        head = f"{_START}<title>{escape(self._title)}</title>\n<style>\n{_STYLE}</style>\n</head>\n"
        return f"{head}<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"

    def write(self, path: Path | str, pictures: bool = False) -> Path:
        """Write the page, and with `pictures` each picture as a PNG file beside it; return its path."""
        place = Path(path)
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            for name, data in self._pictures.items() if pictures else ():
                _replace(place.parent / f"{name}.png", data)
            _replace(place, self.html().encode())
        except OSError as error:
            raise RunError(
                f"the page {place} cannot be written ({error.strerror}); choose a folder that can be written"
            ) from error
        return place

    def _file_name(self, name: str, number: int) -> str:
        """Return a file name without surprises that no other picture of this page has."""
        plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or f"figure-{number}"
        return f"{plain}-{number}" if plain in self._pictures else plain


def _cell(value: object) -> str:
    """Return a value as a cell of a table."""
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        return f"<td>{escape(str(value))}</td>"
    text = f"{value:.4g}" if hasattr(value, "is_integer") and not hasattr(value, "__index__") else f"{value}"
    return f"<td class='number'>{escape(text)}</td>"


def _png(picture: "Figure | bytes") -> bytes:
    """Return the bytes of a PNG, drawn if they are not there yet."""
    if not isinstance(picture, bytes):
        from rramlab.figures.style import png

        return png(picture)
    if not picture.startswith(_HEAD):
        raise ValueError("bytes that are no PNG were given; possible are a matplotlib Figure or a PNG file")
    return picture


def _replace(path: Path, data: bytes) -> None:
    """Write a file aside, in the same folder, and rename it into place."""
    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as aside:
        try:
            aside.write(data)
            aside.flush()
            os.fsync(aside.fileno())
            Path(aside.name).chmod(0o644)
        except BaseException:
            Path(aside.name).unlink(missing_ok=True)
            raise
    Path(aside.name).replace(path)


_START = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="rramlab">
<meta name="color-scheme" content="light dark">
"""

_STYLE = """:root { --ink: #1d1d1f; --soft: #5f6368; --line: #d5d7da; --ground: #ffffff; --band: #f5f6f7; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e6e6; --soft: #a4a8ad; --line: #3b3e42; --ground: #17181a; --band: #212326; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 16px/1.5 "Helvetica Neue", Arial, "Liberation Sans", sans-serif; }
main { max-width: 66rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 .75rem; padding-top: .75rem; border-top: 1px solid var(--line); }
p { max-width: 44rem; margin: .5rem 0; }
.lead { color: var(--soft); font-size: 1.05rem; }
figure { margin: 1.5rem 0; }
img { display: block; max-width: 100%; height: auto; background: #fff; border-radius: 4px; }
figcaption { color: var(--soft); font-size: .875rem; max-width: 50rem; margin-top: .5rem; }
figcaption b { color: var(--ink); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: 1rem 0; font-size: .9rem; font-variant-numeric: tabular-nums; }
caption { caption-side: top; text-align: left; color: var(--soft); padding-bottom: .4rem; }
th, td { padding: .3rem .9rem .3rem 0; text-align: left; vertical-align: top;
  border-bottom: 1px solid var(--line); }
thead th { border-bottom: 1.5px solid var(--ink); }
.summary th { font-weight: 400; color: var(--soft); padding-right: 1.5rem; }
td.number { text-align: right; }
.summary td.number { text-align: left; }
@media print {
  :root { --ink: #000; --soft: #444; --line: #bbb; --ground: #fff; --band: #fff; }
  body { font-size: 10pt; }
  main { max-width: none; padding: 0; }
  figure, table { break-inside: avoid; }
  h2 { break-after: avoid; }
}
"""
