"""Say in plain language what was wrong with a bench, how large it was, and what is left."""

from collections.abc import Mapping

from calibration.show.values import told
from calibration.show.words import words
from rramlab.corrections.record import Record

SAID: Mapping[str, str] = {
    "readout": "Row by row the drivers were off by {dac_gain} and {dac_offset}; column by column the "
    "currents of single readings by {adc_gain} and {adc_offset}. The drivers bend off the straight line "
    "by {dac_inl} of the full scale, the columns by {adc_inl}.",
    "zero": "Since the readout was calibrated the zeros of the columns have moved by {adc_offset}.",
    "product": "Column by column the currents of products were off by {adc_gain} and {adc_offset}. A segment "
    "of line between two cells has {r_line}, the switches of a path have {r_switch}.",
    "transistor": "The access transistors have a beta of {beta} and a threshold of {vt}; at the gate of a "
    "reading they stand in series with {on_resistance}.",
    "loop": "The closed loop plays the drift {drift_gain}, the drive {drive_gain} and the noise {noise_gain} "
    "times as strong as asked; its integrators drift by {offset} on their own and leak {leak}.",
    "reference": "The reference cells of the network hold {conductance}; off the nominal they are by "
    "{deviation}.",
    "strength": "With the drive multiplied by {factor} the closed loop does what the digital solution does.",
}
"""Sentences of the procedures that come with the house; a procedure of one's own is told by its values."""


def sentence(record: Record, title: str = "") -> str:
    """Return what a record says, in one or two sentences; the title stands before mere values."""
    said = SAID.get(record.kind)
    values = {name: told(record, name, prose=True) for name in record.values}
    if said is not None:
        try:
            return said.format(**values)
        except KeyError:
            pass
    plain = "; ".join(f"{words(record.kind, name)}: {value}" for name, value in values.items())
    return f"{title}: {plain}." if title else f"{plain}."
