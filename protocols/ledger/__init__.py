"""Account for time and energy per sample: the bench as built, a projected integrated version, digital."""
