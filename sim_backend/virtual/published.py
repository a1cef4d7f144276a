"""Imitate the published controller firmware (STM32F407, 9600 8N1), with everything that can go wrong in it.

It knows six commands, has no identification, checksum, abort or telemetry, and never clears its buffer: a
short command is completed by what stands there, and an empty line executes the last command again. `Go`
within 5 s of the last start is answered like any other and does nothing. Bytes that come while a line waits
for the main loop are lost, and some that come during a run.
(Repository yangjc97/memristor-sde-diffusion, MCU_Project.)
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil, inf
from threading import Condition, Thread
from typing import final

import numpy as np

from rramlab.errors import RramlabError
from rramlab.loop import LoopRun, Region
from sim_backend.virtual.machine import Conversation, Machine
from sim_backend.virtual.published_play import TICK, TICKS, Gains, Played, Settings, may_overflow, tables
from sim_backend.virtual.world import World

BYTE = 10 / 9600
"""Time of a byte on the line (s)."""
LOOP = 10e-3
"""Period of the main loop, which looks for a line (s)."""
BUFFER = 200
DEAD = 1000
"""Ticks after a start in which `Go` does nothing."""
WRAP = 120_000
"""Ticks after which the counter of ticks begins anew (10 min)."""
OVERRUN = 0.15
"""Share of the bytes that are lost during a run: the interrupt takes 1.15 ms of each 5 ms, a byte 1.04 ms."""
BIASES = {"0": 0.05, "1": 0.1, "2": 0.2}
END = b"\r\n"


@final
@dataclass(frozen=True)
class Wiring:
    """Hold what the board cannot be told: layers, scale (S) of each, output gain, pre-charge (V), gains."""

    layers: tuple[Region, ...]
    scale: tuple[float, ...]
    gain: float = 5.0
    start: tuple[float, float] = (0.05, -0.05)
    gains: Gains = field(default_factory=Gains)

    @classmethod
    def first(cls, rows: int = 32, start: tuple[float, float] = (0.05, -0.05)) -> "Wiring":
        """Return the layers 2-14, 14-14 and 14-2 in the first rows and columns of three macros."""
        sizes = ((2, 14), (14, 14), (14, 2))
        layers = tuple(
            Region(tuple(range(rows * m, rows * m + i)), tuple(range(o + 1)))
            for m, (i, o) in enumerate(sizes)
        )
        return cls(layers, (25e-6,) * 3, start=start)


@final
class PublishedFirmware(Machine):
    """Play closed-loop runs on the macro of a world; all hosts share the one serial line.

    `runs` counts the runs that began, `hazards` tells in words what went wrong. With `aside` off a run is
    played in place, so that a test needs no threads.
    """

    end = END

    def __init__(self, world: World, wiring: Wiring | None = None, seed: int = 0, aside: bool = True) -> None:
        self.world, self.wiring = world, wiring or Wiring.first(world.macro_shape[0])
        self.settings = Settings()
        self.runs = 0
        self.hazards: list[str] = []
        self.lock = Condition()
        self._aside = aside and world.clock.waits
        self._rng = np.random.default_rng([seed, 4])
        self._buffer = bytearray(BUFFER)
        self._length, self._carriage, self._due = 0, False, inf
        self._power_up = self._started = world.clock.now()
        self._until = -inf

    def attach(self) -> Conversation:
        """Return a conversation with a host."""
        return _Talk(self)

    @property
    def running(self) -> bool:
        """Tell whether a run is going on."""
        return self.world.clock.now() < self._until

    # The serial line.

    def take(self, data: bytes) -> list[bytes]:
        """Take bytes that have just come, the last of them now, and return the replies that are due."""
        replies: list[bytes] = []
        now = self.world.clock.now()
        for place, byte in enumerate(data, 1):
            moment = now - (len(data) - place) * BYTE
            replies += self.due(moment)
            if not (moment < self._until and self._rng.random() < OVERRUN):
                self._receive(byte, moment)
        if not self.world.clock.waits and self._due < inf:  # nobody waits: the main loop comes round at once
            self.world.clock.reach(self._due)
        return replies + self.due(self.world.clock.now())

    def _receive(self, byte: int, moment: float) -> None:
        if self._due < inf:
            return  # a whole line waits, and what comes now is lost
        if self._carriage:
            self._carriage = False
            if byte == 0x0A:
                since = moment - self._power_up
                self._due = self._power_up + LOOP * max(1, ceil(since / LOOP))
            else:
                self._length = 0
        elif byte == 0x0D:
            self._carriage = True
        else:
            self._buffer[self._length] = byte
            self._length = (self._length + 1) % BUFFER

    def due(self, moment: float) -> list[bytes]:
        """Return the reply to a line that the main loop has found by this moment (s)."""
        if self._due > moment:
            return []
        self._due, self._length = inf, 0
        reply = self._execute(bytes(self._buffer))
        return [reply] if reply else []

    def left(self) -> float:
        """Return the time (s) until the main loop looks at a line that waits."""
        return max(0.0, self._due - self.world.clock.now())

    # Commands: the length of a line is never checked.

    def _execute(self, line: bytes) -> bytes:
        if line[:2] == b"In":
            return self._init(chr(line[2]), chr(line[3]))
        if line[:2] == b"Go":
            return self._go()
        act = {b"O": self._offset, b"C": self._coef, b"D": self._bias, b"N": self._noise}.get(line[:1])
        return b"" if act is None else act([byte - 48 for byte in line[1:5]], chr(line[1])).encode("latin-1")

    def _init(self, table: str, noise: str) -> bytes:
        s = self.settings
        if self.running:
            self.hazards.append("In was sent during a run: words to the converters are corrupted")
        s.table = table if table in tables() else s.table
        s.scale = tables()[s.table]["own_scale"] or 5.0 * s.v_bias
        s.played_bias = s.v_bias
        s.noise = {"0": False, "1": True}.get(noise, s.noise)
        return f"Type:{table}\tStart...\r\n".encode("latin-1")

    def _go(self) -> bytes:
        now = self.world.clock.now()
        if self._ticks(now) > DEAD:
            self._start(now)
        return END

    def _ticks(self, now: float) -> int:
        """Return the count of ticks since the last start, which begins anew every 10 minutes."""
        return int((now - self._started) / TICK + 1e-9) % WRAP

    def _offset(self, digits: Sequence[int], word: str) -> str:
        first, second = (_single((10 * a + b) * 0.01 - 0.5) for a, b in (digits[:2], digits[2:4]))
        self.settings.offsets = first, second
        return f"Offset set1: {first:.6f}\nOffset set2: {second:.6f}\r\n"

    def _coef(self, digits: Sequence[int], word: str) -> str:
        asked = _hundredths(digits)
        if 0 < asked < 10:
            self.settings.coef = asked
        return f"Coef: {self.settings.coef:.6f}\r\n"

    def _bias(self, digits: Sequence[int], word: str) -> str:
        self.settings.v_bias = BIASES.get(word, self.settings.v_bias)
        return f"V_bias and DAC coef: {self.settings.v_bias:.6f}\r\n"

    def _noise(self, digits: Sequence[int], word: str) -> str:
        self.settings.noise_scale = _hundredths(digits)
        return f"Noise Scale: {self.settings.noise_scale:.6f}\r\n"

    # A run.

    def _start(self, now: float) -> None:
        played = Played.of(self.settings)
        if played.astray:
            self.hazards.append(f"{played.astray} words of a run overflowed into another channel")
        if played.low:
            self.hazards.append(f"{played.low} words of a run stopped at the lower end of the range")
        if may_overflow(self.settings):
            self.hazards.append("the noise can overflow its channels")
        bias = self.settings.played_bias
        start = np.array([self.wiring.start]) / bias
        coefficients = played.coefficients(self.settings, self.wiring.gains)
        w = self.wiring
        run = LoopRun(w.layers, w.scale, w.gain, bias, start, coefficients, kept=1)
        self._started, self._until = now, now + (TICKS + 1) * TICK
        self.runs += 1
        if self._aside:
            Thread(target=self._play, args=(run, now), daemon=True).start()
        else:
            self._play(run, now)

    def _play(self, run: LoopRun, began: float) -> None:
        self.world.set_loop(True)
        try:
            self.world.solve(run, began)
        except RramlabError as error:
            self.hazards.append(f"the macro refused a run: {error}")
        finally:
            self.world.set_loop(False)


@final
class _Talk(Conversation):
    def __init__(self, firmware: PublishedFirmware) -> None:
        self._firmware = firmware

    def feed(self, data: bytes) -> list[bytes]:
        with self._firmware.lock:
            return self._firmware.take(data)

    def poll(self) -> list[bytes]:
        with self._firmware.lock:
            return self._firmware.due(self._firmware.world.clock.now())

    def wake(self) -> float:
        return self._firmware.left()


def _hundredths(digits: Sequence[int]) -> float:
    return _single((100 * digits[0] + 10 * digits[1] + digits[2]) * 0.01)


def _single(value: float) -> float:
    """Return the nearest number of single precision, which the firmware keeps."""
    return float(np.float32(value))
