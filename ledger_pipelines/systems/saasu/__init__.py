"""Saasu: all that is true of that vendor. Facts: saasu.md."""
