"""Read conductances."""
