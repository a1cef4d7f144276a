"""Figures: every one draws with ordinary, least and missing input, and its axes carry units."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib import util
from io import BytesIO
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from rramlab import figures
from rramlab.figures import maps, style
from rramlab.figures.reading import conductance_map
from rramlab.outcome import Outcome

EXAMPLES = Path(__file__).parent.parent / "examples"
# Counts, places and the bars' own names have no unit.
BARE = {"", "Row", "Column", "Input", "Output", "Number of cells", "Pulses per cell", "Optimiser step"}


def cells(side, rng):
    return rng.uniform(20e-6, 100e-6, (side, side))


def layers(rng):
    return [rng.normal(0, 0.5, shape) for shape in ((2, 14), (14, 14), (14, 2))]


def loop(samples, runs, rng):
    time = np.linspace(0, 1, samples)
    return time, rng.normal(0, 0.5, (samples, runs, 2)), [rng.uniform(0, 1, (samples, 14)) for _ in "ab"]


def waveforms(samples, rng):
    time, trace, hidden = loop(samples, 1, rng)
    return figures.waveforms(time, trace[:, 0], hidden, trace[:, 0], time, time, time, volts=0.1)


def field(side, times, rng):
    axis = np.linspace(-1, 1, side)
    return figures.vector_field(axis, axis, rng.normal(0, 1, (times, side, side, 2)), np.arange(times) / 4)


def holed(values):
    """Return the values with every third one missing."""
    out = np.array(values, float)
    out.flat[::3] = np.nan
    return out


ORDINARY = {
    "maps": lambda r: figures.conductance_maps(
        g := cells(16, r), g + 1e-6, np.arange(256).reshape(16, 16) % 9
    ),
    "errors": lambda r: figures.conductance_errors(g := cells(16, r), g + 1e-6, g - 2e-6),
    "pulses": lambda r: figures.pulses_per_cell(r.geometric(0.2, (16, 16))),
    "reading": lambda r: conductance_map(cells(16, r)),
    "agreement": lambda r: figures.weight_agreement(layers(r), layers(r), ("in", "middle", "out")),
    "weights": lambda r: figures.weight_maps(layers(r), layers(r)),
    "waveforms": lambda r: waveforms(50, r),
    "inputs": lambda r: figures.input_voltages([r.normal(0, 0.1, (9, 14)).clip(0)] * 3, limit=0.15),
    "field": lambda r: field(9, 5, r),
    "slices": lambda r: figures.time_slices(*loop(21, 200, r)[:2]),
    "samples": lambda r: figures.samples_beside(
        {"a": r.normal(0, 1, (500, 2)), "b": r.normal(0, 1, (90, 2))}
    ),
    "training": lambda r: figures.training_curve(np.arange(200), r.gamma(2, 1, 200), np.ones(200)),
    "quality": lambda r: figures.quality_bars(
        {"analog": {"kl": [1.0, 2.0]}, "floor": {"kl": 0.5, "x (1)": 3}}
    ),
}
LEAST = {
    "maps": lambda r: figures.conductance_maps([[5e-5]], [[5e-5]], [[Outcome.CONVERGED]]),
    "errors": lambda r: figures.conductance_errors([[5e-5]], [[5e-5]]),
    "pulses": lambda r: figures.pulses_per_cell([[1]]),
    "reading": lambda r: conductance_map([[5e-5]]),
    "agreement": lambda r: figures.weight_agreement([[[0.5]]], [[[0.5]]]),
    "weights": lambda r: figures.weight_maps([[[0.0]]], [[[0.0]]]),
    "waveforms": lambda r: waveforms(1, r),
    "inputs": lambda r: figures.input_voltages([[0.0]]),
    "field": lambda r: figures.vector_field([0.0], [0.0], np.zeros((1, 1, 1, 2)), 0.0),
    "slices": lambda r: figures.time_slices([0.0], [[[0.1, 0.2]]]),
    "samples": lambda r: figures.samples_beside({"a": [[0.1, 0.2]]}),
    "training": lambda r: figures.training_curve([1], [0.5]),
    "quality": lambda r: figures.quality_bars({"analog": {"kl": 0.0}}),
}
NAN = np.nan
MISSING = {
    "maps": lambda r: figures.conductance_maps(g := holed(cells(8, r)), g, np.full((8, 8), NAN)),
    "maps, none": lambda r: figures.conductance_maps([[NAN]], [[NAN]]),
    "errors": lambda r: figures.conductance_errors(g := holed(cells(8, r)), g, holed(g.T)),
    "errors, none": lambda r: figures.conductance_errors([[NAN]], [[NAN]]),
    "pulses": lambda r: figures.pulses_per_cell(holed(r.geometric(0.2, (8, 8)))),
    "pulses, none": lambda r: figures.pulses_per_cell([[NAN]]),
    "reading": lambda r: conductance_map([[NAN, 5e-5]]),
    "agreement": lambda r: figures.weight_agreement([holed(w) for w in layers(r)], layers(r)),
    "weights": lambda r: figures.weight_maps([[[NAN, 1.0]]], [[[NAN, NAN]]]),
    "inputs": lambda r: figures.input_voltages([holed(np.ones(9)), [NAN]]),
    "waveforms": lambda r: figures.waveforms(
        [0, 1], holed(np.ones((2, 2))), [], np.ones((2, 2)), [0], [1], [1], volts=1
    ),
    "field": lambda r: figures.vector_field([0, 1], [0, 1], np.full((1, 2, 2, 2), NAN), 0.0),
    "slices": lambda r: figures.time_slices([0, 1], holed(r.normal(0, 1, (2, 9, 2)))),
    "samples": lambda r: figures.samples_beside({"a": [[NAN, 1.0]], "b": [[0.0, 0.0]]}),
    "training": lambda r: figures.training_curve(np.arange(100), holed(np.ones(100))),
    "quality": lambda r: figures.quality_bars({"analog": {"kl": NAN}, "floor": {}}),
}
EVERY = [(kind, name) for kind in ("ORDINARY", "LEAST", "MISSING") for name in globals()[kind]]


def draw(kind, name):
    return globals()[kind][name](np.random.default_rng(5))


def labels(figure):
    """Return the labels of all axes, and of the colour bars that stand in them."""
    every = [each for axes in figure.axes for each in (axes, *axes.child_axes)]
    shown = [axes for axes in every if axes.axison]
    return [text for axes in shown for text in (axes.get_xlabel(), axes.get_ylabel())]


@pytest.mark.parametrize(("kind", "name"), EVERY)
def test_draws_with_units_on_the_axes(kind, name):
    figure = draw(kind, name)
    assert isinstance(figure, Figure)
    if kind != "ORDINARY":
        # Laying out takes most of the time, and is the same whatever the values.
        figure.set_layout_engine("none")
    picture = Image.open(BytesIO(style.png(figure)))
    assert min(picture.size) > 150 and picture.convert("L").getextrema()[0] < 128
    found = labels(figure)
    assert set(found) - {""}
    assert [text for text in found if text not in BARE and not text.endswith(")")] == []


def axes_named(figure, title):
    return next(axes for axes in figure.axes if axes.get_title() == title)


def image_of(figure, title):
    return axes_named(figure, title).images[0]


def test_conductances_come_in_siemens_and_are_shown_in_microsiemens():
    figure = figures.conductance_maps([[20e-6, 100e-6]], [[21e-6, 98e-6]])
    assert image_of(figure, "Achieved").get_array()[0].tolist() == pytest.approx([21.0, 98.0])
    error = image_of(figure, "Error")
    assert error.get_array()[0].tolist() == pytest.approx([1.0, -2.0])
    assert error.norm.vmin == -error.norm.vmax


def test_target_and_achieved_share_one_scale():
    figure = figures.conductance_maps([[20e-6, 100e-6]], [[5e-6, 300e-6]])
    scales = [(image_of(figure, t).norm.vmin, image_of(figure, t).norm.vmax) for t in ("Target", "Achieved")]
    assert scales[0] == scales[1] == pytest.approx((20.0, 100.0))
    assert maps.beyond(image_of(figure, "Achieved")) == "both"


def test_cells_not_in_use_are_grey():
    image = image_of(figures.conductance_maps([[np.nan, 5e-5]], [[np.nan, 5e-5]]), "Target")
    assert image.get_array().mask.tolist() == [[True, False]]
    assert tuple(image.get_cmap().get_bad()) == mpl.colors.to_rgba(style.PALE)


def test_each_failed_cell_is_marked_and_named_with_its_outcome():
    outcome = np.full((4, 4), int(Outcome.CONVERGED))
    outcome[1, 2], outcome[3, 0], outcome[0, 3] = Outcome.STUCK_LOW, Outcome.PULSES_SPENT, Outcome.STUCK_LOW
    figure = figures.conductance_maps(np.full((4, 4), 5e-5), np.full((4, 4), 5e-5), outcome)
    marked = {
        point for line in axes_named(figure, "Error").lines for point in zip(*line.get_data(), strict=True)
    }
    assert marked == {(2, 1), (0, 3), (3, 0)}
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert words == ["pulses spent (1)", "stuck low (2)"]


def test_a_failure_outside_the_target_is_not_marked():
    figure = figures.conductance_maps([[np.nan, 5e-5]], [[np.nan, 5e-5]], [[Outcome.STUCK_LOW, 1]])
    assert not figure.legends and not axes_named(figure, "Error").lines


def test_every_outcome_but_convergence_has_a_mark_of_its_own():
    assert set(maps.MARKS) == set(Outcome) - {Outcome.CONVERGED}
    assert len({sign for sign, _, _ in maps.MARKS.values()}) == len(maps.MARKS)


def test_error_legend_tells_sigma_and_share_in_window_without_dead_cells():
    target = np.full((1, 5), 5e-5)
    found = target + np.array([[0.5, -0.5, 0.5, -3.5, 80.0]]) * 1e-6
    figure = figures.conductance_errors(target, found, outcome=[[1, 1, 1, 2, Outcome.STUCK_HIGH]])
    words = " ".join(text.get_text() for text in figure.axes[0].get_legend().get_texts())
    errors = np.array([0.5, -0.5, 0.5, -3.5])
    assert f"σ = {errors.std():.3g} µS" in words and "75 % within ±1 µS" in words
    assert any("1 dead or stuck" in text.get_text() for text in figure.axes[0].texts)


def test_pulses_histogram_counts_every_cell_in_use():
    figure = figures.pulses_per_cell([[1, 2, np.nan], [2, 7, np.nan]])
    heights, edges, _ = figure.axes[1].patches[0].get_data()
    assert heights.sum() == 4 and heights[np.searchsorted(edges, 2) - 1] == 2
    assert any("mean 3\n" in text.get_text() for text in figure.axes[1].texts)


def test_waveforms_are_in_millivolts_and_show_the_busiest_channels():
    time, trace, _ = loop(10, 1, np.random.default_rng(1))
    hidden = np.zeros((10, 14))
    hidden[:, [3, 11]] = np.linspace(0, 1, 10)[:, None]
    figure = figures.waveforms(time, trace[:, 0], [hidden], trace[:, 0], time, time, time, volts=0.1, lines=2)
    state, busy = figure.axes[0], figure.axes[1]
    assert state.lines[1].get_ydata() == pytest.approx(trace[:, 0, 0] * 100)
    assert [text.get_text() for text in busy.get_legend().get_texts()] == ["h₄", "h₁₂"]


def test_trajectories_pass_through_their_slices():
    time, trace, _ = loop(21, 30, np.random.default_rng(2))
    figure = figures.time_slices(time, trace, slices=5, trajectories=3)
    scene = figure.subfigs[0].axes[0]
    assert len([line for line in scene.lines if len(line.get_xdata()) > 1]) == 3 * 4
    assert len([line for line in scene.lines if line.get_marker() == "o"]) == 3 * 5
    titles = [axes.get_title() for axes in figure.subfigs[1].axes]
    assert titles == ["t = 0 s", "t = 0.25 s", "t = 0.5 s", "t = 0.75 s", "t = 1 s"]


def test_density_has_unit_integral():
    side = np.linspace(-1, 1, 11)
    found = maps.density(np.random.default_rng(3).uniform(-1, 1, (1000, 2)), side)
    assert found.sum() * 0.2**2 == pytest.approx(1.0)


def test_an_array_of_a_million_cells_is_drawn():
    rng = np.random.default_rng(4)
    figure = figures.conductance_maps(target := cells(1024, rng), target + 1e-6)
    assert len(style.png(figure)) > 10_000
    points = figures.weight_agreement([target], [target]).axes[1].lines[1].get_xdata()
    assert 1000 < len(points) <= 20_000


def test_wrong_shapes_are_refused_in_words():
    with pytest.raises(ValueError, match=r"possible is \(rows, columns\)"):
        figures.pulses_per_cell([1, 2])
    with pytest.raises(ValueError, match="that of the map"):
        figures.conductance_maps([[1e-5]], [[1e-5]], [[1, 1]])
    with pytest.raises(ValueError, match="possible is"):
        figures.time_slices([0.0], [[0.1, 0.2]])


def test_drawing_changes_nobodys_style_and_may_run_in_threads():
    before = dict(mpl.rcParams)
    names = ("errors", "reading", "training")
    alone = [style.png(draw("ORDINARY", name)) for name in names]
    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(lambda name: style.png(draw("ORDINARY", name)), names))
    assert together == alone
    assert dict(mpl.rcParams) == before


def test_pyplot_is_never_imported():
    code = (
        "import sys, rramlab.figures, rramlab.figures.reading; sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_shipped_pattern_is_the_one_its_script_draws():
    spec = util.spec_from_file_location("moon_star", EXAMPLES / "moon_star.py")
    script = util.module_from_spec(spec)
    spec.loader.exec_module(script)
    grey = np.asarray(Image.open(EXAMPLES / "moon_star.png"))
    target = np.load(EXAMPLES / "moon_star.npy")
    assert grey.shape == target.shape == (32, 32) and grey.dtype == np.uint8
    assert np.array_equal(grey, script.pattern())
    assert target == pytest.approx(20e-6 + 80e-6 * grey / 255)
    assert grey.min() == 0 and grey.max() == 255 and np.unique(grey).size > 16
