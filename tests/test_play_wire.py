"""The ring table and the letter tables of the published firmware, on sockets and in real time."""

import json
from pathlib import Path

import commands
import numpy as np
import pytest

from rramlab.runfile import RunFile
from sim_backend.virtual.bench import Table, VirtualBench
from sim_backend.virtual.published import PublishedFirmware

TABLES = ("0", "1", "2", "3")


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_the_tables_are_played_seen_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    table = Table(dialect=1, meter=None, scope="tektronix-mso4000")
    with VirtualBench(seed=3, clock="real", table=table) as virtual:
        Path("wire.toml").write_text(virtual.bench_file("play"))
        words = ("ring,1,2,3", "--runs", "1", "--coef", "2", "--noise", "0.28", "--run", "r")
        facts = json.loads(commands.run("--json", "--bench", "wire.toml", "play", *words))
        board, waves = virtual.board, virtual.world.loop_waveforms
    assert isinstance(board, PublishedFirmware) and waves is not None
    assert board.runs == len(TABLES) and board.hazards == []
    run = RunFile.open("r")
    assert run.complete and Path("r/index.html").stat().st_size > 50_000
    assert list(facts["tables"]) == list(TABLES)
    verbs = run.tables["notes"]["verb"].tolist()
    assert verbs.count("oscilloscope") == len(TABLES)
    said = run.kept["said"].columns
    assert [line for line in said["asked"].tolist() if line.startswith("In")] == [f"In{t}1" for t in TABLES]
    last = run.kept["table 3"].columns
    # A code is 0.02 V / 8 or more, in units of 50 mV; six deviations of the end of a line, 0.19 codes each.
    assert np.abs(last["state"][0] - waves.result.trace[:201, 0]).max() < 6 * 0.19 * 0.04
    # Which table it is decides what the network says: the same start under four embeddings.
    outputs = [run.kept[f"table {t}"].columns["output"][0, 100] for t in TABLES]
    assert min(np.abs(a - b).max() for i, a in enumerate(outputs) for b in outputs[:i]) > 0.05
