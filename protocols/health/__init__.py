"""Look a rig over."""
