"""Calibrate the read chain: row drivers, and the current range in which single cells are read."""
