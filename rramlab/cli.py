"""Run rramlab from the command line; a protocol of any installed package is a command of its own."""

import os
import sys
import traceback
from collections.abc import Sequence
from errno import EDQUOT, ENOSPC
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from signal import Signals
from typing import Annotated, Any, final

import typer
from typer.core import TyperGroup

from rramlab import __version__
from rramlab.errors import InputError, RramlabError, RunError, did_you_mean
from rramlab.session import Session
from rramlab.terminal import Terminal

# Commands of the ground itself: name -> module that holds a function, or a group, of that name.
GROUND = {name: f"rramlab.commands.{name}" for name in ("bench", "panic", "recover", "show", "train")}
EPILOG = (
    "--bench, --json and --quiet may stand anywhere on the line. Exit codes: 0 done, 1 below what "
    "--require asked, 2 wrong input, 3 bench file, 4 limit, 5 not on this bench, 6 run record, "
    "7 an instrument does not answer as it should, 8 the bench is in use, 9 a calibration does not hold or "
    "could not be made, 70 a bug, 130 interrupted."
)


@final
class Commands(TyperGroup):
    """Find commands by name when they are asked for, so that start-up stays light."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of all commands."""
        return sorted({*GROUND, *_installed()})

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the command of this name, or None."""
        if cmd_name not in self.list_commands(ctx):
            return None
        try:
            return _command(cmd_name, _load(cmd_name))
        except Exception as error:  # a broken package must not take the other commands with it
            return _broken(cmd_name, error)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command that the arguments name; refuse an unknown one with the nearest."""
        if args and self.get_command(ctx, args[0]) is None:
            ctx.fail(f"there is no command '{args[0]}'; {did_you_mean(args[0], self.list_commands(ctx))}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command; turn each error into one sentence and an exit code by cause."""
        try:
            super().invoke(ctx)
        except RramlabError as error:
            Terminal().error(str(error))
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt:
            Terminal().error("interrupted; outputs are off")
            raise typer.Exit(130) from None
        except SystemExit as error:
            if isinstance(error.code, int) and error.code > 128:
                Terminal().error(f"ended by {Signals(error.code - 128).name}; outputs are off")
            raise
        except Exception as error:
            ours = not type(error).__module__.startswith(("click", "typer"))
            if not ours or isinstance(error, BrokenPipeError):  # a reader such as `head` went away
                raise
            if isinstance(error, OSError) and error.errno in (ENOSPC, EDQUOT):
                Terminal().error(f"the disk is full ({error.strerror}); free some space; outputs are off")
                raise typer.Exit(RunError.exit_code) from None
            _report_bug(error)
            raise typer.Exit(70) from None


def _print_version(asked: bool) -> None:
    if asked:
        print(f"rramlab {__version__}")
        raise typer.Exit()


app = typer.Typer(cls=Commands, no_args_is_help=True, epilog=EPILOG, pretty_exceptions_enable=False)


@app.callback()
def rramlab(
    ctx: typer.Context,
    bench: Annotated[Path | None, typer.Option(help="Bench file; the simulated bench if left out.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document, nothing else.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Program a resistive-memory macro, close the analog loop, and see what comes out.

    Start with: rramlab demo
    """
    ctx.obj = Session(bench, Terminal(as_json=json, quiet=quiet))


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line and exit with a code that tells the cause."""
    args = list(sys.argv[1:] if argv is None else argv) or ["--help"]
    try:
        code = app(args=_globals_first(args), prog_name="rramlab", standalone_mode=False)
    except Exception as error:
        if not hasattr(error, "format_message"):  # what the parser of the line raises
            raise
        code = _report_usage(error)
    sys.exit(code)


def _globals_first(args: list[str]) -> list[str]:
    """Return the arguments with the global options moved to the front, where the parser wants them."""
    front: list[str] = []
    rest: list[str] = []
    waiting = iter(args)
    for arg in waiting:
        if arg == "--":
            rest += [arg, *waiting]
        elif arg in ("--json", "--quiet", "-q") or arg.startswith("--bench="):
            front.append(arg)
        elif arg == "--bench":
            value = next(waiting, None)
            if value is None:
                return [arg]  # and the parser says what it lacks
            front += [arg, value]
        else:
            rest.append(arg)
    return front + rest


@cache
def _installed() -> dict[str, EntryPoint]:
    groups = entry_points(group="rramlab.protocols"), entry_points(group="rramlab.commands")
    return {point.name: point for group in groups for point in group}


def _load(name: str) -> Any:
    if name in GROUND:
        return getattr(import_module(GROUND[name]), name)
    return _installed()[name].load()


def _broken(name: str, error: Exception) -> Any:
    why = f"{type(error).__name__}: {error}"

    def broken(ctx: typer.Context) -> None:
        raise InputError(
            f"the command '{name}' cannot be loaded ({why}); repair or remove the package that brings it"
        )

    single = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
    anything = {"ignore_unknown_options": True, "allow_extra_args": True}
    single.command(name, context_settings=anything, help=f"(cannot be loaded: {why})")(broken)
    return typer.main.get_command(single)


def _command(name: str, target: Any) -> Any:
    if not isinstance(target, typer.Typer):
        single = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
        single.command(name)(target)
        return typer.main.get_command(single)
    group = typer.main.get_command(target)
    group.name = name
    return group


def _report_usage(error: Any) -> int:
    message = error.format_message().strip().rstrip(".")
    if message:  # empty where the help was printed instead
        path = getattr(getattr(error, "ctx", None), "command_path", "rramlab")
        Terminal().error(f"{message}; see: {path} --help")
    return int(error.exit_code)


def _report_bug(error: Exception) -> None:
    path = Path.cwd() / "rramlab-bug.txt"
    text = "".join(traceback.format_exception(error))
    try:
        path.write_text(text, encoding="utf-8")
        where = f"the details are in {path}"
    except OSError:
        where = "set RRAMLAB_DEBUG=1 to see the details"
    Terminal().error(f"a bug in rramlab: {type(error).__name__}: {error}; outputs are off; {where}")
    if os.environ.get("RRAMLAB_DEBUG"):
        print(text, file=sys.stderr)
