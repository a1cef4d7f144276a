"""Open, test, and switch off a source meter over SCPI: what all models have in common."""

import time
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar, final

from drivers.link import Link
from drivers.rows import Flag, Number
from drivers.scpi import Scpi
from drivers.source_meter import SourceMeter
from drivers.spec import MeterSpec
from drivers.visa_wire import VisaWire
from drivers.wire import Wire
from rramlab.errors import LinkError, LinkFault, RramlabError
from rramlab.finding import Finding

AWAY = (LinkFault.REFUSED, LinkFault.TIMEOUT, LinkFault.LOST)
"""What an instrument may recover from while it is being switched off."""
PATIENCE, PAUSE = 1.0, 0.02
"""For how long (s) it is tried to switch off, and the time (s) between attempts."""
SELF_TEST = 30.0
"""Time (s) that a self-test may take."""


class ScpiMeter(SourceMeter):
    """Open and leave a source meter that speaks SCPI, its output off."""

    model: ClassVar[str]
    """A regular expression for its answer to *IDN?."""
    abort_command: ClassVar[str]
    tests_itself: ClassVar[bool] = True
    """Whether *TST? is harmless with a macro connected."""

    # What each model declares as rows.
    level: Number
    output: Flag

    def __init__(self, spec: MeterSpec, wire: Wire | None = None) -> None:
        self.spec = spec
        wire = wire or _wire(spec)
        self.scpi = Scpi(wire, self.model, self._begin, spec.timeout, spec.channel, spec.serial)

    @abstractmethod
    def _prepare(self) -> None:
        """Set what holds for the whole session, output off."""

    @abstractmethod
    def _forget(self) -> None:
        """Forget what was set: the link is new, and the instrument may be fresh from power-on."""

    # Opening and leaving.

    @final
    def open(self) -> None:
        """Open the link, make sure who answers, and switch the output off."""
        self.scpi.link.open()

    @final
    def close(self) -> None:
        """Close the link; never raises."""
        self.scpi.link.close()

    @final
    def identify(self) -> dict[str, str]:
        """Return who answers: name, maker, model, serial, firmware."""
        return self.scpi.identity.facts()

    @final
    def self_test(self) -> list[Finding]:
        """Return what the instrument finds about itself, output off."""
        name = self.scpi.identity.model
        found = [Finding(name, "output off" if self.is_off() else "output ON", self.is_off())]
        if self.tests_itself:
            code = self.scpi.number("*TST?", SELF_TEST)
            found.append(
                Finding(name, f"self-test {code:g}", code == 0, "" if code == 0 else "have it repaired")
            )
        errors = self.scpi.drain()
        return [*found, *(Finding(name, error, False, "look it up in the manual") for error in errors)]

    @final
    def safe(self) -> None:
        """Stop what is under way, 0 V, output off, and make sure of it; each step is tried.

        While nobody answers it is tried again, for a second at least: a plug may be put in again.
        """
        until = time.monotonic() + max(self.spec.timeout, PATIENCE)
        while True:
            try:
                self._all_off()
                return
            except LinkError as error:
                late = time.monotonic() > until
                if error.fault not in AWAY or late or not self.scpi.link.is_open:
                    raise
            time.sleep(PAUSE)

    def _all_off(self) -> None:
        for step in (self.abort, self._to_zero, self._to_off):
            try:
                step()
            except RramlabError:
                continue  # what counts is the last question
        self._must_be_off()

    @classmethod
    @final
    def switch_off(cls, spec: MeterSpec) -> Finding:
        """Stop and switch off over a link of its own, and return what was read back."""
        link = Link(_wire(spec), spec.timeout)
        channel = str(spec.channel)
        try:
            link.open()
            link.send(cls.abort_command.replace("{c}", channel))
            link.send(cls.output.command.replace("{c}", channel).replace("{}", "0"))
            # Twice, as in `is_off`: the first may be the answer to a question of the process that died.
            answers = [link.query(cls.output.query.replace("{c}", channel)).strip() for _ in range(2)]
        except LinkError as error:
            return Finding("source meter", str(error), False, "switch it off at its front panel")
        finally:
            link.close()
        if answers == ["0", "0"]:
            return Finding("source meter", "output off", True)
        return Finding("source meter", f"output reads {answers}"[:60], False, "switch it off by hand")

    # Output.

    @final
    def output_off(self) -> None:
        """Set 0 V and switch the output off."""
        with self._together():
            self._to_zero()
            self._off()

    @final
    def is_off(self) -> bool:
        """Tell whether the instrument says, twice, that its output is off: lines are switched upon it."""
        return not self.output and not self.output

    # Steps.

    @final
    def _begin(self) -> None:
        """Take nothing over from an earlier talk: what is not known to be off is switched off."""
        self._forget()
        self.scpi.start(self.scpi.fill(self.abort_command))
        self._to_off()
        self.scpi.set("*CLS")
        self.scpi.drain()
        self._prepare()
        self.scpi.check_errors("prepare for work")
        self._must_be_off()

    def _to_zero(self) -> None:
        self.level = 0.0

    def _to_off(self) -> None:
        self.output = False

    def _off(self) -> None:
        self._to_off()
        self._must_be_off()

    def _must_be_off(self) -> None:
        for _ in range(2):
            type(self).output.read_back(self, False)

    @contextmanager
    def _together(self) -> Iterator[None]:
        with self.scpi.link.together():
            yield


def _wire(spec: MeterSpec) -> Wire:
    return VisaWire(spec.resource, spec.visa, spec.baud, spec.timeout)
