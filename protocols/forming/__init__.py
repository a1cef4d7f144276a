"""Form fresh cells."""
