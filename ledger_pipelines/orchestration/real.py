"""The product's own parts, put together for a run: service, settlements, files that arrive.

Belongs here: which parts make a whole. Does not belong here: what they do. Imported at run time only: what it imports
is heavy, and definitions load without it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ledger_pipelines.config.load import LoadedConfig
from ledger_pipelines.documents.effects import EffectState
from ledger_pipelines.integrations.amazon_netsuite.service import AmazonNetSuite, build_service
from ledger_pipelines.orchestration.services import Unfinished
from ledger_pipelines.storage.journal import Entry, Search

_UNFINISHED = (EffectState.APPROVED, EffectState.CLAIMED, EffectState.SENT, EffectState.UNKNOWN)
_MOST_UNFINISHED = 10_000


class Service(AmazonNetSuite):
    """The integration's service, with what only orchestration asks."""

    def unfinished(self) -> list[Unfinished]:
        """Settlements with writes that are meant and not known to be done; from the journal, no call is made.

        A row is resolvable once no other run can hold it and, when it was sent, the target can no longer be working
        on it (`settle_window_seconds` of the connection).
        """
        window = timedelta(seconds=self.setup.target_config.settle_window_seconds)
        search = Search(integration=self.name, states=_UNFINISHED, limit=_MOST_UNFINISHED)
        found: dict[str, tuple[int, datetime]] = {}
        for entry in self.journal.find(search):
            rows, at = found.get(entry.effect.partition, (0, datetime.min.replace(tzinfo=UTC)))
            found[entry.effect.partition] = (rows + 1, max(at, _resolvable_at(entry, window)))
        return [Unfinished(sid, rows, at) for sid, (rows, at) in found.items()]

    def not_reconciled(self) -> list[str]:
        """Settlements that are not wholly booked, oldest first; from what is stored, no call is made."""
        return [
            one.settlement.settlement_id
            for one in self.status()
            if one.reconciliation is None or not one.reconciliation.clean
        ]


def _resolvable_at(entry: Entry, window: timedelta) -> datetime:
    moments = [entry.updated_at]
    if entry.state in (EffectState.CLAIMED, EffectState.SENT) and entry.lease_until is not None:
        moments.append(entry.lease_until)
    if entry.state in (EffectState.SENT, EffectState.UNKNOWN):
        moments.append((entry.settle_from or entry.sent_at or entry.updated_at) + window)
    if entry.not_before is not None:
        moments.append(entry.not_before)
    return max(moments)


def settlement_service(loaded: LoadedConfig, name: str, run_id: str) -> Service:
    """The service of one integration. Raises ConfigurationError."""
    made = build_service(loaded, name, run_id=run_id)
    return Service(made.setup, made.store, run_id=run_id)
