"""Simulate 1T1R macros with their analog loop, behind the same door as a bench of instruments."""

from typing import Any


def __getattr__(name: str) -> Any:
    # Compiled kernels load only when a bench is opened: the command line stays quick.
    if name == "SimBackend":
        from sim_backend.backend import SimBackend

        return SimBackend
    raise AttributeError(f"sim_backend has no {name}")
