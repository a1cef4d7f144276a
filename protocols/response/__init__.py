"""Measure what pulses do to cells, over gate, SL voltage and width."""
