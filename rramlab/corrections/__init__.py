"""Hold what is known of a bench's errors, and take them out of what goes through the door."""
