"""Show the ledger of a run on one page."""

from dataclasses import asdict

from protocols.ledger import needed, words
from protocols.ledger.account import Account, energy_text
from protocols.ledger.findings import Findings
from protocols.ledger.phrases import of
from protocols.ledger.report import DIGITAL, digital_rows
from protocols.ledger.steps import RULE
from rramlab.figures.ledger import energy_stacks, times_per_sample
from rramlab.page import Page

ENTRIES = ["what", "energy per sample", "how it was had", "source"]
MEASURES = {"sliced_wasserstein": "sliced Wasserstein", "kl": "KL, 40 x 40 bins"}


def page_of(found: Findings) -> Page:
    """Return the page."""
    page = Page("Time and energy per sample", lead(found))
    beside(page, found)
    published(page, found)
    analog(page, found.bench, words.check(found))
    analog(page, found.projected, PROJECTED)
    digital(page, found)
    return page


PROJECTED = (
    "Nothing of this version exists. The voltages are those of the run, in the time that is assumed; the "
    "constants are a set of their own, and none of those of the bench is among them."
)


def lead(found: Findings) -> str:
    """Return the ledger in one sentence."""
    bench, projected, alone, large = found.bench, found.projected, found.alone, found.large
    return (
        f"{found.sampled.runs:,} closed-loop samples of run {found.sampled.folder.name}"
        f"{'' if found.sampled.finished else ', which is not finished'}. Bench as built: "
        f"{of(bench.seconds, 's')} and {energy_text(bench.joule)} per sample; projected: "
        f"{of(projected.seconds, 's')} and {energy_text(projected.joule)}; digital on this machine: "
        f"{of(alone.seconds, 's')} one at a time, {of(large.seconds, 's')} in batches of {large.batch:,}."
    )


def beside(page: Page, found: Findings) -> None:
    """Add the two figures and what carries the distance."""
    told = [
        tell(found)
        for tell in (words.time, words.calls, words.batch, words.steps, words.carried, words.energy)
    ]
    page.section("Analog beside digital", "\n\n".join(told))
    stacks = {account.name: account.groups() for account in (found.bench, found.projected)}
    baselines = {f"{_short(d.name)}\n{d.batch:,}": d.joule for d in found.digital}
    page.figure("Energy per sample, by component", energy_stacks(stacks, baselines), name="energy")
    page.figure("Time per sample", times_per_sample(times(found), band(found)), name="time")


def times(found: Findings) -> dict[str, dict[str, float]]:
    """Return the times per sample (s) of all systems, by group."""
    told = {
        f"{side}, {claim.name}": seconds
        for claim in found.claims
        for side, seconds in (("analog", claim.analog_seconds), ("digital", claim.digital_seconds))
        if seconds
    }
    measured = {f"{_short(d.name)}, batch of {d.batch:,}": d.seconds for d in found.digital}
    systems = {account.name: account.seconds for account in (found.bench, found.projected)}
    return {"analog": systems, "digital, measured": measured, "published": told}


def band(found: Findings) -> list[float]:
    """Return the times (s) that the ratios published for this task need beside one digital sample."""
    ratios = [claim.time_ratio for claim in found.own_claims]
    return [found.alone.seconds / max(ratios), found.alone.seconds / min(ratios)]


def published(page: Page, found: Findings) -> None:
    """Add the published figures, and what is needed to arrive there."""
    told = [needed.needed_time(found)]
    told += [needed.needed_energy(found, each) for each in dict.fromkeys((found.alone, found.large))]
    page.section("Published figures", "\n\n".join([*told, needed.implied(found)]))
    page.table("What each would need per sample", needed.HEAD, needed.claim_rows(found))


def analog(page: Page, account: Account, text: str) -> None:
    """Add one account, entry by entry."""
    page.section(account.name.capitalize(), text)
    page.table(f"{of(account.seconds, 's')} per sample, {of(account.watt, 'W')}", ENTRIES, account.rows())


def digital(page: Page, found: Findings) -> None:
    """Add the digital baselines, how their steps were chosen, and the quality of all samples."""
    sweep = found.steps
    page.section("Digital", f"Steps: {RULE}. Here: {sweep.chosen}. Processor: {found.machine}.")
    page.table("Baselines, float32", DIGITAL, digital_rows(found))
    distances = [[n, d] for n, d in zip(sweep.ladder, sweep.distances, strict=True)]
    page.table(
        f"Sweep of the steps; fresh data: {sweep.floor:.4f}, scatter {sweep.scatter:.4f}",
        ["steps", "sliced Wasserstein distance"],
        distances,
    )
    rows = [[name, *(asdict(q)[measure] for measure in MEASURES)] for name, q in found.quality.items()]
    page.table(
        "Quality from the same start states, one metric for all", ["samples", *MEASURES.values()], rows
    )


def _short(name: str) -> str:
    """Return the name of a baseline without its machine, but for an accelerator's."""
    return name.removesuffix(", one core")
