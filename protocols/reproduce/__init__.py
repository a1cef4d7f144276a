"""Carry out the published experiment, figure by figure, and set what comes out beside what was claimed."""
