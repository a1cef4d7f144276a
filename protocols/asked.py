"""Refuse what is asked of write-verify in error, before a run is made."""

from protocols.write_verify.spec import Spec
from rramlab.errors import InputError
from rramlab.quantity import format_quantity

MOST_PASSES = 1000
MOST_WAIT = 1e8
"""Longest wait between passes (s): three years."""


def within_reason(spec: Spec) -> Spec:
    """Return a spec whose figures a person can have meant."""
    room = (spec.window[1] - spec.window[0]) / 2
    if spec.tolerance >= room:
        asked, most = format_quantity(spec.tolerance, "S"), format_quantity(room, "S")
        raise InputError(
            f"a tolerance of {asked} takes in the whole window; give less than {most}, such as 1uS"
        )
    if spec.passes > MOST_PASSES or spec.wait > MOST_WAIT:
        raise InputError(
            f"{spec.passes} passes with a wait of {spec.wait:g} s were asked for; "
            f"at most {MOST_PASSES} passes and {MOST_WAIT:g} s are possible"
        )
    return spec
