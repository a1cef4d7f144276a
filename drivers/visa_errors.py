"""Say in the words of the house what PyVISA reports in five different ways."""

from collections.abc import Iterator
from contextlib import contextmanager

from drivers.sockets import gone
from rramlab.errors import LinkError, LinkFault


@contextmanager
def link_error(name: str, timeout: float) -> Iterator[None]:
    """Raise as LinkError what the calls of PyVISA raise: VisaIOError, OSError, RuntimeError, bare ones."""
    from pyvisa.constants import StatusCode
    from pyvisa.errors import VisaIOError

    try:
        yield
    except LinkError:
        raise
    except TimeoutError as error:
        raise LinkError(LinkFault.TIMEOUT, f"{name} was silent for {timeout:.3g} s") from error
    except VisaIOError as error:
        if error.error_code == StatusCode.error_timeout:
            raise LinkError(LinkFault.TIMEOUT, f"{name} was silent for {timeout:.3g} s") from error
        raise gone(name, error) from error
    except Exception as error:
        raise gone(name, error) from error
