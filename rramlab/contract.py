"""Check that a backend keeps the promises of the door, whatever world stands behind it.

`check_backend(make)` runs on the simulation, on a bench of instruments, and on a laboratory's own bench. It
pulses a few cells gently, always inside the operating limits of the bench, and leaves them in the low state.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import final

import numpy as np

from rramlab.backend import Backend
from rramlab.cells import Cells
from rramlab.errors import InputError, LimitExceeded, RramlabError
from rramlab.pulse import Delivery, Polarity, Pulse, PulseTrain
from rramlab.reading import ReadSpec, Staircase
from rramlab.recorder import MemoryRecorder, Recorder

Make = Callable[[Recorder], Backend]
_SET, _RESET = Pulse(Polarity.SET, 1.6, 1.4, 1e-6), Pulse(Polarity.RESET, 1.2, 3.3, 1e-6)
_FAINT = Pulse(Polarity.SET, 0.6, 1.2, 1e-6)
_CONDUCTIVE = 30e-6
"""Conductance (S) above which a cell is RESET before a SET is expected to raise it."""


@final
class ContractBroken(AssertionError):
    """Say which promise a backend does not keep."""


def check_backend(make: Make) -> list[str]:
    """Return the names of the promises seen to hold; raise ContractBroken at the first that does not.

    `make` returns a fresh backend that writes into the recorder it is given.
    """
    seen = []
    for name, (needs, promise) in _PROMISES.items():
        recorder = MemoryRecorder()
        backend = make(recorder)
        if not needs <= backend.capabilities:
            continue
        try:
            promise(backend, recorder)
        except ContractBroken as broken:
            raise ContractBroken(f"{name}: {broken}") from None
        except Exception as error:
            raise ContractBroken(f"{name}: the backend raised {error!r}") from error
        seen.append(name)
    return seen


def _closed(backend: Backend, recorder: MemoryRecorder) -> None:
    _refused(InputError, lambda: backend.read(_corner(backend)), "a closed bench answers")
    _hold(not _asked(recorder), "a refused request was written down")


def _identity(backend: Backend, recorder: MemoryRecorder) -> None:
    rows, cols = backend.macro_shape
    _hold("name" in backend.identify(), "identify() does not give a name")
    _hold(backend.shape[0] % rows == 0 and backend.shape[1] == cols, "macros do not fill the shape")


def _read(backend: Backend, recorder: MemoryRecorder) -> None:
    cells = _corner(backend)
    with backend:
        g = backend.read(cells)
    _hold(g.shape == (len(cells),) and bool(np.isfinite(g).all()), f"read returned {g}")
    _hold(bool((g > -2e-6).all() and (g < 1e-3).all()), f"conductances are not in siemens: {g}")


def _read_refusals(backend: Backend, recorder: MemoryRecorder) -> None:
    outside = Cells(np.array([backend.shape[0]]), np.array([0]))
    with backend:
        _refused(InputError, lambda: backend.read(outside), "a cell outside was read")
        hot = min(0.31, 1.05 * backend.limits.v_read)
        ask = ReadSpec(v_read=hot)
        _refused(
            LimitExceeded, lambda: backend.read(_corner(backend), ask), f"a read of {hot:g} V went through"
        )
    _hold(not _asked(recorder), "a refused request was written down")


def _pulse_refusals(backend: Backend, recorder: MemoryRecorder) -> None:
    good = PulseTrain.of(_corner(backend), _gentle(backend, _FAINT))
    drive = good.drive.copy()
    # As little beyond as tells: what is not refused here would reach a real macro.
    drive[-1] = min(2.6, 1.05 * backend.limits.v_set)
    with backend:
        went = f"{drive[-1]:g} V went through"
        _refused(LimitExceeded, lambda: backend.pulse(replace(good, drive=drive)), went)
    _hold(not _asked(recorder) and backend.pulses.sum() == 0, "a refused train left a trace")


def _pulse_moves(backend: Backend, recorder: MemoryRecorder) -> None:
    cells = _corner(backend)
    with backend:
        _reset_open_ones(backend, cells)
        begun = backend.pulses[cells.row, cells.col].copy()
        before = _levels(backend, cells)
        delivery = backend.pulse(PulseTrain.of(cells, _gentle(backend, _SET)))
        high = _levels(backend, cells)
        backend.pulse(PulseTrain.of(cells, _gentle(backend, _RESET)))
        low = _levels(backend, cells)
        counted = backend.pulses[cells.row, cells.col] - begun
    _hold(bool((delivery == Delivery.APPLIED).all()), f"pulses were not delivered: {delivery}")
    _hold(min(high) > max(before), "SET did not raise the conductance")
    _hold(max(low) < min(high), "RESET did not lower the conductance")
    _hold(bool((counted == 2).all()), "pulses are not counted per cell")


def _reset_open_ones(backend: Backend, cells: Cells) -> None:
    """RESET the cells that stand where a SET could not raise them: what is on a real bench is anything."""
    if (which := backend.read(cells) > _CONDUCTIVE).any():
        backend.pulse(PulseTrain.of(cells.take(which), _gentle(backend, _RESET)))


def _gentle(backend: Backend, pulse: Pulse) -> Pulse:
    """Return the pulse, no higher and no longer than this bench allows."""
    limits, reset = backend.limits, pulse.polarity == Polarity.RESET
    drive = min(pulse.drive, limits.v_reset if reset else limits.v_set)
    gate = min(pulse.gate, limits.gate if reset else limits.gate_set)
    return replace(pulse, drive=drive, gate=gate, width=min(pulse.width, limits.width))


def _wait_passes(backend: Backend, recorder: MemoryRecorder) -> None:
    with backend:
        start = backend.now()
        backend.wait(0.01)
        _hold(0.0099 <= backend.now() - start < 1.0, "wait(0.01) did not let 10 ms pass")
        _refused(RramlabError, lambda: backend.wait(-1.0), "time went backwards")


def _sweep_follows(backend: Backend, recorder: MemoryRecorder) -> None:
    cell, top = _corner(backend).take(np.array([0])), min(0.2, backend.limits.v_read)
    stairs = Staircase(
        np.linspace(0.0, top, 11), gate=backend.limits.gate, compliance=min(100e-6, backend.limits.i_set)
    )
    with backend:
        expected = top * float(np.median([backend.read(cell, ReadSpec(top))[0] for _ in range(4)]))
        curve = backend.sweep(cell, stairs)
    steps = (len(stairs.voltages),)
    shapes = [column.shape for column in curve.columns().values()]
    _hold(shapes == [steps] * 4, f"a sweep of {steps[0]} steps returned {shapes}")
    _hold(bool(np.allclose(curve.voltage, stairs.voltages, atol=0.01)), f"it swept over {curve.voltage} V")
    _hold(bool((np.diff(curve.time) > 0).all()), f"the times of a sweep are {curve.time} s")
    near = abs(curve.current[-1] - expected) < 0.5 * abs(expected) + 0.2e-6
    _hold(
        near, f"a sweep found {curve.current[-1]:.3g} A at {top:g} V where a reading finds {expected:.3g} A"
    )


def _sweep_refusals(backend: Backend, recorder: MemoryRecorder) -> None:
    cell = _corner(backend).take(np.array([0]))
    high = min(2.6, 1.05 * backend.limits.v_set)
    stairs = Staircase(np.array([0.0, high]), gate=1.2, compliance=10e-6)
    with backend:
        _refused(LimitExceeded, lambda: backend.sweep(cell, stairs), f"a sweep to {high:g} V went through")
    _hold(not _asked(recorder), "a refused sweep was written down")


def _multiply_linear(backend: Backend, recorder: MemoryRecorder) -> None:
    volts = np.zeros((2, backend.macro_shape[0]))
    volts[:, 0] = 0.05, 0.1
    with backend:
        small, large = backend.multiply(volts)
    _hold(small.shape == (backend.macro_shape[1],), f"multiply returned {small.shape}")
    _hold(float(np.abs(large).sum()) > float(np.abs(small).sum()), "twice the voltage gave no more current")


def _recorded(backend: Backend, recorder: MemoryRecorder) -> None:
    with backend:
        backend.read(_corner(backend))
        backend.pulse(PulseTrain.of(_corner(backend), _gentle(backend, _FAINT)))
    stages = [(event.stage, event.verb) for event in recorder.events if event.stage != "note"]
    _hold(stages == [(s, v) for v in ("read", "pulse") for s in ("request", "result")], f"record is {stages}")
    numbers = [event.number for event in recorder.events if event.stage == "request"]
    _hold(numbers == sorted(set(numbers)), f"request numbers are {numbers}")


def _safe_after_error(backend: Backend, recorder: MemoryRecorder) -> None:
    try:
        with backend:
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        pass
    _hold(not _unsafe(recorder), f"the lines could not be made safe: {_unsafe(recorder)}")
    _refused(InputError, lambda: backend.read(_corner(backend)), "the bench stayed open after an error")


def _safe_any_time(backend: Backend, recorder: MemoryRecorder) -> None:
    backend.make_safe()
    with backend:
        backend.make_safe()
        backend.make_safe()
        backend.read(_corner(backend))
    _hold(not _unsafe(recorder), f"the lines could not be made safe: {_unsafe(recorder)}")


def _lives_again(backend: Backend, recorder: MemoryRecorder) -> None:
    if not backend.forgets:
        return
    with backend:
        before = backend.memory()
        _hold(bool(before), "a world that forgets has no memory to keep")
        remembered = {name: np.array(column) for name, column in before.items()}
        backend.read(_corner(backend))
        backend.pulse(PulseTrain.of(_corner(backend), _gentle(backend, _SET)))
        backend.wait(1.0)
        backend.restore(remembered)
        after = backend.memory()
    same = {name: np.array_equal(after[name], column) for name, column in remembered.items()}
    _hold(all(same.values()), f"memory is not brought back: {[n for n, kept in same.items() if not kept]}")


# Each promise with the verbs that a bench must have to be held to it.
_PROMISES: dict[str, tuple[set[str], Callable[[Backend, MemoryRecorder], None]]] = {
    "identity": (set(), _identity),
    "closed": ({"read"}, _closed),
    "read returns conductances": ({"read"}, _read),
    "read is limited": ({"read"}, _read_refusals),
    "pulse is limited": ({"pulse"}, _pulse_refusals),
    "pulse moves the cells": ({"pulse", "read"}, _pulse_moves),
    "wait passes": ({"wait"}, _wait_passes),
    "sweep is limited": ({"sweep"}, _sweep_refusals),
    "sweep agrees with a reading": ({"sweep", "read"}, _sweep_follows),
    "multiply is monotonic": ({"multiply"}, _multiply_linear),
    "pulse and read are recorded": ({"pulse", "read"}, _recorded),
    "safe after an error": ({"read"}, _safe_after_error),
    "safe at any time": ({"read"}, _safe_any_time),
    "lives again": ({"pulse", "read", "wait"}, _lives_again),
}


def _corner(backend: Backend) -> Cells:
    return Cells.grid(range(min(4, backend.shape[0])), range(min(4, backend.shape[1])))


def _levels(backend: Backend, cells: Cells) -> list[float]:
    """Return the medians (S) of four readings: noise alone parts two such lists in 1 of 70 cases."""
    return [float(np.median(backend.read(cells))) for _ in range(4)]


def _asked(recorder: MemoryRecorder) -> list[str]:
    return [event.verb for event in recorder.events if event.stage == "request"]


def _unsafe(recorder: MemoryRecorder) -> list[str]:
    return [event.facts["error"] for event in recorder.events if event.verb == "unsafe"]


def _hold(truth: bool, otherwise: str) -> None:
    if not truth:
        raise ContractBroken(otherwise)


def _refused(kind: type[Exception], request: Callable[[], object], otherwise: str) -> None:
    try:
        request()
    except kind:
        return
    raise ContractBroken(otherwise)
