"""Measure letters drawn in closed loop by programmed simulated macros, against the digital baseline.

Goals: class accuracy >= 97 % of the digital one, that one >= 95 %; sliced Wasserstein distance to the
latents, mean of 10 macros, <= 1.3 x digital. With programmed weights (3 passes, 60 s waits; layers move away
from cells that do not hold them), read noise, telegraph noise, relaxation, converters, and the errors of the
analog circuit. Starts are the same for all classes.

With `--real FILE`, an .npz file with images (n, 28, 28), upright, labels (n,) 0 H, 1 K, 2 U and split (n,)
0 train, 1 test, all networks are trained on that handwriting first, in three minutes on one core.
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from protocols.letters.baseline import baseline
from protocols.letters.judge import Judge
from protocols.letters.loop import under
from protocols.moving import holding, moved_around
from protocols.network import Writer, network_spec, place, program_network, screen
from protocols.sampling import Sampling, starts
from protocols.write_verify.spec import Spec
from rramlab.bench import Bench
from rramlab.diffusion.network import ScoreWeights
from rramlab.diffusion.store import letters_weights
from rramlab.diffusion.train_latent import LatentSettings, train_latent
from rramlab.letters.archive import load_archive
from rramlab.letters.settings import LetterSettings
from rramlab.letters.train import train_letters
from rramlab.network_mapping import NetworkMapping
from sim_backend.backend import SimBackend
from sim_backend.options import Options

FloatArray = NDArray[np.float64]

SAMPLES, MACROS = 2000, 10
REAL_EPOCHS = 200
"""So that the published number of steps is made on a set of a tenth."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("macros", type=int, nargs="?", default=MACROS)
    parser.add_argument("--real", type=Path, help="handwriting to train on (.npz)")
    asked = parser.parse_args()
    score, judge = networks(asked.real)
    loaded = [(chip, *programmed(chip, score)) for chip in range(1, asked.macros + 1)]
    for kind in ("ode", "sde"):
        digital, analog = [], []
        for chip, backend, mapping in loaded:
            rng = np.random.default_rng(chip)
            start = starts(SAMPLES, rng)
            digital.append(figures(judge, baseline(score, score.classes, kind, start, chip)[0]))  # type: ignore[arg-type]
            analog.append(figures(judge, drawn(backend, score, mapping, kind, start, rng)))
        tell(kind, np.array(analog), np.array(digital))


def networks(real: Path | None) -> tuple[ScoreWeights, Judge]:
    """Return the network to program and who judges it: those that ship, or trained on real handwriting."""
    if real is None:
        return letters_weights(), Judge.open(None, ())
    split, letters = np.load(real)["split"], load_archive(real, source="real")
    settings = LetterSettings(epochs=REAL_EPOCHS, judge_epochs=60)
    trained = train_letters(letters.take(split == 0), letters.take(split == 1), settings)
    print(f"real letters: {letters.counts}; held out {100 * trained.accuracy:.1f} % recognised, ", end="")
    print(f"after encoder and decoder {100 * trained.rebuilt:.1f} %", flush=True)
    score, _ = train_latent(trained.latents, LatentSettings())
    return score, Judge(trained.decoder, trained.classifier, trained.latents)


def tell(kind: str, analog: FloatArray, digital: FloatArray) -> None:
    """Print accuracy and distance, each (macros, 2)."""
    accuracy, distance = analog.mean(axis=0) / digital.mean(axis=0)
    print(f"{kind}: macros " + "  ".join(f"{100 * a:.1f} % {d:.4f}" for a, d in analog))
    print(f"  accuracy {100 * analog[:, 0].mean():.2f} % analog, {100 * digital[:, 0].mean():.2f} % digital")
    print(f"  ratio of accuracy {accuracy:.4f} (goal >= 0.97, digital >= 95 %)")
    print(f"  sliced Wasserstein {analog[:, 1].mean():.4f} analog, {digital[:, 1].mean():.4f} digital")
    print(f"  ratio of distance {distance:.2f} (goal <= 1.30)", flush=True)


def figures(judge: Judge, points: dict[str, FloatArray]) -> tuple[float, float]:
    """Return accuracy and distance, the means over the classes."""
    found = [judge.verdict(x, name) for name, x in points.items()]
    return float(np.mean([v.accuracy for v in found])), float(np.mean([v.sliced_wasserstein for v in found]))


def drawn(
    backend: SimBackend,
    score: ScoreWeights,
    mapping: NetworkMapping,
    kind: str,
    start: FloatArray,
    rng: np.random.Generator,
) -> dict[str, FloatArray]:
    """Return the samples of each class from one macro at one moment."""
    run = Sampling(runs=len(start), kind=kind).declare(score, mapping, start)  # type: ignore[arg-type]
    at = backend.now()
    return {name: backend.loop.solve(under(run, score, name), at, rng)[0].end for name in score.classes}


def programmed(chip: int, score: ScoreWeights) -> tuple[SimBackend, NetworkMapping]:
    """Return a macro with the network in it, programmed as `rramlab letters` does it."""
    bench = Bench.load(None)
    options = Options.model_validate(bench.backend.options | {"chip": chip})
    spec = Spec(window=(bench.window.low, bench.window.high))
    with SimBackend(options, bench.limits, seed=chip) as backend:
        writer = Writer(backend, network_spec(spec), lambda *_: None)
        usable = screen(backend, 3, spec.reading)
        where = place(score, usable, spec, bench.window.reference)
        for _ in range(3):
            macro, done = program_network(score, where, writer.write, writer.measure, writer.use)
            usable = holding(usable, done)
            before, where = where, moved_around(where, usable)
            if where == before:
                break
            print(chip, "moved")
    return backend, macro.mapping


if __name__ == "__main__":
    main()
