"""Imitate instruments that speak SCPI: source meters and oscilloscopes around the one macro on the table.

`parser` reads program messages, `table` finds what they ask for, `status` keeps errors and registers,
`instrument` answers hosts; `source_unit` and `digitizer` are what the makes have in common.
"""
