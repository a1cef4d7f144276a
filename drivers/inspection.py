"""Look at every instrument of a bench, outputs off, and compare it with the bench file."""

from contextlib import ExitStack, suppress

from drivers.bench_parts import Parts, Size
from drivers.instrument import Instrument
from drivers.part import check_serial, check_size, told
from rramlab.errors import LinkError, LinkFault
from rramlab.finding import Finding

ADVICE = {
    LinkFault.REFUSED: "switch it on, look at its cable, and at its address in the bench file",
    LinkFault.TIMEOUT: "look at its address, speed and language; another instrument may be there",
    LinkFault.LOST: "look at its cable and its supply",
    LinkFault.GARBLED: "look at its speed and language",
    LinkFault.MISMATCH: "look where its cable leads, or correct the bench file",
    LinkFault.INSTRUMENT: "look at its display",
}


def inspect(parts: Parts, size: Size) -> list[Finding]:
    """Return what each instrument answers; one that is missing or wrong is a line like the others."""
    return [finding for name, part in parts for finding in _inspect_one(name, part, parts, size)]


def _inspect_one(name: str, part: Instrument, parts: Parts, size: Size) -> list[Finding]:
    found: list[Finding] = []
    with ExitStack() as exits:
        exits.callback(part.close)
        exits.enter_context(suppress(Exception))
        exits.callback(part.safe)
        try:
            part.open()
            part.safe()
            found.append(Finding(name, told(part.identify()), True))
            check_serial(part, parts.specs[name])
            if part is parts.board:
                check_size(parts.board, size)
            found += [_of(name, finding) for finding in part.self_test()]
        except Exception as error:  # the other instruments are looked at, whatever this one does
            found.append(_bad(name, error))
    return found


def _of(name: str, finding: Finding) -> Finding:
    """Return a finding of an instrument under the name of its part."""
    part = finding.part if finding.part.startswith(name) else f"{name}: {finding.part}"
    return Finding(part, finding.answer, finding.good, finding.advice)


def _bad(name: str, error: Exception) -> Finding:
    said = str(error) or type(error).__name__
    return Finding(name, said, False, ADVICE[error.fault] if isinstance(error, LinkError) else "")
