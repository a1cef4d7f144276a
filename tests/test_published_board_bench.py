"""The published firmware behind the bench of instruments, on sockets and in real time."""

import tomllib

import numpy as np
import pytest

from drivers.bench_backend import BenchBackend
from drivers.bench_options import BenchOptions
from drivers.published_circuit import published_coefficients
from drivers.published_schedule import PublishedSettings
from rramlab.loop import LoopRun
from sim_backend.virtual.bench import Table, VirtualBench
from sim_backend.virtual.published import PublishedFirmware


@pytest.mark.slow
@pytest.mark.timeout(90)
@pytest.mark.parametrize("scope", ["keysight-infiniivision", "tektronix-mso4000", "rigol-ds1000z"])
def test_a_run_over_the_wire_is_the_one_that_the_macro_did(scope: str) -> None:
    table = Table(dialect=1, meter=None, scope=scope)
    with VirtualBench(clock="real", table=table) as virtual:
        options = tomllib.loads(virtual.bench_file())["backend"]["options"]
        board = virtual.board
        assert isinstance(board, PublishedFirmware)
        w = board.wiring
        coefficients = published_coefficients(PublishedSettings("1", 0.1, 1.5))
        run = LoopRun(w.layers, w.scale, w.gain, 0.1, np.array([w.start]) / 0.1, coefficients, kept=1)
        with BenchBackend(BenchOptions(**options)) as bench:
            assert bench.capabilities == {"solve", "wait"}
            result = bench.solve(run)
        waves = virtual.world.loop_waveforms
        assert waves is not None and board.hazards == []
        # Six deviations of the end of a line, 0.19 codes of 0.02 network units each (2e-9 a value).
        assert np.abs(result.trace[:, 0] - waves.result.trace[:201, 0]).max() < 6 * 0.19 * 0.02
        if {"out1", "out2"} <= set(options["oscilloscope"]["channels"]):
            # Shown at four times the scale, and between two ticks noisier than the states.
            seen, true = result.output[0], waves.result.output[0, :201]
            assert np.abs(seen - true)[1:].max() < 0.5
            assert np.abs(true).max() > 1.0
        # The rest of a run that the board cannot be asked for is unknown, and no wrong number.
        assert np.isnan(result.energy).all()
        findings = BenchBackend.panic(BenchOptions(**options))
        assert [finding.good for finding in findings] == [True, True]
