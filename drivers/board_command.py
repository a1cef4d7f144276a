"""Bring what concerns controller boards to the command line."""

from __future__ import annotations

from typing import Annotated

import typer

board = typer.Typer(
    help="Test controller boards.\n\nExample: rramlab board conformance /dev/ttyACM0",
    no_args_is_help=True,
    add_completion=False,
)


@board.callback()
def _group() -> None:
    """Test controller boards."""


@board.command()
def conformance(
    ctx: typer.Context,
    port: Annotated[str, typer.Argument(help="Serial port, or socket://host:port.")],
    baud: Annotated[int, typer.Option(help="Speed of the serial line (baud).", min=1)] = 921_600,
    timeout: Annotated[float, typer.Option(help="Time that an answer may take (s).", min=0.01)] = 1.0,
    pulses: Annotated[
        str, typer.Option(help="Cells that may get a few gentle pulses, such as r0c0-3; none if left out.")
    ] = "",
) -> None:
    """Test a board against the board protocol (docs/board-protocol.md), lines at 0 V or nearly so.

    Exit code 1 if it breaks a rule. Example: rramlab board conformance /dev/ttyACM0 --pulses r0c0
    """
    from drivers.conformance import Conformance
    from drivers.serial_wire import board_wire
    from rramlab.cells import Cells

    cells = Cells.parse(pulses or "r0c0")
    tests = Conformance(board_wire(port, baud), timeout, cells, bool(pulses))
    terminal, found = ctx.obj.terminal, []
    for finding in tests.findings():
        found.append(finding)
        if not finding.good:
            terminal.hint(f"{finding.part}: {finding.answer}")
    broken = [finding.part for finding in found if not finding.good]
    terminal.table(f"Board at {port}", ["check", "answer", "verdict"], [finding.row() for finding in found])
    terminal.say(f"{len(found) - len(broken)} of {len(found)} checks passed")
    terminal.document(
        {"port": port, "broken": broken, "checks": {finding.part: finding.answer for finding in found}}
    )
    if broken:
        raise typer.Exit(1)
