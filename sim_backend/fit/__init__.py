"""Fit the device model to measured tables, and compare what it predicts with what was measured."""
