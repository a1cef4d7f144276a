"""Every driver meets every fault, and the page that tells of it is true."""

import os
from collections.abc import Iterator

import pytest
from fault_bench import FaultBench, Subject
from fault_cases import SUBJECTS, applies, complaints, serving, stated, trials
from fault_host import HOST
from fault_page import PAGE, page, read

from drivers.plugin import names
from sim_backend.virtual.faults import Fault

SHARES = (0.6,)
"""In the middle of the work; the page is from a run with more places."""
AT_ONCE = (Fault.FIN, Fault.TWICE, Fault.RESET_DURING, Fault.OVERREACH)
"""Faults that nobody has to wait for."""
METER, BOARD_PTY = SUBJECTS[0], SUBJECTS[-2]


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("subject", SUBJECTS, ids=str)
def test_every_fault_of_a_driver_ends_as_stated(subject: Subject) -> None:
    met = [fault for fault in Fault if applies(subject, fault)]
    with serving(subject) as bench:
        seen = list(trials(bench, met, SHARES))
    assert [text for fault, verdict in seen for text in complaints(subject, fault, verdict)] == []
    assert {fault for fault, verdict in seen if verdict.struck} == set(met)
    told, _ = read(PAGE.read_text(encoding="utf-8"))
    certain = [(f, v.kind) for f, v in seen if not v.leaving and len(stated(subject, f)) == 1]
    assert [(fault, kind) for fault, kind in certain if told[subject, fault] != {kind}] == []


@pytest.mark.parametrize("subject", [METER, BOARD_PTY], ids=str)
def test_some_faults_end_as_stated(subject: Subject) -> None:
    met = [fault for fault in AT_ONCE if applies(subject, fault)]
    with serving(subject) as bench:
        seen = list(trials(bench, met, (0.5,)))
    assert [text for fault, verdict in seen for text in complaints(subject, fault, verdict)] == []
    assert {fault for fault, verdict in seen if verdict.struck} == set(met)


@pytest.fixture(scope="module")
def bench() -> Iterator[FaultBench]:
    with serving(METER) as serves:
        yield serves


@pytest.mark.parametrize("name", HOST)
def test_faults_of_the_host_end_as_stated(bench: FaultBench, name: str) -> None:
    if name == "disk-full" and os.name == "nt":
        pytest.skip("Windows has no limit on the size of files")
    act, kind = HOST[name]
    verdict = act(bench)
    assert verdict.broken == [], verdict.text
    assert verdict.kind == kind, verdict.text


def test_the_page_tells_of_each_driver_and_each_fault_what_is_stated() -> None:
    text = PAGE.read_text(encoding="utf-8")
    seen, counts = read(text)
    assert page(seen, counts) == text, "write it anew: python benchmarks/fault_table.py --write"
    assert {subject.driver for subject in SUBJECTS} == set(names())
    for (subject, fault), kinds in seen.items():
        assert bool(kinds) == applies(subject, fault)
        assert not kinds or kinds <= stated(subject, fault)
    assert min(counts.values()) >= len(Fault)
