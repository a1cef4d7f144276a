"""Choose the pictures of each run that stand on the page of all figures."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import final

from protocols.reproduce import experiments as e

COLOURS = 256

PANELS: dict[str, tuple[tuple[str, str], ...]] = {
    e.IV: (
        ("hysteresis", "2c. Quasi-static I-V cycles; the median drawn thick."),
        ("switching-voltages", "2c. SET and RESET voltages over cycles and cells."),
    ),
    e.STATES: (
        ("curves", "2d. I-V of each of 64 states of a few cells, nonlinearity, and departure from a line."),
        ("levels", "2d. Readings of each state of the few cells, and their distance from the target."),
    ),
    e.LEVELS: (("levels", "2d. The same over an array: single readings of each level."),),
    e.RETENTION: (("retention", "2e. States over time; lines are fits in log time."),),
    e.PATTERN: (
        ("pattern", "2f. Moon and star as asked for and as read back, with the error of each cell."),
        ("errors", "2g. Errors as written and later; the band is the tolerance."),
    ),
    e.RING: (
        ("figure-4", "3a. Waveforms of one sampling."),
        ("figure-7", "3b. Programmed against target weights."),
        ("figure-5", "3c. Input voltages of the three layers."),
        ("figure-6", "3d. Vector field, measured tick by tick."),
        ("figure-3", "3e. Distribution over time, with trajectories."),
        ("figure-1", "3e. Samples of the closed loop beside digital ones from the same starts, and data."),
    ),
    e.RING_LEDGER: (
        ("time", "3f. Time per sample; the band is what the published ratios need beside one sample alone."),
        ("energy", "3g. Energy per sample, by component."),
    ),
    e.LETTERS: (
        ("figure-3", "4d. Points of the latent plane: samples and latents."),
        ("figure-1", "4d. Letters that the closed loop drew."),
        ("figure-2", "4d. Letters that the digital sampler drew from the same starts."),
        ("figure-4", "4e. The same start states under different classes, with letters along the way."),
        ("waveforms", "4f. Waveforms of one sampling of each class."),
    ),
    e.LETTERS_LEDGER: (
        ("time", "4g. Time per sample; band as in 3f."),
        ("energy", "4h. Energy per sample, by component."),
    ),
    e.DECODE: (
        ("letters-analog", "4c. Letters decoded by the macros."),
        ("letters-digital", "4c. The same points, decoded digitally."),
        ("feature-maps-h", "4c. Feature maps of one letter on its way through the decoder."),
        ("tiles", "4c. Conductances in use, and whose cells they are."),
    ),
    e.WRITE_NOISE: (
        ("single-pulses", "5b. Sigma of what one SET pulse leaves."),
        ("write-error", "5b. Sigma of the error of write-verify, and later."),
    ),
    e.READ_NOISE: (
        ("sigma", "5c. Sigma of one reading over conductance."),
        ("spectra", "5c. Power spectrum by band of conductance."),
        ("scales", "5c. Noise over time scales."),
    ),
    e.STUDY: (
        ("tolerance", "5e, f. Write noise at which quality has lost a tenth."),
        ("write-noise", "5e. Quality against write noise, ideal circuits."),
        ("read-noise", "5f. Quality against read noise, ideal circuits."),
        ("noise-map", "5e, f. Quality over write and read noise, ideal circuits."),
        ("device-map", "5e, f. Quality over multiples of the noise of the simulated device."),
        ("programming", "5e. Training, programming passes, and the wait after programming."),
    ),
}
"""Name of the picture in the folder of its run, and what it shows; sizes that leave a part out lack some."""


@final
class Album:
    """Hold the pictures of runs as they stand on the page: in 256 colours, so that one file can hold all.

    Each is reduced once, however often the page is written.
    """

    def __init__(self) -> None:
        self._reduced: dict[Path, bytes] = {}

    def pictures(self, name: str, folder: Path) -> Iterator[tuple[str, bytes]]:
        """Yield the captions and the PNGs of an experiment, as far as its run drew them."""
        for picture, caption in PANELS[name]:
            path = folder / f"{picture}.png"
            if path not in self._reduced and path.is_file():
                self._reduced[path] = reduced(path.read_bytes())
            if path in self._reduced:
                yield caption, self._reduced[path]


def reduced(png: bytes) -> bytes:
    """Return a PNG in the 256 colours that suit it; one that is small already as it is."""
    from PIL import Image

    small = BytesIO()
    with Image.open(BytesIO(png)) as picture:
        picture.convert("RGB").quantize(COLOURS, Image.Quantize.MEDIANCUT).save(small, "PNG")
    return min(png, small.getvalue(), key=len)
