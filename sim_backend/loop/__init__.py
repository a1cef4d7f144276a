"""Solve the closed analog loop of a 1T1R macro: arrays in, arrays out."""

from sim_backend.loop.circuit import Circuit, Integrator, Layer, Multiplier
from sim_backend.loop.noise import ReadNoise, Telegraph
from sim_backend.loop.schedule import Reverse, Schedule
from sim_backend.loop.solution import Keep, OpenLoop, Solution, Waveforms
from sim_backend.loop.solve import evaluate, solve

__all__ = [
    "Circuit",
    "Integrator",
    "Keep",
    "Layer",
    "Multiplier",
    "OpenLoop",
    "ReadNoise",
    "Reverse",
    "Schedule",
    "Solution",
    "Telegraph",
    "Waveforms",
    "evaluate",
    "solve",
]
