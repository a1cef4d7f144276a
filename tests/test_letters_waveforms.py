"""Waveforms on the page of letters: whose they are, and that they are those of the record."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from drivers.loop_watch import SEEN as NOTE
from protocols.letters.captured import SEEN, captured, captured_in
from protocols.letters.page_waveforms import signals_of, source_of_waveforms
from rramlab.contents import KEEP, RESUMED
from rramlab.figures.loop_signals import Signals, loop_signals

TIME = np.linspace(-0.05, 1.0, 11)


def note(verb: str, x: float = 0.0, **facts: Any) -> Any:
    columns = {"time": TIME, "x1": np.full(11, x, np.float32), "x2": np.zeros(11, np.float32)}
    return SimpleNamespace(stage="note", verb=verb, facts=facts, columns=columns if verb == SEEN else {})


def firsts(events: list[Any]) -> dict[str, float]:
    return {name: float(each["x1"][0]) for name, each in captured_in(events, ("H", "K", "U")).items()}


def test_the_note_is_that_of_the_drivers() -> None:
    assert SEEN == NOTE


def test_a_record_belongs_to_the_class_that_is_kept_next() -> None:
    events = [
        note(SEEN, 9.0),
        note(KEEP, name="something else"),
        note(SEEN, 1.0),
        note(SEEN, 8.0),  # a second batch of the same class
        SimpleNamespace(stage="result", verb="solve"),
        note(KEEP, name="class H"),
        note(KEEP, name="class K"),
        note(SEEN, 7.0),
        note(RESUMED),
        note(SEEN, 3.0),
        note(KEEP, name="class U"),
    ]
    assert firsts(events) == {"H": 1.0, "U": 3.0}
    assert firsts(events[:9]) == {"H": 1.0}
    nobody: Any = SimpleNamespace(last_note=lambda _: None)
    assert captured(nobody, ("H",)) == {}


def outcome(seen: dict[str, Any], simulated: bool = False) -> Any:
    runs = SimpleNamespace(time=np.linspace(0, 1, 5), state=np.ones((2, 5, 2)), output=np.zeros((2, 5, 2)))
    return SimpleNamespace(
        classes={name: SimpleNamespace(analog=runs) for name in "HK"},
        captured=seen,
        simulated=simulated,
        sampling=SimpleNamespace(volts=0.05),
        request=SimpleNamespace(samples=20),
    )


def test_the_page_says_who_saw_the_waveforms() -> None:
    seen = outcome({"H": {"time": TIME, "x1": TIME, "x2": TIME}})
    words = source_of_waveforms(seen)
    assert "the oscilloscope on this bench captured them. It sees the first run of each batch" in words
    assert "the first of the 20 runs of each class" in words and "Of K it has no record" in words
    assert source_of_waveforms(outcome({}, simulated=True)).startswith("Simulated")
    assert source_of_waveforms(outcome({})).startswith("Told by the board")
    drawn = signals_of(seen)
    np.testing.assert_array_equal(drawn["H"].volts["x1"], TIME)
    np.testing.assert_allclose(drawn["H"].told["x2"], 0.05)  # a network unit is 50 mV
    np.testing.assert_allclose(drawn["K"].volts["x1"], 0.05)


@pytest.mark.parametrize("count", [1, 2, 4])
def test_signals_of_any_number_of_classes_are_drawn(count: int) -> None:
    one = Signals(TIME, {"x1": TIME, "x2": -TIME}, TIME, {"x1": TIME})
    two = Signals(TIME, {"x1": TIME, "x2": TIME, "out1": TIME, "out2": TIME})
    figure = loop_signals({f"c{k}": two if k else one for k in range(count)}, "board")
    lines = [line for axes in figure.axes for line in axes.get_lines()]
    volts = next(line for line in lines if line.get_label() == "x₁")
    np.testing.assert_allclose(volts.get_ydata(), 1e3 * TIME)
    titles = [axes.get_title() for axes in figure.axes]
    assert [name for name in titles if name] == [f"class c{k}" for k in range(count)]
    assert "board" in [line.get_label() for line in lines]


def test_no_signals_are_not_drawn() -> None:
    with pytest.raises(ValueError, match="no signals were given"):
        loop_signals({})
