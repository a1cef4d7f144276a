"""Watch cells grow old: clocks that outlive the process, reads that fall due, laws in log time."""
