"""Neto orders into Cin7 Omni."""
