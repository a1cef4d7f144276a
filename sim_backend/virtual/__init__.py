"""Imitate a bench on the wire: one simulated macro behind instruments that answer real bytes.

`World` is the macro on the table with its lines, `clock` its time, `ports` the sockets and pseudo-terminals,
`faults` what can break, `board` the controller board of the rramlab board protocol.
"""
