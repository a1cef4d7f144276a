"""A calibration runs in order, goes on after a kill to the same bits, and files records that are whole."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from calibrate_toys import BENCH, LISTED, Scale, bench
from commands import empty_folder

from calibration import command_report
from calibration.command_run import Request, carry_out
from calibration.order import before, loaded, named
from calibration.runner import Result
from calibration.runner_identity import belonging
from rramlab.corrections.library import Library
from rramlab.errors import BenchFileError, CalibrationError, InputError, Unsupported
from rramlab.runfile import RunFile
from rramlab.session import Session
from rramlab.terminal import Terminal
from sim_backend.backend import SimBackend


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with empty_folder(tmp_path, None):
        monkeypatch.setattr(command_report, "draw", lambda *_: None)
        monkeypatch.setattr("calibration.command_run.draw", lambda *_: None)
        yield


def session(text: str = BENCH) -> Session:
    return Session(bench(Path.cwd(), text), Terminal(quiet=True))


def calibrated(name: str = "all", run: str | None = "run", resume: str | None = None) -> list[Result]:
    place, cut = (None if path is None else Path(path) for path in (run, resume))
    return carry_out(session(), Request(name), place, cut, 0, LISTED)


def library() -> Library:
    return Library(Path("cal"))


def cut_at(monkeypatch: pytest.MonkeyPatch, request: int) -> None:
    """End the process, so to say, while this request of the bench is under way."""
    left = [request]

    def cut(genuine: Callable[..., Any]) -> Callable[..., Any]:
        def verb(self: SimBackend, *args: Any) -> Any:
            left[0] -= 1
            if left[0] == 0:
                raise KeyboardInterrupt
            return genuine(self, *args)

        return verb

    for name in ("_read", "_pulse"):
        monkeypatch.setattr(SimBackend, name, cut(getattr(SimBackend, name)))


# The order.


def test_each_procedure_comes_after_those_that_it_builds_upon() -> None:
    assert named(["all"], LISTED) == ["readout", "upon"]
    assert before(["upon"], loaded(LISTED)) == ["readout"]
    assert before(["readout"], loaded(LISTED)) == []


def test_an_unknown_procedure_is_one_sentence_with_the_nearest_name() -> None:
    with pytest.raises(InputError, match="there is no calibration 'redout'; did you mean 'readout'"):
        calibrated("redout")
    assert not Path("run").exists()


# A whole run.


def test_records_are_found_kept_and_filed_and_the_bench_is_corrected_by_them() -> None:
    results = calibrated()
    assert [one.record is not None for one in results] == [True, True]
    records = library().records()
    run = RunFile.open("run")
    for one in results:
        assert one.record is not None
        filed = records[one.procedure.name]
        assert filed.facts() == one.record.facts() == run.kept[filed.kind].facts["record"]
        assert filed.run == str(Path("run").absolute())
    assert records["readout"].identity == {"board": "sim-board-7"}
    assert records["upon"].identity == {"board": "sim-board-7", "serial": "sim-1"}
    assert records["readout"].conditions["cells"] == 16
    with session().bench().open() as backend:
        assert set(backend.correction.records) == {"readout"}  # the door has no use for the other


def test_a_procedure_measures_through_those_that_it_builds_upon_and_no_others() -> None:
    calibrated()
    reads = RunFile.open("run").tables["reads"]
    own = len(reads["row"]) - 8  # of two columns of four cells
    assert np.isnan(reads["uncertainty"][:own]).all()
    assert (reads["uncertainty"][own:] > 0).all()
    calibrated("readout", "again")
    assert "uncertainty" not in RunFile.open("again").tables["reads"]


def test_one_procedure_takes_what_it_builds_upon_from_the_library() -> None:
    with pytest.raises(
        CalibrationError, match=r"calibration 'readout', which was not made yet.*calibrate readout"
    ):
        calibrated("upon")
    assert not Path("run").exists()
    first = calibrated("readout")[0].record
    second = calibrated("upon", "later")[0].record
    assert first is not None and second is not None
    assert second.conditions["built_on"] == {"readout": first.made}
    assert RunFile.open("later").start.calibration[0]["kind"] == "readout"


def test_what_it_builds_upon_must_hold_here_and_now() -> None:
    record = calibrated("readout")[0].record
    assert record is not None
    library().save(replace(record, made=1.0))
    with pytest.raises(CalibrationError, match="expired; renew it with: rramlab calibrate readout"):
        calibrated("upon", "late")
    library().save(replace(record, identity={"board": "sim-board-8"}))
    with pytest.raises(CalibrationError, match=r"'readout' of .* is of another bench.*calibrate readout"):
        calibrated("upon", "foreign")
    assert not Path("late").exists() and not Path("foreign").exists()


# What can go wrong.


def test_a_run_that_was_cut_off_anywhere_goes_on_to_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = [one.record for one in calibrated()]
    for request in (3, 4, 12):  # of 14: read, pulse, read of 4 rows, then 2 readings
        run = f"cut-{request}"
        with monkeypatch.context() as patch:
            cut_at(patch, request)
            with pytest.raises(KeyboardInterrupt):
                calibrated(run=run)
        with monkeypatch.context() as patch:
            cut_at(patch, 14 if request > 4 else 5)  # those of whole parts are lived through again
            with pytest.raises(KeyboardInterrupt):
                calibrated(resume=run)
        for one, other in zip(calibrated(resume=run), whole, strict=True):
            assert one.record is not None and other is not None
            assert all((one.record[name] == other[name]).all() for name in other.values)
            assert (one.record.covariance == other.covariance).all()
        kept = RunFile.open(run).kept
        parts = [name for name in kept if "-part-" in name]
        assert len(parts) == 6
        for name in parts:
            for key, column in RunFile.open("run").kept[name].columns.items():
                assert np.array_equal(kept[name].columns[key], column), (request, name, key)


def test_a_record_is_filed_only_when_it_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        cut_at(patch, 12)  # the last reading of the first procedure
        with pytest.raises(KeyboardInterrupt):
            calibrated()
    assert not library().records()
    with monkeypatch.context() as patch:
        cut_at(patch, 14)  # three parts are lived through again, one is new, then the second procedure
        with pytest.raises(KeyboardInterrupt):
            calibrated(resume="run")
    assert set(library().records()) == {"readout"}
    made = library().records()["readout"].made
    calibrated(resume="run")
    assert set(library().records()) == {"readout", "upon"}
    assert library().records()["readout"].made == made


def test_what_could_not_be_found_is_a_sentence_and_stops_only_what_needs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Scale, "fails", True)
    failed, after = calibrated()
    assert failed.why.startswith("0 of 16 cells were good") and not failed.left_out
    assert after.why == "it builds on 'readout', which is not known" and after.left_out
    assert not library().records()
    assert RunFile.open("run").complete
    assert len([name for name in RunFile.open("run").kept if "-part-" in name]) == 4


def test_a_bench_that_cannot_be_measured_so_is_refused_before_a_folder_is_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(SimBackend, "capabilities", property(lambda self: frozenset({"read", "wait"})))
    with pytest.raises(Unsupported, match=r"this bench has no 'pulse' .* it can: read, wait"):
        calibrated("readout")
    assert not Path("run").exists() and not Path("cal").exists()


def test_a_bench_file_without_a_folder_says_what_to_add() -> None:
    with pytest.raises(BenchFileError, match=r"add to the bench file: \[calibration\]"):
        carry_out(session(BENCH.split("[calibration]")[0]), Request(), Path("run"), None, 0, LISTED)
    assert not Path("run").exists()


# The library.


def test_an_older_run_that_ends_late_does_not_take_the_place_of_a_newer_record() -> None:
    record = calibrated("readout")[0].record
    assert record is not None
    newer, older = replace(record, made=record.made + 9), replace(record, made=record.made - 9)
    assert library().renew(newer) and not library().renew(older) and not library().renew(newer)
    assert library().records()["readout"].made == newer.made
    assert [one.made for one in library().history("readout")] == [record.made, newer.made]


def test_what_the_door_does_not_use_stops_nobody_when_it_has_expired() -> None:
    calibrated()
    record = library().records()["readout"]
    late = record.made + 2 * 86400.0  # 'upon' holds for a day
    assert set(library().correction(late).records) == {"readout"}
    zero = {"values": {"adc_offset": np.zeros((1, 4))}, "units": {"adc_offset": "A"}, "covariance": np.eye(4)}
    library().save(replace(record, kind="zero", made=record.made + 1.0, valid=1.0, **zero))
    with pytest.raises(
        CalibrationError, match=r"'zero' .* has expired; renew it with: rramlab calibrate zero"
    ):
        library().correction(late)
    library().save(replace(record, made=record.made + 2.0))  # a zero from before says nothing any more
    assert set(library().correction(late).records) == {"readout"}


def test_a_zero_is_in_use_beside_the_readout_that_it_refines() -> None:
    calibrated()
    record = library().records()["readout"]
    zero = {"values": {"adc_offset": np.zeros((1, 4))}, "units": {"adc_offset": "A"}, "covariance": np.eye(4)}
    library().save(replace(record, kind="zero", made=record.made + 1.0, **zero))
    assert set(library().known(["readout"], record.made + 2.0, ["zero"])) == {"readout", "zero"}
    assert set(library().known(["readout"], record.made + 2.0)) == {"readout"}
    assert set(library().known([], record.made + 2.0, ["zero"])) == set()


def test_a_broken_file_does_not_stand_in_the_way_of_a_new_record() -> None:
    Path("cal").mkdir()
    Path("cal/readout.json").write_text("{")
    record = calibrated("readout")[0].record
    assert record is not None
    assert library().records()["readout"].made == record.made
    assert Path("cal/older/readout-broken.json").read_text() == "{"


def test_a_record_belongs_to_the_parts_that_a_bench_has() -> None:
    wire = {"name": "bench+a", "board": "b, serial 1", "source_meter": "m, serial 2", "oscilloscope": "o"}
    assert belonging(("board", "meter", "macro"), wire) == {
        "board": "b, serial 1",
        "source_meter": "m, serial 2",
    }
    ideal = {"name": "sim", "serial": "sim-1", "seed": "3"}
    assert belonging(("board",), ideal) == {"serial": "sim-1"}
    assert belonging(("macro",), ideal) == {"serial": "sim-1"}
    assert belonging(("board",), {"name": "toy"}) == {"name": "toy"}


def test_the_options_of_a_run_are_those_that_it_was_begun_with() -> None:
    calibrated()
    start = json.loads(json.dumps(dict(RunFile.open("run").start.parameters)))
    assert start == {"name": "all", "prepare": False, "card": "", "library": str(Path("cal").absolute())}
