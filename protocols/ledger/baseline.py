"""Measure the digital baseline on this machine: time and energy per sample, alone and in large batches."""

import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time
from typing import final

import numpy as np
from numpy.typing import NDArray

from protocols.ledger.digital import Euler, Task, numpy_sample, torch_sample
from protocols.ledger.lean import compiled_sample
from protocols.ledger.power import EnergyMeter, Stated, meter_of, stated
from protocols.sampling import starts
from rramlab.diffusion.threads import one_thread

FloatArray = NDArray[np.float64]

Clock = Callable[[], float]

BATCHES = (1, 100, 10_000)
ROUNDS, BUDGET = 5, 0.1
"""Each baseline is repeated in so many rounds, of so long (s)."""
COMPILED = "compiled"
CLOCKS: dict[str, Clock] = {"cpu": process_time, "cuda": perf_counter}
"""A processor is timed by what its cores worked, all threads together: others on the machine do not count."""


@final
@dataclass(frozen=True)
class Digital:
    """Hold one baseline: who, on what, samples per batch, steps; time (s) and energy (J) per sample.

    `how` tells whether the energy was measured, or is a stated power times the time.
    """

    name: str
    device: str
    batch: int
    steps: int
    seconds: float
    joule: float
    how: str

    @property
    def lean(self) -> bool:
        """Tell whether no library is called between the steps."""
        return self.name.startswith(COMPILED)

    @property
    def measured(self) -> bool:
        """Tell whether the energy was read from a counter."""
        return not self.how.startswith("stated")


@final
@dataclass(frozen=True)
class Timed:
    """Hold time (s) and energy (J) of a call, None where nothing counts the energy."""

    seconds: float
    joule: float | None


def baselines(task: Task, steps: int, seed: int, watt: float | None = None) -> Iterator[Digital]:
    """Measure all samplers of this machine, one after the other; `watt` (W) replaces the stated power."""
    euler, rng = Euler.of(task, steps), np.random.default_rng([seed, 5])
    for name, device, sampler in samplers():
        for batch in BATCHES:
            yield measured(name, device, sampler, euler, starts(batch, rng), watt)


def samplers() -> list[tuple[str, str, Callable[[Euler, FloatArray], object]]]:
    """Return name, device and function of the samplers that this machine can run."""
    import torch

    found: list[tuple[str, str, Callable[[Euler, FloatArray], object]]] = [
        ("numpy, one core", "cpu", numpy_sample),
        ("torch, one core", "cpu", torch_sample),
        (f"{COMPILED}, one core", "cpu", compiled_sample),
    ]
    if torch.cuda.is_available():
        name = f"torch, {torch.cuda.get_device_name(0)}"
        found.append((name, "cuda", lambda euler, begin: torch_sample(euler, begin, device="cuda")))
    return found


def measured(
    name: str,
    device: str,
    sampler: Callable[[Euler, FloatArray], object],
    euler: Euler,
    begin: FloatArray,
    watt: float | None = None,
) -> Digital:
    """Return one baseline, measured with what energy counter there is."""
    meter, count = meter_of(device), len(begin)
    with one_thread():
        counter = meter if isinstance(meter, EnergyMeter) else None
        took = timed(lambda: sampler(euler, begin), counter, BUDGET, CLOCKS[device])
    power = stated(device, watt)
    joule, how = energy_of(took, meter, power)
    return Digital(name, device, count, len(euler.keep), took.seconds / count, joule / count, how)


def timed(
    work: Callable[[], object], meter: EnergyMeter | None, budget: float, clock: Clock = perf_counter
) -> Timed:
    """Return time and energy of a call, repeated in rounds of `budget` (s) after one that warms up.

    The time is that of the best round: neighbours empty the caches. The energy is the mean of all calls, for
    counters tick slowly. The work waits for its device itself.
    """
    work()
    before = 0.0 if meter is None else meter.joule()
    rounds = [_round(work, budget, clock) for _ in range(ROUNDS)]
    calls = sum(count for _, count in rounds)
    joule = None if meter is None else (meter.joule() - before) / calls
    return Timed(min(seconds / count for seconds, count in rounds), joule)


def _round(work: Callable[[], object], budget: float, clock: Clock) -> tuple[float, int]:
    """Return the time (s) of some calls, and how many they were."""
    begun, until, calls = clock(), perf_counter() + budget, 0
    while calls == 0 or perf_counter() < until:
        work()
        calls += 1
    return clock() - begun, calls


def energy_of(took: Timed, meter: EnergyMeter | str, power: Stated) -> tuple[float, str]:
    """Return the energy of a call (J), and how it was had: a counter that moved, or a stated power."""
    if isinstance(meter, EnergyMeter) and took.joule:
        return took.joule, f"measured: {meter.name}"
    why = meter if isinstance(meter, str) else f"the counter of {meter.name} did not move"
    return power.watt * took.seconds, f"{power.how}; {why}"


def processor() -> str:
    """Return the name of this machine's processor, as far as it tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())
