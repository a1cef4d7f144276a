"""Carry out the main job as a run: weights into the macros, the loop closed, samples out, quality beside."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, Literal, final

import numpy as np
from numpy.typing import NDArray

from protocols.ledger import Ledger, account
from protocols.network import Macro, Writer, check_macros, network_spec, place, program_network, screen
from protocols.sampling import Sampling, starts
from protocols.write_verify.programmed import Programmed
from protocols.write_verify.spec import Spec
from rramlab.bench import Bench
from rramlab.diffusion.data import ring_points
from rramlab.diffusion.metrics import Quality, quality
from rramlab.diffusion.network import ScoreWeights
from rramlab.diffusion.store import load_weights, ring_weights
from rramlab.errors import InputError, RunError
from rramlab.loop import LoopResult, LoopRun
from rramlab.network_mapping import NetworkMapping, Targets
from rramlab.runfile import RunFile
from rramlab.session import Plan, Session, Work, free_folder

FloatArray = NDArray[np.float64]

DIGITAL_STEPS = 1000
FRESH = 20_000
"""Points of the data that samples are compared with."""


@final
@dataclass(frozen=True)
class Request:
    """Hold what was asked for (SI); `weights` a file, or None for the ring network that ships."""

    weights: str | None = None
    runs: int = 1000
    kind: Literal["ode", "sde"] = "ode"
    tolerance: float = 1e-6
    passes: int = 3
    wait: float = 60.0

    def __post_init__(self) -> None:
        if self.kind not in ("ode", "sde"):
            raise InputError(f"--kind {self.kind} is not known; possible: ode, sde")
        if self.runs < 1:
            raise InputError(f"{self.runs} runs were asked for; at least 1 is possible")

    def spec(self, bench: Bench) -> Spec:
        """Return what write-verify is to reach on this bench."""
        return Spec(
            tolerance=self.tolerance,
            window=(bench.window.low, bench.window.high),
            reading=bench.reading.spec(),
            passes=self.passes,
            wait=self.wait,
        )

    def score(self) -> ScoreWeights:
        """Return the network that was asked for."""
        return ring_weights() if self.weights is None else load_weights(self.weights)


@final
@dataclass(frozen=True, eq=False)
class Comparison:
    """Hold sets of points (n, 2) by name, their distances to the data, and digital seconds per sample."""

    points: Mapping[str, FloatArray]
    quality: Mapping[str, Quality]
    digital_seconds: float


@final
@dataclass(frozen=True, eq=False)
class Outcome:
    """Hold everything that a run of the main job found, for its page and its summary."""

    request: Request
    score: ScoreWeights
    macro: Macro
    programmed: list[Programmed]
    sampling: Sampling
    result: LoopResult
    comparison: Comparison
    ledger: Ledger


def plan_of(
    command: str,
    request: Request,
    folder: Path | None,
    seed: int,
    resume: Path | None,
    after: Path | None = None,
) -> Plan:
    """Return the plan of a run; the weights of a new one are looked at before anything is made."""
    if resume is None:
        request.score()
    place = resume or folder or free_folder(command)
    return Plan(command, place, seed, asdict(request), resume, after, check_macros)


def carry_out(session: Session, plan: Plan) -> tuple[Outcome, Path]:
    """Return what a run found, and its folder; every stage is kept as it ends."""
    with session.work(plan) as work, session.terminal.progress() as progress:
        request = Request(**work.run.start.parameters)
        stages = Stages(work, request, request.score(), np.random.default_rng([work.run.start.seed, 1]))
        macro, programmed = stages.taken_over(plan.after) if plan.after else stages.program(progress.update)
        run, result, sampling = stages.sample(macro)
        progress.update("comparing", 0, 1)
        comparison = compare(request, stages.score, run.start, result, work.run.start.seed)
        progress.update("comparing", 1, 1)
        seconds = sampling.seconds
        ledger = account(float(result.energy.mean()), seconds, comparison.digital_seconds)
        found = Outcome(request, stages.score, macro, programmed, sampling, result, comparison, ledger)
        work.run.keep("samples", dict(comparison.points), facts=facts_of(found))
        fields = stages.vector_field(macro, sampling)
        write_page(found, fields, work.run.folder)
    return found, work.run.folder


@final
@dataclass(frozen=True)
class Stages:
    """Go through the stages of the main job; one that an earlier process kept is not done again."""

    work: Work
    request: Request
    score: ScoreWeights
    rng: np.random.Generator

    def program(self, watch: Any) -> tuple[Macro, list[Programmed]]:
        """Return the macro with the network in it, and what became of its weights."""
        writer = Writer(self.work.backend, network_spec(self.request.spec(self.work.bench)), watch)
        macro, done = program_network(
            self.score,
            self._mapping(),
            lambda what, targets: self._written(writer, what, targets),
            lambda what, cells: self._kept_map(what, lambda: writer.measure(what, cells)),
            lambda what, macros: self._kept_map(what, lambda: writer.use(what, macros)),
        )
        self.work.run.keep("macro", {"conductance": macro.measured}, {"conductance": "S"})
        return macro, done

    def taken_over(self, run: Path) -> tuple[Macro, list[Programmed]]:
        """Return the macro as an earlier run programmed it."""
        kept = RunFile.open(run).kept
        if "macro" not in kept:
            raise RunError(f"run '{run}' programmed no network; name a run of 'demo' or 'sample' that ended")
        measured = kept["macro"].columns["conductance"]
        mapping = NetworkMapping.from_dict(kept["mapping"].facts)
        return Macro(mapping, measured, mapping.to_weights(measured, self.score)), []

    def sample(self, macro: Macro) -> tuple[LoopRun, LoopResult, Sampling]:
        """Return the closed-loop runs, as asked and as answered."""
        sampling = Sampling(runs=self.request.runs, kind=self.request.kind)
        run = sampling.declare(self.score, macro.mapping, starts(self.request.runs, self.rng))
        return run, self.work.backend.solve(run), sampling

    def vector_field(self, macro: Macro, sampling: Sampling) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return times (s), a grid axis, and the measured slope of the state on that grid (1/s)."""
        side = np.linspace(-1.5, 1.5, 15)
        x, y = np.meshgrid(side, side)
        points = np.stack([x.ravel(), y.ravel()], axis=1)
        run = sampling.declare(self.score, macro.mapping, points)
        shares = np.array([0.05, 0.5, 0.95])
        moments = [run.moment(share) for share in shares]
        slopes = [self.work.backend.solve(moment).slope(moment) for moment in moments]
        field = np.stack([s.reshape(side.size, side.size, 2) for s in slopes])
        return shares * sampling.seconds, side, field

    def _mapping(self) -> NetworkMapping:
        kept = self.work.kept("mapping")
        if kept is not None:
            return NetworkMapping.from_dict(kept.facts)
        spec = self.request.spec(self.work.bench)
        usable = screen(self.work.backend, len(self.score.layers), spec.reading)
        mapping = place(self.score, usable, spec, self.work.bench.window.reference)
        self.work.run.keep("mapping", {"usable": usable}, facts=mapping.to_dict())
        return mapping

    def _written(self, writer: Writer, what: str, targets: Targets) -> Programmed:
        kept = self.work.kept(what)
        if kept is not None:
            return Programmed.from_columns(kept.columns)
        done = writer.write(what, targets, self.work.resume_point())
        units = {"target": "S", "achieved": "S", "written": "S", "energy": "J"}
        self.work.run.keep(what, done.columns(), units, {"clipped": targets.clipped})
        return done

    def _kept_map(self, what: str, measure: Callable[[], FloatArray]) -> FloatArray:
        kept = self.work.kept(what)
        if kept is not None:
            return np.asarray(kept.columns["conductance"], float)
        measured = measure()
        self.work.run.keep(what, {"conductance": measured}, {"conductance": "S"})
        return measured


def compare(
    request: Request, score: ScoreWeights, start: FloatArray, result: LoopResult, seed: int
) -> Comparison:
    """Return analog beside digital samples from the same start states; the ring also beside fresh data."""
    from rramlab.diffusion.sampler import sample

    rng = np.random.default_rng([seed, 2])
    sample(score, 64, steps=10)  # the first call of torch takes seconds that belong to no sample
    begun = perf_counter()
    digital = sample(score, request.runs, steps=DIGITAL_STEPS, kind=request.kind, seed=seed, start=start)
    seconds = (perf_counter() - begun) / request.runs
    points = {"analog": result.end, "digital": digital.points}
    if request.weights is None:
        data = ring_points(FRESH, rng)
        points["data"] = ring_points(request.runs, rng)
    else:
        data = sample(score, FRESH, steps=DIGITAL_STEPS, kind=request.kind, seed=seed + 1).points
    return Comparison(points, {name: quality(found, data) for name, found in points.items()}, seconds)


def facts_of(found: Outcome) -> dict[str, Any]:
    """Return the figures of a run as plain numbers."""
    error = np.concatenate(
        [(a - b).ravel() for a, b in zip(found.macro.written.layers, found.score.layers, strict=True)]
    )
    return {
        "runs": found.request.runs,
        "kind": found.request.kind,
        "compared_with": "fresh data of the ring" if found.request.weights is None else "the digital sampler",
        "quality": {name: asdict(q) for name, q in found.comparison.quality.items()},
        "weight_error_rms": float(np.sqrt(np.mean(error**2))),
        "analog_seconds_per_sample": found.ledger.analog_seconds,
        "digital_seconds_per_sample": found.ledger.digital_seconds,
        "array_joule_per_sample": found.ledger.analog[0].joule,
        "analog_joule_per_sample": found.ledger.analog_joule,
        "digital_joule_per_sample": found.ledger.digital.joule,
    }


def write_page(found: Outcome, fields: tuple[FloatArray, FloatArray, FloatArray], folder: Path) -> None:
    """Write the page of the run into its folder."""
    from protocols.sample_page import page_of

    page_of(found, fields).write(folder / "index.html", pictures=True)
