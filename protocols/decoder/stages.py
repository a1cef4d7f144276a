"""Bring a decoder into the macros stage by stage; one that an earlier process kept is not done again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from protocols.decoder.request import DecodeRequest
from protocols.moving import holding
from protocols.network import MARGIN, Watch, Writer, network_spec, screen
from protocols.stages import CHANGED
from protocols.write_verify.programmed import UNITS, Programmed
from rramlab.backend import Backend
from rramlab.cells import Cells
from rramlab.contents import Kept
from rramlab.errors import InputError, RunError, Unsupported
from rramlab.network_mapping import Targets
from rramlab.placement import MACRO_SIDE
from rramlab.runfile import RunFile
from rramlab.session import Work
from rramlab.tile_layout import Matrices
from rramlab.tiling import Tiling, check_macros

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

MOVES = 4
"""Times that tiles are moved at most: each move may meet new cells that do not hold."""
TILING, MACROS, MATRICES = "tiling", "macros", "matrices"


@final
@dataclass(frozen=True, eq=False)
class Programming:
    """Hold programmed macros: tiling, map in use (S), matrices that it stands for, and how it went.

    `clipped` counts the conductances, of weights and trims, that the window could not hold.
    """

    tiling: Tiling
    measured: FloatArray
    written: Mapping[str, FloatArray]
    done: tuple[Programmed, ...] = ()
    clipped: int = 0


def check_bench(matrices: Matrices, copies: int) -> Callable[[Backend], None]:
    """Return a check of a bench: products, macros of the right size, and enough of them."""

    def check(backend: Backend) -> None:
        rows, cols = backend.macro_shape
        if "multiply" not in backend.capabilities:
            name = backend.identify()["name"]
            raise Unsupported(f"a decoder needs 'multiply', and this bench ({name}) lacks it; name another")
        if (rows, cols) != (MACRO_SIDE, MACRO_SIDE):
            side = f"{MACRO_SIDE} x {MACRO_SIDE}"
            raise InputError(f"a decoder needs macros of {side}; those of this bench are {rows} x {cols}")
        check_macros(matrices, backend.shape[0] // rows, copies)

    return check


def earlier(run: str, matrices: Matrices) -> Mapping[str, Kept]:
    """Return the kept results of a run that programmed this decoder."""
    kept = RunFile.open(run).kept
    if not {MACROS, MATRICES} <= set(kept):
        raise RunError(f"run '{run}' programmed no decoder; name a run of 'decode' that ended")
    if not all(np.array_equal(kept[MATRICES].columns[name], m) for name, m in matrices.items()):
        raise RunError(f"run '{run}' programmed another decoder; name with --letters the folder of its own")
    return kept


@final
@dataclass(frozen=True)
class Stages:
    """Go through the stages of programming a decoder."""

    work: Work
    request: DecodeRequest
    matrices: Matrices
    watch: Watch

    def program(self) -> Programming:
        """Return the macros with the decoder in them: around cells that do not hold, and trimmed in use."""
        tiling, targets, done = self._around_cells()
        before = self._in_use("decoder before the trim", tiling)
        trims = tiling.trimmed(self.matrices, targets, before)
        trimmed = self._written("trim", trims)
        found = self._in_use("decoder in use", tiling)
        return self._kept(tiling, found, (*done, trimmed), targets.clipped + trims.clipped)

    def taken_over(self, source: Mapping[str, Kept]) -> Programming:
        """Return the macros as an earlier run programmed them; RunError if the decoder is gone.

        A real macro went on living since that run, so it is measured again.
        """
        kept = source[MACROS]
        tiling, found = Tiling.from_dict(kept.facts), np.asarray(kept.columns["conductance"], float)
        if not self.work.backend.forgets:
            before, found = found, self._in_use("decoder as found", tiling)
            cells = [tile.place.region.cells() for tile in tiling.tiles]
            apart = max(float(np.median(np.abs(found - before)[c.row, c.col])) for c in cells)
            if not apart <= CHANGED:
                raise RunError(
                    f"the decoder of run '{self.request.after}' is no longer in these macros; were they "
                    f"programmed since, or is this another chip? Program it again: rramlab decode"
                )
        return self._kept(tiling, found, (), int(kept.facts["clipped"]))

    def _around_cells(self) -> tuple[Tiling, Targets, tuple[Programmed, ...]]:
        """Return tiling and targets of weights in cells that hold them, and how they were written."""
        tiling, usable = self._first()
        for move in range(MOVES + 1):
            again = f"move {move}: " if move else ""
            references = tiling.reference_targets()
            done = [self._written(f"{again}references", references)]
            ground = self._measured(f"{again}references as written", references.cells)
            targets = tiling.weight_targets(self.matrices, ground)
            done.append(self._written(f"{again}weights", targets))
            usable = holding(usable, done)
            around = tiling.moved(usable)
            if around == tiling:
                break
            if move < MOVES:
                tiling = around
        return tiling, targets, tuple(done)

    def _first(self) -> tuple[Tiling, BoolArray]:
        """Return where the weights go at first, and the map of cells that looked usable then."""
        kept = self.work.kept(TILING)
        if kept is not None:
            return Tiling.from_dict(kept.facts), kept.columns["usable"].astype(bool)
        backend, bench = self.work.backend, self.work.bench
        macros, spec = backend.shape[0] // MACRO_SIDE, self.request.spec(bench)
        tiling = Tiling.fit(
            self.matrices, macros, spec.window, bench.window.reference, MARGIN, self.request.copies
        )
        usable = screen(backend, tiling.macros, spec.reading)
        if 2 * usable.sum() < usable.size:
            raise InputError(
                f"{int(usable.sum())} of {usable.size} cells look usable (formed, not stuck high), too few "
                f"for a decoder; form the cells, or take a simulated bench with formed = true"
            )
        tiling = tiling.moved(usable)
        self.work.run.keep(TILING, {"usable": usable}, facts=tiling.to_dict())
        return tiling, usable

    def _kept(
        self, tiling: Tiling, found: FloatArray, done: tuple[Programmed, ...], clipped: int
    ) -> Programming:
        facts = {"clipped": clipped, **tiling.to_dict()}
        self.work.run.keep(MACROS, {"conductance": found}, {"conductance": "S"}, facts)
        return Programming(tiling, found, tiling.to_matrices(found), done, clipped)

    def _writer(self) -> Writer:
        return Writer(self.work.backend, network_spec(self.request.spec(self.work.bench)), self.watch)

    def _in_use(self, what: str, tiling: Tiling) -> FloatArray:
        return self._map(what, lambda writer: writer.use(what, tiling.macros))

    def _measured(self, what: str, cells: Cells) -> FloatArray:
        return self._map(what, lambda writer: writer.measure(what, cells))

    def _written(self, what: str, targets: Targets) -> Programmed:
        kept = self.work.kept(what)
        if kept is not None:
            return Programmed.from_columns(kept.columns)
        done = self._writer().write(what, targets, self.work.resume_point())
        self.work.run.keep(what, done.columns(), UNITS, {"clipped": targets.clipped})
        return done

    def _map(self, what: str, measure: Callable[[Writer], FloatArray]) -> FloatArray:
        kept = self.work.kept(what)
        if kept is not None:
            return np.asarray(kept.columns["conductance"], float)
        measured = measure(self._writer())
        self.work.run.keep(what, {"conductance": measured}, {"conductance": "S"})
        return measured
