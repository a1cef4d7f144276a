"""Measure noise: of reading over time scales and frequencies, and of writing over conductance."""
