"""Say what is asked of a noise study: levels of noise, macros, samples, programming and waiting."""

from dataclasses import asdict, dataclass, fields
from itertools import pairwise
from typing import Any, Literal, Self, final

from rramlab.errors import InputError

AWARE, UNAWARE = "aware", "unaware"
NETWORKS = (AWARE, UNAWARE)
KINDS: tuple[Literal["ode", "sde"], ...] = ("ode", "sde")

LEVELS = ("write", "map_write", "map_read", "write_factor", "read_factor", "passes", "waits")
COUNTS = ("macros", "map_macros", "chips", "aged_chips")
MOST_SAMPLES, MOST_MACROS = 20_000, 1000


@final
@dataclass(frozen=True)
class Request:
    """Hold the grids and sizes of a study.

    On ideal circuits conductances are off by relative deviations: `write` alone on `macros` macros, and
    `map_write` with `map_read` on `map_macros`. `write_factor` and `read_factor` multiply the noise of the
    simulated device, on `chips` chips, with the networks named in `device_networks`. `passes` of programming
    and `waits` (s) after it are tried on `aged_chips` chips with all networks. Each point draws `samples`
    samples by ODE and as many by SDE. A part without macros is left out.
    """

    write: tuple[float, ...] = (
        0.0,
        0.001,
        0.0025,
        0.005,
        0.01,
        0.015,
        0.02,
        0.025,
        0.03,
        0.04,
        0.05,
        0.06,
        0.08,
        0.1,
    )
    macros: int = 40
    map_write: tuple[float, ...] = (0.0, 0.01, 0.02, 0.03, 0.04, 0.06, 0.08)
    map_read: tuple[float, ...] = (0.0, 0.004, 0.01, 0.02, 0.04, 0.06, 0.08)
    map_macros: int = 10
    write_factor: tuple[float, ...] = (0.0, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0)
    read_factor: tuple[float, ...] = (0.0, 1.0, 3.0, 10.0, 20.0)
    chips: int = 8
    device_networks: tuple[str, ...] = NETWORKS
    passes: tuple[int, ...] = (1, 3, 5)
    waits: tuple[float, ...] = (1.0, 3600.0, 86400.0)
    aged_chips: int = 12
    samples: int = 1000

    def __post_init__(self) -> None:
        """Take lists as tuples, and refuse levels that do not rise from nothing or sizes that are none."""
        for each in fields(self):
            value = getattr(self, each.name)
            object.__setattr__(self, each.name, tuple(value) if isinstance(value, list) else value)
        for name in LEVELS:
            levels = getattr(self, name)
            if not levels or levels[0] < 0 or any(b <= a for a, b in pairwise(levels)):
                raise InputError(f"{name} = {list(levels)} is no set of levels; give rising ones from 0")
        for name in COUNTS:
            if not int(name == "macros") <= getattr(self, name) <= MOST_MACROS:
                raise InputError(
                    f"{name} = {getattr(self, name)}; up to {MOST_MACROS} are possible, 0 leaves a part out, "
                    f"and at least one of 'macros' is needed"
                )
        if not 10 <= self.samples <= MOST_SAMPLES:
            raise InputError(f"{self.samples} samples were asked for; 10 to {MOST_SAMPLES} are possible")

    @classmethod
    def quick(cls) -> Self:
        """Return a study of a few minutes on two cores."""
        return cls(
            write=(0.0, 0.01, 0.015, 0.02, 0.03, 0.04, 0.06, 0.08),
            macros=12,
            map_write=(0.0, 0.02, 0.04, 0.08),
            map_read=(0.0, 0.04, 0.08),
            map_macros=4,
            write_factor=(0.0, 1.0, 2.0, 4.0, 6.0),
            read_factor=(0.0, 1.0, 10.0),
            chips=3,
            device_networks=(AWARE,),
            aged_chips=3,
            samples=800,
        )

    def parameters(self) -> dict[str, Any]:
        """Return the request as plain numbers and lists."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items()}
