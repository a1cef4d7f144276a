"""Sample a score network in closed loop."""
