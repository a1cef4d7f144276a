"""Say what the published ratios would need beside the baselines here; every sentence is computed."""

from math import log

from protocols.ledger.account import energy_text
from protocols.ledger.baseline import Digital
from protocols.ledger.findings import Findings
from protocols.ledger.phrases import between, had, named, number, of, reach
from protocols.ledger.published import Claim

AMPLIFIERS = "amplifiers, quiescent"
HEAD = [
    "published",
    "time",
    "needs, one at a time",
    "needs, in batches",
    "energy",
    "needs, alone",
    "needs, in batches",
]


def needed_time(found: Findings) -> str:
    """Say which time per sample the published ratios need."""
    ratios = [claim.time_ratio for claim in found.own_claims]
    least, most, alone = min(ratios), max(ratios), found.alone
    reached = alone.seconds / found.projected.seconds
    others = [
        f"{between(d.seconds / most, d.seconds / least, 's')} beside {named(d)}"
        for d in dict.fromkeys((found.lean, found.large))
    ]
    return (
        f"Published for the {found.task} task, which this is: {least:g} to {most:g} times faster. Beside "
        f"{named(alone)} that needs "
        f"{between(alone.seconds / most, alone.seconds / least, 's')} per sample; "
        f"{of(found.projected.seconds, 's')} gives {number(reached)} times, {reach(reached, least, most)}. "
        f"It would have to be {'; '.join(others)}."
    )


def needed_energy(found: Findings, digital: Digital) -> str:
    """Say which energy, and which power in the projected time, the published ratios need."""
    ratios, projected = [claim.energy_ratio for claim in found.own_claims], found.projected
    least, most, reached = min(ratios), max(ratios), digital.joule / projected.joule
    low, high = digital.joule / most, digital.joule / least
    return (
        f"To use {least:.3g} to {most:.3g} times less energy, as published for this task, than "
        f"{named(digital)} "
        f"({energy_text(digital.joule)}, {had(digital)}) a sample may take {between(low, high, 'J')}, or "
        f"{between(low / projected.seconds, high / projected.seconds, 'W')} for "
        f"{of(projected.seconds, 's')}. The projected {of(projected.watt, 'W')} gives {number(reached)} "
        f"times, {reach(reached, least, most)}. {_room(found, digital, most)}"
    )


def _room(found: Findings, digital: Digital, ratio: float) -> str:
    """Say how far the powers that carry a ratio could be off: of the amplifiers, and of the digital side."""
    projected = found.projected
    amplifiers = projected.groups()[AMPLIFIERS]
    room = (digital.joule / ratio - (projected.joule - amplifiers)) / amplifiers
    could = (
        f"could draw {number(room)} times what is assumed"
        if room > 0
        else "would have to draw less than nothing"
    )
    watts = ratio * projected.joule / digital.seconds, digital.joule / digital.seconds
    return (
        f"It is exactly {ratio:.3g} times if the digital side draws {of(watts[0], 'W')} in place of "
        f"{of(watts[1], 'W')}, or else the amplifiers of the projected version {could}."
    )


def implied(found: Findings) -> str:
    """Say what powers a claim implies that tells seconds and joules, beside those of this account."""
    told = [_implied(found, claim) for claim in found.claims if claim.watts is not None]
    return " ".join(told) or "No claim tells both seconds and joules."


def _implied(found: Findings, claim: Claim) -> str:
    analog, digital = claim.watts or (1.0, 1.0)
    bench, projected = found.bench.watt, found.projected.watt
    near = (
        "the bench as built"
        if abs(log(bench / analog)) < abs(log(projected / analog))
        else "the projected version"
    )
    whole = found.alone.joule / found.alone.seconds
    shared = (
        "as if the energy were shared by a batch, and the time were not"
        if whole > 2 * digital
        else "that of a whole machine"
    )
    return (
        f"{claim.where} tells seconds and joules: {of(analog, 'W')} on the analog side, {of(digital, 'W')} "
        f"on the digital. The parts of the bench as built draw {of(bench, 'W')}, those of the projected "
        f"version {of(projected, 'W')}; the published power is nearer to {near}. The digital power is 1/"
        f"{number(whole / digital)} of the {of(whole, 'W')} of one core here: "
        f"{shared}."
    )


def claim_rows(found: Findings) -> list[list[str]]:
    """Return each claim with what it would need: seconds and joules per sample, alone and in batches."""
    alone, large = found.alone, found.large
    return [
        [
            claim.name,
            f"{claim.time_ratio:g}x",
            of(alone.seconds / claim.time_ratio, "s"),
            of(large.seconds / claim.time_ratio, "s"),
            f"{claim.energy_ratio:.3g}x",
            energy_text(alone.joule / claim.energy_ratio),
            energy_text(large.joule / claim.energy_ratio),
        ]
        for claim in found.claims
    ]
