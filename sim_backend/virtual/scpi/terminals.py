"""Wire a source meter to the macro on the table."""

from typing import final

from sim_backend.virtual.scpi.source_unit import Terminals
from sim_backend.virtual.world import World


@final
class WorldTerminals(Terminals):
    """Lead the terminals of the source meter of this name to the cell that the board connects."""

    def __init__(self, world: World, name: str = "source meter") -> None:
        self._world, self._name = world, name

    def meter(self, volts: float, compliance: float, seconds: float) -> float:
        """Source a voltage (V) under a compliance (A) for a time (s) and return the current (A)."""
        return self._world.meter(volts, compliance, seconds)

    def output(self, volts: float | None) -> None:
        """Take note that the output is on at this voltage (V), or off (None)."""
        self._world.set_output(self._name, volts)
