"""Look for what reading and writing does to cells that are not written."""
