"""Put a whole bench on the wire: one macro, and the instruments around it, each at an address of its own."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, Self, final

from rramlab.errors import InputError
from sim_backend.options import Options
from sim_backend.virtual.bench_text import BenchText
from sim_backend.virtual.board.board import VirtualBoard
from sim_backend.virtual.clock import RealClock, VirtualClock, WorldClock
from sim_backend.virtual.faults import Fault, Injector, When
from sim_backend.virtual.hislip import HislipMachine
from sim_backend.virtual.keeper import KeepingMachine, StateKeeper
from sim_backend.virtual.machine import Machine
from sim_backend.virtual.port import Plug, Port
from sim_backend.virtual.published import PublishedFirmware, Wiring
from sim_backend.virtual.scpi.digitizer import Digitizer
from sim_backend.virtual.scpi.infiniivision import InfiniiVisionScope
from sim_backend.virtual.scpi.instrument import Instrument, Model
from sim_backend.virtual.scpi.meter2400 import Meter2400
from sim_backend.virtual.scpi.meter2450 import Meter2450
from sim_backend.virtual.scpi.meterb2900 import MeterB2900
from sim_backend.virtual.scpi.rigol import RigolScope
from sim_backend.virtual.scpi.signals import WIRING, WITHOUT_EXTERNAL, Signals
from sim_backend.virtual.scpi.source_unit import SourceUnit
from sim_backend.virtual.scpi.tektronix import TektronixScope
from sim_backend.virtual.scpi.terminals import WorldTerminals
from sim_backend.virtual.tcp import LOOPBACK, TcpPort, bound
from sim_backend.virtual.world import World

BOARD, METER, SCOPE = "board", "source_meter", "oscilloscope"
"""Names of the links, as the bench file calls the instruments."""
METERS: Mapping[str, Any] = MappingProxyType(
    {"keithley2400": Meter2400, "keithley2450": Meter2450, "keysight-b2900": MeterB2900}
)
SCOPES: Mapping[str, Any] = MappingProxyType(
    {
        "tektronix-mso4000": TektronixScope,
        "keysight-infiniivision": InfiniiVisionScope,
        "rigol-ds1000z": RigolScope,
    }
)
"""Virtual instruments by the name of the driver that works them."""
OFFSETS = {BOARD: 0, METER: 1, SCOPE: 2}


@final
@dataclass(frozen=True)
class Table:
    """Say what stands on the table: dialect of the board, its plug, source meter and oscilloscope, by driver.

    `link` is the path of the pseudo-terminal, None for a socket; `ports` the first of three TCP ports, 0 for
    free ones; `baud` the speed of the board's line that is imitated, 0 for none; `hislip` has the
    oscilloscope speak HiSLIP; `channels` is the signal on each of its inputs (None: as is usual); `state` is
    the file that keeps the macro.
    """

    dialect: Literal[1, 2] = 2
    meter: str | None = "keithley2450"
    scope: str | None = "keysight-infiniivision"
    link: Path | None = None
    ports: int = 0
    baud: int = 0
    hislip: bool = False
    channels: Mapping[int, str] | None = None
    wiring: Wiring | None = None
    state: Path | None = None

    def __post_init__(self) -> None:
        for name, known, asked in (("meter", METERS, self.meter), ("scope", SCOPES, self.scope)):
            if asked is not None and asked not in known:
                raise InputError(f"there is no virtual {name} '{asked}'; possible: {', '.join(known)}")
        if self.channels is None:
            wired = WITHOUT_EXTERNAL if self.scope == "rigol-ds1000z" else WIRING
            object.__setattr__(self, "channels", dict(wired))
        if self.ports and not 1024 <= self.ports <= 65_533:
            raise InputError(f"ports from {self.ports} were asked for; take a number from 1024 to 65533")


@final
class VirtualBench:
    """Serve a whole bench on loopback while inside; the truth is in `world`, faults are set by link.

    Links are "board", "source_meter" and "oscilloscope". `clock` is "virtual" (time passes by what
    instruments do) or "real"; the published firmware keeps real time, because its host has no other clock to
    wait by.
    """

    def __init__(
        self,
        options: Options | None = None,
        seed: int = 0,
        clock: Literal["virtual", "real"] | WorldClock = "virtual",
        table: Table | None = None,
    ) -> None:
        self.options, self.seed, self.table = options or Options(), seed, table or Table()
        named = {"virtual": VirtualClock, "real": RealClock}
        self.clock = named[clock]() if isinstance(clock, str) else clock
        if self.table.dialect == 1 and isinstance(clock, str) and clock == "virtual":
            raise InputError(
                "the published firmware was asked for on a virtual clock; its host waits 5 s between runs by "
                "a clock of its own, so use the real one"
            )
        self.world = World(self.options, seed, self.clock)
        self.injectors = {name: Injector(seed + i) for i, name in enumerate((BOARD, METER, SCOPE))}
        self._keeper = StateKeeper(self.world, self.table.state)
        self.board = self._make_board()
        self.meter = self._make_meter()
        self.scope = self._make_scope()
        self.ports: dict[str, Port] = {}
        self._exits = ExitStack()

    # What stands on the table.

    def _make_board(self) -> VirtualBoard | PublishedFirmware:
        if self.table.dialect == 2:
            return VirtualBoard(self.world, self.injectors[BOARD])
        if self.world.macro_shape[1] < 15 or self.world.macro_shape[0] < 14 or self.options.macros < 3:
            raise InputError(
                f"the published board holds a network 2-14-14-2 in three macros; {self.options.macros} of "
                f"{self.options.rows} x {self.options.cols} were asked for"
            )
        return PublishedFirmware(self.world, self.table.wiring, self.seed)

    def _make_meter(self) -> Instrument | None:
        if self.table.meter is None:
            return None
        unit = SourceUnit(WorldTerminals(self.world, METER), self.clock, self.seed)
        serial = self.world.identify().get("meter")
        return Instrument(METERS[self.table.meter](unit, **({"serial": serial} if serial else {})))

    def _make_scope(self) -> Instrument | None:
        if self.table.scope is None:
            return None
        digitizer = Digitizer(Signals(self.world, self.table.channels), self.seed, self.injectors[SCOPE])
        return Instrument(SCOPES[self.table.scope](digitizer))

    def machines(self) -> dict[str, Machine]:
        """Return the instruments by link, as a host meets them."""
        found: dict[str, Machine] = {BOARD: KeepingMachine(self.board, self._keeper)}
        if self.meter is not None:
            found[METER] = KeepingMachine(self.meter, self._keeper)
        if self.scope is not None:
            status = self.scope.model.status
            found[SCOPE] = HislipMachine(self.scope, status.byte) if self.table.hislip else self.scope
        return found

    # Serving.

    def __enter__(self) -> Self:
        with ExitStack() as exits:
            exits.enter_context(self.world)
            exits.enter_context(self._keeper)
            for name, machine in self.machines().items():
                self.ports[name] = exits.enter_context(self._port(name, machine))
            for model in self._models():  # ended first, for a port waits for what its instrument is doing
                exits.callback(model.close)
            self._exits = exits.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._exits.close()

    def _models(self) -> list[Model]:
        return [part.model for part in (self.meter, self.scope) if part is not None]

    def _port(self, name: str, machine: Machine) -> Port:
        baud = self.table.baud if name == BOARD else 0
        plug = Plug(machine, self.injectors[name], baud, self.clock)
        if name == BOARD and self.table.link is not None:
            from sim_backend.virtual.terminal import TerminalPort

            return TerminalPort(plug, self.table.link)
        number = self.table.ports and self.table.ports + OFFSETS[name]
        return _free(TcpPort(plug, number), number, name)

    def set_fault(self, link: str, fault: Fault, when: When | None = None) -> None:
        """Arm a fault on a link; without `when` it strikes the next event."""
        self._injector(link).set(fault, when)

    def clear_faults(self, link: str | None = None) -> None:
        """Disarm all faults of a link, or of all links."""
        for name in self.injectors if link is None else [link]:
            self._injector(name).clear()

    def _injector(self, link: str) -> Injector:
        if link not in self.injectors:
            raise InputError(f"there is no link '{link}'; possible: {', '.join(self.injectors)}")
        return self.injectors[link]

    # Where it is.

    def addresses(self) -> dict[str, str]:
        """Return where each instrument is to be found, as the bench file says it."""
        return {name: self._address(name, port) for name, port in self.ports.items()}

    def _address(self, name: str, port: Port) -> str:
        if name == BOARD or not isinstance(port, TcpPort):
            return port.address
        if name == SCOPE and self.table.hislip:
            return f"TCPIP0::{LOOPBACK}::hislip0,{port.number}::INSTR"
        return port.resource

    def bench_file(self, bench_id: str = "") -> str:
        """Return the bench file that leads here; the bench must be serving.

        Its name has a port in it, for two benches of one name would lock each other out.
        """
        numbers = [port.number for port in self.ports.values() if isinstance(port, TcpPort)]
        name = bench_id or "-".join(map(str, ["virtual-bench", *numbers[:1]]))
        return BenchText(name, self.options, self.table_facts(), self.addresses()).text()

    def table_facts(self) -> dict[str, Any]:
        """Return what the bench file has to know of the table."""
        t = self.table
        serials = {name: part.model.identity.split(",")[2] for name, part in self._instruments().items()}
        start = list(self.board.wiring.start) if isinstance(self.board, PublishedFirmware) else None
        return {
            "dialect": t.dialect,
            "meter": t.meter,
            "scope": t.scope,
            "baud": t.baud,
            "clock": "host" if self.clock.waits else "board",
            "serials": serials,
            "channels": {signal: number for number, signal in (t.channels or {}).items()},
            "start": start,
        }

    def _instruments(self) -> dict[str, Instrument]:
        both = {METER: self.meter, SCOPE: self.scope}
        return {name: part for name, part in both.items() if part is not None}


def _free(port: TcpPort, number: int, name: str) -> TcpPort:
    """Return the port if its number is free; refuse one that is taken."""
    try:
        bound(number).close()  # any free one, if the number is 0
    except OSError as error:
        raise InputError(
            f"port {number} for the {name.replace('_', ' ')} cannot be had ({error.strerror}); is "
            f"another virtual bench running? Stop it, or choose others with --ports"
        ) from None
    return port
