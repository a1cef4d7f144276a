"""Hold what a run that decodes letters found, and what it comes to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from protocols.decoder.request import DecodeRequest
from protocols.decoder.stages import Programming
from protocols.letters.judge import Judge
from rramlab.letters.decoder import LAYERS

FloatArray = NDArray[np.float64]
Maps = Mapping[str, FloatArray]
"""What comes out of each layer, by name (n, ...)."""

IMAGE = "image"
SHOWN = 4
"""Letters of each class whose feature maps are kept."""


@final
@dataclass(frozen=True, eq=False)
class Decoded:
    """Hold the letters of one class, decoded on macros: images (n, 12, 12) and what came before the image.

    `clipped` inputs were beyond the range of their layer; `products` vectors went to a macro, which took
    `seconds` on the bench.
    """

    points: FloatArray
    images: FloatArray
    maps: Maps
    clipped: int
    products: int
    seconds: float

    def columns(self) -> dict[str, FloatArray]:
        """Return points, images and feature maps as named columns for the record."""
        return {"points": self.points, IMAGE: self.images, **self.maps}

    def facts(self) -> dict[str, Any]:
        """Return the counts for the record."""
        return {"clipped": self.clipped, "products": self.products, "seconds": self.seconds}

    @classmethod
    def of(cls, columns: Mapping[str, Any], facts: Mapping[str, Any]) -> "Decoded":
        """Return what `columns` and `facts` wrote down."""
        arrays = {name: np.asarray(value, float) for name, value in columns.items()}
        points, images = arrays.pop("points"), arrays.pop(IMAGE)
        return cls(points, images, arrays, facts["clipped"], facts["products"], facts["seconds"])


@final
@dataclass(frozen=True, eq=False)
class Compared:
    """Hold decoded letters beside digital ones: with the true weights, and with those that the macros hold.

    The first difference is all that analog decoding does to an image, the second what programming does to
    it; accuracies are the shares that the classifier takes for the class.
    """

    analog: Decoded
    digital: FloatArray
    as_written: FloatArray
    digital_maps: Maps
    accuracy: float
    accuracy_digital: float

    @property
    def error(self) -> float:
        """Return the rms error of a pixel (1: from paper to ink)."""
        return rms(self.analog.images - self.digital)

    @property
    def error_of_weights(self) -> float:
        """Return what the error of the weights alone would do."""
        return rms(self.as_written - self.digital)

    @property
    def error_of_products(self) -> float:
        """Return what read noise, and cells and lines that are not linear, do on top of the weights."""
        return rms(self.analog.images - self.as_written)


@final
@dataclass(frozen=True, eq=False)
class Outcome:
    """Hold everything that a run found, for its page and its summary."""

    request: DecodeRequest
    judge: Judge
    programming: Programming
    classes: Mapping[str, Compared]

    def mean(self, figure: str) -> float:
        """Return a figure of `Compared`, the mean over the classes."""
        return float(np.mean([getattr(each, figure) for each in self.classes.values()]))

    def total(self, figure: str) -> float:
        """Return a figure of `Decoded`, the sum over the classes."""
        return float(sum(getattr(each.analog, figure) for each in self.classes.values()))

    @property
    def letters(self) -> int:
        """Return how many letters were decoded."""
        return sum(len(each.digital) for each in self.classes.values())

    @property
    def missed(self) -> int | None:
        """Return how many cells did not end within tolerance, None where this run has not programmed them."""
        ended: dict[tuple[int, int], bool] = {}
        for done in self.programming.done:
            ended |= dict(zip(done.cells, done.converged.tolist(), strict=True))
        return sum(not good for good in ended.values()) if ended else None


def compare(judge: Judge, name: str, analog: Decoded, programming: Programming) -> Compared:
    """Return decoded letters of a class beside digital ones."""
    decoder, label = judge.decoder, judge.classifier.classes.index(name)
    digital = decoder.activations(analog.points)
    written = decoder.decode(analog.points, lambda layer, rows: rows @ programming.written[layer])
    right = [float(np.mean(judge.classifier.predict(x) == label)) for x in (analog.images, digital[IMAGE])]
    maps = {layer: digital[layer][: len(analog.maps[layer])] for layer in analog.maps}
    return Compared(analog, digital[IMAGE], written, maps, right[0], right[1])


def rms(values: FloatArray) -> float:
    """Return the root mean square."""
    return float(np.sqrt(np.mean(np.square(values))))


def weight_errors(found: Programming, matrices: Maps) -> dict[str, float]:
    """Return the rms error of a weight of each layer over the rms of its weights."""
    return {name: rms(found.written[name] - matrices[name]) / rms(matrices[name]) for name in LAYERS}


def facts_of(found: Outcome) -> dict[str, Any]:
    """Return the figures of a run as plain numbers."""
    programming, tiling = found.programming, found.programming.tiling
    classes = {
        name: {
            "accuracy": each.accuracy,
            "accuracy_digital": each.accuracy_digital,
            "pixel_error_rms": each.error,
        }
        for name, each in found.classes.items()
    }
    return {
        "letters": found.letters,
        "compared_with": found.judge.source,
        "macros": tiling.macros,
        "tiles": len(tiling.tiles),
        "copies": tiling.copies,
        "cells": len(tiling.cells()),
        "cells_missed": found.missed,
        "targets_clipped": programming.clipped,
        "weight_error_relative": weight_errors(programming, found.judge.decoder.matrices),
        "classes": classes,
        "accuracy": found.mean("accuracy"),
        "accuracy_digital": found.mean("accuracy_digital"),
        "pixel_error_rms": found.mean("error"),
        "pixel_error_rms_of_weights": found.mean("error_of_weights"),
        "pixel_error_rms_of_products": found.mean("error_of_products"),
        "inputs_clipped": int(found.total("clipped")),
        "products_per_letter": found.total("products") / found.letters,
        "bench_seconds_per_letter": found.total("seconds") / found.letters,
    }
