"""A Neto store and a Cin7 Omni account, end to end on the sandbox."""
