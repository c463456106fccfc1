"""Giving a NetSuite *sandbox* the books behind a settlement file, through NetSuite's own REST API.

Belongs here: writing customers, items, sales orders, invoices and earlier payments with the product's own client.
Does not belong here: which documents a file presupposes (`sandbox_documents`).

Refuses any connection that is not declared `sandbox`. External ids make it idempotent: a second run adds nothing.
Calls for N documents and S new items: N/500 + N/1000 to look, N/100 batches (and one SuiteQL each) to write, S/100
for items.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from zoneinfo import ZoneInfo

from ledger_pipelines.documents.effects import (
    Action,
    Confirmed,
    CredentialsRefused,
    Effect,
    Prepared,
    Refused,
    Remote,
)
from ledger_pipelines.documents.keys import Json, canonical, decode, digest, external_id
from ledger_pipelines.documents.settlement import Settlement, SettlementGroup
from ledger_pipelines.errors import DataError, RefusedError, TransientError
from ledger_pipelines.integrations.amazon_netsuite.books import INVOICE
from ledger_pipelines.integrations.amazon_netsuite.payments import PAYMENT
from ledger_pipelines.integrations.amazon_netsuite.read_books import order_ids
from ledger_pipelines.integrations.amazon_netsuite.sandbox_documents import (
    EXTRAS,
    GIFTWRAP,
    NO_SKU,
    PREFIX,
    PROMOTION,
    SHIPPING,
    TAX,
    NeededDocument,
    NeededLine,
    needed_documents,
)
from ledger_pipelines.integrations.amazon_netsuite.settings import AmazonNetSuiteSettings
from ledger_pipelines.systems.netsuite.batch import MOST, Batches
from ledger_pipelines.systems.netsuite.client import NetSuiteClient
from ledger_pipelines.systems.netsuite.endings import ending_of
from ledger_pipelines.systems.netsuite.matching import Matching, Period, first_open
from ledger_pipelines.systems.netsuite.records import Records
from ledger_pipelines.systems.netsuite.suiteql import SuiteQL
from ledger_pipelines.systems.netsuite.writer import NetSuiteWriter
from ledger_pipelines.telling import Progress, silent

CUSTOMER = "customer"
ITEM = "nonInventorySaleItem"
ORDER_ITEM_FIELD = "custcol_azs_order_item_id"
OTHER_REF_NUM = "otherrefnum"
DISCOUNT = "Discount"
UNDEPOSITED = "Undeposited Funds"
ROUNDS = 6


@dataclass(frozen=True, slots=True)
class MadeBooks:
    """What came of it. counts: records made now, by record type. existing: documents that were there already.

    left_out_order_ids: orders of the file that NetSuite does not know, on purpose.
    """

    settlement_id: str
    counts: Mapping[str, int]
    existing: int
    left_out_order_ids: tuple[str, ...]


def check_sandbox(name: str, *, sandbox: bool) -> None:
    """Raise RefusedError unless the connection is declared `sandbox`."""
    if not sandbox:
        raise RefusedError(
            f"Connection {name!r} is not declared a sandbox; no orders are invented in real books.",
            remedy="Name a connection with `sandbox: true`.",
            code="not-a-sandbox",
        )


def make_books(
    groups: Iterable[SettlementGroup],
    settlement: Settlement,
    client: NetSuiteClient,
    settings: AmazonNetSuiteSettings,
    zone: ZoneInfo,
    *,
    leave_out: int | Decimal = 0,
    seed: int = 0,
    progress: Progress = silent,
) -> MadeBooks:
    """Make what the settlement presupposes and NetSuite lacks.

    Args:
        groups: All groups of the settlement.
        settlement: Its summary.
        client: Of a connection declared `sandbox`.
        settings: The integration's: order id field, customer and subsidiary by currency.
        zone: The books' time zone.
        leave_out: Number of orders (int), or share of them (Decimal below 1), that get no document.
        seed: Chooses which are left out.

    Raises:
        RefusedError: the connection is not declared `sandbox`; nothing was called.
        DataError: NetSuite refused a record; names it.
        TransientError, CredentialError: of the connection.
    """
    check_sandbox(client.connection.name, sandbox=client.connection.sandbox)
    return _Maker(client, settings, settlement, zone, progress).make(list(groups), leave_out, seed)


@dataclass
class _Maker:
    client: NetSuiteClient
    settings: AmazonNetSuiteSettings
    settlement: Settlement
    zone: ZoneInfo
    progress: Progress
    counts: dict[str, int] = field(default_factory=dict)
    existing: int = 0

    def __post_init__(self) -> None:
        self.matching = Matching(self.client)
        self.records = Records(self.client)
        self.writer = NetSuiteWriter(self.client)
        self.order_field = (self.settings.general.order_id_fields or (OTHER_REF_NUM,))[0]

    def make(self, groups: list[SettlementGroup], leave_out: int | Decimal, seed: int) -> MadeBooks:
        elsewhere, before = self._known(groups)
        unknown = [group for group in groups if group.order_id not in before]
        needed = needed_documents(
            unknown, self.settlement, self.zone, leave_out=leave_out, seed=seed, elsewhere=elsewhere
        )
        if needed.documents:
            currency = self._currency()
            subsidiary = self._subsidiary()
            customer = self._customer(currency, subsidiary)
            items = self._items(needed.items, subsidiary)
            periods = self.matching.periods(min(document.day for document in needed.documents))
            self._documents(needed.documents, customer, currency, items, periods)
        return MadeBooks(
            self.settlement.settlement_id, dict(sorted(self.counts.items())), self.existing, needed.left_out
        )

    def _count(self, kind: str, number: int) -> None:
        if number:
            self.counts[kind] = self.counts.get(kind, 0) + number

    def _known(self, groups: list[SettlementGroup]) -> tuple[frozenset[str], frozenset[str]]:
        """Order ids that were seeded with other settlements, and those NetSuite had before anything was seeded."""
        ids = order_ids(groups, merchant=False)
        if not ids:
            return frozenset(), frozenset()
        sid = self.settlement.settlement_id
        found = self.matching.sales_documents(ids, [self.order_field])
        seeded = {d.id: d for d in found if d.externalid.startswith(f"{PREFIX}-")}
        own = tuple(external_id(PREFIX, kind, sid) + "-" for kind in ("SO", "INV", "OLD"))
        elsewhere = {d.order_id for d in seeded.values() if not d.externalid.startswith(own)}
        before = {d.order_id for d in found} - {d.order_id for d in seeded.values()}
        return frozenset(elsewhere), frozenset(before)

    def _currency(self) -> str:
        code = self.settlement.currency
        found = next((c for c in self.matching.currencies() if c.number == code and not c.isinactive), None)
        if found is None:
            raise DataError(
                f"NetSuite connection {self.client.connection.name!r} has no currency {code}, which settlement "
                f"{self.settlement.settlement_id} is in.",
                remedy="Add the currency to the sandbox.",
                code="no-currency",
            )
        return found.id

    def _subsidiary(self) -> str:
        wanted = self.settings.subsidiary.get(self.settlement.currency)
        live = [s for s in self.matching.subsidiaries() if not s.isinactive]
        named = [s for s in live if wanted in (s.id, s.number, s.name, s.name.rsplit(" : ", 1)[-1])]
        return (named or live)[0].id if live else ""

    def _customer(self, currency: str, subsidiary: str) -> str:
        """The settlement customer of the currency: the one the settings name if it fits, else one of our own."""
        code = self.settlement.currency
        reference = external_id(PREFIX, "CUST", code)
        named = self.settings.customer.get(code, "")
        sql = (
            "SELECT c.id, c.entityid, c.externalid FROM customer c WHERE c.currency = ? AND c.isinactive = 'F'"
            " AND (c.entityid = ? OR c.externalid = ?) ORDER BY c.id"
        )
        rows = list(SuiteQL(self.client).rows(sql, [currency, named, reference]))
        for row in sorted(rows, key=lambda r: r.get("externalid") == reference):
            if row.get("id"):
                return str(row.get("id"))
        body: dict[str, Json] = {
            "companyName": f"Amazon Customer {code}",
            "entityId": f"Amazon Customer {code}",
            "isPerson": False,
            "currency": {"id": currency},
        }
        if subsidiary:
            body["subsidiary"] = {"id": subsidiary}
        made = self._write([self._effect(CUSTOMER, reference, body, code)], "customers")
        return made[reference].remote_id

    def _items(self, names: Sequence[str], subsidiary: str) -> dict[str, str]:
        """Internal ids by SKU or extra; extras are the settings' items, and what is missing is made."""
        refund = self.settings.refund
        chosen = {
            SHIPPING: refund.shipping_item,
            GIFTWRAP: refund.giftwrap_item,
            PROMOTION: refund.promotion_item,
            TAX: refund.tax_item or refund.tax_only_refund_item,
            NO_SKU: refund.unknown_sku_item,
        }
        wanted = [*names, *(name for name in chosen.values() if name)]
        live = [r for r in self.matching.items(wanted) if not r.isinactive]
        found = {r.number: r.id for r in live}
        sold = {r.number: r.id for r in live if r.type != DISCOUNT}
        found |= {extra: sold[name] for extra, name in chosen.items() if name and name in sold}
        missing = [name for name in names if name not in found]
        if missing:
            income = self._income_account()
            for start in range(0, len(missing), MOST):
                some = missing[start : start + MOST]
                self._make_items([self._item(name, income, subsidiary) for name in some])
                self.progress("items", start + len(some), len(missing))
            found |= {r.number: r.id for r in self.matching.items(missing)}
            absent = [name for name in missing if name not in found]
            if absent:
                raise DataError(
                    f"NetSuite did not take the item {absent[0]!r} ({len(absent)} of {len(missing)}).",
                    remedy="Look at the sandbox's log.",
                    code="item-not-made",
                )
            self._count(ITEM, len(missing))
        return found

    def _item(self, name: str, income: str, subsidiary: str) -> dict[str, Json]:
        body: dict[str, Json] = {
            "externalId": external_id(PREFIX, "ITEM", digest(name)[:20]),
            "itemId": name,
            "displayName": name,
            "incomeAccount": {"id": income},
        }
        if subsidiary:
            body |= {"subsidiary": {"items": [{"id": subsidiary}]}, "includeChildren": True}
        return body

    def _make_items(self, bodies: list[dict[str, Json]]) -> None:
        if len(bodies) == 1:
            ending = ending_of(self.records.post(ITEM, bodies[0]), str(bodies[0]["externalId"]))
            if isinstance(ending, Refused):
                raise _refused(f"item {bodies[0]['itemId']}", ending)
            return
        batches = Batches(self.client)
        job, answer = batches.submit("POST", ITEM, list(bodies), str(uuid.uuid4()))
        if not job:
            raise DataError(
                f"NetSuite did not take a batch of {len(bodies)} items: HTTP {answer.status}.",
                code="item-not-made",
            )
        for _ in range(600):
            if batches.completed(job):
                return
            self.client.clock.sleep(0.1)  # not money: seconds
        raise TransientError("A batch of items is not done after a minute.", code="batch-slow")

    def _income_account(self) -> str:
        sql = "SELECT a.id FROM account a WHERE a.accttype = 'Income' AND a.isinactive = 'F' ORDER BY a.acctnumber, a.id"
        for row in SuiteQL(self.client).rows(sql):
            return row.get("id") or ""
        raise DataError("The sandbox has no income account for items.", code="no-income-account")

    def _documents(
        self,
        documents: Sequence[NeededDocument],
        customer: str,
        currency: str,
        items: Mapping[str, str],
        periods: Sequence[Period],
    ) -> None:
        column = self._line_column()
        days = {d.reference: _open_day(periods, d.day) for d in documents}
        by_kind: dict[str, list[Effect]] = {}
        for document in documents:
            body: dict[str, Json] = {
                "entity": {"id": customer},
                "currency": {"id": currency},
                "tranDate": days[document.reference].isoformat(),
                "otherRefNum": document.order_id[:45],
                "memo": f"Amazon order {document.order_id}",
                "item": {"items": [_line(line, items, column) for line in document.lines]},
            }
            if self.order_field != OTHER_REF_NUM:
                body[self.order_field] = document.order_id
            if document.kind != INVOICE:
                body["orderStatus"] = {"id": "B"}
            effect = self._effect(document.kind, document.reference, body, document.order_id)
            by_kind.setdefault(document.kind, []).append(effect)
        made: dict[str, Remote] = {}
        for kind, effects in by_kind.items():
            made |= self._write(effects, f"{kind}s")
        paid = [d for d in documents if d.paid]
        if paid:
            self._write([self._payment(d, made[d.reference].remote_id, customer, currency, periods) for d in paid],
                        "earlier payments")  # fmt: skip

    def _payment(
        self, document: NeededDocument, invoice: str, customer: str, currency: str, periods: Sequence[Period]
    ) -> Effect:
        """Payment of an earlier invoice into undeposited funds: it touches neither clearing nor the bank."""
        body: dict[str, Json] = {
            "customer": {"id": customer},
            "currency": {"id": currency},
            "payment": document.total,
            "undepFunds": {"id": "T"},
            **self._undeposited,
            "tranDate": _open_day(periods, document.day).isoformat(),
            "memo": f"Amazon order {document.order_id}, paid with an earlier settlement",
            "autoApply": False,
            "apply": {"items": [{"doc": {"id": invoice}, "apply": True, "amount": document.total}]},
        }
        return self._effect(PAYMENT, external_id(PREFIX, "PAY", document.reference), body, document.order_id)

    @cached_property
    def _undeposited(self) -> dict[str, Json]:
        """The account of undeposited funds by name, for accounts that want it said; NetSuite chooses it otherwise."""
        found = [a for a in self.matching.accounts([UNDEPOSITED]) if not a.isinactive]
        return {"account": {"id": found[0].id}} if found else {}

    def _line_column(self) -> str:
        """The line field of the order item code, where the account has one."""
        wanted = self.client.connection.order_item_field or ORDER_ITEM_FIELD
        return wanted if f'"{wanted}"' in canonical(self.records.metadata(INVOICE)) else ""

    def _effect(self, kind: str, reference: str, body: dict[str, Json], number: str) -> Effect:
        return Effect(
            key=reference,
            connection=self.client.connection.name,
            integration="",
            flow="seed_books",
            partition=self.settlement.settlement_id,
            kind=kind,
            action=Action.CREATE,
            external_id=reference,
            number=number,
            title=f"{kind} {reference}",
            body=canonical(body),
        )

    def _write(self, effects: Sequence[Effect], what: str) -> dict[str, Remote]:
        """Write what is missing, in batches; every effect has a record afterwards. Raises as `make_books`."""
        found = dict(self.writer.probe(effects))
        there = len(found)
        self.existing += there
        for attempt in range(ROUNDS):
            missing = [effect for effect in effects if effect.key not in found]
            if not missing:
                break
            if attempt:
                self.client.clock.sleep(0.2 * 2**attempt)  # not money: seconds
            found |= self._round(missing, attempt, what, len(effects))
        else:
            missing = [effect for effect in effects if effect.key not in found]
            if missing:
                raise TransientError(
                    f"{len(missing)} of {len(effects)} {what} did not appear in NetSuite in time."
                )
        self._count(effects[0].kind, len(effects) - there)
        return found

    def _round(self, missing: Sequence[Effect], attempt: int, what: str, total: int) -> dict[str, Remote]:
        stamp = int(self.client.clock.now().timestamp() * 1000) + attempt
        chunks = [missing[start : start + MOST] for start in range(0, len(missing), MOST)]
        found: dict[str, Remote] = {}
        unclear: list[Effect] = []

        def send(some: Sequence[Effect]) -> list[tuple[Effect, object]]:
            prepared = [Prepared(e, _body(e), "", "", stamp) for e in some]
            return list(zip(some, self.writer.send(prepared), strict=True))

        with ThreadPoolExecutor(max_workers=self.writer.workers) as pool:
            for endings in pool.map(send, chunks):
                for effect, ending in endings:
                    if isinstance(ending, Confirmed):
                        found[effect.key] = ending.remote
                    elif isinstance(ending, Refused):
                        raise _refused(effect.title, ending)
                    elif isinstance(ending, CredentialsRefused):
                        raise RefusedError(f"{effect.title}: {ending.text}", code="credentials")
                    else:
                        unclear.append(effect)
                self.progress(what, total - len(missing) + len(found), total)
        if unclear:
            found |= dict(self.writer.probe(unclear))
        return found


def _body(effect: Effect) -> dict[str, Json]:
    value = decode(effect.body)
    if not isinstance(value, dict):
        raise TypeError(f"The body of {effect.title} is no object.")
    return value


def _refused(what: str, ending: Refused) -> DataError:
    return DataError(f"NetSuite refused {what}: {ending.text} ({ending.code}).", code="seed-refused")


def _open_day(periods: Sequence[Period], wished: date) -> date:
    """The wished day when its period is open, else the first open day after it."""
    return first_open(periods, wished) or wished


def _line(line: NeededLine, items: Mapping[str, str], column: str) -> Json:
    body: dict[str, Json] = {
        "item": {"id": items[line.item]},
        "quantity": line.quantity,
        "amount": line.amount,
        "description": line.item,
    }
    if line.rate is not None:
        body["rate"] = line.rate
    if column and line.order_item_code and line.item not in EXTRAS:
        body[column] = line.order_item_code
    return body
