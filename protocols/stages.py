"""Go through the main job stage by stage, so that a run that was cut off goes on where it was."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from protocols.network import Macro, Watch, Writer, network_spec, place, program_network, screen
from protocols.sample.request import Request
from protocols.sampling import Sampling, starts
from protocols.write_verify.programmed import UNITS, Programmed
from rramlab.contents import Kept
from rramlab.diffusion.network import ScoreWeights
from rramlab.diffusion.store import from_record, record_of
from rramlab.errors import InputError, RunError
from rramlab.loop import LoopResult, LoopRun
from rramlab.network_mapping import NetworkMapping, Targets
from rramlab.pulse import Columns
from rramlab.runfile import RunFile
from rramlab.session import Work

FloatArray = NDArray[np.float64]

CHANGED = 5e-6
"""A layer whose cells are found further (S) from the record, in the median, is no longer there."""


def source_of(request: Request, found: Mapping[str, Kept]) -> Mapping[str, Kept]:
    """Return the kept results that a run goes on from: its own, or those of the run that it takes over."""
    own = request.after is None or "macro" in found
    return found if own else network_run(str(request.after))


def network_of(request: Request, source: Mapping[str, Kept]) -> ScoreWeights:
    """Return the network of a run: the one of its source, or the one asked for."""
    kept = source.get("score")
    return request.score() if kept is None else from_record(kept.columns, kept.facts)


def kept_score(score: ScoreWeights) -> tuple[Columns, dict[str, str], dict[str, Any]]:
    """Return arrays, units and facts by which a run keeps its network."""
    arrays, facts = record_of(score)
    return arrays, {}, facts


def network_run(run: str) -> Mapping[str, Kept]:
    """Return the kept results of a run that programmed a network."""
    kept = RunFile.open(run).kept
    if not {"macro", "mapping", "score"} <= set(kept):
        raise RunError(f"run '{run}' programmed no network; name one of demo, sample or letters that ended")
    return kept


@final
@dataclass(frozen=True)
class Stages:
    """Go through the stages of the main job; one that an earlier process kept is not done again."""

    work: Work
    request: Request
    score: ScoreWeights
    rng: np.random.Generator

    def mapping(self) -> tuple[NetworkMapping, NDArray[np.bool_]]:
        """Return where the network goes, and the map of the cells that looked usable."""
        kept = self.work.kept("mapping")
        if kept is not None:
            return NetworkMapping.from_dict(kept.facts), kept.columns["usable"].astype(bool)
        spec = self.request.spec(self.work.bench)
        usable = screen(self.work.backend, len(self.score.layers), spec.reading)
        if 2 * usable.sum() < usable.size:
            raise InputError(
                f"{int(usable.sum())} of {usable.size} cells look usable (formed, not stuck high), too few "
                f"for a network; form the cells, or take a simulated bench with formed = true"
            )
        mapping = place(self.score, usable, spec, self.work.bench.window.reference)
        self.work.run.keep("mapping", {"usable": usable}, facts=mapping.to_dict())
        return mapping, usable

    def program(
        self, watch: Watch, mapping: NetworkMapping | None = None, again: str = ""
    ) -> tuple[Macro, list[Programmed]]:
        """Return the macro with the network in it, and what became of its weights.

        Another attempt of the same run has a `mapping` of its own, and `again` before its results' names.
        """
        writer = Writer(self.work.backend, network_spec(self.request.spec(self.work.bench)), watch)
        macro, done = program_network(
            self.score,
            mapping or self.mapping()[0],
            lambda what, targets: self._written(writer, again + what, targets),
            lambda what, cells: self._kept_map(again + what, lambda: writer.measure(what, cells)),
            lambda what, macros: self._kept_map(again + what, lambda: writer.use(what, macros)),
        )
        self._keep_macro(macro)
        return macro, done

    def taken_over(self, source: Mapping[str, Kept], watch: Watch) -> tuple[Macro, list[Programmed]]:
        """Return the macro as an earlier run programmed it; this run keeps it for those after it.

        A real macro went on living since that run, so it is measured again; RunError if the network is gone.
        """
        place, kept = source["mapping"], source["macro"]
        mapping, measured = NetworkMapping.from_dict(place.facts), kept.columns["conductance"]
        if not self.work.backend.forgets:
            measured = self._found_again(mapping, measured, watch)
        written = mapping.to_weights(measured, self.score)
        macro = Macro(mapping, measured, written, kept.facts.get("clipped", 0))
        self.work.run.keep("mapping", place.columns, facts=place.facts)
        self._keep_macro(macro)
        return macro, []

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

    def _found_again(self, mapping: NetworkMapping, before: FloatArray, watch: Watch) -> FloatArray:
        writer = Writer(self.work.backend, network_spec(self.request.spec(self.work.bench)), watch)
        layers = len(mapping.layers)
        found = self._kept_map("network as found", lambda: writer.use("network as found", layers))
        cells = [region.cells() for region in mapping.regions()]
        apart = max(float(np.median(np.abs(found - before)[c.row, c.col])) for c in cells)
        if not apart <= CHANGED:
            raise RunError(
                f"the network of run '{self.request.after}' is no longer in these macros: the cells of a "
                f"layer are found {apart * 1e6:.1f} uS away from what that run left, in the median. Were "
                f"they programmed since, or is this another chip? Program the network again: without --after"
            )
        return found

    def _keep_macro(self, macro: Macro) -> None:
        columns, facts = {"conductance": macro.measured}, {"clipped": macro.clipped}
        self.work.run.keep("macro", columns, {"conductance": "S"}, facts)

    def _written(self, writer: Writer, what: str, targets: Targets) -> Programmed:
        kept = self.work.kept(what)
        if kept is not None:
            return Programmed.from_columns(kept.columns)
        done = writer.write(what, targets, self.work.resume_point())
        self.work.run.keep(what, done.columns(), UNITS, {"clipped": targets.clipped})
        return done

    def _kept_map(self, what: str, measure: Callable[[], FloatArray]) -> FloatArray:
        kept = self.work.kept(what)
        if kept is not None:
            return np.asarray(kept.columns["conductance"], float)
        measured = measure()
        self.work.run.keep(what, {"conductance": measured}, {"conductance": "S"})
        return measured
