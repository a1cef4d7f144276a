"""Measure the noise of writing."""
