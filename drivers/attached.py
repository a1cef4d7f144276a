"""Find what is plugged into this computer, and say how a bench file would name it."""

import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from functools import cache
from typing import Any

from drivers.link import Link
from drivers.oscilloscope import Oscilloscope
from drivers.plugin import installed
from drivers.rramlab_board import RramlabBoard
from drivers.source_meter import SourceMeter
from drivers.spec import BoardSpec
from drivers.visa_wire import VisaWire
from drivers.wire import Wire
from rramlab.attached import Attached
from rramlab.errors import RramlabError

PATIENCE = 0.5
"""Time (s) that one answer may take when somebody is asked only who it is."""

Port = tuple[str, str]
"""A serial port: its name, and what the operating system says about the device there."""

Resource = tuple[str, str]
"""A VISA resource: its name, and the VISA library that found it."""


def attached(
    ask: bool = False,
    ports: Callable[[], list[Port]] | None = None,
    resources: Callable[[], list[Resource]] | None = None,
) -> list[Attached]:
    """Return serial ports and VISA resources of this computer, with who answers.

    *IDN? is asked over USB, GPIB and LAN, where only instruments are. A serial port is written to with `ask`
    alone: a board may be there that takes any byte for a command.
    """
    found = [_port(name, told, ask) for name, told in (ports or serial_ports)()]
    return found + [_resource(*one) for one in (resources or visa_resources)()]


def serial_ports() -> list[Port]:
    """Return the serial ports of this computer, without touching one."""
    from serial.tools.list_ports import comports

    ports: list[Any] = list(comports())
    return [(port.device, _text(port)) for port in ports]


def visa_resources() -> list[Resource]:
    """Return the VISA resources that a search finds; serial ports are not among them."""
    import pyvisa

    found: dict[str, str] = {}
    for library in ("", "@py"):  # what both find is opened by the free one
        with suppress(Exception), warnings.catch_warnings():  # no such library, or one that searches badly
            warnings.simplefilter("ignore")
            found |= dict.fromkeys(pyvisa.ResourceManager(library).list_resources("?*::INSTR"), library)
    return [(name, library) for name, library in found.items() if not name.startswith("ASRL")]


def _port(name: str, told: str, ask: bool) -> Attached:
    if not ask:
        return Attached(name, told and f"{told} (not asked)")
    board = RramlabBoard(BoardSpec(use="rramlab-board", port=name, timeout=PATIENCE, retries=1))
    with closing(board):
        try:
            board.open()
            who = board.identify()
            macros, rows, cols = board.shape
        except RramlabError as error:
            return Attached(name, f"no board of the rramlab protocol ({error})")
    size = f"[backend.options]\nmacros = {macros}\nrows = {rows}\ncols = {cols}\n\n"
    lines = size + _lines("board", "rramlab-board", "port", name, who.get("serial", ""))
    return Attached(name, ", ".join(who.values()), "rramlab-board", lines)


def _resource(name: str, library: str) -> Attached:
    try:
        answer = _who(VisaWire(name, library))
    except Exception as error:  # what a vendor's library raises for a device that is no instrument
        return Attached(name, f"no answer ({error})")
    table, driver = next(_drivers(answer), ("", ""))
    serial = f"{answer},,,".split(",")[2].strip()
    lines = _lines(table, driver, "resource", name, serial) if driver else ""
    lines += '\nvisa = ""' if lines and library != "@py" else ""
    return Attached(name, answer, driver, lines)


def _who(wire: Wire) -> str:
    link = Link(wire, PATIENCE)
    with closing(link.open()):
        return link.query("*IDN?").strip()


def _drivers(answer: str) -> Iterator[tuple[str, str]]:
    """Yield table of the bench file and name of each driver whose model the answer is."""
    for name, (table, model) in _models().items():
        if re.fullmatch(model, answer, re.IGNORECASE):
            yield table, name


@cache
def _models() -> dict[str, tuple[str, str]]:
    tables = {SourceMeter: "source_meter", Oscilloscope: "oscilloscope"}
    found = {}
    for name, point in installed().items():
        with suppress(Exception):  # a broken driver must not hide the others
            driver = point.load()
            table = next(table for kind, table in tables.items() if issubclass(driver, kind))
            found[name] = table, driver.model
    return found


def _lines(table: str, use: str, key: str, address: str, serial: str) -> str:
    lines = [f"[backend.options.{table}]", f"use = {_quoted(use)}", f"{key} = {_quoted(address)}"]
    return "\n".join(lines + ([f"serial = {_quoted(serial)}"] if serial else []))


def _quoted(text: str) -> str:
    """Return a TOML string."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _text(port: Any) -> str:
    about = [port.manufacturer, port.product or port.description, port.serial_number]
    return " ".join(str(part) for part in about if part and part != "n/a")
