"""A laboratory's own bench, held to the promises of the door: pytest --bench FILE tests/test_own_bench.py.

Outputs are limited to values that a formed cell bears a thousand times; the bench file may only lower them.
Sixteen cells at the corner of the first macro are pulsed a few times and left in the low state.
"""

from pathlib import Path

import pytest

from rramlab.backend import Backend
from rramlab.bench import Bench
from rramlab.contract import check_backend
from rramlab.limits import Limits
from rramlab.recorder import Recorder

SAFE = {
    "v_read": 0.2,
    "v_set": 1.6,
    "v_set_open_gate": 1.2,
    "gate_set": 1.5,
    "v_reset": 1.3,
    "i_set": 100e-6,
    "width": 1e-6,
    "pulses_per_cell": 10,
}
"""Highest voltages (V), current (A), width (s) and pulses per cell; nothing is formed."""


def safe(limits: Limits) -> Limits:
    """Return the limits of a bench, none above what is safe for a check."""
    lower = {name: min(value, getattr(limits, name)) for name, value in SAFE.items()}
    return Limits.model_validate(limits.model_dump() | lower)


def read_bench(path: Path) -> Bench:
    found = Bench.load(path)
    return found.model_copy(update={"limits": safe(found.limits)})


@pytest.fixture
def own_bench(request: pytest.FixtureRequest) -> Bench:
    path = request.config.getoption("--bench")
    if path is None:
        pytest.skip("name the bench file of a laboratory with --bench")
    return read_bench(path)


@pytest.mark.timeout(1800)
def test_the_own_bench_answers_as_its_file_says(own_bench: Bench) -> None:
    assert [found.row() for found in own_bench.open().examine() if not found.good] == []


@pytest.mark.timeout(1800)
def test_the_own_bench_keeps_every_promise(own_bench: Bench) -> None:
    def make(recorder: Recorder) -> Backend:
        return own_bench.open(recorder)

    for promise in check_backend(make):
        print(f"held: {promise}")


def test_limits_for_a_check_are_lowered_and_never_raised() -> None:
    low = Limits(v_set=1.0, v_set_open_gate=1.0)
    assert safe(low).v_set == 1.0
    assert safe(Limits()).v_set == 1.6
    assert all(getattr(safe(Limits()), name) <= getattr(Limits(), name) for name in Limits.model_fields)


def test_a_check_with_these_limits_finds_every_promise_kept_over_the_wire(tmp_path: Path) -> None:
    from test_contract import PROMISES
    from wire_bench import wire_bench

    with wire_bench() as made:
        file = tmp_path / "bench.toml"
        file.write_text(made.text)
        assert check_backend(read_bench(file).open) == PROMISES
