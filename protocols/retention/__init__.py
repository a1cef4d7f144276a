"""Watch conductances over a long time."""
