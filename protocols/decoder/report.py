"""Tell what decoding on macros reached: one screen, and JSON for scripts."""

from pathlib import Path

from protocols.decoder.outcome import Outcome, facts_of, weight_errors
from rramlab.session import Session

CAPTION = "Letters of the right class (%), and rms error of a pixel (1: from paper to ink)"
HEAD = ["class", "letters", "right, analog", "digital", "pixel error", "by weights", "by products"]
TILES = "Where the decoder stands"
TILE_HEAD = ["layer", "inputs x outputs", "tiles", "macros", "copies", "rms error of a weight (%)"]


def show(session: Session, found: Outcome, folder: Path) -> None:
    """Print one screen of summary."""
    terminal, tiling = session.terminal, found.programming.tiling
    missed = "" if found.missed is None else f", {found.missed} not within tolerance"
    terminal.table(TILES, TILE_HEAD, tile_rows(found))
    terminal.table(CAPTION, HEAD, class_rows(found))
    terminal.say(
        f"{len(tiling.cells())} cells of {tiling.macros} macros{missed}; "
        f"{found.total('products') / found.letters:.0f} products and "
        f"{found.total('seconds') / found.letters:.3g} s on this bench for a letter."
    )
    if found.total("clipped"):
        terminal.say(f"{found.total('clipped'):.0f} inputs of layers were beyond their range and clipped.")
    terminal.say(f"page: {folder}/index.html   run file: {folder}/run.h5")
    terminal.document(facts_of(found) | {"run": str(folder)})


def class_rows(found: Outcome) -> list[list[str]]:
    """Return the figures of each class, and their means."""
    figures = ("accuracy", "accuracy_digital", "error", "error_of_weights", "error_of_products")
    rows = [
        _row(name, len(each.digital), [getattr(each, figure) for figure in figures])
        for name, each in found.classes.items()
    ]
    return [*rows, _row("mean", found.letters, [found.mean(figure) for figure in figures])]


def tile_rows(found: Outcome) -> list[list[str]]:
    """Return where each layer stands and how well it was programmed."""
    tiling, matrices = found.programming.tiling, found.judge.decoder.matrices
    errors = weight_errors(found.programming, matrices)
    rows = []
    for layer, copies in tiling.copies.items():
        tiles = tiling.of(layer)
        macros = " ".join(str(number) for number in sorted({tile.place.macro for tile in tiles}))
        size = " x ".join(str(side) for side in matrices[layer].shape)
        rows.append([layer, size, str(len(tiles)), macros, str(copies), f"{100 * errors[layer]:.2f}"])
    return rows


def _row(name: str, letters: int, values: list[float]) -> list[str]:
    right = [f"{100 * value:.1f}" for value in values[:2]]
    return [name, str(letters), *right, *(f"{value:.4f}" for value in values[2:])]
