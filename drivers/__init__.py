"""Drive the real instruments of a bench: source meter, oscilloscope and macro controller board."""
