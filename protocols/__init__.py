"""Run the procedures of a macro: write-verify programming, reading, closed-loop sampling."""
