"""Put the rows of all figures together."""

from protocols.reproduce import device_claims, network_claims, noise_claims
from protocols.reproduce.claim import Claim, Row, Verdict
from protocols.reproduce.ledger_claims import of_task
from protocols.reproduce.state import Reproduction

HEAD = ("panel", "published", "ours", "conditions", "rule", "agrees")


def claims() -> tuple[Claim, ...]:
    """Return all claims in the order of their figures."""
    return (
        *device_claims.CLAIMS,
        *network_claims.RING_CLAIMS,
        *of_task("unconditional", ("3f", "3g")),
        *network_claims.LETTER_CLAIMS,
        *of_task("conditional", ("4g", "4h")),
        *noise_claims.CLAIMS,
    )


def rows(found: Reproduction) -> list[Row]:
    """Return the table."""
    planned = {each.name for each in found.experiments}
    return [claim.row(found.done, planned) for claim in claims()]


def counts(listed: list[Row]) -> dict[str, int]:
    """Return how many rows have each verdict."""
    return {verdict: sum(row.verdict == verdict for row in listed) for verdict in Verdict}
