"""Hold the commands of the ground; protocols bring their own."""
