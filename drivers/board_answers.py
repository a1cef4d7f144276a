"""Turn answers of a board that are not OK into errors, each with what to try."""

from rramlab.board_protocol.frame import Response
from rramlab.board_protocol.limits import Refusal
from rramlab.board_protocol.words import Command, Status
from rramlab.errors import LinkError, LinkFault

_TEXTS: dict[Status, tuple[LinkFault, str]] = {
    Status.STALE: (
        LinkFault.MISMATCH,
        "says that this request is over: another process has settled it; end one of the two",
    ),
    Status.WRONG_SESSION: (
        LinkFault.MISMATCH,
        "has been taken over by another host; end one of the two and start again",
    ),
    Status.ID_REUSE: (
        LinkFault.MISMATCH,
        "got the id of this request with other content before; end the other host, or look at the firmware",
    ),
    Status.LATCHED: (
        LinkFault.INSTRUMENT,
        "has taken its lines to 0 V and waits; find the cause, start again",
    ),
    Status.UNSUPPORTED: (LinkFault.INSTRUMENT, "cannot do this; look at its features with 'bench check'"),
    Status.MALFORMED: (LinkFault.INSTRUMENT, "does not understand the request; look at its firmware version"),
    Status.NOT_READY: (LinkFault.INSTRUMENT, "cannot do this now"),
    Status.FAILED: (LinkFault.INSTRUMENT, "could not do it; look at its hardware"),
    Status.WRONG_VERSION: (LinkFault.MISMATCH, "speaks another version of the protocol; update its firmware"),
    Status.STOPPED: (LinkFault.INSTRUMENT, "broke it off half way; find the cause, start again"),
}


def complaint(answer: Response) -> LinkError:
    """Return the error that an answer other than OK stands for."""
    command = _name(answer.command)
    if answer.status is Status.REFUSED:
        refusal = Refusal.unpack(answer.body)
        return LinkError(
            LinkFault.INSTRUMENT,
            f"the board refuses {command}: value {refusal.index} of the batch is {refusal.asked}, above its "
            f"limit {refusal.name} of {refusal.allowed} (uV or ns); nothing went out. "
            f"Lower {refusal.name} in the bench file",
        )
    fault, text = _TEXTS.get(answer.status, (LinkFault.INSTRUMENT, f"answers {answer.status.name}"))
    has_text = answer.status is not Status.STOPPED
    told = answer.body.decode("utf-8", errors="replace")[:200] if has_text else ""
    return LinkError(fault, f"{command}: the board {text}{f' (it says: {told})' if told else ''}")


def _name(command: int) -> str:
    return Command(command).name if command in set(Command) else f"command {command}"
