"""Draw the page of the fault table from what was run, and read it back."""

from collections.abc import Mapping
from pathlib import Path

from fault_bench import Subject
from fault_cases import SUBJECTS, Kinds
from fault_host import HOST

from sim_backend.virtual.faults import Fault

PAGE = Path(__file__).parent.parent / "docs" / "fault-table.md"
NOT_MET = "-"
WORDS = "### What the bench does"
Seen = Mapping[tuple[Subject, Fault], Kinds]
Trials = Mapping[Subject, int]
HEAD = """# Every driver and every fault

This page is written by `python benchmarks/fault_table.py --write`; `tests/test_fault_table.py` holds it
against the code and against a run of its own. Each driver works on the virtual bench, over real sockets and
pseudo-terminals, and the bench breaks one thing, at several places of a session: while the links are opened,
in the middle of the work, on the way out. A session is that of a command: a run record, a bench of
instruments (`drivers:BenchBackend`), readings, pulses and an I-V with a source meter, or closed-loop runs
with an oscilloscope.

After each fault, this must hold:

* **off**: nothing drives a cell any more; an output that could not be switched off is told as such
  ("outputs may still be ON"), and is off with the next connection;
* **gentle**: no multiplexer was switched with its lines live, no gate taken away before the drain;
* **readable**: the record of the run reads;
* **counted**: it counts each pulse that the macro felt, cell by cell; only a pulse of which nobody can know
  is `unknown`;
* **clean**: the next connection finds the same instruments, settles what was left open, and does the whole
  work without an error.

A cell of the table says how the work ended: the kind of the error (`LinkError.fault`), or `none` where the
driver got over it. Where there are several, it depends on the message that was hit. A fault that strikes
after the work, on the way out, is not in the cell: it ends with `none`, or with the error that outputs may
still be on.
"""
WHY = """
Why there is `none` for a source meter: SCPI over a socket has neither check sums nor numbers of messages. A
setting that is lost, doubled or damaged is found because settings are read back before an output goes on; a
digit of a reading that changes on the way is found by nobody. TCP has its own check sum, so that this takes
a broken instrument. The rramlab board protocol has a check sum and a number for each request: there `none`
means that the work was done, once, in spite of the fault; after a reset of the board pulses that may or may
not have gone out are reported as `unknown`, and the work goes on.
"""


def page(seen: Seen, trials: Trials) -> str:
    """Return the text of the page: the kinds that were seen, and how many trials were run, which all held."""
    told = f"{sum(trials.values())} trials in the run that this page is from; all of it held in each."
    parts = [HEAD, told, "", *_table(seen, trials), "", *_words(), "", *_host()]
    return "\n".join([*parts, WHY]).rstrip() + "\n"


def read(text: str) -> tuple[Seen, Trials]:
    """Return what a page tells: kinds by subject and fault, trials by subject."""
    rows = [line[2:-2].split(" | ") for line in text.split(WORDS)[0].splitlines() if line.startswith("| ")]
    head, _, *kinds, counts = rows
    assert head == _heads(), "the page is about other drivers"
    assert [row[0] for row in kinds] == [f"`{fault.value}`" for fault in Fault], "it is about other faults"
    seen = {
        (subject, fault): frozenset() if told == NOT_MET else frozenset(told.split(", "))
        for fault, row in zip(Fault, kinds, strict=True)
        for subject, told in zip(SUBJECTS, row[1:], strict=True)
    }
    return seen, dict(zip(SUBJECTS, map(int, counts[1:]), strict=True))


def _heads() -> list[str]:
    return ["fault", *(f"{subject.driver}<br>{subject.wire}" for subject in SUBJECTS)]


def _table(seen: Seen, trials: Trials) -> list[str]:
    rows = [_heads(), ["---"] * len(_heads())]
    for fault in Fault:
        kinds = [", ".join(sorted(seen[subject, fault])) or NOT_MET for subject in SUBJECTS]
        rows.append([f"`{fault.value}`", *kinds])
    rows.append(["trials", *(str(trials[subject]) for subject in SUBJECTS)])
    return ["## Faults of links and instruments", "", *map(_line, rows)]


def _words() -> list[str]:
    rows = [["fault", "what the bench does"], ["---"] * 2, *([f"`{f.value}`", f.text] for f in Fault)]
    return [WORDS, "", *map(_line, rows)]


def _host() -> list[str]:
    rows = [["fault", "what happens", "ends with"], ["---"] * 3]
    rows += [[f"`{name}`", act.__doc__ or "", kind] for name, (act, kind) in HOST.items()]
    return ["## Faults of the host", "", *map(_line, rows)]


def _line(row: list[str]) -> str:
    return f"| {' | '.join(row)} |"
