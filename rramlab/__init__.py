"""Run resistive-memory macros: one door to a bench, real or simulated, and everything that stands on it."""

from importlib.metadata import version

__version__ = version("rramlab")
