"""List the experiments behind the figures: each is the run of an ordinary command in a folder of its own."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, final

from protocols.iv import run as iv_run
from protocols.letters import run as letters_run
from protocols.levels import run as levels_run
from protocols.pattern import run as pattern_run
from protocols.read_noise import run as read_noise_run
from protocols.reproduce.account import account
from protocols.reproduce.loop import loop_facts
from protocols.reproduce.macros import with_macros
from protocols.reproduce.sizes import Sizes
from protocols.retention import run as retention_run
from protocols.sample import run as sample_run
from protocols.write_noise import run as write_noise_run
from rramlab.errors import InputError
from rramlab.runfile import RunFile
from rramlab.session import Session

IV, STATES, LEVELS, RETENTION, PATTERN = "iv", "states", "levels", "retention", "pattern"
RING, RING_LEDGER = "ring", "ring-ledger"
LETTERS, LETTERS_LEDGER, DECODE = "letters", "letters-ledger", "decode"
WRITE_NOISE, READ_NOISE, STUDY = "write-noise", "read-noise", "study"


@final
@dataclass(frozen=True)
class Lab:
    """Hold what every experiment needs: a session, the sizes, the folder of all, seed, and processes."""

    session: Session
    sizes: Sizes
    folder: Path
    seed: int
    workers: int


Begin = Callable[[Lab, Path, Path | None], object]
"""Carry out a run in a new folder, or continue the one in the second."""


@final
@dataclass(frozen=True)
class Experiment:
    """Hold one experiment: the folder of its run, its figure, what it is, its result's name in the record.

    `more` returns figures that its record holds beside the result.
    """

    name: str
    figure: int
    title: str
    result: str
    begin: Begin
    more: Callable[[RunFile], dict[str, Any]] = lambda file: {}


def experiments(sizes: Sizes) -> tuple[Experiment, ...]:
    """Return the experiments in the order in which they are carried out."""
    r = sizes
    decode = () if r.decode is None else (Experiment(DECODE, 4, "decoder on macros", "decode", _decode),)
    return (
        Experiment(IV, 2, "quasi-static I-V", "iv", partial(_measure, iv_run.carry_out, r.iv)),
        Experiment(STATES, 2, "states of a few cells", "levels", _levels(r.states)),
        Experiment(LEVELS, 2, "states over an array", "levels", _levels(r.levels)),
        Experiment(
            RETENTION, 2, "retention", "retention", partial(_measure, retention_run.carry_out, r.retention)
        ),
        Experiment(PATTERN, 2, "pattern", "pattern", partial(_measure, pattern_run.carry_out, r.pattern)),
        Experiment(RING, 3, "ring in closed loop", "samples", _ring, loop_facts),
        Experiment(RING_LEDGER, 3, "time and energy of the ring", "ledger", partial(_account, RING)),
        Experiment(LETTERS, 4, "letters in closed loop", "letters", _letters),
        Experiment(LETTERS_LEDGER, 4, "time and energy of letters", "ledger", partial(_account, LETTERS)),
        *decode,
        Experiment(
            WRITE_NOISE,
            5,
            "write noise",
            "write_noise",
            partial(_measure, write_noise_run.carry_out, r.write_noise),
        ),
        Experiment(
            READ_NOISE,
            5,
            "read noise",
            "read_noise",
            partial(_measure, read_noise_run.carry_out, r.read_noise),
        ),
        Experiment(STUDY, 5, "noise study", "tolerances", _study),
    )


def _levels(request: Any) -> Begin:
    return partial(_measure, levels_run.carry_out, request)


def _measure(
    carry_out: Callable[..., object], request: Any, lab: Lab, folder: Path, resume: Path | None
) -> object:
    return carry_out(lab.session, request, folder, resume, None, lab.seed)


def _ring(lab: Lab, folder: Path, resume: Path | None) -> object:
    plan = sample_run.plan_of("sample", lab.sizes.ring, folder, lab.seed, resume)
    return sample_run.carry_out(lab.session, plan)


def _letters(lab: Lab, folder: Path, resume: Path | None) -> object:
    return letters_run.carry_out(
        lab.session, letters_run.plan_of(lab.sizes.letters, folder, lab.seed, resume)
    )


def _account(source: str, lab: Lab, folder: Path, resume: Path | None) -> object:
    return account(lab.session, lab.folder / source, folder, resume, lab.seed)


def _decode(lab: Lab, folder: Path, resume: Path | None) -> object:
    from protocols.decoder import run as decoder_run

    if lab.sizes.decode is None:
        raise InputError("these sizes leave the decoder out; give --full")
    request = replace(lab.sizes.decode, latents=str(lab.folder / LETTERS))
    session = with_macros(lab.session, lab.folder / "decode-bench.toml")
    return decoder_run.carry_out(session, decoder_run.plan_of(request, folder, lab.seed, resume))


def _study(lab: Lab, folder: Path, resume: Path | None) -> object:
    from protocols.study.crew import crew_of
    from protocols.study.run import Asked, carry_out

    asked = Asked(lab.sizes.study, folder, lab.seed, resume)
    return carry_out(lab.session, asked, crew_of(lab.workers, None))
