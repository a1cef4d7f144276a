"""Say how large each experiment is, in a few minutes or as published."""

from dataclasses import dataclass
from typing import final

from protocols.decoder.request import DecodeRequest
from protocols.iv.request import Request as IvRequest
from protocols.letters.request import LettersRequest
from protocols.levels.request import Request as LevelsRequest
from protocols.pattern.run import Request as PatternRequest
from protocols.program.request import Request as Writing
from protocols.read_noise.request import Request as ReadNoiseRequest
from protocols.retention.request import Request as RetentionRequest
from protocols.sample.request import Request as SampleRequest
from protocols.study.request import AWARE
from protocols.study.request import Request as StudyRequest
from protocols.write_noise.request import Request as WriteNoiseRequest
from rramlab.errors import InputError, did_you_mean

QUICK, FULL = "quick", "full"

BEYOND_A_MILLION = 1.1e6
"""Time (s) of the last reading of retention: more than 1e6 s were published."""
DAY = 86400.0
FOUR_CELLS = "r0-3,c0"
"""Fewer cells would take more pulses for 64 levels than a bench allows by default."""


@final
@dataclass(frozen=True)
class Sizes:
    """Hold what is asked of each experiment; None leaves the decoder out."""

    iv: IvRequest
    states: LevelsRequest
    levels: LevelsRequest
    retention: RetentionRequest
    pattern: PatternRequest
    ring: SampleRequest
    letters: LettersRequest
    decode: DecodeRequest | None
    write_noise: WriteNoiseRequest
    read_noise: ReadNoiseRequest
    study: StudyRequest

    @classmethod
    def named(cls, name: str) -> "Sizes":
        """Return the sizes of a name; InputError if there are none."""
        made = {QUICK: quick, FULL: full}
        if name not in made:
            raise InputError(f"there are no sizes '{name}'; {did_you_mean(name, list(made))}")
        return made[name]()


def states() -> LevelsRequest:
    """Return the request of a few cells at 64 levels, read many times soon after each was written."""
    return LevelsRequest(cells=FOUR_CELLS, levels=64, passes=2, times=(1.0,), reads=16)


def quick() -> Sizes:
    """Return sizes of three minutes on two cores."""
    return Sizes(
        iv=IvRequest(cells="r0-3,c0", cycles=10),
        states=states(),
        levels=LevelsRequest(cells="r0-15,c0-31", levels=64, curves=0),
        retention=RetentionRequest(cells="r0-15,c0-31", reads=25, last=BEYOND_A_MILLION),
        pattern=PatternRequest(Writing(None), (1.0, 3600.0, DAY)),
        ring=SampleRequest(runs=500),
        letters=LettersRequest(samples=200),
        decode=None,
        write_noise=WriteNoiseRequest(cells="r0,c0-31", levels=4, single=2, writes=2, waits=(60.0,)),
        read_noise=ReadNoiseRequest(cells="r0,c0-31", levels=4, reads=1024, averaging=(1, 16)),
        study=StudyRequest(
            write=(0.0, 0.01, 0.02, 0.04, 0.08),
            macros=6,
            map_write=(0.0, 0.02, 0.08),
            map_read=(0.0, 0.04, 0.08),
            map_macros=2,
            write_factor=(0.0, 1.0, 4.0),
            read_factor=(1.0,),
            chips=2,
            device_networks=(AWARE,),
            aged_chips=0,
            samples=500,
        ),
    )


def full() -> Sizes:
    """Return the published sizes, as far as they were told."""
    return Sizes(
        iv=IvRequest(cells="r0-3,c0-3", cycles=20),
        states=states(),
        levels=LevelsRequest(cells="r0-31,c0-31", levels=64, curves=0),
        retention=RetentionRequest(cells="all", last=BEYOND_A_MILLION),
        pattern=PatternRequest(Writing(None), (1.0, 60.0, 3600.0, DAY, 1e6)),
        ring=SampleRequest(runs=1000),
        letters=LettersRequest(samples=500),
        decode=DecodeRequest(),
        write_noise=WriteNoiseRequest(),
        read_noise=ReadNoiseRequest(),
        study=StudyRequest(),
    )
