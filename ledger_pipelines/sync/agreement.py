"""Whether a record of the target is the one we meant: amount, currency, day, lines and reference, and
what its reader finds strange.

Belongs here: the comparison, and saying a difference in words. Does not belong here: what follows (`recover`, `record`).
"""

from __future__ import annotations

from ledger_pipelines.documents.effects import Action, Effect, Remote


def disagreements(effect: Effect, remote: Remote) -> list[str]:
    """Every way the target's record differs from what we meant; what either side does not tell is not compared.

    Amounts are compared without their sign: targets show refunds and credits either way. Of a void only the reference is
    compared: what a ledger shows of a voided document (zero, nothing, the old total) differs from ledger to ledger.
    """
    expected = effect.expected
    found: list[str] = []
    if effect.external_id and remote.external_id and remote.external_id != effect.external_id:
        found.append(f"its reference is {remote.external_id}, we meant {effect.external_id}")
    if effect.action is Action.VOID:
        return found
    if expected.amount is not None and remote.amount is not None:
        if expected.amount.currency != remote.amount.currency:
            found.append(f"its currency is {remote.amount.currency}, we meant {expected.amount.currency}")
        elif abs(expected.amount) != abs(remote.amount):
            found.append(f"its total is {abs(remote.amount)}, we meant {abs(expected.amount)}")
    if expected.day is not None and remote.day is not None and expected.day != remote.day:
        found.append(f"its date is {remote.day.isoformat()}, we meant {expected.day.isoformat()}")
    if expected.lines is not None and remote.lines is not None and expected.lines != remote.lines:
        found.append(f"it has {remote.lines} lines, we meant {expected.lines}")
    if remote.strange:
        found.append(remote.strange)
    return found
