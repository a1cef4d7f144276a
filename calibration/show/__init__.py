"""Show the calibration of a bench: what is known, how well, of which bench and until when."""
