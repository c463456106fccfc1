"""What looking at an account gives, whatever the vendor: findings of a check, choices that a setting may name.

Belongs here: the shapes. Does not belong here: what is asked (`systems/<vendor>/check.py`, `options.py`).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. remedy: what to do when it is not ok."""

    name: str
    ok: bool
    text: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Option:
    """One choice: its id, what people call it, and more about it."""

    id: str
    name: str
    number: str = ""
    detail: str = ""
    isinactive: bool = False
