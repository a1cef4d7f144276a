"""Find the points that are decoded: samples of an earlier closed-loop run, or latents of training letters."""

import numpy as np
from numpy.typing import NDArray

from protocols.decoder.request import DecodeRequest
from protocols.letters.judge import Judge
from protocols.letters.outcome import ANALOG
from rramlab.contents import Kept
from rramlab.errors import InputError, RunError, did_you_mean
from rramlab.runfile import RunFile

FloatArray = NDArray[np.float64]

RESULT = "letters"
"""Name of the result in which a run of letters keeps its samples, one column for each class."""


def points_of(request: DecodeRequest, judge: Judge, rng: np.random.Generator) -> dict[str, FloatArray]:
    """Return points (n, 2) in network units of each class that was asked for."""
    if request.latents is not None:
        return sampled(request, generated(request.latents))
    classes = request.classes or tuple(judge.known)
    return {name: judge.data(request.samples, name, rng) for name in classes}


def generated(run: str) -> dict[str, FloatArray]:
    """Return the closed-loop samples (n, 2) of each class that a run of letters ended with."""
    kept: Kept | None = RunFile.open(run).kept.get(RESULT)
    mark = f"{ANALOG} "
    columns = {} if kept is None else kept.columns
    found = {n.removeprefix(mark): np.asarray(x, float) for n, x in columns.items() if n.startswith(mark)}
    if not found:
        raise RunError(f"run '{run}' has drawn no letters; name a run of 'letters' that ended")
    return found


def sampled(request: DecodeRequest, points: dict[str, FloatArray]) -> dict[str, FloatArray]:
    """Return the first samples of the classes that were asked for."""
    for name in request.classes:
        if name not in points:
            raise InputError(
                f"run '{request.latents}' has drawn no '{name}'; {did_you_mean(name, list(points))}"
            )
    return {name: points[name][: request.samples] for name in request.classes or tuple(points)}
