"""Calibrate the strength of the loop: the factor on the drive with which it does what the network says."""
