"""Serve a virtual bench from the command line."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, final

import typer

from rramlab.errors import BenchFileError, InputError

if TYPE_CHECKING:
    from sim_backend.options import Options

ON_WINDOWS = sys.platform == "win32"


@final
class ClockName(StrEnum):
    """Name the clocks: time passes by what instruments do, or by itself."""

    VIRTUAL = "virtual"
    REAL = "real"


@final
class Plugged(StrEnum):
    """Name the plugs of the board."""

    PTY = "pty"
    SOCKET = "socket"


@final
class MeterName(StrEnum):
    """Name the source meters by their drivers."""

    KEITHLEY_2400 = "keithley2400"
    KEITHLEY_2450 = "keithley2450"
    KEYSIGHT_B2900 = "keysight-b2900"
    NONE = "none"


@final
class ScopeName(StrEnum):
    """Name the oscilloscopes by their drivers."""

    TEKTRONIX = "tektronix-mso4000"
    KEYSIGHT = "keysight-infiniivision"
    RIGOL = "rigol-ds1000z"
    NONE = "none"


DEFAULT_PLUG = Plugged.SOCKET if ON_WINDOWS else Plugged.PTY


def virtual_bench(
    ctx: typer.Context,
    bench_file: Annotated[Path, typer.Option(help="Bench file that is written for hosts.")] = Path(
        "virtual-bench.toml"
    ),
    meter: Annotated[MeterName, typer.Option(help="Source meter.")] = MeterName.KEITHLEY_2450,
    scope: Annotated[ScopeName, typer.Option(help="Oscilloscope.")] = ScopeName.KEYSIGHT,
    dialect: Annotated[int, typer.Option(min=1, max=2, help="Board: 1 published firmware, 2 rramlab.")] = 2,
    clock: Annotated[
        ClockName | None, typer.Option(help="Time: virtual (default), or real (default of dialect 1).")
    ] = None,
    board: Annotated[Plugged, typer.Option(help="Plug of the board.")] = DEFAULT_PLUG,
    baud: Annotated[
        int, typer.Option(min=0, help="Speed of the board's line that is imitated; 0 for none.")
    ] = 0,
    ports: Annotated[int, typer.Option(min=0, max=65_533, help="First TCP port of three.")] = 5025,
    hislip: Annotated[bool, typer.Option("--hislip", help="Let the oscilloscope speak HiSLIP.")] = False,
    state: Annotated[
        Path | None, typer.Option(help="File that keeps the macro; beside the bench file if left out.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Randomness of cells and readings.")] = 0,
    like: Annotated[
        Path | None, typer.Option(help="Bench file of a simulated bench that is put on the wire.")
    ] = None,
    chip: Annotated[int | None, typer.Option(min=0, help="Which chip of the process; 1.")] = None,
    macros: Annotated[int | None, typer.Option(min=1, help="Macros on the board; 3.")] = None,
    rows: Annotated[int | None, typer.Option(min=1, help="Rows of a macro; 32.")] = None,
    cols: Annotated[int | None, typer.Option(min=1, help="Columns of a macro; 32.")] = None,
) -> None:
    """Serve one simulated macro behind instruments that answer real bytes, until Ctrl-C.

    Source meter and oscilloscope listen on loopback, the board on a pseudo-terminal (or a socket). Killed and
    started again it is the same macro at the same addresses; remove the state file for a new one.

    Example: rramlab virtual-bench

    Example, in another terminal: rramlab --bench virtual-bench.toml demo

    Example, with hidden errors: rramlab bench init unknown.toml --template unknown, then
    rramlab virtual-bench --like unknown.toml
    """
    from sim_backend.virtual.bench import Table, VirtualBench
    from sim_backend.virtual.serving import Serving

    table = Table(
        dialect=1 if dialect == 1 else 2,
        meter=None if meter is MeterName.NONE else meter.value,
        scope=None if scope is ScopeName.NONE else scope.value,
        link=_link(bench_file, board),
        ports=ports,
        baud=baud,
        hislip=hislip,
        state=state or bench_file.with_suffix(".macro.npz"),
    )
    options = options_like(like, {"chip": chip, "macros": macros, "rows": rows, "cols": cols})
    chosen: Any = (clock or (ClockName.REAL if dialect == 1 else ClockName.VIRTUAL)).value
    Serving(VirtualBench(options, seed, chosen, table), bench_file, ctx.obj.terminal).run()


def options_like(path: Path | None, asked: dict[str, int | None]) -> "Options":
    """Return the options of the file of a simulated bench, with what was asked for on top (None: nothing).

    InputError where the file is one of instruments, BenchFileError where its options are none.
    """
    from pydantic import ValidationError

    from rramlab.bench import Bench
    from sim_backend.options import Options

    world = Bench.load(path).backend
    if not world.use.startswith("sim_backend"):
        raise InputError(
            f"{path} leads to instruments ({world.use}); give --like the file of a simulated bench"
        )
    changes = {name: value for name, value in asked.items() if value is not None}
    try:
        return Options.model_validate(world.options | changes)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise BenchFileError(f"{path}: [backend.options] {where}: {first['msg']}") from None


def _link(bench_file: Path, board: Plugged) -> Path | None:
    """Return the stable path of the pseudo-terminal, beside the bench file."""
    return bench_file.absolute().with_suffix(".board") if board is Plugged.PTY else None
