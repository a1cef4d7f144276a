"""Calibrate the closed loop: integrators, multipliers, and what amplifiers add, from short runs."""
