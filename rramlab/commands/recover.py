"""Make the file of a run that was cut off."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer


def recover(ctx: typer.Context, run: Annotated[Path, typer.Argument(help="Folder of the run.")]) -> None:
    """Make the HDF5 file of a run that was cut off, and say what is in it. It may be repeated.

    Example: rramlab recover runs/moon
    """
    from rramlab.recover import recover as make_file

    found = make_file(run)
    ctx.obj.terminal.say(str(found))
    ctx.obj.terminal.document(asdict(found))
