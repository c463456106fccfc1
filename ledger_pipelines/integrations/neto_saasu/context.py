"""What every flow module is given: who we are, both sides as last read, the journal, and how keys and rows are made.

Belongs here: keys, references, effects and rows in one way for all flows. Does not belong here: anything that differs
between flows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from ledger_pipelines.documents.effects import LINK, Action, Effect, EffectState, Expected, Mode
from ledger_pipelines.documents.keys import Json, canonical, decode, effect_key
from ledger_pipelines.documents.money import Money
from ledger_pipelines.integrations.neto_saasu.books import Books, Shop
from ledger_pipelines.integrations.neto_saasu.settings import NetoSaasuSettings
from ledger_pipelines.sync.plan import PlanRow, Reason

_PAID = re.compile(r'"InvoiceTransactionId":(?:\{"\$link":"([A-Z2-7]+)"\}|"?([0-9]+)"?)')


@dataclass(frozen=True, slots=True)
class Known:
    """What the journal knows of one effect. body: as it was last meant, canonical JSON; adopted: found, not written by us."""

    key: str
    kind: str
    action: Action
    state: EffectState
    body: str
    body_hash: str
    external_id: str = ""
    remote_id: str = ""
    number: str = ""
    amount: Money | None = None
    day: date | None = None
    adopted: bool = False
    confirmed_at: datetime | None = None
    code: str = ""
    text: str = ""
    remedy: str = ""

    def fields(self) -> Mapping[str, Json]:
        """The body, read."""
        body = decode(self.body)
        return body if isinstance(body, dict) else {}


@dataclass(frozen=True)
class JournalView:
    """The journal's knowledge of this integration, by effect key, and the keys a user told us to ignore."""

    known: Mapping[str, Known]
    ignored: frozenset[str] = frozenset()

    def confirmed(self, key: str) -> Known | None:
        """The effect, when it is in the target."""
        known = self.known.get(key)
        return known if known is not None and known.state is EffectState.CONFIRMED else None

    @cached_property
    def payments_on(self) -> Mapping[str, tuple[Known, ...]]:
        """Payments by what they are on: the key of the effect that makes it, or its id in the file."""
        found: dict[str, list[Known]] = {}
        for one in self.known.values():
            if one.kind == "payment":
                for key, number in set(_PAID.findall(one.body)):
                    found.setdefault(key or number, []).append(one)
        return {target: tuple(sorted(some, key=lambda one: one.key)) for target, some in found.items()}


@dataclass(frozen=True)
class Context:
    """The integration at work on one day. source: the Neto connection's name, target: the Saasu connection's.

    account: which account is behind the target, part of every key (the file's id); store: the same of the store.
    zone: of the books; store_zone: of the store. day: the partition. today: the books' date now.
    """

    integration: str
    source: str
    target: str
    account: str
    store: str
    zone: ZoneInfo
    store_zone: ZoneInfo
    mode: Mode
    settings: NetoSaasuSettings
    day: date
    today: date
    first_day: date
    """The integration date: orders of earlier business days are not booked."""
    shop: Shop
    books: Books
    journal: JournalView
    pairs: Mapping[str, str] = field(default_factory=dict)
    """Contacts that the initial sync paired: user name, folded -> id in Saasu."""

    def key(self, kind: str, source_id: str, purpose: str, revision: int = 0) -> str:
        """Deterministic key of an effect in the file (Saasu). source_id: the store's own id of what it comes from."""
        return effect_key(
            connection=self.target, account=self.account, kind=kind, source_system=f"neto/{self.store}",
            source_id=source_id, purpose=purpose, revision=revision,
        )  # fmt: skip

    def store_key(self, kind: str, source_id: str, purpose: str, revision: int = 0) -> str:
        """Deterministic key of an effect in the store (Neto). source_id: Saasu's own id of what it comes from."""
        return effect_key(
            connection=self.source, account=self.store, kind=kind, source_system=f"saasu/{self.account}",
            source_id=source_id, purpose=purpose, revision=revision,
        )  # fmt: skip

    def reference(self, number: str, suffix: str = "") -> str:
        """Our reference in the file of an order's document: prefix, order number, and what tells it from its sisters."""
        return f"{self.settings.orders_to_saasu.prefix}{number}{f'-{suffix}' if suffix else ''}"

    def effect(
        self,
        flow: str,
        kind: str,
        key: str,
        *,
        external_id: str,
        number: str,
        title: str,
        body: Mapping[str, Json],
        action: Action = Action.CREATE,
        expected: Expected | None = None,
        target_id: str = "",
        depends_on: tuple[str, ...] = (),
        source: str = "",
        to_store: bool = False,
    ) -> Effect:
        """An intended write: to the file, or with `to_store` to the store."""
        return Effect(
            key=key,
            connection=self.source if to_store else self.target,
            integration=self.integration,
            flow=flow,
            partition=self.day.isoformat(),
            kind=kind,
            action=action,
            external_id=external_id,
            number=number,
            title=title,
            body=canonical(dict(body)),
            expected=expected or Expected(),
            target_id=target_id,
            depends_on=depends_on,
            source=source,
        )

    def row(self, effect: Effect, reason: Reason, *, state: str = "") -> PlanRow:
        """The row of an effect, or of what the journal already knows of it: confirmed ones and those a person ignored are
        skipped; those in doubt are skipped too, for only the engine may take them up."""
        known = self.journal.known.get(effect.key)
        action = effect.action
        sent: Effect | None = effect
        if effect.key in self.journal.ignored or (known is not None and known.state is EffectState.IGNORED):
            action, sent = Action.SKIP, None
            reason = Reason(
                "ignored-by-user", "Ignored by a user.", "`ledger-pipelines retry` takes it up again."
            )
        elif known is not None and known.state is EffectState.CONFIRMED:
            name = known.number or known.remote_id
            action, sent = Action.SKIP, None
            reason = Reason(
                "already-there", f"In the target already as {name}." if name else "In the target already."
            )
        elif known is not None and known.state in (EffectState.HELD, EffectState.UNKNOWN, EffectState.SENT):
            action, sent = Action.BLOCKED if known.state is EffectState.HELD else Action.SKIP, None
            reason = Reason(
                known.code or known.state.value, known.text or "The outcome of an earlier call is not known yet.",
                known.remedy or "It is looked for by the next run; nothing to do.",
            )  # fmt: skip
        return PlanRow(
            action=action, reason=reason, key=effect.key, number=effect.number, title=effect.title, kind=effect.kind,
            amount=effect.expected.amount, effect=sent, state=state,
        )  # fmt: skip

    def skip(
        self, key: str, number: str, title: str, reason: Reason, amount: Money | None = None, kind: str = ""
    ) -> PlanRow:
        """A row that writes nothing and needs nobody."""
        return PlanRow(Action.SKIP, reason, key, number, title, kind, amount)

    def blocked(
        self, key: str, number: str, title: str, reason: Reason, amount: Money | None = None, kind: str = ""
    ) -> PlanRow:
        """A row that waits for a person, unless one has said to ignore it."""
        if key in self.journal.ignored:
            return self.skip(
                key, number, title, Reason("ignored-by-user", "Ignored by a user."), amount, kind
            )
        return PlanRow(Action.BLOCKED, reason, key, number, title, kind, amount)


def link(key: str) -> dict[str, Json]:
    """In a body: the target's id of that effect, filled in before sending."""
    return {LINK: key}
