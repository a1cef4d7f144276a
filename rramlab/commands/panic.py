"""Switch everything off, now."""

from dataclasses import asdict

import typer

from rramlab.errors import LinkError, LinkFault
from rramlab.signals import undisturbed


def panic(ctx: typer.Context) -> None:
    """Switch every output off, whoever holds the bench, and say what each instrument reads back.

    It waits for no lock and opens links of its own. Without --bench it goes to all benches in use on this
    computer. The exit code is 0 only if everything says that it is off.

    Example: rramlab panic --bench mine.toml
    """
    from rramlab.panic import switch_off

    terminal = ctx.obj.terminal
    with undisturbed():  # a second Ctrl-C in a panic is no wish to leave things on
        found = switch_off(ctx.obj.bench_path)
        for name, findings in found.items():
            for finding in findings:
                terminal.say(f"{name}: " + " | ".join(finding.row()))
            if not findings:
                terminal.say(f"{name}: nothing can be on, it has no instruments")
    terminal.document({"benches": {name: [asdict(f) for f in findings] for name, findings in found.items()}})
    left = [finding for findings in found.values() for finding in findings if not finding.good]
    if left:
        by_hand = "; ".join(f"{finding.part} ({finding.answer}): {finding.advice}" for finding in left)
        raise LinkError(LinkFault.INSTRUMENT, f"not everything says that it is off. By hand: {by_hand}")
