"""Drive the real instruments of a bench: source meter, oscilloscope and macro controller board."""

from typing import Any


def __getattr__(name: str) -> Any:
    # PyVISA and pyserial load only when a bench is opened: the command line stays quick.
    if name == "BenchBackend":
        from drivers.bench_backend import BenchBackend

        return BenchBackend
    raise AttributeError(f"drivers has no {name}")
