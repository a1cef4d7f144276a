"""Characterise the access transistors: beta and threshold from readings at several gate voltages."""
