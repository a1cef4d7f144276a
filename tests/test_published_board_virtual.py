"""The driver of the published firmware on the virtual bench: the whole loop, from settings to waveforms."""

import numpy as np
import pytest
from toy_published import board_spec, scope_spec

from drivers.memory_wire import MemoryWire
from drivers.oscilloscope import Oscilloscope
from drivers.published_board import PublishedBoard
from drivers.published_circuit import published_coefficients
from drivers.published_schedule import PublishedSettings
from drivers.rigol_ds1000z import RigolDs1000z
from drivers.tektronix_mso4000 import TektronixMso4000
from rramlab.loop import LoopRun
from sim_backend.options import Options
from sim_backend.virtual.clock import VirtualClock
from sim_backend.virtual.machine import Machine
from sim_backend.virtual.published import PublishedFirmware, Wiring
from sim_backend.virtual.scpi.digitizer import Digitizer
from sim_backend.virtual.scpi.instrument import Instrument
from sim_backend.virtual.scpi.rigol import RigolScope
from sim_backend.virtual.scpi.signals import Signals
from sim_backend.virtual.scpi.tektronix import TektronixScope
from sim_backend.virtual.world import World

WIRING = {1: "x1", 2: "x2", 3: "switch"}


def wire_to(machine: Machine) -> MemoryWire:
    talk = machine.attach()
    return MemoryWire(lambda data: b"".join(talk.feed(data)))


class Bench:
    """Hold a world with the published firmware and an oscilloscope, and the drivers of both."""

    def __init__(self, scope: str = "tektronix") -> None:
        self.clock = VirtualClock()
        self.world = World(Options(), seed=3, clock=self.clock)
        self.firmware = PublishedFirmware(self.world, Wiring.first(), aside=False)
        digitizer = Digitizer(Signals(self.world, WIRING), seed=5)
        spec = scope_spec()
        self.scope: Oscilloscope
        if scope == "tektronix":
            self.scope = TektronixMso4000(spec, wire_to(Instrument(TektronixScope(digitizer))), self.clock)
        else:
            self.scope = RigolDs1000z(spec, wire_to(Instrument(RigolScope(digitizer))), self.clock)
        self.board = PublishedBoard(board_spec(), wire_to(self.firmware), self.clock)
        self.board.watch(self.scope, spec)

    def __enter__(self) -> "Bench":
        self.world.__enter__()
        self.scope.open()
        self.board.open()
        return self

    def __exit__(self, *error: object) -> None:
        self.board.close()
        self.scope.close()
        self.world.__exit__(None, None, None)

    def run(self, settings: PublishedSettings, runs: int = 1) -> LoopRun:
        wiring = self.firmware.wiring
        start = np.tile(wiring.start, (runs, 1)) / settings.v_bias
        coefficients = published_coefficients(settings)
        return LoopRun(wiring.layers, wiring.scale, wiring.gain, settings.v_bias, start, coefficients, kept=1)


@pytest.mark.parametrize("scope", ["tektronix", "rigol"])
def test_what_comes_back_is_what_the_macro_did(scope: str) -> None:
    with Bench(scope) as bench:
        settings = PublishedSettings("1", 0.1, 1.5)
        result = bench.board.solve(bench.run(settings), 1)
        waves = bench.world.loop_waveforms
        assert waves is not None and bench.firmware.hazards == []
        true = waves.result.trace[:201, 0]
        # A code at 0.05 V per division is 2 mV, 0.02 network units; the end of a line through 19 points or
        # more has a deviation of 0.19 codes at most: six of them (2e-9 a value).
        assert np.abs(result.trace[:, 0] - true).max() < 6 * 0.19 * 0.02
        assert np.abs(true[-1] - true[0]).max() > 0.1  # and it did something
        assert bench.world.violations == []


def test_the_virtual_firmware_plays_what_was_asked_to_a_code() -> None:
    with Bench() as bench:
        settings = PublishedSettings("3", 0.1, 2.37, 0.2, (0.0, 0.0))
        run = bench.run(settings)
        bench.board.solve(run, 1)
        waves = bench.world.loop_waveforms
        assert waves is not None
        asked, played = run.coefficients, waves.run.coefficients
        # Its converters cut to whole codes; behind them stand gains of 4, 2 and 0.2 V / 0.1 V.
        for ours, theirs, gain in (
            (asked.drift, played.drift, 4.0),
            (asked.drive, played.drive, 2.0),
            (asked.embedding, played.embedding, 2.0),
        ):
            assert np.abs(ours - theirs[:200]).max() <= 1.001 * gain / 2048
        assert np.allclose(asked.noise, played.noise[:200], atol=2e-6)


def test_a_batch_keeps_the_dead_time_and_disturbs_no_run() -> None:
    with Bench() as bench:
        begin = bench.clock.now()
        result = bench.board.solve(bench.run(PublishedSettings(), runs=3), 1)
        assert bench.firmware.runs == 3
        assert np.isfinite(result.end).all()
        assert bench.clock.now() - begin > 2 * 5.01
        assert bench.firmware.hazards == []


def test_every_setting_arrives() -> None:
    with Bench() as bench:
        bench.board.solve(bench.run(PublishedSettings("b", 0.05, 3.99, 0.33)), 1)
        kept = bench.firmware.settings
        assert (kept.table, kept.played_bias, kept.noise) == ("b", 0.05, True)
        assert (kept.coef, kept.noise_scale) == (pytest.approx(3.99), pytest.approx(0.33))
