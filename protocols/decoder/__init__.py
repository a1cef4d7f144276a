"""Decode letters on resistive memory."""
