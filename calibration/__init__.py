"""Calibrate a bench: what is done to a macro and its read chain so that their numbers can be trusted."""
