"""Draw letters in closed loop, class by class."""
