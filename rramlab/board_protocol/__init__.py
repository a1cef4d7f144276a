"""Speak the rramlab board protocol: what host and controller board say to each other, byte by byte.

docs/board-protocol.md is the specification; both sides of a wire are built from these modules.
"""
