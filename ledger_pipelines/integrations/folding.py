"""Comparing names that people type.

Belongs here: that one rule, light to import: settings are checked with it when definitions load. Does not belong here: looking
records up (`shop`).
"""

from __future__ import annotations


def folded(text: str) -> str:
    """For comparing without regard to case and outer blanks."""
    return text.strip().casefold()
