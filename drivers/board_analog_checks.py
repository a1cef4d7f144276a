"""Check products and closed-loop runs of a board that has them, with inputs that disturb no cell."""

import time

import numpy as np

from drivers.board_probe import Probe, hold
from rramlab.board_protocol.hello import HelloReply
from rramlab.board_protocol.limits import BoardLimits, Refusal
from rramlab.board_protocol.lines import MultiplyRequest
from rramlab.board_protocol.loop import FetchReply, FetchRequest, RunRequest, loads, pack_problem
from rramlab.board_protocol.readings import unpack_floats
from rramlab.board_protocol.words import Command, Feature, State, Status, Target, Waveform
from rramlab.loop import Coefficients, LoopRun, Region

INPUT = 0.05
"""Row voltage (V) of a product."""
TICKS, RUNS = 4, 2


def product(probe: Probe, hello: HelloReply) -> str:
    """Multiply by 0 and by 50 mV, and ask for a voltage above v_read."""
    if not hello.features & Feature.MULTIPLY:
        return "no MULTIPLY"
    volts = np.zeros((2, hello.rows), dtype=np.float32)
    volts[1] = INPUT
    answer = probe.expect(Status.OK, probe.numbered(Command.MULTIPLY, MultiplyRequest(0, volts).pack()))
    currents = unpack_floats(answer.body, 2 * hello.cols, "the answer to MULTIPLY").reshape(2, hello.cols)
    hold(bool((np.abs(currents) < 1.0).all()), f"currents are {currents} A")
    limit = BoardLimits.unpack(probe.expect(Status.OK, probe.free(Command.LIMITS)).body).v_read
    volts[1, -1] = 1e-6 * limit + 1e-3
    body = MultiplyRequest(0, volts).pack()
    refusal = Refusal.unpack(probe.expect(Status.REFUSED, probe.numbered(Command.MULTIPLY, body)).body)
    hold((refusal.index, refusal.name) == (2 * hello.rows - 1, "v_read"), f"the refusal says {refusal}")
    return f"{1e6 * currents[1].mean():.2f} uA per column"


def loop(probe: Probe, hello: HelloReply) -> str:
    """Run the loop from the origin with coefficients 0, and fetch what came out."""
    run = _resting()
    if not hello.features & Feature.LOOP:
        return "no LOOP"
    if hello.rows < 6 or hello.cols < 3 or hello.most_runs < RUNS:
        return "too small for the network of this check"
    blobs = {Target.PROBLEM: pack_problem(run), Target.START: run.start.astype("<f4").tobytes()}
    for target, blob in blobs.items():
        for part in loads(target, blob, hello.most_body):
            probe.expect(Status.OK, probe.numbered(Command.LOOP_LOAD, part.pack()))
    probe.expect(Status.OK, probe.numbered(Command.LOOP_RUN, RunRequest(RUNS, 2).pack()))
    _await_end(probe)
    end = _fetched(probe, Waveform.END)
    hold(end.shape == (RUNS, 2), f"end states have shape {end.shape}")
    samples = _fetched(probe, Waveform.TIME).values.size
    state = _fetched(probe, Waveform.STATE)
    hold(state.shape == (1, samples, 2), f"kept states have shape {state.shape} for {samples} samples")
    return f"{RUNS} runs, {samples} samples"


def _resting() -> LoopRun:
    layers = Region((0, 1), (0, 1, 2)), Region((2, 3), (0, 1, 2)), Region((4, 5), (0, 1, 2))
    nothing = np.zeros(TICKS)
    coefficients = Coefficients(5e-3, nothing, nothing, np.zeros((TICKS, 2)), nothing)
    return LoopRun(layers, (20e-6,) * 3, 1.0, INPUT, np.zeros((RUNS, 2)), coefficients, kept=1)


def _await_end(probe: Probe) -> None:
    end = time.monotonic() + 10 * probe.timeout
    while time.monotonic() < end:
        answer, lines = probe.status()
        if not answer.state & State.RUNNING:
            hold(lines.runs_done == RUNS, f"{lines.runs_done} of {RUNS} runs are done ({lines.text})")
            return
        time.sleep(0.01)
    hold(False, "the runs do not end")


def _fetched(probe: Probe, code: int) -> FetchReply:
    request = probe.free(Command.FETCH, FetchRequest(code, 0, 16).pack())
    return FetchReply.unpack(probe.expect(Status.OK, request).body)
