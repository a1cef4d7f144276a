"""Show on one page what a calibration found."""
