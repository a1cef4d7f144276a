"""Let every driver meet every fault on the virtual bench, and print how each ends.

Goals: in each trial nothing drives a cell afterwards, the record reads and counts what the macro felt, and
the next connection is clean; each fault ends with an error of the kind that is stated for it. With --write
the page docs/fault-table.md is written from what was seen.
"""

import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from fault_bench import Subject
from fault_cases import SHARES, SUBJECTS, Kinds, applies, complaints, serving, trials
from fault_host import HOST
from fault_page import PAGE, page

from sim_backend.virtual.faults import Fault

Seen = dict[tuple[Subject, Fault], Kinds]
WORKERS = 3
"""Most of the time is waiting for what does not come."""


def main() -> None:
    seen: Seen = {(subject, fault): frozenset() for subject in SUBJECTS for fault in Fault}
    counts: dict[Subject, int] = {}
    wrong = host()
    print(f"{'driver':36} {'trials':>7} {'wrong':>6} {'goal':>5} {'s':>6}")
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
        for subject, (found, count, bad, seconds) in zip(SUBJECTS, pool.map(run, SUBJECTS), strict=True):
            print(f"{subject!s:36} {count:7} {len(bad):6} {0:5} {seconds:6.1f}")
            seen |= {(subject, fault): kinds for fault, kinds in found.items()}
            counts[subject] = count
            wrong += bad
    print("\n".join(wrong) or "faults of the host end as stated; all holds")
    if wrong:
        sys.exit(1)
    if "--write" in sys.argv:
        PAGE.write_text(page(seen, counts), encoding="utf-8")


def run(subject: Subject) -> tuple[dict[Fault, Kinds], int, list[str], float]:
    """Return the kinds seen by fault, how many trials had their fault, what was wrong, and the time (s)."""
    begin, count, wrong = time.monotonic(), 0, []
    met = [fault for fault in Fault if applies(subject, fault)]
    seen: dict[Fault, Kinds] = {}
    with serving(subject) as bench:
        for fault, verdict in trials(bench, met, SHARES):
            wrong += complaints(subject, fault, verdict)
            count += verdict.struck
            if verdict.struck and not verdict.leaving:
                seen[fault] = seen.get(fault, frozenset()) | {verdict.kind}
    return seen, count, wrong, time.monotonic() - begin


def host() -> list[str]:
    """Return what is wrong with faults of the host."""
    wrong = []
    with serving(SUBJECTS[0]) as bench:
        for name, (act, kind) in HOST.items():
            verdict = act(bench)
            if verdict.broken or verdict.kind != kind:
                wrong.append(f"{name}: {verdict.kind}, {verdict.broken} ({verdict.text})")
    return wrong


if __name__ == "__main__":
    main()
