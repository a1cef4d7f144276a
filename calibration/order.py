"""List the procedures and bring them into the order in which one builds upon the other."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pkgutil import resolve_name
from typing import Any, final

from calibration.procedure import Procedure
from rramlab.backend import Backend
from rramlab.errors import InputError, did_you_mean
from rramlab.reading import ReadSpec


@final
@dataclass(frozen=True)
class Listed:
    """Name the class of a procedure, the verbs that it needs of a bench, and what it finds, in a line.

    `takes` names the options of the command that its class takes beside the reading, `spares` the verbs that
    an option makes unnecessary. One that `refines` a record is not part of "all": it is for in between.
    """

    where: str
    verbs: tuple[str, ...]
    finds: str
    takes: tuple[str, ...] = ()
    spares: Mapping[str, str] = field(default_factory=dict)
    refines: str = ""

    def lacks(self, backend: Backend, options: Mapping[str, Any]) -> str:
        """Return why this bench cannot be measured so, or an empty text."""
        spared = [verb for option, verb in self.spares.items() if options.get(option)]
        missing = [verb for verb in self.verbs if verb not in (*backend.capabilities, *spared)]
        if not missing:
            return ""
        able, name = ", ".join(sorted(backend.capabilities)), backend.identify()["name"]
        return f"this bench has no '{missing[0]}' ({name}); it can: {able}"

    def load(self) -> type[Procedure]:
        """Return the class."""
        found: type[Procedure] = resolve_name(self.where)
        return found

    def make(self, reading: ReadSpec, options: Mapping[str, Any]) -> Procedure:
        """Return the procedure for a reading; of the options it gets those that it takes."""
        return self.load()(reading, **{name: options[name] for name in self.takes})


PROCEDURES: Mapping[str, Listed] = {
    "readout": Listed(
        "calibration.readout.procedure:Readout",
        ("read", "sweep"),
        "Gain, offset and nonlinearity of row drivers and of single-cell readings, against the source meter.",
        takes=("prepare", "card"),
        spares={"card": "sweep"},
    ),
    "zero": Listed(
        "calibration.zero.procedure:Zero",
        ("read",),
        "How far the zero of each column has moved since the readout was calibrated; takes seconds.",
        refines="readout",
    ),
    "product": Listed(
        "calibration.product.procedure:Product",
        ("read", "multiply"),
        "Gain, offset and nonlinearity of products, resistance of lines and switches.",
    ),
    "transistor": Listed(
        "calibration.transistor.procedure:Transistor",
        ("read",),
        "Beta and threshold of the access transistors, and their resistance while cells are read.",
    ),
    "reference": Listed(
        "calibration.reference:Reference",
        ("read",),
        "The conductances that the rows of the network share.",
        takes=("prepare",),
    ),
    "loop": Listed(
        "calibration.loop.procedure:Loop",
        ("multiply", "solve"),
        "Gains, offsets and leak of the closed loop: integrators, multipliers, amplifiers.",
    ),
    "strength": Listed(
        "calibration.strength.procedure:Strength",
        ("read", "multiply", "solve"),
        "The factor of the drive with which the loop does what the digital solution does.",
        takes=("prepare",),
    ),
}


def named(names: Sequence[str], listed: Mapping[str, Listed] = PROCEDURES) -> list[str]:
    """Return these names in order, each behind those that it builds upon; of "all" what is part of it."""
    for name in names:
        if name not in (*listed, "all"):
            raise InputError(f"there is no calibration '{name}'; {did_you_mean(name, ['all', *listed])}")
    of_all = {name for name, one in listed.items() if not one.refines}
    asked = of_all if "all" in names else set(names)
    return [name for name in in_order(loaded(listed)) if name in asked]


def loaded(listed: Mapping[str, Listed]) -> dict[str, type[Procedure]]:
    """Return the classes by name."""
    return {name: one.load() for name, one in listed.items()}


def in_order(kinds: Mapping[str, type[Procedure]]) -> list[str]:
    """Return all names, each behind those that it builds upon, else as they are listed."""
    found: dict[str, None] = {}
    for name in kinds:
        found |= dict.fromkeys([*before([name], kinds), name])
    return list(found)


def before(names: Iterable[str], kinds: Mapping[str, type[Procedure]]) -> list[str]:
    """Return the names that these build upon, directly or through others, in order; not these themselves."""
    found: dict[str, None] = {}
    for name in names:
        for one in kinds[name].after:
            found |= dict.fromkeys([*(before([one], kinds) if one in kinds else ()), one])
    return [one for one in found if one not in set(names)]


def refining(names: Iterable[str], listed: Mapping[str, Listed]) -> list[str]:
    """Return the names of those that refine one of these records, where they have been done."""
    return [name for name, one in listed.items() if one.refines in names and name not in names]


def left_out(
    names: Iterable[str], listed: Mapping[str, Listed], backend: Backend, options: Mapping[str, Any]
) -> dict[str, str]:
    """Return why procedures cannot be done on this bench, by name; those that can are not in it."""
    told = {name: listed[name].lacks(backend, options) for name in names}
    return {name: why for name, why in told.items() if why}
