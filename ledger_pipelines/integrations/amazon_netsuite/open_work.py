"""What is open of the settlements, and what a person says of it.

Belongs here: blocked rows of the latest plans, groups that changed in NetSuite since, and open effects of the journal as one list;
taking them up again, setting them aside. Does not belong here: making plans (`service`), what an open item is (`open_items`), the
words for it (`worklist`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from ledger_pipelines.documents.dates import Clock
from ledger_pipelines.documents.effects import Action
from ledger_pipelines.documents.money import Money
from ledger_pipelines.documents.settlement import SettlementGroup
from ledger_pipelines.integrations.amazon_netsuite import summary_update
from ledger_pipelines.integrations.amazon_netsuite.context import Context
from ledger_pipelines.integrations.amazon_netsuite.decide import worklist_key
from ledger_pipelines.integrations.amazon_netsuite.decisions import Decided
from ledger_pipelines.integrations.amazon_netsuite.readback import ReadBack
from ledger_pipelines.integrations.amazon_netsuite.settings import FLOWS
from ledger_pipelines.integrations.amazon_netsuite.verify import reopened, verified
from ledger_pipelines.integrations.open_items import (
    EVERYTHING,
    IGNORED,
    OPEN,
    Act,
    Ignored,
    OpenItem,
    blocked_item,
    journal_item,
)
from ledger_pipelines.storage.journal import Journal, Search
from ledger_pipelines.sync.plan import PlanRow
from ledger_pipelines.sync.plan_store import PlanStore


class Stored(Protocol):
    """The settlements as they are stored; no call is made."""

    def settlements(self) -> list[str]:
        """Ids of all."""
        ...

    def groups(self, settlement_id: str) -> Sequence[SettlementGroup]:
        """Groups of one."""
        ...

    def after(self, settlement_id: str) -> ReadBack | None:
        """What was read back of it, if anything."""
        ...

    def context(self, settlement_id: str) -> Context:
        """All that is known of it."""
        ...

    def keys(self, settlement_id: str) -> Context:
        """A context good for making keys only."""
        ...

    def decided(self, ctx: Context) -> Decided:
        """What becomes of its groups."""
        ...


@dataclass(frozen=True, slots=True)
class OpenWork:
    """One integration's."""

    integration: str
    stored: Stored
    journal: Journal
    ignored: Ignored
    plans: PlanStore
    clock: Clock

    def items(self, settlement_id: str | None = None) -> list[OpenItem]:
        """What needs a person or a later probe, of one settlement or of all."""
        found: dict[str, OpenItem] = {}
        chosen = self.stored.settlements() if settlement_id is None else [settlement_id]
        for sid in chosen:
            ignored = self.ignored.of(sid)
            for flow, row in self._rows(sid):
                if row.action is Action.BLOCKED and row.key not in ignored:
                    found.setdefault(row.key, blocked_item(flow, sid, row))
        for sid in chosen:
            found |= {item.key: item for item in self._reopened(sid)}
        search = Search(
            integration=self.integration, partition=settlement_id or "", states=OPEN, limit=EVERYTHING
        )
        for entry in self.journal.find(search):
            found[entry.key] = journal_item(entry)
        return list(found.values())

    def carry_out(self, act: Act) -> list[str]:
        """Do what a person says. Keys concerned. Raises DataError when nothing is called so."""
        known, moved = act.on_effects(self.journal, self.integration, self.clock)
        touched = list(moved)
        for sid in self.stored.settlements():
            rows = dict.fromkeys(
                self._to_ignore(act, sid, known) if act.what == IGNORED else self._to_retry(act, sid, known)
            )
            self.ignored.say(act, sid, rows, self.clock.now())
            touched += rows
        return act.touched(touched)

    def _to_ignore(self, act: Act, sid: str, known: Collection[str]) -> Iterator[str]:
        wanted = set(act.names)
        for _, row in self._rows(sid):
            if row.action is Action.BLOCKED and wanted & {row.key, row.number} and row.key not in known:
                yield row.key
        yield from (item.key for item in self._reopened(sid) if wanted & {item.key, item.number})

    def _to_retry(self, act: Act, sid: str, known: Collection[str]) -> Iterator[str]:
        wanted, ignored = set(act.names), self.ignored.of(sid)
        if not ignored:
            return
        for _, row in self._rows(sid):
            if row.key in ignored and wanted & {row.key, row.number} and row.key not in known:
                yield row.key
        yield from (key for key in ignored if key in wanted)
        keys = self.stored.keys(sid)
        of_orders = (
            worklist_key(keys, group) for group in self.stored.groups(sid) if group.order_id in wanted
        )
        yield from (key for key in of_orders if key in ignored)

    def _rows(self, sid: str) -> Iterator[tuple[str, PlanRow]]:
        """Flow and row of the latest plans."""
        for flow in FLOWS:
            plan = self.plans.latest(self.integration, flow, sid)
            yield from () if plan is None else ((flow, row) for row in plan.rows)

    def _reopened(self, sid: str) -> list[OpenItem]:
        """What was booked and changed in NetSuite since, by the stored read-back."""
        after = self.stored.after(sid)
        if after is None:
            return []
        ctx = self.stored.context(sid)
        return [
            OpenItem(
                worklist_key(ctx, d.group), summary_update.FLOW, sid, d.group.order_id or sid,
                f"{d.group.type} {d.group.order_id}".strip(), str(d.state), d.reason.code, d.reason.text,
                d.reason.remedy, Money(d.claimed, ctx.currency),
            )
            for d in reopened(verified(ctx, self.stored.decided(ctx).decisions, after))
        ]  # fmt: skip
