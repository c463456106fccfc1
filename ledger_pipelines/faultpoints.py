"""Named points at which a drill may stop the process.

Belongs here: the names, and the hook a drill installs. Does not belong here: what a drill does at a point.
In the product nothing is installed and `reached` costs one comparison. A drill (`ledger_pipelines_tests.faults`)
installs a hook in the child process it starts and so kills the *production* code path at the named instant.
A name that no drill ever reaches fails the drill run (reliability.md 7, rung 4).
"""

from __future__ import annotations

from collections.abc import Callable

_hook: Callable[[str], None] | None = None


def reached(name: str) -> None:
    """Say that the point `name` has been reached. Does nothing unless a drill has installed a hook."""
    if _hook is not None:
        _hook(name)


def install(hook: Callable[[str], None] | None) -> None:
    """Install the drill's hook, or remove it with None."""
    global _hook  # noqa: PLW0603 - one process-wide switch is the point of it
    _hook = hook
