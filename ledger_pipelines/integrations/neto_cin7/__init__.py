"""Orders of a Neto store into Cin7 Omni, with status updates (docs/neto_cin7.md)."""
