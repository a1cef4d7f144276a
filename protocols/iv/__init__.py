"""Sweep cells quasi-statically, up and down."""
