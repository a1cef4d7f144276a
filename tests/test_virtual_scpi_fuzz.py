"""Every command of every instrument, with senseless parameters: an answer or an error, never a crash."""

import re
from typing import Any

import pytest

from sim_backend.options import Options
from sim_backend.virtual.clock import VirtualClock
from sim_backend.virtual.scpi.digitizer import Digitizer
from sim_backend.virtual.scpi.infiniivision import InfiniiVisionScope
from sim_backend.virtual.scpi.instrument import Instrument
from sim_backend.virtual.scpi.meter2400 import Meter2400
from sim_backend.virtual.scpi.meter2450 import Meter2450
from sim_backend.virtual.scpi.meterb2900 import MeterB2900
from sim_backend.virtual.scpi.rigol import RigolScope
from sim_backend.virtual.scpi.signals import Signals
from sim_backend.virtual.scpi.source_unit import SourceUnit
from sim_backend.virtual.scpi.tektronix import TektronixScope
from sim_backend.virtual.scpi.terminals import WorldTerminals
from sim_backend.virtual.world import World

METERS: list[Any] = [Meter2400, Meter2450, MeterB2900]
SCOPES: list[Any] = [TektronixScope, InfiniiVisionScope, RigolScope]
PARAMETERS = [
    *(
        "",
        "0",
        "1",
        "-1",
        "0.5",
        "1E9",
        "-1E-30",
        "ON",
        "OFF",
        "MIN",
        "MAX",
        "DEF",
        "ABC",
        "'x'",
        "#0",
        "INF",
    ),
    *(
        "'defbuffer1'",
        "(@1)",
        "(@9)",
        "1,2",
        "0,1,5",
        "1,-1",
        "A,B,C",
        "1 V",
        "2,1,'nope'",
        ",".join("1" * 12),
    ),
]
SLOW = ("*OPC", "*WAI", "CURV", "WAV:DATA", "DIG")
"""What waits for a trigger, or makes a deep record: tested elsewhere."""


def instrument(kind: Any) -> tuple[Instrument, World]:
    world = World(Options(macros=1, rows=2, cols=2), clock=VirtualClock())
    if kind in METERS:
        return Instrument(kind(SourceUnit(WorldTerminals(world), world.clock))), world
    return Instrument(kind(Digitizer(Signals(world)))), world


def headers(made: Instrument) -> list[str]:
    """Return each header once in its short and once in its long form, optional nodes left out and in."""
    found = []
    for command in made.model.commands():
        bare = re.sub(r"\[[^]]*\]", "", command.pattern)
        whole = command.pattern.replace("[", "").replace("]", "")
        for text in (bare, whole):
            text = re.sub(r"<\d+>", "1", re.sub(r"\|[A-Za-z]+", "", text))
            found += [text.upper(), re.sub(r"[a-z]", "", text)]
    return sorted({text for text in found if text and not any(word in text for word in SLOW)})


@pytest.mark.parametrize("kind", [*METERS, *SCOPES])
def test_no_command_crashes(kind: Any) -> None:
    made, world = instrument(kind)
    with world:
        names = headers(made)
        for header in names:
            for parameter in PARAMETERS:
                for message in (f"{header} {parameter}", f"{header}? {parameter}"):
                    reply = made.execute(message)
                    assert reply == b"" or reply.endswith(b"\n")
                made.ask("*RST")
        assert len(names) > 60
        assert made.ask("*IDN?") == made.model.identity
        made.model.close()
        assert not world.lines.outputs
