"""The bench file: each mistake is named with the nearest right thing."""

from inspect import isabstract
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from toy_world import Toy, ToyOptions
from typer.testing import CliRunner

from rramlab.backend import Backend
from rramlab.bench import Bench, embedded
from rramlab.cells import Cells
from rramlab.cli import app
from rramlab.errors import BenchFileError
from rramlab.recorder import MemoryRecorder

TOY = '[bench]\nid = "toy"\n[backend]\nuse = "toy_world:Toy"\n'


def refusal(text: str) -> str:
    with pytest.raises(BenchFileError) as error:
        Bench.parse(text, "mine.toml").open()
    said = str(error.value)
    assert "\n" not in said
    assert "Traceback" not in said
    return said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (TOY + "[limits]\nv_sett = 1.0\n", "mine.toml: unknown key 'limits.v_sett'; did you mean 'v_set'?"),
        (TOY + "[limit]\nv_set = 1.0\n", "mine.toml: unknown key 'limit'; did you mean 'limits'?"),
        (TOY + "[reading]\nsample = 3\n", "mine.toml: unknown key 'reading.sample'; did you mean 'samples'?"),
        (
            TOY + "[window]\nzzz = 1.0\n",
            "mine.toml: unknown key 'window.zzz'; possible: high, low, reference",
        ),
        (TOY.replace("use", "usee"), "mine.toml: unknown key 'backend.usee'; did you mean 'use'?"),
        (
            'text = "x"\n' + TOY,
            "mine.toml: unknown key 'text'; possible: backend, bench, calibration, limits, reading, window",
        ),
        (TOY.replace("id =", "note ="), "mine.toml: the key 'bench.id' is missing"),
        ("", "mine.toml: the key 'bench' is missing"),
        (
            'bench = "toy"\n',
            "mine.toml: 'bench' = 'toy': it should be a table; write [bench] and its keys below",
        ),
        (TOY + '[limits]\nv_set = "2V"\n', "mine.toml: 'limits.v_set' = '2V': it should be a valid number"),
        (TOY + "[limits]\nv_set = true\n", "mine.toml: 'limits.v_set' = True: it should be a valid number"),
        (
            TOY + "[reading]\nsamples = 1.0\n",
            "mine.toml: 'reading.samples' = 1.0: it should be a valid integer",
        ),
        (
            TOY + "[limits]\nv_set = 2.6\n",
            "mine.toml: 'limits.v_set' = 2.6: it should be less than or equal to 2.5 "
            "(the hard limit: the macro does not survive more)",
        ),
        (
            TOY + "[reading]\nsamples = 10001\n",
            "mine.toml: 'reading.samples' = 10001: it should be less than or equal to 10000",
        ),
        (TOY + "[limits]\nv_set = 0.0\n", "mine.toml: 'limits.v_set' = 0.0: it should be greater than 0"),
        (TOY + "[window]\nlow = 60e-6\n", "mine.toml: low, reference and high must rise in this order"),
        (
            TOY + "[reading]\nv_read = 0.25\n",
            "mine.toml: reading.v_read = 0.25 V is above limits.v_read = 0.2 V",
        ),
        (TOY + "[reading]\ngate = 3.5\n", "mine.toml: reading.gate = 3.5 V is above limits.gate = 3.3 V"),
    ],
)
def test_each_mistake_is_named(text: str, said: str) -> None:
    assert refusal(text) == said


@pytest.mark.parametrize("text", ["[bench\n", "[bench]\nid = \n", "[bench]\nid = 'a'\nid = 'b'\n"])
def test_what_is_no_toml_is_named_with_its_line(text: str) -> None:
    assert "mine.toml is not valid TOML" in refusal(text)
    assert "line" in refusal(text)


@pytest.mark.parametrize(
    "use",
    [
        "",
        "nowhere",
        "nowhere:Thing",
        "toy_world:Nothing",
        "os:path",
        "math:pi",
        "toy_world",
        "rramlab.cells:Cells",
    ],
)
def test_a_world_that_is_none_is_refused(use: str) -> None:
    said = refusal(TOY.replace("toy_world:Toy", use))
    assert f"backend.use = '{use}'" in said
    assert "write 'package.module:Class'" in said


def test_an_unfinished_world_is_refused() -> None:
    assert isabstract(Backend)
    assert "names no world that can be opened" in refusal(
        TOY.replace("toy_world:Toy", "rramlab.backend:Backend")
    )


def test_a_module_that_breaks_on_import_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken_laboratory.py").write_text("1 +\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert "backend.use = 'broken_laboratory:World' cannot be loaded" in refusal(
        TOY.replace("toy_world:Toy", "broken_laboratory:World")
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("rowz = 4", "[backend.options] of bench 'toy': unknown key 'rowz'; did you mean 'rows'?"),
        ("rows = 4.5", "[backend.options] of bench 'toy': 'rows' = 4.5: it should be a valid integer"),
    ],
)
def test_options_that_the_world_does_not_know_are_refused(options: str, said: str) -> None:
    assert refusal(f"{TOY}[backend.options]\n{options}\n") == said


def test_options_deep_inside_are_named_with_their_path() -> None:
    clamp = refusal(embedded().replace("clamp = 0.1", "clmp = 0.1"))
    assert "unknown key 'loop.clmp'; did you mean 'clamp'?" in clamp


def test_options_of_any_form_are_refused_without_a_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    class Instrument(BaseModel, extra="forbid"):
        address: str

    class Many(BaseModel, extra="forbid"):
        instruments: list[Instrument]

    monkeypatch.setattr(Toy, "options", classmethod(lambda cls: Many))
    said = refusal(TOY + '[[backend.options.instruments]]\nadress = "x"\n')
    assert (
        said
        == "[backend.options] of bench 'toy': unknown key 'instruments.0.adress'; did you mean 'address'?"
    )


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(BenchFileError, match=r"there is no bench file at .*mine\.toml; 'rramlab bench init"):
        Bench.load(tmp_path / "mine.toml")
    with pytest.raises(BenchFileError, match="cannot be read"):
        Bench.load(tmp_path)
    (tmp_path / "latin.toml").write_bytes(b'[bench]\nid = "\xb5"\n')
    with pytest.raises(BenchFileError, match="cannot be read"):
        Bench.load(tmp_path / "latin.toml")


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "notepad.toml"
    path.write_bytes(b"\xef\xbb\xbf" + TOY.replace("\n", "\r\n").encode())
    assert Bench.load(path).bench.id == "toy"


def test_a_bench_opens_its_world_with_limits_recorder_and_seed() -> None:
    recorder = MemoryRecorder()
    text = TOY + "[backend.options]\nrows = 2\n[limits]\nv_set = 1.5\n[reading]\nsamples = 7\nv_read = 0.1\n"
    bench = Bench.parse(text)
    one, same, other = (bench.open(recorder, seed) for seed in (1, 1, 2))
    assert isinstance(one, Toy)
    assert one.shape == (2, 4)
    assert one.limits.v_set == 1.5
    assert one.recorder is recorder
    cells = Cells.of_shape((2, 4))
    readings: list[Any] = []
    for world in (one, same, other):
        with world:
            readings.append(world.read(cells, bench.reading.spec()).tolist())
    assert readings[0] == readings[1] != readings[2]
    assert recorder.events[0].facts == {"v_read": 0.1, "gate": 3.3, "samples": 7}
    assert bench.text == text
    assert "text" not in bench.model_dump()


def test_the_embedded_bench_loads_and_opens() -> None:
    bench = Bench.load(None)
    assert bench.bench.id == "sim"
    with bench.open() as backend:
        assert backend.shape == (96, 32)
    with pytest.raises(BenchFileError, match="device preset 'nothing'"):
        Bench.parse(embedded().replace('"taox180"', '"nothing"')).open()


def test_the_embedded_bench_says_each_key_that_there_is() -> None:
    import tomllib

    from sim_backend.options import LoopOptions, Options

    def keys(model: type[BaseModel]) -> set[str]:
        return set(model.model_fields)

    written = tomllib.loads(embedded())
    assert set(written) == keys(Bench) - {"text", "place", "calibration"}
    assert set(written["backend"]["options"]) == keys(Options) - {"errors"}
    assert set(written["backend"]["options"]["loop"]) == keys(LoopOptions)
    assert Options.model_validate(written["backend"]["options"]) == Options()
    for table in ("reading", "window", "limits"):
        model = Bench.model_fields[table].annotation
        assert isinstance(model, type)
        assert issubclass(model, BaseModel)
        assert set(written[table]) == keys(model)
        assert model.model_validate(written[table]) == model()


def test_every_key_of_the_embedded_bench_stands_near_a_comment() -> None:
    told = False
    for line in embedded().splitlines():
        told = (told or "#" in line) and line != ""  # a comment speaks for its block
        assert told or line == "" or line.startswith("["), line


def test_bench_init_writes_the_embedded_bench_and_never_over_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    runner = CliRunner()
    assert runner.invoke(app, ["bench", "init", str(path)]).exit_code == 0
    assert path.read_text(encoding="utf-8") == embedded()
    assert Bench.load(path).model_dump() == Bench.load(None).model_dump()
    path.write_text("mine", encoding="utf-8")
    again = runner.invoke(app, ["bench", "init", str(path)])
    assert again.exit_code == 3
    assert "exists already and is left as it is" in again.stderr
    assert path.read_text(encoding="utf-8") == "mine"
    assert runner.invoke(app, ["bench", "init", str(tmp_path / "no" / "x.toml")]).exit_code == 3


def test_the_toy_has_options() -> None:
    assert Toy.options() is ToyOptions
