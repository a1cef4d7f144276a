"""Hold how a board stands: limits, latch, watchdog, lines."""

from dataclasses import dataclass
from typing import final

from rramlab.board_protocol.hello import NOWHERE, HelloReply, StatusReply
from rramlab.board_protocol.limits import BoardLimits
from rramlab.board_protocol.units import microvolts
from rramlab.board_protocol.words import Fault, Feature, State
from sim_backend.backend import ADDRESSING
from sim_backend.product import SAMPLE
from sim_backend.virtual.board.loop import LoopUnit
from sim_backend.virtual.board.watchdog import Watchdog
from sim_backend.virtual.world import World, hard_limits

MOST_BODY = 20 * 1024
"""Room for a batch of the most cells in which no column is uniform (bytes)."""
MOST_CELLS = 1024
MOST_RUNS = 10_000
LOAD_BYTES = 16 << 20
LONGEST_WATCH = 10.0
"""The longest time for which a host may be silent while lines are driven (s)."""
FIRMWARE = "rramlab virtual board 1"


@final
@dataclass
class BoardState:
    """Hold the state that commands look at and change; `world` has the lines."""

    world: World
    watchdog: Watchdog
    loop: LoopUnit
    features: Feature
    limits: BoardLimits
    latched: Fault = Fault.NONE
    text: str = ""
    busy: bool = False
    interlock_open: bool = False
    most_cells: int = MOST_CELLS

    @property
    def armed(self) -> bool:
        """Tell whether a route to the source meter is connected."""
        return self.world.lines.cell is not None

    @property
    def watched(self) -> bool:
        """Tell whether lines are driven statically, so that the watchdog runs."""
        return self.armed or self.loop.running

    def word(self) -> State:
        """Return the bits that every response carries."""
        driven = self.busy or self.loop.running or self.world.lines.gate > 0
        bits = State.OUTPUTS_ON if driven else State(0)
        bits |= State.ARMED if self.armed else State(0)
        bits |= State.RUNNING if self.loop.running else State(0)
        bits |= State.INTERLOCK_OPEN if self.interlock_open else State(0)
        bits |= State.WATCHDOG_TRIPPED if self.latched is Fault.WATCHDOG else State(0)
        return bits | (State.FAULT if self.latched not in (Fault.NONE, Fault.WATCHDOG) else State(0))

    def latch(self, fault: Fault, text: str) -> None:
        """Latch a fault until CLEAR; the first one stays."""
        if self.latched is Fault.NONE:
            self.latched, self.text = fault, text

    def clear(self) -> None:
        """End what is latched."""
        self.latched, self.text = Fault.NONE, ""

    def all_off(self) -> None:
        """Take all lines to 0 V and open the routes; a run is over."""
        self.loop.abort()
        self.world.safe()

    def status(self) -> StatusReply:
        """Return how the board stands."""
        lines = self.world.lines
        row, col = lines.cell or (NOWHERE, NOWHERE)
        gate, watch = microvolts(lines.gate), round(1e3 * self.watchdog.limit)
        done, asked = self.loop.progress()
        return StatusReply(done, asked, row, col, 0, 0, gate, self.latched, watch, self.text)

    def hello(self) -> HelloReply:
        """Return who answers."""
        (rows, cols), identity = self.world.macro_shape, self.world.identify()
        macros = self.world.shape[0] // rows
        watch, times = round(1e3 * self.watchdog.limit), (round(1e9 * ADDRESSING), round(1e9 * SAMPLE))
        size = rows, cols, macros, MOST_BODY, self.most_cells
        names = identity["name"], identity.get("board", identity["serial"]), FIRMWARE
        return HelloReply(self.features, *size, watch, *times, MOST_RUNS, LOAD_BYTES, *names)


def factory_limits() -> BoardLimits:
    """Return the limits that are compiled in: what the macro survives."""
    return BoardLimits.of(hard_limits())
