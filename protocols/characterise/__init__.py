"""Hold what the measurements of a macro share: the record told again, fits, statistics."""
