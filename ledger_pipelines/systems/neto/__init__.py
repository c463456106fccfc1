"""Neto (Maropost Commerce): all that is true of that vendor. Facts: neto.md."""
