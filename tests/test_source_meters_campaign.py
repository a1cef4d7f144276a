"""Break each single message of a session of each source meter: an error, or the truth, and off in the end."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from test_source_meters_virtual import CONDUCTANCE, MODELS, Table

from drivers.list_meter import ListMeter
from rramlab.errors import LinkError
from rramlab.reading import Staircase

STEPS = Staircase(np.linspace(0, 0.5, 5), 3.0, 1e-3, 1e-3)
Answer = Callable[[bytes], bytes]


def session(table: Table) -> None:
    meter = table.meter
    meter.open()
    meter.arm(1e-3)
    meter.output_on()
    meter.source(0.2)
    assert meter.measure() == (pytest.approx(0.2), pytest.approx(CONDUCTANCE * 0.2, abs=1e-7))
    meter.start_sweep(STEPS)
    while not meter.sweep_done():
        pass
    curve = meter.fetch_sweep()
    np.testing.assert_allclose(curve.voltage, STEPS.voltages, atol=1e-5)
    np.testing.assert_allclose(curve.current, CONDUCTANCE * STEPS.voltages, atol=1e-6)
    assert isinstance(meter, ListMeter) and not curve.limited.any()
    meter.output_off()
    assert meter.is_off() and not table.is_on


def lost(answer: Answer, sent: bytes, before: bytes) -> bytes:
    return b""


def unanswered(answer: Answer, sent: bytes, before: bytes) -> bytes:
    answer(sent)
    return b""


def twice(answer: Answer, sent: bytes, before: bytes) -> bytes:
    return 2 * answer(sent)


def foreign(answer: Answer, sent: bytes, before: bytes) -> bytes:
    return before if answer(sent) else b""


def cut(answer: Answer, sent: bytes, before: bytes) -> bytes:
    reply = answer(sent)
    return reply[: len(reply) // 2]


FAULTS: list[Any] = [lost, unanswered, twice, foreign, cut]


def broken(table: Table, fault: Any, place: int) -> Any:
    """Return what answers instead, from now on: the message at a place meets the fault."""
    answer, count, before = table.answer, 0, b""

    def machine(sent: bytes) -> bytes:
        nonlocal count, before
        count += 1
        reply: bytes = fault(answer, sent, before) if count == place else answer(sent)
        before = reply or before
        return reply

    machine.count = lambda: count  # type: ignore[attr-defined]
    return machine


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
@pytest.mark.parametrize("name", sorted(MODELS))
def test_whatever_message_breaks(name: str, fault: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.list_meter.GRACE", 0.0)
    place, struck, errors = 0, True, 0
    while struck:
        place += 1
        table = Table(name)
        machine = broken(table, fault, place)
        table.meter.scpi.link._wire._machine = machine  # type: ignore[attr-defined]
        try:
            session(table)
        except LinkError:
            errors += 1
        struck = machine.count() >= place
        table.meter.safe()
        assert not table.is_on, place
        table.model.close()
    assert errors > 0 and place > 100
