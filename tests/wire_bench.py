"""A bench on real loopback links around one simulated macro, without a guardian, and backends on it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from drivers.bench_backend import BenchBackend
from drivers.bench_options import BenchOptions
from rramlab.bench import Bench
from rramlab.limits import Limits
from rramlab.recorder import Recorder
from sim_backend.options import Options
from sim_backend.virtual.bench import METERS, SCOPES, Table, VirtualBench
from sim_backend.virtual.world import World

MAKERS = list(zip(METERS, SCOPES, strict=True))
SMALL = Options(macros=1, rows=8, cols=8)


@dataclass(frozen=True)
class WireBench:
    """Hold a virtual bench that is serving; `text` is its bench file."""

    virtual: VirtualBench
    text: str

    @property
    def world(self) -> World:
        return self.virtual.world

    def backend(
        self, recorder: Recorder | None = None, limits: Limits | None = None, **changes: Any
    ) -> BenchBackend:
        found = BenchOptions.model_validate(Bench.parse(self.text).backend.options)
        return BenchBackend(found.model_copy(update=changes), limits, recorder)

    def check_unharmed(self) -> None:
        """Assert that nothing was done that harms a macro, and that nothing is on."""
        assert self.world.violations == []
        assert not self.world.lines.driven


@contextmanager
def wire_bench(
    meter: str = "keithley2450",
    scope: str = "rigol-ds1000z",
    options: Options = SMALL,
    seed: int = 0,
    clock: Literal["virtual", "real"] = "virtual",
    **table: Any,
) -> Iterator[WireBench]:
    with VirtualBench(options, seed, clock, Table(meter=meter, scope=scope, **table)) as virtual:
        text = virtual.bench_file("wire").replace(
            "[backend.options]\n", "[backend.options]\nguardian = false\n"
        )
        made = WireBench(virtual, text)
        yield made
        made.check_unharmed()
