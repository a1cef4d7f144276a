"""Take a waveform of 1e6 points from an oscilloscope, beside a raw socket read of the same bytes.

A small server in a process of its own answers as each of the three oscilloscopes and holds the record ready,
so that what is timed is the way from the socket to seconds and volts. The raw reader asks the same server for
the same blocks (as many as the driver needs: one, or four of 250 000 bytes) and throws them away.
"""

import socket
import subprocess
import sys
import time
from collections.abc import Callable
from threading import Thread
from typing import Final

import numpy as np
from numpy.typing import NDArray

from drivers.keysight_infiniivision import KeysightInfiniiVision
from drivers.rigol_ds1000z import RigolDs1000z
from drivers.scpi_scope import ScpiScope
from drivers.spec import ScopeSpec
from drivers.tektronix_mso4000 import TektronixMso4000

FloatArray = NDArray[np.float64]

POINTS: Final = 1_000_000
REPEATS: Final = 15
GOAL: Final = 2.0
CONTENTS: Final = ("random", "all 0x0A")

ANSWERS: Final = {
    "*OPC?": "1",
    "*ESR?": "0",
    "ALLEV?": '0,"No events to report - queue empty"',
    ":SYST:ERR?": '0,"No error"',
    "ACQ:STATE?": "0",
    ":OPER:COND?": "0",
    ":TRIG:STAT?": "STOP",
    "WFMO:BYT_N?;BN_F?;BYT_O?;NR_P?;XIN?;XZE?;YMU?;YOF?;YZE?": f"1;RI;MSB;{POINTS};1E-6;-5E-2;2E-3;-25;0",
    "DAT:SOU?": "CH1",
    ":WAV:SOUR?": "CHAN1",
}
PREAMBLE: Final = f"0,2,{POINTS},1,1.0E-6,-5.0E-2,0,2.0E-3,0,127"
IDENTITIES: Final[dict[type[ScpiScope], str]] = {
    TektronixMso4000: "TEKTRONIX,MSO4104,0,1",
    KeysightInfiniiVision: "KEYSIGHT TECHNOLOGIES,DSO-X 3034T,0,1",
    RigolDs1000z: "RIGOL TECHNOLOGIES,DS1104Z,0,1",
}


def serve(identity: str, content: str) -> None:
    """Answer clients, each in a thread, after telling the port on stdout."""
    record = b"\x0a" * POINTS if content == CONTENTS[1] else np.random.default_rng(1).bytes(POINTS)
    piece = POINTS // pieces_of(identity)
    block = f"#9{piece:09d}".encode() + record[:piece] + b"\n"
    answers = {**ANSWERS, "*IDN?": identity, ":WAV:PRE?": PREAMBLE}
    known = {command: f"{answer}\n".encode() for command, answer in answers.items()}
    known |= {"CURV?": block, ":WAV:DATA?": block}
    with socket.create_server(("127.0.0.1", 0)) as server:
        print(server.getsockname()[1], flush=True)
        while True:
            Thread(target=answer, args=(server.accept()[0], known), daemon=True).start()


def answer(client: socket.socket, known: dict[str, bytes]) -> None:
    """Answer the lines of one client until it leaves."""
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with client, client.makefile("rb") as lines:
        for line in lines:
            client.sendall(known.get(line.decode().strip(), b""))


def pieces_of(identity: str) -> int:
    """Return in how many blocks this maker sends the record."""
    return 4 if "RIGOL" in identity else 1


def read_raw(connection: socket.socket, commands: list[bytes]) -> bytearray:
    """Return the blocks from a plain socket, with nothing looked at."""
    size = POINTS // len(commands) + len("#9000000000") + 1
    data = bytearray()
    for number, command in enumerate(commands, 1):
        connection.sendall(command)
        while len(data) < number * size:
            data += connection.recv(1 << 18)
    return data


def asked(kind: type[ScpiScope], pieces: int) -> list[bytes]:
    """Return what is sent for each block."""
    if kind is TektronixMso4000:
        return [b"CURV?\n"]
    size = POINTS // pieces
    parts = [f":WAV:STAR {n * size + 1}\n:WAV:STOP {(n + 1) * size}\n" for n in range(pieces) if pieces > 1]
    return [f"{part}:WAV:DATA?\n".encode() for part in parts or [""]]


def seconds(does: Callable[[], object]) -> float:
    """Return how long it takes (s)."""
    begin = time.perf_counter()
    does()
    return time.perf_counter() - begin


def measured(kind: type[ScpiScope], content: str) -> FloatArray:
    """Return the times (s) of a raw read, of the codes, and of codes, seconds and volts (repeats, 3)."""
    identity = IDENTITIES[kind]
    command = [sys.executable, __file__, "--serve", identity, content]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            return beside(kind, int(server.stdout.readline()), pieces_of(identity))
        finally:
            server.kill()


def beside(kind: type[ScpiScope], port: int, pieces: int) -> FloatArray:
    """Return the times (s) of the three, taken in turn (repeats, 3)."""
    scope = kind(ScopeSpec(use="benchmark", resource=f"TCPIP0::127.0.0.1::{port}::SOCKET", points=POINTS))
    scope.open()

    def whole() -> None:
        waveform = scope.waveform(1)
        assert waveform.time.size == waveform.volts.size == POINTS

    commands = asked(kind, pieces)
    with socket.create_connection(("127.0.0.1", port)) as raw:
        ways = (lambda: read_raw(raw, commands), lambda: scope.waveform(1), whole)
        times = np.array([[seconds(way) for way in ways] for _ in range(REPEATS + 2)])
    scope.close()
    return times[2:]


def main() -> None:
    """Print the table."""
    print(f"a waveform of {POINTS} points; medians of {REPEATS}, taken in turn with the raw read")
    print(
        f"{'driver':24} {'content':9} {'raw ms':>7} {'codes ms':>9} {'ratio':>6} {'s, V ms':>8} {'ratio':>6}"
    )
    worst = 0.0
    for kind in IDENTITIES:
        for content in CONTENTS:
            times = measured(kind, content)
            raw, codes, whole = 1e3 * np.median(times, axis=0)
            ratios = np.median(times[:, 1:] / times[:, :1], axis=0)
            worst = max(worst, ratios[0])
            print(
                f"{kind.__name__:24} {content:9} {raw:7.2f} {codes:9.2f} {ratios[0]:6.2f} {whole:8.2f} "
                f"{ratios[1]:6.2f}"
            )
    print(f"goal: transfer <= {GOAL:g} x raw read; worst measured: {worst:.2f}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve(*sys.argv[2:])
    main()
