"""What the published firmware plays, and which settings would overflow its converters."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.published_hazards import check, fits
from drivers.published_schedule import BIASES, TICKS, PublishedSettings, moments
from drivers.published_tables import published_table, published_tables
from rramlab.errors import InputError, LimitExceeded

NAMES = "01234abcdefgABCDEFGHI"


def test_there_are_the_21_tables() -> None:
    assert "".join(published_tables()) == NAMES


def test_the_ticks_are_those_of_single_precision() -> None:
    t = moments()
    assert t.size == TICKS
    assert (t[0], round(t[200], 7), round(t[240], 7)) == (0.0, 0.9999992, 1.1999991)


def test_the_coefficients_are_those_of_the_source() -> None:
    played = PublishedSettings("1", coef=2.0, noise=0.1)
    assert played.f()[0] == -0.125
    assert played.g2()[0] == 0.5
    # After t = 1.002 the rate is negative, and the factors change their signs.
    assert played.f()[-1] > 0 > played.g2()[-1]
    assert played.sigma()[0] == pytest.approx(0.1 * (0.499 * 0.995 + 0.001), rel=1e-12)
    u, t_coef = 1.0 - moments()[37], -1.0204
    assert played.embedding()[37, 2] == pytest.approx(0.5 * (np.sin(2 * np.pi * t_coef * u) + 0.3941))
    assert played.embedding()[37, 9] == pytest.approx(0.5 * (np.cos(2 * np.pi * t_coef * u) + 0.7246))


def test_one_table_has_a_scale_of_its_own() -> None:
    assert [published_table("4").full_scale(v) for v in BIASES] == [0.05] * 3
    assert [published_table("3").full_scale(v) for v in BIASES] == [0.25, 0.5, 1.0]


def test_the_tables_that_fit_at_each_bias() -> None:
    fitting = {v: "".join(n for n in NAMES if fits(PublishedSettings(n, v))) for v in BIASES}
    assert fitting == {0.05: NAMES, 0.1: "0134bE", 0.2: "4"}


@pytest.mark.parametrize(
    ("table", "where"),
    [
        ("2", "t6 in 54 ticks"),
        ("e", "t1 in 61 ticks, t10 in 21 ticks"),
        ("f", "t8 in 43 ticks, t10 in 61 ticks"),
    ],
)
def test_an_overflow_tells_where_and_what_to_do(table: str, where: str) -> None:
    with pytest.raises(LimitExceeded, match=f"{where} .*take v_bias = 0.05 V.*nothing was sent"):
        check(PublishedSettings(table))


def test_coef_from_4_overflows_from_the_first_tick() -> None:
    check(PublishedSettings(coef=3.99))
    with pytest.raises(LimitExceeded, match=re.escape("g2 = 1.000 at the first tick: take coef = 3.99")):
        check(PublishedSettings(coef=4.0))


def test_noise_up_to_a_third_can_never_overflow() -> None:
    check(PublishedSettings(noise=0.33, offsets=(0.01, -0.01)))
    with pytest.raises(LimitExceeded, match=re.escape("take noise = 0.33 or less")):
        check(PublishedSettings(noise=0.34))
    with pytest.raises(LimitExceeded, match="or smaller offsets"):
        check(PublishedSettings(noise=0.33, offsets=(0.0, 0.02)))


@given(
    table=st.sampled_from(NAMES),
    v_bias=st.sampled_from(BIASES),
    coef=st.integers(1, 999),
    noise=st.integers(0, 999),
    offset=st.integers(-50, 49),
)
def test_what_fits_makes_no_code_beyond_12_bits(
    table: str, v_bias: float, coef: int, noise: int, offset: int
) -> None:
    settings = PublishedSettings(table, v_bias, coef / 100, noise / 100, (offset / 100, 0.0))
    drawn = 6.0 * np.outer([-1.0, 1.0], settings.sigma()) + offset / 100
    played = np.concatenate([settings.embedding().ravel(), settings.g2(), settings.f(), drawn.ravel()])
    codes = np.trunc(2048 * (1.0 + played.astype(np.float32)))
    assert fits(settings) == (codes.max() <= 4095 and played.min() >= -1.0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"table": "z"},
        {"v_bias": 0.15},
        {"coef": 0.0},
        {"coef": 0.125},
        {"coef": 10.0},
        {"noise": -0.01},
        {"offsets": (0.5, 0.0)},
        {"offsets": (0.0,)},
    ],
)
def test_settings_that_no_command_can_say_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InputError, match=r"the firmware|the published firmware|give one for each"):
        PublishedSettings(**wrong)  # type: ignore[arg-type]
