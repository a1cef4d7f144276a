"""Take a board to 0 V from outside: no session, no parser needed, and what the lines read back."""

from contextlib import suppress

from drivers.board_link import BoardLink
from drivers.serial_wire import board_wire
from drivers.spec import BoardSpec
from rramlab.board_protocol.frame import Request, Response
from rramlab.board_protocol.hello import StatusReply
from rramlab.board_protocol.words import DRIVEN, Command
from rramlab.errors import RramlabError
from rramlab.finding import Finding

PART = "board"
TAG = 0xFFFF << 48
"""Tag of a panic: no working host uses it."""
TIMEOUT, RETRIES = 0.3, 3
_BY_HAND = "switch the supply of the board off by hand: its lines fall to 0 V"


def board_off(spec: BoardSpec) -> Finding:
    """Send PANIC as bytes and as a frame; return what the board then says of its lines. Never raises."""
    wire = board_wire(spec.port, spec.baud, alone=False)
    link = BoardLink(wire, min(TIMEOUT, spec.timeout), RETRIES, spec.baud)
    try:
        link.open()
        link.shout()
        return finding(link.exchange(Request(Command.PANIC, request=TAG)))
    except (RramlabError, OSError) as error:
        return Finding(PART, str(error), False, _BY_HAND)
    finally:
        with suppress(Exception):
            link.close()


def finding(answer: Response) -> Finding:
    """Return what a board says after PANIC as a line of a table."""
    lines = StatusReply.unpack(answer.body)
    volts = ", ".join(
        f"{name} {1e-6 * value:.3g} V"
        for name, value in (("BL", lines.bl), ("SL", lines.sl), ("WL", lines.gate))
    )
    off = not answer.state & DRIVEN
    text = f"{volts}; {'off' if off else f'still {answer.state!r}'}"
    return Finding(PART, text, off, "" if off else _BY_HAND)
