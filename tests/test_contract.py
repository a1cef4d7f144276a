"""Hold every world to the promises of the door."""

from rramlab.backend import Backend
from rramlab.contract import check_backend
from rramlab.recorder import Recorder
from sim_backend.backend import SimBackend
from sim_backend.options import Options


def simulated(recorder: Recorder) -> Backend:
    return SimBackend(Options(macros=2), recorder=recorder, seed=3)


def test_the_simulated_macro_keeps_every_promise() -> None:
    assert len(check_backend(simulated)) == 12
