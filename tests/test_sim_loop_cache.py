"""The closed loop gives the same bits, compiled just now or out of the disk cache."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from test_sim_loop import as_layers, beta, embedding, weights

from sim_backend.loop import Circuit, Keep, ReadNoise, Reverse, solve


def digest() -> str:
    """Return a digest of all waveforms of some noisy runs."""
    circuit, x = Circuit(), 0.1 * np.random.default_rng(5).normal(size=(70, 2))
    schedule = Reverse(beta, embedding, stochastic=True).held(circuit, 100)
    found = solve(
        as_layers(weights()), circuit, schedule, x, rng=np.random.default_rng(6), read_noise=ReadNoise(),
        keep=Keep(range(70)),
    )  # fmt: skip
    seen = found.waveforms
    assert seen is not None
    arrays = found.end, seen.hidden1, seen.hidden2, seen.output
    return hashlib.sha256(b"".join(np.ascontiguousarray(each).tobytes() for each in arrays)).hexdigest()


def digest_of_a_process(cache: Path) -> str:
    """Return the digest that a new process finds with this folder of compiled kernels."""
    line = [sys.executable, "-c", "import test_sim_loop_cache as this; print(this.digest())"]
    where = {"cwd": Path(__file__).parent, "env": os.environ | {"NUMBA_CACHE_DIR": str(cache)}}
    return subprocess.run(line, check=True, capture_output=True, text=True, **where).stdout.strip()


@pytest.mark.slow
def test_kernels_from_the_cache_give_the_bits_of_those_just_compiled(tmp_path: Path) -> None:
    fresh = digest_of_a_process(tmp_path)
    assert len(fresh) == 64 and any(tmp_path.rglob("*.nbi"))
    assert digest_of_a_process(tmp_path) == fresh
