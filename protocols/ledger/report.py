"""Tell the ledger of a run: one screen, and JSON for scripts."""

from pathlib import Path

from protocols.ledger import needed, words
from protocols.ledger.account import Account, energy_text
from protocols.ledger.findings import Findings, facts_of
from protocols.ledger.phrases import of
from rramlab.terminal import Terminal

SHORT = ["baseline", "batch", "steps", "time", "energy", "energy from"]
DIGITAL = [
    "digital baseline",
    "batch",
    "steps",
    "time per sample",
    "energy per sample",
    "how the energy was had",
]


def show(terminal: Terminal, found: Findings, page: Path) -> None:
    """Print one screen of summary."""
    head = ["what", found.bench.name, found.projected.name]
    terminal.table("Energy per sample", head, beside(found.bench, found.projected))
    rows = [
        [*row[:5], "measured" if each.measured else "stated power"]
        for row, each in zip(digital_rows(found), found.digital, strict=True)
    ]
    terminal.table(f"Digital, {found.machine}, per sample", SHORT, rows)
    for paragraph in paragraphs(found):
        terminal.say(f"\n{paragraph}")
    if not found.sampled.finished:
        terminal.hint(
            f"run '{found.sampled.folder}' is not finished: these are the {found.sampled.runs:,} samples "
            f"that it holds so far"
        )
    terminal.say(f"\npage: {page}")
    terminal.document(facts_of(found) | {"words": paragraphs(found), "page": str(page)})


def beside(bench: Account, projected: Account) -> list[list[str]]:
    """Return rows of both accounts by group, and their sums, times and powers."""
    columns = bench.groups(), projected.groups()
    groups = list(dict.fromkeys([*columns[0], *columns[1]]))
    rows = [[group, *(energy_text(column.get(group, 0.0)) for column in columns)] for group in groups]
    both = bench, projected
    rows.append(["sum", *(energy_text(each.joule) for each in both)])
    rows.append(["time per sample", *(of(each.seconds, "s") for each in both)])
    return [*rows, ["mean power", *(of(each.watt, "W") for each in both)]]


def digital_rows(found: Findings) -> list[list[str]]:
    """Return the baselines as rows of text."""
    return [
        [d.name, f"{d.batch:,}", f"{d.steps}", of(d.seconds, "s"), energy_text(d.joule), d.how]
        for d in found.digital
    ]


def paragraphs(found: Findings) -> list[str]:
    """Return all that is said in words."""
    told = [
        tell(found)
        for tell in (
            words.check,
            words.time,
            words.calls,
            words.batch,
            words.steps,
            words.carried,
            words.energy,
        )
    ]
    baselines = dict.fromkeys((found.alone, found.large))
    energies = [needed.needed_energy(found, digital) for digital in baselines]
    return [*told, needed.needed_time(found), *energies, needed.implied(found)]
