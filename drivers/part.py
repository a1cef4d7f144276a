"""Compare an instrument with what the bench file says of it."""

from drivers.controller import Controller
from drivers.instrument import Instrument
from drivers.scpi import wrong_serial
from drivers.spec import PartSpec
from rramlab.errors import LinkError, LinkFault, RramlabError


def check_serial(part: Instrument, spec: PartSpec) -> None:
    """Refuse an instrument that is not the one of the bench file; a file that names no serial takes any."""
    found = part.identify().get("serial", "")
    if spec.serial and found != spec.serial:
        raise wrong_serial(spec.serial, found)


def check_size(board: Controller, size: tuple[int, int, int]) -> None:
    """Refuse a board with other macros than the bench file says: macros, rows, columns."""
    if board.shape != size:
        raise LinkError(
            LinkFault.MISMATCH,
            f"the bench file says {told_size(size)}, but the board has {told_size(board.shape)}; "
            f"correct macros, rows and cols under [backend.options]",
        )


def told_size(size: tuple[int, int, int]) -> str:
    """Return the size of a bench as text."""
    macros, rows, cols = size
    return f"{macros} macros of {rows} x {cols}"


def told(identity: dict[str, str]) -> str:
    """Return an identity as one line of text: the name, which holds maker and model, and the rest."""
    said = ("name", "maker", "model")
    rest = [f"{key} {value}" for key, value in identity.items() if value and key not in said]
    return ", ".join([identity.get("name", "no name"), *rest])


def in_part(name: str, error: RramlabError) -> RramlabError:
    """Return the same error with the name of the part in front of it."""
    text = str(error)
    if text.startswith(name):
        return error
    said = f"{name}: {text}"
    return LinkError(error.fault, said) if isinstance(error, LinkError) else type(error)(said)
