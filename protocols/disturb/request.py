"""Say what is asked of a run of disturb."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, final

from protocols.asked import within_reason
from protocols.write_verify.spec import Spec
from rramlab.backend import Backend
from rramlab.bench import Bench
from rramlab.cells import Cells
from rramlab.errors import InputError, did_you_mean
from rramlab.pulse import Polarity, Pulse, PulseTrain
from rramlab.reading import ReadSpec

KINDS = ("read", "half-select", "both")
MOST_READS, MOST_LEVELS, MOST_SAMPLES, MOST_AGGRESSORS = 100_000_000, 64, 10_000, 64


@final
@dataclass(frozen=True)
class Request:
    """Hold what the command was asked for (SI)."""

    cells: str = "macro"
    kind: str = "both"
    levels: int = 4
    voltages: tuple[float, ...] = (0.1, 0.2)
    reads: int = 10_000
    aggressors: int = 4
    pulses: int = 100
    set_pulse: str = "SET 1.6V gate=1.6V 1us"
    reset_pulse: str = "RESET 1.6V gate=3.3V 1us"
    samples: int = 16
    tolerance: float = 1e-6
    wait: float = 60.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(f"there is no disturb '{self.kind}'; {did_you_mean(self.kind, list(KINDS))}")
        counts = {
            "levels": MOST_LEVELS,
            "reads": MOST_READS,
            "aggressors": MOST_AGGRESSORS,
            "samples": MOST_SAMPLES,
        }
        for name, most in counts.items():
            if not 1 <= getattr(self, name) <= most:
                raise InputError(f"--{name} {getattr(self, name)} is not possible; give 1 to {most}")
        if self.pulses < 2 or len(set(self.voltages)) != len(self.voltages):
            raise InputError(
                f"{self.pulses} pulses and voltages {self.voltages} are not possible; give 2 pulses or more, "
                f"and each voltage once"
            )
        self._check_pulses()

    def _check_pulses(self) -> None:
        given = self.strokes()
        for pulse, wanted in zip(given, (Polarity.SET, Polarity.RESET), strict=True):
            if pulse.polarity is not wanted:
                raise InputError(f"'{pulse}' was given where a {wanted.name} is expected; exchange the two")

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, Any]) -> "Request":
        """Return the request that a run was begun with."""
        return cls(**{**parameters, "voltages": tuple(parameters["voltages"])})

    def parameters(self) -> dict[str, Any]:
        """Return the options that a continued run must share."""
        return {**asdict(self), "voltages": list(self.voltages)}

    def does(self, kind: str) -> bool:
        """Tell whether this kind of disturb is looked for."""
        return self.kind in (kind, "both")

    def strokes(self) -> tuple[Pulse, Pulse]:
        """Return the SET and the RESET that aggressors are given."""
        return Pulse.parse(self.set_pulse), Pulse.parse(self.reset_pulse)

    def chosen(self, backend: Backend) -> Cells:
        """Return the cells, those of the first macro if none were named."""
        return Cells.of_shape(backend.macro_shape) if self.cells == "macro" else Cells.parse(self.cells)

    def look(self, bench: Bench) -> ReadSpec:
        """Return the reading by which cells are looked at."""
        return ReadSpec(bench.reading.v_read, bench.reading.gate, self.samples)

    def stress(self, bench: Bench, voltage: float, samples: int) -> ReadSpec:
        """Return the reading that stresses: so many samples of 1 ms at a voltage (V)."""
        return ReadSpec(voltage, bench.reading.gate, samples)

    def spec(self, bench: Bench) -> Spec:
        """Return how the states are programmed."""
        return within_reason(
            Spec(
                tolerance=self.tolerance,
                window=(bench.window.low, bench.window.high),
                reading=bench.reading.spec(),
                final_samples=1,
                passes=1,
                wait=self.wait,
            )
        )

    def check(self, backend: Backend, bench: Bench) -> None:
        """Refuse what the bench or its limits do not allow, before a run is made."""
        cells, limits = self.chosen(backend), backend.limits
        cells.check(backend.shape)
        for voltage in self.voltages if self.does("read") else ():
            limits.check_read(self.stress(bench, voltage, 1))
        if self.does("half-select"):
            for pulse in self.strokes():
                limits.check_train(PulseTrain.of(Cells(cells.row[:1], cells.col[:1]), pulse))
            if self.pulses >= limits.pulses_per_cell:
                raise InputError(
                    f"{self.pulses} pulses per aggressor were asked for and the limit of a session is "
                    f"{limits.pulses_per_cell}, those of programming included; ask for fewer"
                )
