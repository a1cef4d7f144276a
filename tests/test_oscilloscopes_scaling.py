"""What an oscilloscope sends, and the seconds and volts that it means, to the last bit."""

import numpy as np
import pytest

from drivers.waveform import TEKTRONIX, Scaling, Waveform
from rramlab.errors import LinkError, LinkFault

SENT = ["1", "RI", "MSB", "5", "4.0E-6", "-2.0E-3", "40.0E-3", "-50.0", "0.125"]
TEK = dict(zip(TEKTRONIX, SENT, strict=True))


def tektronix(**changes: str) -> Scaling:
    return Scaling.tektronix([*(TEK | changes).values()])


def test_tektronix_counts_from_the_offset_in_codes() -> None:
    scaling = tektronix()
    codes = scaling.codes(np.array([-128, -50, 0, 10, 127], dtype="i1").tobytes())
    assert scaling.volts(codes).tolist() == [(c + 50.0) * 0.04 + 0.125 for c in (-128, -50, 0, 10, 127)]


def test_tektronix_begins_at_xzero_and_ends_a_step_before_the_next_record() -> None:
    # Known mistakes elsewhere: an axis that starts at 0, and one of n points over n steps.
    time = tektronix(NR_PT="10000").time()
    assert (time[0], time[-1]) == (-2.0e-3, 9999 * 4.0e-6 + -2.0e-3)
    assert time.size == 10_000


@pytest.mark.parametrize(
    ("order", "sign", "code"), [("MSB", "RI", ">i2"), ("LSB", "RI", "<i2"), ("MSB", "RP", ">u2")]
)
def test_tektronix_words_have_their_own_order_and_sign(order: str, sign: str, code: str) -> None:
    scaling = tektronix(BYT_NR="2", BYT_OR=order, BN_FMT=sign, NR_PT="3")
    sent = np.array([0x0102, 0x0A0A, 0x7FFF], dtype=code)
    assert scaling.codes(sent.tobytes()).tolist() == [0x0102, 0x0A0A, 0x7FFF]


KEYSIGHT = "+1,+0,+4,+1,+5.00000000E-008,-1.00000000E-003,+0,+1.56250000E-003,+2.50000000E-001,+32768"


def test_keysight_counts_from_the_reference_code_and_adds_volts() -> None:
    scaling = Scaling.keysight(KEYSIGHT)
    codes = scaling.codes(np.array([0, 32768, 32769, 65535], dtype="<u2").tobytes())
    expected = [(c - 32768.0) * 1.5625e-3 + 0.25 for c in (0, 32768, 32769, 65535)]
    assert scaling.volts(codes).tolist() == expected
    assert scaling.time().tolist() == [i * 5e-8 + -1e-3 for i in range(4)]


def test_keysight_takes_the_reference_point_into_account() -> None:
    text = KEYSIGHT.replace(",+0,+1.5625", ",+2,+1.5625")
    assert Scaling.keysight(text).time().tolist() == [(i - 2) * 5e-8 + -1e-3 for i in range(4)]


def test_keysight_sign_and_order_are_settings() -> None:
    data = np.array([-2, 1, 2, 3], dtype=">i2").tobytes()
    assert Scaling.keysight(KEYSIGHT, signed=True, big=True).codes(data).tolist() == [-2, 1, 2, 3]


RIGOL = "0,2,4,1,1.000000e-06,-3.000000e-03,0,4.132813e-01,-20,122"


def test_rigol_counts_its_vertical_origin_in_codes() -> None:
    # Elsewhere it is taken for volts, as Keysight means it.
    scaling = Scaling.rigol(RIGOL)
    codes = scaling.codes(bytes([0, 102, 122, 255]))
    assert scaling.volts(codes).tolist() == [(c - -20.0 - 122.0) * 4.132813e-01 for c in (0, 102, 122, 255)]


def test_rigol_time_is_exact_at_the_end_of_a_deep_memory() -> None:
    time = Scaling.rigol(RIGOL.replace(",4,", ",6000000,", 1)).time()
    assert (time[0], time[-1], time.size) == (-3e-3, 5_999_999 * 1e-6 + -3e-3, 6_000_000)


def test_codes_stay_as_they_came() -> None:
    codes = np.random.default_rng(5).integers(-128, 128, 1000).astype("i1")
    scaling = tektronix(NR_PT="1000")
    waveform = Waveform(scaling.codes(codes.tobytes()), scaling)
    assert np.array_equal(waveform.codes, codes)
    # No rounding on the way: every code can be had back from its volts.
    assert np.array_equal(np.rint((waveform.volts - 0.125) / 0.04 - 50.0), codes)


def test_a_signal_that_left_the_screen_is_told() -> None:
    codes = np.array([-128, -127, -126, 126, 127], dtype="i1")
    assert Waveform(codes, tektronix()).off_screen.tolist() == [True, True, False, False, True]


def test_a_record_of_another_length_is_garbled() -> None:
    with pytest.raises(LinkError, match="5 points of 1 bytes was announced, 4 bytes came") as raised:
        tektronix().codes(b"1234")
    assert raised.value.fault is LinkFault.GARBLED


@pytest.mark.parametrize(
    "text", ["", "1,2,3", KEYSIGHT.replace("+4,", "four,"), KEYSIGHT.replace("+1", "+4", 1)]
)
def test_what_is_no_preamble_is_garbled(text: str) -> None:
    with pytest.raises(LinkError, match="another model or firmware") as raised:
        Scaling.keysight(text)
    assert raised.value.fault is LinkFault.GARBLED


@pytest.mark.parametrize("changes", [{"BYT_NR": "4"}, {"BN_FMT": "FP"}, {"BYT_OR": "?"}, {"YMULT": "nan"}])
def test_what_is_no_tektronix_preamble_is_garbled(changes: dict[str, str]) -> None:
    with pytest.raises(LinkError, match="a Tektronix pre-amble was expected"):
        tektronix(**changes)
