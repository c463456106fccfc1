"""How a journal of an earlier version becomes one of this version (Alembic)."""

HEAD = "0003"
"""The newest of `versions`: a journal that says so needs no look at them (which takes longer than all else of opening it)."""
