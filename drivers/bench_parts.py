"""Hold the instruments of a bench, and do to each of them what must be done to all."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Self, final

from drivers.bench_options import BenchOptions
from drivers.breaker import Breaker, switch_off
from drivers.controller import Controller
from drivers.instrument import Instrument
from drivers.oscilloscope import Oscilloscope
from drivers.part import check_serial, check_size, in_part, told
from drivers.plugin import load
from drivers.source_meter import SourceMeter
from drivers.spec import PartSpec
from rramlab.errors import RramlabError
from rramlab.finding import Finding

Size = tuple[int, int, int]

KINDS: dict[str, type[Any]] = {
    "source_meter": SourceMeter,
    "board": Controller,
    "oscilloscope": Oscilloscope,
}
"""The parts in the order of switching off: what drives a cell, what selects it, what looks on."""


@final
@dataclass(frozen=True)
class Parts:
    """Hold the instruments that a bench file names; None where there is no such one."""

    meter: SourceMeter | None
    board: Controller | None
    scope: Oscilloscope | None
    specs: dict[str, PartSpec]

    @classmethod
    def make(cls, options: BenchOptions) -> Self:
        """Return the drivers that these options name, their links not yet opened."""
        specs = options.parts()
        made: dict[str, Any] = {name: load(spec.use, KINDS[name])(spec) for name, spec in specs.items()}
        if options.oscilloscope is not None and "board" in made:
            made["board"].watch(made["oscilloscope"], options.oscilloscope)
        return cls(made.get("source_meter"), made.get("board"), made.get("oscilloscope"), specs)

    def __iter__(self) -> Iterator[tuple[str, Instrument]]:
        """Yield name and instrument, in the order in which they are switched off."""
        for name, part in zip(KINDS, (self.meter, self.board, self.scope), strict=True):
            if part is not None:
                yield name, part

    def capabilities(self) -> frozenset[str]:
        """Return the verbs that these instruments can do together; time passes on any bench."""
        able = frozenset() if self.board is None else self.board.capabilities
        sweep = {"sweep"} if "connect" in able and self.meter is not None else set()
        return (able & {"read", "pulse", "multiply", "solve"}) | sweep | {"wait"}

    def identify(self) -> dict[str, str]:
        """Return who answers, by part."""
        return {name: told(part.identify()) for name, part in self}

    def open(self, exits: ExitStack, size: Size) -> None:
        """Open all of them, switched off, and see that each is the one of the bench file."""
        for name, part in self:
            try:
                exits.callback(part.close)
                part.open()
                check_serial(part, self.specs[name])
                if part is self.board:
                    check_size(self.board, size)
                part.safe()
            except RramlabError as error:
                raise in_part(name, error) from error

    def safe(self) -> None:
        """Switch all of them off, drain before gate; all are tried, whatever breaks on the way."""
        broken = []
        for name, part in self:
            try:
                part.safe()
            except Exception as error:
                if part is not self.scope:  # it drives nothing, so that nothing is left on
                    broken.append(f"{name}: {error}")
        if broken:
            raise RuntimeError("; ".join(broken))


def breakers(options: BenchOptions) -> list[Breaker]:
    """Return what switches each instrument off from outside, in the order of switching off."""
    return [Breaker(name, load(spec.use, KINDS[name]), spec) for name, spec in options.parts().items()]


def everything_off(options: BenchOptions) -> list[Finding]:
    """Switch every instrument off over links of its own, all at once, and return what each says then.

    A driver that cannot be loaded keeps no other instrument on.
    """
    known, lost = [], []
    for name, spec in options.parts().items():
        try:
            known.append(Breaker(name, load(spec.use, KINDS[name]), spec))
        except RramlabError as error:
            lost.append(Finding(name, str(error), False, "switch it off by hand"))
    return switch_off(known) + lost
