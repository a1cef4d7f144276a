"""Cycle cells and watch their window."""
