"""The page: escaped text, pictures inside, one file, written aside and renamed."""

import base64
import re
from html.parser import HTMLParser
from io import BytesIO

import pytest
from matplotlib.figure import Figure
from PIL import Image

from rramlab.errors import RunError
from rramlab.page import Page

VOID = {"meta", "img", "br"}


class Outline(HTMLParser):
    """Collect tags and attributes, and complain about tags that do not close in order."""

    def __init__(self):
        super().__init__()
        self.tags, self.open = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def outline(page):
    parser = Outline()
    parser.feed(page.html())
    assert parser.open == []
    return parser.tags


def picture(size=(40, 30)):
    stream = BytesIO()
    Image.new("RGB", size, "navy").save(stream, "PNG")
    return stream.getvalue()


def whole():
    page = Page("Run & results", "All of it.").summary({"sigma (uS)": 0.52, "cells": 1024})
    page.section("Programming", "First.\n\nSecond.").table("Quality", ["name", "KL"], [["ring", 0.123456]])
    return page.figure("Maps", picture(), alt="three maps", name="Maps of G").figure("Errors", picture())


def test_is_well_formed_and_says_its_title():
    tags = [tag for tag, _ in outline(whole())]
    assert tags.count("h1") == tags.count("title") == tags.count("main") == 1
    assert tags.count("figure") == tags.count("figcaption") == tags.count("img") == 2
    assert tags.count("p") == 3
    assert "<title>Run &amp; results</title>" in whole().html()


@pytest.mark.parametrize("bad", ["<script>alert(1)</script>", "' onerror='x", '"><b>', "a & b"])
def test_everything_given_is_escaped(bad):
    page = Page(bad, bad).section(bad, bad).summary({bad: bad}).table(bad, [bad], [[bad]])
    page.figure(bad, picture(), alt=bad, name=bad)
    tags = outline(page)
    assert {tag for tag, _ in tags}.isdisjoint({"script", "b"} - {"b"})
    image = next(attrs for tag, attrs in tags if tag == "img")
    assert image["alt"] == bad and set(image) == {"src", "width", "height", "alt"}
    assert "<script" not in page.html()


def test_nothing_is_loaded_from_elsewhere():
    tags = outline(whole())
    assert {tag for tag, _ in tags}.isdisjoint({"script", "link", "iframe", "object"})
    sources = [attrs[name] for _, attrs in tags for name in ("src", "href") if name in attrs]
    assert len(sources) == 2 and all(s.startswith("data:image/png;base64,") for s in sources)
    assert not re.search(r"url\(|@import|https?://", whole().html())


def test_a_picture_is_embedded_to_the_bit_with_size_and_alternative():
    image = next(attrs for tag, attrs in outline(whole()) if tag == "img")
    assert base64.b64decode(image["src"].split(",")[1]) == picture()
    assert (image["width"], image["height"], image["alt"]) == ("40", "30", "three maps")


def test_a_figure_is_drawn_and_its_caption_is_the_default_alternative():
    figure = Figure(figsize=(1, 1))
    figure.subplots()
    image = next(attrs for tag, attrs in outline(Page("t").figure("A caption", figure)) if tag == "img")
    assert image["alt"] == "A caption"
    assert Image.open(BytesIO(base64.b64decode(image["src"].split(",")[1]))).format == "PNG"


def test_numbers_are_short_and_words_are_kept():
    html = Page("t").table("", ["a", "b", "c", "d"], [[0.123456, 1048576, "0.123456", True]]).html()
    assert (
        "<td class='number'>0.1235</td><td class='number'>1048576</td><td>0.123456</td><td>True</td>" in html
    )


def test_light_dark_and_paper_have_their_style():
    html = whole().html()
    assert "prefers-color-scheme: dark" in html and "@media print" in html


def test_write_leaves_one_file(tmp_path):
    place = whole().write(tmp_path / "new" / "index.html")
    assert [each.name for each in place.parent.iterdir()] == ["index.html"]
    assert place.read_text(encoding="utf-8") == whole().html()


def test_pictures_are_saved_beside_it_when_asked(tmp_path):
    page = whole().figure("Maps again", picture(), name="maps of g")
    page.write(tmp_path / "index.html", pictures=True)
    names = sorted(each.name for each in tmp_path.iterdir())
    assert names == ["figure-2.png", "index.html", "maps-of-g-3.png", "maps-of-g.png"]
    assert (tmp_path / "maps-of-g.png").read_bytes() == picture()


def test_an_old_page_stays_whole_when_writing_fails(tmp_path, monkeypatch):
    place = Page("old").write(tmp_path / "index.html")
    before = place.read_text()

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("rramlab.page.os.fsync", full)
    with pytest.raises(RunError, match="No space left on device"):
        whole().write(place)
    assert place.read_text() == before
    assert [each.name for each in tmp_path.iterdir()] == ["index.html"]


def test_what_is_no_picture_is_refused():
    with pytest.raises(ValueError, match="no PNG"):
        Page("t").figure("x", b"GIF89a")
