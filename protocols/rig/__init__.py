"""Tell a rig at fault from cells at fault: conditions of cells, and what their failures have in common."""
