"""Measure the noise of reading."""
