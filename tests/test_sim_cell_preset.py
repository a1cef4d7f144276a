"""Presets: what ships, and how a wrong one is refused."""

from importlib import resources
from pathlib import Path

import pytest

from sim_backend.preset import Preset, preset_names


def test_every_preset_that_ships_loads_and_bears_its_name() -> None:
    assert {"taox180", "neurram", "hfox_techB"} <= set(preset_names())
    for name in preset_names():
        assert Preset.load(name).name == name


def test_variants_differ_only_where_they_say() -> None:
    base, variant = Preset.load("taox180"), Preset.load("neurram")
    assert variant.relaxation.variance_per_decade == 1.5e-12
    assert variant.relaxation.tau_min == base.relaxation.tau_min
    assert variant.kinetics == base.kinetics


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"noise.relativ": 0.0}, "did you mean 'relative'"),
        ({"nois.relative": 0.0}, "did you mean 'noise'"),
        ({"noise": 0.0}, "is a section"),
        ({"noise.relative": -0.1}, "negative"),
        ({"noise.relative": float("nan")}, "finite"),
        ({"noise.relative": "much"}, "not a finite number"),
        ({"noise.decades": 3.5}, "wrong type"),
        ({"yields.unformable": 1.5}, "0 to 1"),
    ],
)
def test_wrong_numbers_are_refused_with_the_cure(changes: dict[str, float], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Preset.load("taox180").override(changes)


def test_unknown_preset_names_the_nearest() -> None:
    with pytest.raises(ValueError, match="did you mean 'hfox_techB'"):
        Preset.load("hfox_techb")


def test_a_file_of_ones_own_may_build_on_a_preset(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('base = "taox180"\nname = "mine"\n[conduction]\nchi_scale = 0.3\n')
    assert Preset.load(file).conduction.chi_scale == 0.3
    file.write_text('base = "taox180"\n[conduction]\nchi_scal = 0.3\n')
    with pytest.raises(ValueError, match=r"mine.toml.*did you mean 'chi_scale'"):
        Preset.load(file)
    file.write_text('name = "mine"\n')
    with pytest.raises(ValueError, match="missing description"):
        Preset.load(file)


def test_a_preset_from_before_a_term_was_known_is_without_it(tmp_path: Path) -> None:
    shipped = (resources.files("sim_backend") / "presets" / "taox180.toml").read_text(encoding="utf-8")
    lines = [line for line in shipped.splitlines() if not line.startswith(("sl_ohm", "reset_gain"))]
    file = tmp_path / "old.toml"
    file.write_text("\n".join(lines))
    assert len(lines) == len(shipped.splitlines()) - 2
    assert Preset.load(file) == Preset.load("taox180")
