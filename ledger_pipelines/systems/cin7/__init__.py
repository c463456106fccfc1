"""Cin7 Omni: all that is true of that vendor. Facts: cin7-omni.md."""
