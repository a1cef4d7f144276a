"""The simulated bench keeps time, replays its life bit for bit, and does what its options say."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydantic import ValidationError
from sim_worlds import IDEAL, bench, load, network, still

from protocols.sampling import Sampling
from rramlab.backend import Backend
from rramlab.bench import Bench
from rramlab.cells import Cells
from rramlab.errors import BenchFileError, InputError
from rramlab.limits import Limits
from rramlab.network_mapping import NetworkMapping
from rramlab.pulse import Polarity, Pulse, PulseTrain
from rramlab.reading import Curve, ReadSpec, Staircase
from rramlab.recorder import MemoryRecorder
from sim_backend.analog import PAUSE
from sim_backend.backend import ADDRESSING, SimBackend
from sim_backend.options import LoopOptions, Options

FloatArray = NDArray[np.float64]
SET, RESET = Pulse.parse("SET 2V gate=1.4V 1us"), Pulse.parse("RESET 1.5V gate=3.3V 1us")
CELL = Cells.parse("r3c5")
NET = network()
SMALL = {"macros": 3, "rows": 32, "cols": 32}


# One cell, one way to see it.


def test_a_reading_is_a_product_of_one_cell_wires_included(tmp_path: Path) -> None:
    backend = bench(still(tmp_path), macros=1, r_line=20.0, r_switch=300.0)
    # Only this cell conducts, so that the lines carry its current alone, as in a reading.
    backend.array.population.load(0.05e-6, np.random.default_rng(0))
    backend.array.population.load(60e-6, np.random.default_rng(0), 0.0, np.arange(1024) == 30 * 32 + 31)
    with backend:
        reading = backend.read(Cells.parse("r30c31"), ReadSpec(samples=400))[0]
        product = backend.multiply(np.tile(0.2 * np.eye(32)[30], (400, 1)))[:, 31].mean() / 0.2
    # Noise 0.25 uS in a sample, but in 0.4 s the slow half of it stays, 0.19 uS in the reading and in the
    # products; five sigma. Series resistance takes 8 % of 50 uS: 4 uS.
    assert product == pytest.approx(reading, abs=5 * 0.27e-6)
    quiet = backend.array.conductance(30 * 32 + 31, 0.2, 3.3, backend.now())[0]
    assert product == pytest.approx(quiet, abs=5 * 0.19e-6 + 0.005 * quiet)


def test_products_take_any_stack_of_vectors() -> None:
    volts = np.random.default_rng(0).uniform(0, 0.2, (2, 3, 32))
    with bench() as one, bench() as other:
        stacked, flat = one.multiply(volts, 1), other.multiply(volts.reshape(6, 32), 1)
        assert stacked.shape == (2, 3, 32) and (stacked.reshape(6, 32) == flat).all()
        assert one.multiply(np.zeros((0, 32))).shape == (0, 32)
        assert one.multiply(volts[0, 0]).shape == (32,)
        assert one.now() == pytest.approx(7e-3)


def test_noise_of_a_product_is_that_of_its_cells(tmp_path: Path) -> None:
    backend = bench(still(tmp_path), macros=1, r_line=0.0, r_switch=0.0)
    load(backend, np.full((32, 32), 80e-6), 0.1)
    filament = backend.array.population.filament(0, 0.0)[0]
    one = 0.004 * np.sqrt(50e-6 * filament) * (80e-6 / filament) ** 2 * 0.1
    with backend:
        many = backend.multiply(np.full((2000, 32), 0.1))
        single = np.stack([backend.multiply(np.full(32, 0.1)) for _ in range(100)])
    # In 2 s two of the six decades that count stand still. 64 000 numbers: standard error 0.3 %; 1 % for the
    # nonlinearity.
    fast = np.sqrt(many.var(axis=0).mean())
    assert fast == pytest.approx(np.sqrt(4 / 6 * 32 * one**2 + (20e-9) ** 2), rel=0.025)
    # 3 200 numbers: standard error 1.3 %; five sigma.
    assert single.std() == pytest.approx(np.sqrt(32 * one**2 + (20e-9) ** 2), rel=0.075)
    # What stands still is the same for all vectors: 32 columns, standard error 13 %; four sigma.
    assert many.mean(axis=0).std() == pytest.approx(np.sqrt(2 / 6 * 32) * one, rel=0.5)


# Time.


def test_every_verb_takes_the_time_that_it_says() -> None:
    def took(backend: SimBackend, act: Any) -> float:
        before = backend.now()
        act()
        return backend.now() - before

    cells = Cells.grid(range(2), range(5))
    run = Sampling(volts=0.05, seconds=1.0).declare(NET, NetworkMapping.fit(NET), np.zeros((3, 2)))
    with bench() as b:
        assert b.now() == 0.0
        assert took(b, lambda: b.read(cells, ReadSpec(samples=4))) == pytest.approx(40e-3)
        assert took(b, lambda: b.pulse(PulseTrain.of(cells, SET))) == pytest.approx(10 * (1e-6 + ADDRESSING))
        assert took(b, lambda: b.wait(12.5)) == 12.5
        assert took(b, lambda: b.multiply(np.zeros((7, 32)))) == pytest.approx(7e-3)
        assert took(
            b, lambda: b.sweep(CELL, Staircase(np.linspace(0, 1, 5), 1.2, 1e-4, 2e-3))
        ) == pytest.approx(10e-3)
        assert took(b, lambda: b.solve(run)) == pytest.approx(3 * (1.0 + PAUSE))
        assert took(b, lambda: b.pulse(PulseTrain.of(cells.take(np.zeros(10, bool)), SET))) == 0.0


def test_pulses_of_a_train_come_one_after_the_other() -> None:
    with bench(macros=1) as backend:
        backend.wait(5.0)
        cells = Cells.grid(range(4), range(8))
        widths = np.where(np.arange(32) % 2, 1e-6, 3e-6)
        good = ~backend.array.population.stuck[cells.flat(32)]
        backend.pulse(PulseTrain(cells, np.full(32, Polarity.SET, np.uint8), 2.0, 1.6, widths))
        ends = 5.0 + np.cumsum(widths + ADDRESSING)
        assert np.allclose(
            backend.array.population.cells.anchor[cells.flat(32)][good], ends[good], rtol=0, atol=1e-12
        )
        assert backend.now() == pytest.approx(ends[-1])


def test_a_verify_sees_the_relaxation_since_the_pulse(tmp_path: Path) -> None:
    drifting = tmp_path / "drifting.toml"
    text = Path(still(tmp_path)).read_text().replace("drift = 0.0", "drift = -0.2e-6")
    drifting.write_text(text + "[noise]\nrelative = 0.0\nwhite_current = 0.0\n")
    cells = Cells.grid(range(32), range(32))
    with bench(str(drifting), macros=1) as backend:
        backend.pulse(PulseTrain.of(cells, Pulse.parse("SET 2V gate=1.5V 1us")))
        first = backend.read(cells)
        backend.wait(100.0)
        second = backend.read(cells)
        filament = backend.array.population.filament(cells.flat(32), backend.now())
    # First reading: about 1 s after the pulse (10 ms of train, 1 s of map), the second 100 times later.
    share = (second / filament) ** 2
    ratio = np.log10(
        (second.size * 1e-3 + 100.0) / (np.arange(1024) * 1e-3 + 11e-3 * (1 - np.arange(1024) / 1024))
    )
    wanted = -0.2e-6 * filament / 50e-6 * ratio * share
    late = slice(100, None)  # the first cells were read within milliseconds, where the decades are coarse
    assert (second - first)[late].mean() == pytest.approx(wanted[late].mean(), rel=0.12)


# Replay and memory.


def everything(backend: Backend) -> dict[str, NDArray[Any]]:
    return {**backend.memory(), "pulses": backend.pulses, "last": backend.last_reading}


def assert_same(one: SimBackend, other: SimBackend) -> None:
    a, b = everything(one), everything(other)
    assert a.keys() == b.keys()
    for name in a:
        assert np.array_equal(a[name], b[name], equal_nan=a[name].dtype.kind == "f"), name
    assert one._rng.bit_generator.state == other._rng.bit_generator.state


def do(backend: SimBackend, verb: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    row, col = int(rng.integers(0, 10)), int(rng.integers(0, 10))
    cells = Cells.grid(range(row, row + 3), range(col, col + 2))
    match verb:
        case "read":
            backend.read(cells, ReadSpec(0.1 + 0.1 * rng.random(), 3.3, int(rng.integers(1, 4))))
        case "set":
            backend.pulse(PulseTrain.of(cells, SET))
        case "reset":
            good = np.nan_to_num(backend.last_reading[cells.row, cells.col], nan=1.0) > 4e-6
            backend.pulse(PulseTrain.of(cells.take(good), RESET))
        case "wait":
            backend.wait(float(rng.random() * 1e3))
        case "sweep":
            backend.sweep(cells.take(np.arange(6) == 0), Staircase(np.linspace(0, 1.3, 5), 1.6, 20e-6))
        case "multiply":
            backend.multiply(rng.uniform(-0.1, 0.1, (2, 12)), int(rng.integers(0, 3)))
        case "solve":
            net = network(hidden=4)
            run = Sampling(volts=0.05, kind="sde", tick=0.05).declare(
                net, TINY_MAP, 0.3 * rng.normal(size=(3, 2))
            )
            backend.solve(run)


class _Tiny:
    """Place a 2-4-4-2 network on macros of 12 x 12."""

    def regions(self) -> tuple[Any, ...]:
        from rramlab.loop import Region

        sizes = enumerate(((2, 4), (4, 4), (4, 2)))
        return tuple(Region(tuple(range(12 * m, 12 * m + i)), tuple(range(o + 1))) for m, (i, o) in sizes)

    @property
    def layers(self) -> tuple[Any, ...]:
        return NetworkMapping.fit(network(hidden=4)).layers


TINY_MAP: Any = _Tiny()
VERBS = ("read", "set", "reset", "wait", "sweep", "multiply", "solve")


def tiny(recorder: MemoryRecorder | None = None, seed: int = 7, **options: Any) -> SimBackend:
    return bench(
        loop=LoopOptions(), recorder=recorder, seed=seed, **({"rows": 12, "cols": 12, "macros": 3} | options)
    )


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.sampled_from(VERBS), st.integers(0, 999)), max_size=8))
def test_a_replayed_life_is_the_same_to_the_last_bit(life: list[tuple[str, int]]) -> None:
    recorder = MemoryRecorder()
    with tiny(recorder) as lived, tiny() as again:
        for verb, seed in life:
            do(lived, verb, seed)
        again.replay(recorder.events)
        assert_same(lived, again)
        for backend in (lived, again):  # and goes on alike
            do(backend, "set", 1)
        assert_same(lived, again)


def test_all_verbs_in_a_row_are_replayed_and_do_what_they_did() -> None:
    first, second = MemoryRecorder(), MemoryRecorder()
    for recorder in (first, second):
        with tiny(recorder) as backend:
            for k, verb in enumerate(VERBS * 2):
                do(backend, verb, k)
    for a, b in zip(first.events, second.events, strict=True):
        assert a.facts == b.facts
        assert all(np.array_equal(a.columns[n], b.columns[n], equal_nan=True) for n in a.columns)
    with tiny(seed=8) as other:
        do(other, "set", 1)
        other.read_all()
        with tiny(seed=7) as mine:
            do(mine, "set", 1)
            mine.read_all()
            assert (other.last_reading != mine.last_reading).all()


def test_memory_is_a_copy_that_can_be_taken_back() -> None:
    with tiny() as backend, tiny(seed=99, chip=5) as stranger:
        do(backend, "set", 3)
        kept = backend.memory()
        frozen = {name: values.copy() for name, values in kept.items()}
        do(backend, "set", 4)
        do(backend, "wait", 4)
        assert all(np.array_equal(kept[name], frozen[name]) for name in frozen)
        assert not np.array_equal(backend.memory()["conductance"], frozen["conductance"])
        for one in (backend, stranger):
            one.restore(kept)
            now = one.memory()
            assert all(np.array_equal(now[name], frozen[name]) for name in frozen if name != "loop")


def test_the_memory_of_another_size_or_another_world_is_refused() -> None:
    with tiny() as backend, tiny(rows=11) as smaller:
        before = backend.memory()
        with pytest.raises(InputError, match="of shape"):
            backend.restore(smaller.memory())
        with pytest.raises(InputError, match="no 'time'"):
            backend.restore({name: v for name, v in before.items() if name != "time"})
        with pytest.raises(InputError, match="no 'bank'"):
            backend.restore({name: v for name, v in before.items() if name != "bank"})
        after = backend.memory()
        assert all(np.array_equal(before[name], after[name]) for name in before)


def test_another_chip_is_another_chip_and_another_circuit() -> None:
    one, same, other = (tiny(chip=chip, seed=s) for chip, s in ((1, 0), (1, 1), (2, 0)))
    assert all(np.array_equal(one.memory()[n], same.memory()[n]) for n in one.memory())
    assert not np.array_equal(one.memory()["set_factor"], other.memory()["set_factor"])
    assert (one.loop.fingerprint() != other.loop.fingerprint()).all()
    assert one.identify()["serial"] != other.identify()["serial"]


# Sweep.


def swept(
    volts: FloatArray, compliance: float, gate: float = 3.3, g: float | None = None
) -> tuple[SimBackend, Curve]:
    limits = Limits(v_set_open_gate=2.0)
    with bench(macros=1, limits=limits) as backend:
        if g is not None:
            backend.array.population.load(g, np.random.default_rng(0))
        return backend, backend.sweep(CELL, Staircase(volts, gate, compliance))


UP = np.linspace(0, 1.4, 29)


@pytest.mark.parametrize("compliance", [20e-6, 50e-6, 100e-6])
def test_the_cell_feels_the_compliance(compliance: float) -> None:
    backend, curve = swept(np.concatenate([UP, UP[::-1]]), compliance)
    assert np.abs(curve.current).max() <= compliance
    assert np.abs(curve.current).max() > 0.97 * compliance
    held = backend.array.population.filament(CELL.flat(32), backend.now())[0]
    free, _ = swept(np.concatenate([UP, UP[::-1]]), 140e-6, gate=3.3)
    # The kinetics end where the filament has some 0.5 to 0.7 V left: G is about compliance over that.
    assert compliance / 0.8 < held < compliance / 0.4
    assert held < free.array.population.filament(CELL.flat(32), free.now())[0]


def test_a_lower_compliance_leaves_a_lower_conductance() -> None:
    found = []
    for compliance in (20e-6, 40e-6, 80e-6, 140e-6):
        backend, _ = swept(UP, compliance)
        found.append(backend.array.population.filament(CELL.flat(32), backend.now())[0])
    assert (np.diff(found) > 5e-6).all()


def test_a_compliance_that_is_never_met_changes_nothing() -> None:
    one, two = (swept(0.2 * UP, c)[1].current for c in (50e-6, 140e-6))
    assert (one == two).all()
    quiet, curve = swept(np.linspace(0, 0.2, 5), 100e-6, g=50e-6)
    exact = [quiet.array.current(CELL.flat(32), v, 0.0, 3.3, 5e-3)[0] for v in curve.voltage]
    np.testing.assert_allclose(curve.current, exact, rtol=0.01)


def test_a_bipolar_sweep_shows_a_set_and_a_reset() -> None:
    down = np.linspace(0, -1.4, 29)
    volts = np.concatenate([UP, UP[::-1], down, down[::-1]])
    with bench(macros=1) as backend:
        backend.read(CELL)
        curve = backend.sweep(CELL, Staircase(volts, 3.3, 100e-6))
    assert (curve.voltage == volts).all()
    np.testing.assert_allclose(curve.time, 1e-3 * np.arange(1, len(volts) + 1))
    branch = curve.current.reshape(4, 29)
    assert (np.sign(curve.current) == np.sign(volts)).all()
    at = 6  # 0.3 V: between the branches lies the switching
    fresh, on = branch[0, at], branch[1, 28 - at]
    still_on, off = -branch[2, at], -branch[3, 28 - at]
    assert on > 3 * fresh and still_on > 3 * off
    assert still_on == pytest.approx(on, rel=0.25)
    # SET is abrupt on the way up only; on the way down the filament is ohmic to 30 %.
    assert branch[1, 28 - 2] / UP[2] == pytest.approx(on / UP[at], rel=0.3)


# Options.


def test_the_bench_file_names_every_option_at_its_default_and_no_other() -> None:
    options = Bench.load(None).backend.options
    assert Options(**options) == Options()
    assert set(options) == set(Options.model_fields) - {"errors"}  # left out, there are none
    assert set(options["loop"]) == set(LoopOptions.model_fields)


@pytest.mark.parametrize(
    "options",
    [
        {"chips": 1},
        {"loop": {"clmap": 0.1}},
        {"chip": 1.5},
        {"rows": 0},
        {"inhibit": 1.2},
        {"word_line": "wl"},
    ],
)
def test_options_that_do_not_exist_or_make_no_sense_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Options(**options)


def test_an_unknown_preset_is_refused_with_the_nearest() -> None:
    with pytest.raises(BenchFileError, match="taox180"):
        bench("taox18")


def test_size_of_the_bench_is_that_of_its_options() -> None:
    backend = bench(macros=2, rows=5, cols=7)
    assert backend.shape == (10, 7) and backend.macro_shape == (5, 7)
    with backend:
        assert backend.multiply(np.zeros(5), 1).shape == (7,)
        assert backend.read_all().shape == (10, 7)


def test_temperature_changes_relaxation_and_conductance() -> None:
    cold, hot = (bench(temperature=t).array for t in (298.15, 398.15))
    assert hot.population.temperature == 398.15
    later = [
        a.conductance(np.arange(3072), 0.2, 3.3, 1e4) - a.conductance(np.arange(3072), 0.2, 3.3, 0.0)
        for a in (cold, hot)
    ]
    assert np.std(later[1]) > 1.1 * np.std(later[0])


def test_wires_take_voltage_where_they_are_long() -> None:
    cells = Cells.parse("r0c0; r31c31")
    found = {}
    for name, line, switch in (("none", 0.0, 0.0), ("line", 20.0, 0.0), ("switch", 0.0, 500.0)):
        with bench(macros=1, r_line=line, r_switch=switch) as backend:
            backend.array.population.load(80e-6, np.random.default_rng(0))
            found[name] = 1 / backend.array.conductance(cells.flat(32), 0.2, 3.3, 0.0)
    np.testing.assert_allclose(found["line"] - found["none"], [40.0, 64 * 20.0], rtol=0.1)
    np.testing.assert_allclose(found["switch"] - found["none"], 500.0, rtol=0.1)


def moved_by(preset: str, word_line: str, inhibit: float, train: PulseTrain) -> FloatArray:
    """Return by what all cells but those of column 5 moved (S)."""
    with bench(preset, macros=1, word_line=word_line, inhibit=inhibit) as backend:
        backend.array.population.load(60e-6, np.random.default_rng(0))
        before = backend.array.population.filament(np.arange(1024), backend.now())
        for _ in range(5):
            backend.pulse(train)
        after = backend.array.population.filament(np.arange(1024), backend.now())
    return np.delete((after - before).reshape(32, 32), 5, axis=1)


def test_half_selected_cells_are_stressed_by_one_polarity_and_spared_by_inhibition(tmp_path: Path) -> None:
    drive = {
        "set": PulseTrain.of(CELL, Pulse.parse("SET 2V gate=2V 1us")),
        "reset": PulseTrain.of(CELL, RESET),
    }
    for word_line, polarity in itertools.product(("bl", "sl"), drive):
        spared = moved_by(still(tmp_path), word_line, 1.0, drive[polarity])
        moved = moved_by(still(tmp_path), word_line, 0.0, drive[polarity])
        stressed = (word_line, polarity) in (("bl", "set"), ("sl", "reset"))
        sign = 1 if polarity == "set" else -1
        assert ((sign * moved[3]).mean() > 2e-6) == stressed
        assert np.abs(np.delete(moved, 3, axis=0)).max() < 1e-9 and np.abs(spared).max() < 1e-9


def test_a_fresh_chip_is_formed_by_forming_pulses_and_by_no_set() -> None:
    cells = Cells.of_shape((32, 32))
    with bench(macros=1, formed=False) as backend:
        good = ~backend.array.population.stuck
        fresh = backend.read(cells, ReadSpec(samples=4))
        assert np.abs(fresh[good]).max() < 1e-6
        backend.pulse(PulseTrain.of(cells, SET))
        backend.read(cells)
        assert (backend.array.population.cells.fresh[good] == 1).all()
        # 3.3 V for 1 ms within the limits: breakdown at 2.6 +- 0.18 V less 0.36 V, six sigma below.
        read = backend.read(cells, ReadSpec(samples=4))
        safe = cells.take(read < 1e-6)
        for part in np.array_split(np.arange(len(safe)), 4):
            backend.pulse(PulseTrain.of(safe.take(part), Pulse.parse("FORM 3.3V gate=1.2V 10us")))
        after = backend.read(cells)
        assert (backend.array.population.cells.fresh[good] == 0).all()
        assert after[good].min() > 15e-6 and np.median(after[good]) < 120e-6
        assert after[~good].size and (after[~good] < 1e-6).any()
    with bench(macros=1) as ready:
        assert 3e-6 < np.median(ready.read_all()) < 8e-6


def test_every_option_of_the_loop_changes_a_run() -> None:
    changes = {
        "clamp": 0.02, "rail": 0.05, "opamp_gain": 1e3, "rc_error": 0.05, "leak": 0.2, "offset": 0.01,
        "multiplier_gain": 0.1, "multiplier_offset": 0.01, "tia_offset": 0.01, "dac_bits": 8,
        "read_noise": True,
    }  # fmt: skip
    assert set(changes) | {"leak_spread"} == set(LoopOptions.model_fields)

    def end(**change: Any) -> FloatArray:
        with bench(loop=IDEAL.model_copy(update=change)) as backend:
            load(backend, np.where(np.arange(32) % 3 == 0, 80e-6, np.full((96, 32), 30e-6)), 0.05)
            start = np.array([[1.2, -0.5], [-1.4, 0.9]])
            return backend.solve(Sampling(volts=0.05).declare(NET, NetworkMapping.fit(NET), start)).end

    ideal = end()
    for name, value in changes.items():
        assert np.abs(end(**{name: value}) - ideal).max() > 1e-4, name
    assert np.abs(end(leak=0.2, leak_spread=0.2) - end(leak=0.2)).max() > 1e-4
