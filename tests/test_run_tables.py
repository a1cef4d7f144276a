"""Whatever is recorded comes back from the file as it was."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rramlab.contents import contents_of
from rramlab.hdf5 import image, read
from rramlab.history import add_history
from rramlab.recorder import Event
from rramlab.tables import join

numbers = (
    hnp.boolean_dtypes()
    | hnp.integer_dtypes(endianness="<")
    | hnp.unsigned_integer_dtypes(endianness="<")
    | hnp.floating_dtypes(sizes=(16, 32, 64), endianness="<")
    | hnp.complex_number_dtypes(sizes=(64, 128), endianness="<")
)
# A NUL at the end of a text is cut by numpy, lone surrogates and NULs inside stay.
texts = st.just(np.dtype("U6")) | st.just(np.dtype("S6"))
shapes = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=6)
arrays = (numbers | texts).flatmap(lambda dtype: hnp.arrays(dtype, shapes))
names = st.text("abcdefghijklmnopqrstuvwxyzäµ_.- 0123456789", min_size=1, max_size=8).filter(
    lambda name: name not in (".", "..")
)
facts = st.dictionaries(
    names, st.integers(-5, 5) | st.floats(allow_nan=False) | st.text() | st.lists(st.booleans()), max_size=3
)


def event(stage: str, verb: str, number: int, facts: dict, columns: dict) -> Event:
    return Event(stage, verb, number, 1.0 * number, 1e9 + number, facts, columns)


START = event("note", "start", 0, {"command": "x", "seed": 1, "bench": "µ", "limits": {"v_read": 0.2}}, {})


@settings(deadline=None, derandomize=True, max_examples=25)
@given(
    asked=st.dictionaries(names, arrays, max_size=3),
    given_facts=facts,
    kept=st.dictionaries(names, arrays, max_size=3),
)
def test_arrays_come_back_from_the_file(tmp_path_factory, asked, given_facts, kept):
    units = dict.fromkeys(kept, "V")
    events = [
        START,
        event("request", "multiply", 1, {"macro": 0}, asked),
        event("result", "multiply", 1, {}, {"currents": np.ones(3)}),
        event("request", "solve", 2, given_facts, asked),
        event("note", "resume_point", 2, given_facts, asked),
        event("note", "keep", 2, {"name": "result", "units": units, "facts": given_facts}, kept),
    ]
    said = contents_of(events)
    path = tmp_path_factory.mktemp("run") / "run.h5"
    path.write_bytes(image(said))
    back = read(path)
    assert back.kept["result"].facts == given_facts
    assert back.kept["result"].units == units
    pairs = [
        (kept, back.kept["result"].columns),
        (
            asked | {"currents" if "currents" not in asked else "answer_currents": np.ones(3)},
            back.arrays["multiplies"][1],
        ),
    ]
    if asked:
        pairs += [(asked, back.arrays["solves"][2]), (asked, back.arrays["notes"][0])]
    for before, after in pairs:
        assert list(before) == list(after)
        for name, column in before.items():
            assert column.shape == after[name].shape
            assert column.dtype.kind == after[name].dtype.kind
            np.testing.assert_array_equal(column, after[name])


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.lists(st.tuples(st.booleans(), st.sets(st.integers(0, 5), min_size=1)), min_size=1, max_size=25))
def test_before_and_after_agree_with_a_plain_walk(steps):
    """Walk through requests one by one and remember for each cell what it read last and was pulsed last."""
    pulses, reads, walked = [], [], []
    reading: dict[int, float] = {}
    waiting: dict[int, list] = {}
    counted: dict[int, int] = {}
    for number, (is_pulse, cells) in enumerate(steps, 1):
        places = {"row": np.array(sorted(cells)), "col": np.full(len(cells), 3)}
        table = {"number": np.full(len(cells), number), **places}
        if is_pulse:
            pulses.append(table)
        else:
            reads.append(table | {"conductance": number * 1e-6 + 0.0 * places["row"]})
        for cell in sorted(cells):
            if is_pulse:
                counted[cell] = counted.get(cell, 0) + 1
                waiting[cell] = [reading.pop(cell, np.nan), np.nan, counted[cell]]
                walked.append(waiting[cell])
            else:
                reading[cell] = number * 1e-6
                if cell in waiting:
                    waiting.pop(cell)[1] = reading[cell]
    table = join(pulses, [len(part["number"]) for part in pulses])
    add_history(table, join(reads, [len(part["number"]) for part in reads]))
    if walked:
        found = np.column_stack([table["before"], table["after"], table["attempt"]])
        np.testing.assert_allclose(found, np.array(walked), rtol=1e-12)


def test_a_record_without_its_beginning_still_gives_its_tables():
    said = contents_of([event("request", "wait", 4, {"seconds": 2.0}, {})])
    assert said.start == {}
    assert said.tables["waits"]["seconds"].tolist() == [2.0]


def test_a_long_text_does_not_break_the_file(tmp_path):
    long = {"mapping": list(range(60_000)), "text": "x" * 200_000}
    events = [
        event("note", "start", 0, dict(START.facts) | {"parameters": long, "bench": "y" * 100_000}, {}),
        event("note", "identity", 0, long, {}),
        event("note", "keep", 0, {"name": "a", "units": {}, "facts": long}, {}),
        event("note", "stop", 0, {"why": "z" * 100_000}, {}),
    ]
    (tmp_path / "run.h5").write_bytes(image(contents_of(events)))
    back = read(tmp_path / "run.h5")
    assert back.kept["a"].facts == long
    assert back.start["parameters"] == long
    assert back.identities == (long,)


def test_a_result_of_very_many_arrays_comes_back_whole(tmp_path):
    kept = {f"a_result_with_a_long_name_{i:04d}": np.array(float(i)) for i in range(500)}
    facts = {"name": "many", "units": dict.fromkeys(kept, "1"), "facts": {}}
    path = tmp_path / "run.h5"
    path.write_bytes(image(contents_of([START, event("note", "keep", 0, facts, kept)])))
    found = read(path).kept["many"].columns
    assert list(found) == list(kept)
    assert found["a_result_with_a_long_name_0499"] == 499.0


@pytest.mark.parametrize("count", [0, 1])
def test_empty_tables_are_no_trouble(count, tmp_path):
    (tmp_path / "run.h5").write_bytes(image(contents_of([START] * (1 + count))))
    assert read(tmp_path / "run.h5").tables["pulses"] == {}
