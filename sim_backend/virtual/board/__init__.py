"""Imitate a controller board that speaks the rramlab board protocol."""
