"""Name each point of a study: what is drawn there, and the seeds that are its own whoever draws it."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any, final

import numpy as np

from protocols.study.request import NETWORKS, Request

CURVE, MAP, DEVICE, AGED = "curve", "map", "device", "aged"
PARTS = (CURVE, MAP, DEVICE, AGED)
"""Write noise alone, write and read noise, both as multiples of the device's, and passes with waits."""
ONE_MACRO, ONE_POINT = 0, 1
"""Branches of the seed: what all levels share on a macro, and what belongs to one of them alone."""


@final
@dataclass(frozen=True)
class Job:
    """Hold one point of a study on one macro: part, network, the numbers of its levels, macro.

    Of a part with waits `first` is the number of the passes, and `second` is 0.
    """

    part: str
    network: str
    first: int
    second: int
    macro: int

    @property
    def name(self) -> str:
        """Return the name under which the point is kept."""
        return f"{self.part}-{self.network}-{self.first}-{self.second}-{self.macro}"

    def facts(self) -> dict[str, Any]:
        """Return the point as plain numbers."""
        return asdict(self)

    def shared(self, seed: int) -> np.random.Generator:
        """Return the randomness of the macro, the same for every network and level of noise.

        Levels that differ in nothing but the size of the noise show its effect with fewer macros.
        """
        key = (ONE_MACRO, PARTS.index(self.part), self.macro)
        return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))

    def own(self, seed: int) -> np.random.Generator:
        """Return the randomness of this point alone, whenever and wherever it is drawn."""
        where = PARTS.index(self.part), NETWORKS.index(self.network), self.first, self.second, self.macro
        return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(ONE_POINT, *where)))


def jobs_of(request: Request) -> Iterator[Job]:
    """Return the points of a study, the longest ones first: no worker is left with one at the end."""
    for part in reversed(PARTS):
        firsts, seconds, macros = map(range, shape_of(request, part))
        for network in networks_of(request, part):
            for first, second, macro in product(firsts, seconds, macros):
                yield Job(part, network, first, second, macro)


def networks_of(request: Request, part: str) -> tuple[str, ...]:
    """Return the names of the networks of a part."""
    return request.device_networks if part == DEVICE else NETWORKS


def parts_of(request: Request) -> tuple[str, ...]:
    """Return the parts that have macros."""
    return tuple(part for part in PARTS if shape_of(request, part)[2])


def shape_of(request: Request, part: str) -> tuple[int, int, int]:
    """Return how many first levels, second levels and macros a part has."""
    r = request
    return {
        CURVE: (len(r.write), 1, r.macros),
        MAP: (len(r.map_write), len(r.map_read), r.map_macros),
        DEVICE: (len(r.write_factor), len(r.read_factor), r.chips),
        AGED: (len(r.passes), 1, r.aged_chips),
    }[part]
