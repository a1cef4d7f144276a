"""Calibrate products: the wide current range of every column, and the resistance of lines and switches."""
