"""What every flow module is given: who we are, where we write, under which settings, and how keys are made.

Belongs here: keys, external ids, dates under the period policy, resolving the settings' references.
Does not belong here: anything that differs between flows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from zoneinfo import ZoneInfo

from ledger_pipelines.documents.dates import business_date
from ledger_pipelines.documents.effects import Action, Effect, EffectState, Expected, Mode
from ledger_pipelines.documents.keys import Json, canonical, effect_key, external_id
from ledger_pipelines.documents.money import ZERO
from ledger_pipelines.documents.settlement import Settlement, SettlementGroup
from ledger_pipelines.integrations.amazon_netsuite.books import Books
from ledger_pipelines.integrations.amazon_netsuite.settings import (
    AmazonNetSuiteSettings,
    ClosedPeriodPolicy,
    PaymentDate,
)


@dataclass(frozen=True, slots=True)
class Known:
    """What the journal knows of one effect.

    applied: what its body applies to other documents. forward: of a settlement journal, what it carries between months
    (credit positive); taken: what it takes out of clearing. sent_at: when it was last sent.
    """

    key: str
    state: EffectState
    remote_id: str = ""
    number: str = ""
    body_hash: str = ""
    amount: Decimal | None = None
    applied: Decimal = ZERO
    forward: Decimal | None = None
    taken: Decimal | None = None
    sent_at: datetime | None = None
    code: str = ""
    text: str = ""
    remedy: str = ""


@dataclass(frozen=True)
class JournalView:
    """The journal's knowledge of one settlement, by effect key, and the keys a user told us to ignore."""

    known: Mapping[str, Known]
    ignored: frozenset[str] = frozenset()

    def confirmed(self, key: str) -> Known | None:
        """The effect, when it is confirmed."""
        known = self.known.get(key)
        return known if known is not None and known.state is EffectState.CONFIRMED else None


@dataclass(frozen=True)
class Context:
    """One integration at work on one settlement. All in it is immutable: what follows from it is found once."""

    integration: str
    source: str
    target: str
    account: str
    zone: ZoneInfo
    mode: Mode
    settings: AmazonNetSuiteSettings
    settlement: Settlement
    books: Books
    journal: JournalView
    one_world: bool = True

    @cached_property
    def sid(self) -> str:
        """The settlement id."""
        return self.settlement.settlement_id

    @cached_property
    def currency(self) -> str:
        """The settlement's currency."""
        return self.settlement.currency

    @cached_property
    def marked(self) -> str:
        """Prefix of memos and names in test mode."""
        return "[test] " if self.mode is Mode.TEST else ""

    def key(self, kind: str, source_id: str, purpose: str, revision: int = 0) -> str:
        """Deterministic key of an effect on the target."""
        return effect_key(
            connection=self.target,
            account=self.account,
            kind=kind,
            source_system="amazon",
            source_id=source_id,
            purpose=purpose,
            revision=revision,
        )

    def group_key(self, kind: str, group: SettlementGroup, purpose: str) -> str:
        """Key of an effect that answers to one group."""
        return self.key(kind, f"{self.sid}/{group.key}", purpose)

    def external_id(self, letter: str, key: str) -> str:
        """`AZS-<settlement>-<letter>-<key>`: one prefix a settlement, so that one query sums all of ours."""
        return external_id("AZS", self.sid, letter, key)

    def document_day(self, group: SettlementGroup) -> date:
        """The date a document of this group should carry, before the period policy."""
        if self.settings.general.document_date is PaymentDate.DEPOSIT:
            return self.deposit_day
        return business_date(group.posted_first, self.zone)

    @cached_property
    def deposit_day(self) -> date:
        """The deposit date in the books' zone."""
        return business_date(self.settlement.deposit, self.zone)

    def open_day(self, day: date) -> date | None:
        """The day itself, or the one the closed-period policy gives; None = hold.

        A date whose period was not read counts as closed: a guard that cannot be evaluated trips.
        """
        period = self.books.period_of(day)
        if period is not None and not period.closed:
            return day
        if self.settings.general.closed_period is ClosedPeriodPolicy.HOLD:
            return None
        return self.books.first_open_after(day)

    @cached_property
    def currency_id(self) -> str | None:
        """Internal id of the settlement's currency; None where NetSuite has no such active currency."""
        return self.books.currencies.get(self.currency)

    def reference(self, kind: str, name: str | None) -> str | None:
        """Internal id of an account, item... a setting names; None where it is not set or not found."""
        record = self.books.record(kind, name)
        return None if record is None or record.inactive else record.id

    @cached_property
    def clearing(self) -> str | None:
        """Internal id of the Amazon clearing account of the settlement's currency."""
        return self.reference("account", self.settings.payment.netsuite_payment_account.get(self.currency))

    @property
    def refund_account(self) -> str | None:
        """Internal id of the account refunds are paid from: the clearing account unless set."""
        name = self.settings.refund.netsuite_refund_account.get(self.currency)
        return self.clearing if name is None else self.reference("account", name)

    def effect(
        self,
        flow: str,
        kind: str,
        key: str,
        *,
        external_id: str,
        number: str,
        title: str,
        body: dict[str, Json],
        action: Action = Action.CREATE,
        expected: Expected | None = None,
        origin: str = "",
        depends_on: tuple[str, ...] = (),
        source: str = "",
    ) -> Effect:
        """An intended write of this settlement to the target."""
        return Effect(
            key=key,
            connection=self.target,
            integration=self.integration,
            flow=flow,
            partition=self.sid,
            kind=kind,
            action=action,
            external_id=external_id,
            number=number,
            title=title,
            body=canonical(body),
            expected=expected or Expected(),
            origin=origin,
            depends_on=depends_on,
            source=source,
        )

    def marks(self, order_id: str) -> dict[str, Json]:
        """Body fields that carry our order and settlement ids, as the settings name them."""
        general = self.settings.general
        fields: dict[str, Json] = {}
        if general.order_id_field_on_documents and order_id:
            fields[general.order_id_field_on_documents] = order_id
        if general.settlement_id_field_on_documents:
            fields[general.settlement_id_field_on_documents] = self.sid
        return fields

    def source_of(self, group: SettlementGroup) -> str:
        """The rows of the landed file a group came from."""
        return f"file:{self.settlement.content_hash}#{group.ordinals[0]}-{group.ordinals[1]}"
