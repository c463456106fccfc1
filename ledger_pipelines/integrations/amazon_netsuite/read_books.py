"""Reading the books of one settlement: the only module of this integration that asks NetSuite.

Belongs here: which questions, and turning the answers into `Books` and `ReadBack`. Does not belong here: SuiteQL
(`systems.netsuite.matching`), deciding (`decide`).

Calls, for N order ids, D documents found, L their lines: one each 500 N, D/500 for lines (and L/1000), then one for
each of periods, currencies, accounts, items, subsidiaries and our summary record: that is the unavoidable count the
benchmark compares with. Nothing is asked per order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime

from ledger_pipelines.documents.keys import external_id
from ledger_pipelines.documents.money import ZERO
from ledger_pipelines.documents.settlement import SettlementGroup, TransactionClass
from ledger_pipelines.errors import ConfigurationError
from ledger_pipelines.integrations.amazon_netsuite.books import (
    CREDIT_MEMO,
    SALES_ORDER,
    BookDocument,
    BookLine,
    BookPeriod,
    BookRecord,
    Books,
    OurDocument,
)
from ledger_pipelines.integrations.amazon_netsuite.decide import REFUND_CLASSES
from ledger_pipelines.integrations.amazon_netsuite.readback import JOURNAL, AccountSum, ReadBack
from ledger_pipelines.integrations.amazon_netsuite.settings import AmazonNetSuiteSettings
from ledger_pipelines.systems.netsuite.matching import DocumentLine, Matching, NamedRecord, SalesDocument

OTHER_REF_NUM = "otherrefnum"


def order_ids(groups: Iterable[SettlementGroup], *, merchant: bool) -> list[str]:
    """Order ids that may have a document, in the order of the file, each once."""
    wanted: dict[str, None] = {}
    for group in groups:
        if group.order_id and (group.cls is TransactionClass.ORDER or group.cls in REFUND_CLASSES):
            wanted[group.order_id] = None
            if merchant and group.merchant_order_id:
                wanted[group.merchant_order_id] = None
    return list(wanted)


def read_books(
    matching: Matching,
    *,
    connection: str,
    settings: AmazonNetSuiteSettings,
    settlement_id: str,
    groups: Sequence[SettlementGroup],
    earliest: date,
    now: datetime,
    journal_knows: bool,
) -> Books:
    """Read what plans of this settlement need.

    Args:
        earliest: First date a document may carry.
        journal_knows: Whether the journal has our summary. NetSuite having it all the same means a lost memory; then
            all transactions under our external ids are read too.

    Raises:
        ConfigurationError: the account has no currency, or refuses a field a setting names.
        TransientError, CredentialError: of the connection.
    """
    general = settings.general
    ids = order_ids(groups, merchant=general.match_merchant_order_id)
    fields = [name.lower() for name in general.order_id_fields]
    if general.match_other_ref_num:
        fields.append(OTHER_REF_NUM)
    found = list(matching.sales_documents(ids, fields)) if ids and fields else []
    found += _by_pattern(matching, general.external_id_patterns, ids, found)
    found += _billed(matching, found)
    lines = _lines(matching, found)
    currencies = {c.number: c.id for c in matching.currencies() if not c.isinactive}
    if not currencies:
        raise ConfigurationError(
            f"Connection {connection} shows no currency.",
            remedy="Give its role the right to view currencies.",
        )
    summary = matching.custom_records(
        settings.records.summary_record, (), external_ids=[external_id("AZS", settlement_id)]
    )
    memory_lost = bool(summary) and not journal_knows
    ours = _ours(matching, settlement_id) if memory_lost else ()
    return Books(
        connection=connection,
        settlement_id=settlement_id,
        read_at=now,
        documents=tuple(_document(d, lines.get(d.id, ())) for d in found),
        periods=tuple(BookPeriod(p.startdate, p.enddate, not p.is_open) for p in matching.periods(earliest)),
        currencies=currencies,
        resolved=_resolved(matching, settings),
        items_by_sku=_items_by_sku(matching, groups, lines),
        ours=ours,
        summary_id=summary[0].id if summary else "",
        memory_lost=memory_lost,
    )


def read_back(matching: Matching, *, connection: str, settlement_id: str, now: datetime) -> ReadBack:
    """Read our documents of one settlement and what they posted. Three calls, more for thousands of documents."""
    prefix = external_id("AZS", settlement_id) + "-"
    by_memo: dict[tuple[str, str, str, str], AccountSum] = {}
    for line in matching.journal_lines(prefix):
        key = (line.account, line.acctnumber, line.account_name, line.memo)
        before = by_memo.get(key, AccountSum(JOURNAL, *key, ZERO, ZERO))
        by_memo[key] = replace(
            before, amount=before.amount + line.base, foreign=before.foreign + line.foreignamount
        )
    rest = [
        AccountSum("", s.account, s.acctnumber, s.account_name, "", s.base, s.foreign)
        for s in matching.ledger_sums(prefix=prefix, journals=False)
    ]
    return ReadBack(
        connection=connection,
        settlement_id=settlement_id,
        read_at=now,
        documents=_ours(matching, settlement_id),
        accounts=tuple(
            sorted([*by_memo.values(), *rest], key=lambda a: (a.number, a.account_id, a.record, a.memo))
        ),
    )


def _ours(matching: Matching, settlement_id: str) -> tuple[OurDocument, ...]:
    documents = matching.own_documents(prefix=external_id("AZS", settlement_id) + "-")
    return tuple(
        OurDocument(
            id=d.id,
            record=d.record,
            external_id=d.externalid,
            number=d.tranid,
            total=ZERO if d.total is None else d.total,
            currency=d.currency,
            day=d.day,
            unused=d.unused,
            voided=d.voided or d.status == "V",
        )
        for d in documents
    )


def _by_pattern(
    matching: Matching, patterns: Sequence[str], ids: Sequence[str], found: Sequence[SalesDocument]
) -> list[SalesDocument]:
    """The ladder's fifth rung: external ids that a known importer gave to the orders nobody found yet."""
    have = {d.order_id for d in found}
    by_external = {p.replace("{order_id}", i): i for p in patterns for i in ids if i not in have}
    if not by_external:
        return []
    documents = matching.sales_documents(list(by_external), ["externalid"])
    return [replace(d, order_id=by_external[d.externalid]) for d in documents if d.externalid in by_external]


def _billed(matching: Matching, found: Sequence[SalesDocument]) -> list[SalesDocument]:
    """Invoices made from sales orders that carry the order id where the invoice itself does not (rung 2)."""
    invoiced = {d.createdfrom for d in found if d.createdfrom}
    billed = {d.id: d for d in found if d.record == SALES_ORDER and d.status == "G" and d.id not in invoiced}
    if not billed:
        return []
    links = [link for link in matching.links(list(billed)) if link.next_record in ("invoice", "cashSale")]
    order_of = {link.nextdoc: billed[link.previousdoc] for link in links}
    if not order_of:
        return []
    documents = matching.sales_documents(list(order_of), ["id"])
    return [
        replace(d, order_id=order_of[d.id].order_id, matched_by="sales order", createdfrom=order_of[d.id].id)
        for d in documents
    ]


def _lines(matching: Matching, found: Sequence[SalesDocument]) -> dict[str, tuple[BookLine, ...]]:
    wanted = [d.id for d in found if d.record != CREDIT_MEMO]
    if not wanted:
        return {}
    lines: dict[str, list[BookLine]] = {}
    for line in matching.lines(wanted):
        if not line.taxline:
            lines.setdefault(line.transaction, []).append(_line(line))
    return {transaction: tuple(of) for transaction, of in lines.items()}


def _line(line: DocumentLine) -> BookLine:
    return BookLine(
        line.line, line.item, line.itemid, line.quantity, line.rate, line.foreignamount, line.order_item
    )


def _document(found: SalesDocument, lines: tuple[BookLine, ...]) -> BookDocument:
    return BookDocument(
        id=found.id,
        record=found.record,
        number=found.tranid or found.id,
        external_id=found.externalid,
        order_id=found.order_id,
        matched_by=found.matched_by,
        entity_id=found.entity,
        entity=found.entity_name,
        entity_inactive=found.entity_inactive,
        currency=found.currency,
        day=found.trandate,
        status=found.status,
        total=found.foreigntotal,
        unpaid=found.unpaid,
        subsidiary=found.subsidiary,
        account_id="" if found.record == SALES_ORDER else found.account,
        tax_total=found.tax,
        created_from=found.createdfrom,
        lines=lines,
    )


def _resolved(matching: Matching, settings: AmazonNetSuiteSettings) -> dict[str, BookRecord]:
    accounts, items = account_references(settings), item_references(settings)
    resolved: dict[str, BookRecord] = {}
    for kind, references, records in (
        ("account", accounts, matching.accounts(accounts) if accounts else ()),
        ("item", items, matching.items(items) if items else ()),
        ("subsidiary", sorted(set(settings.subsidiary.values())), matching.subsidiaries()),
    ):
        for reference in references:
            hit = _named(reference, records)
            if hit is not None:
                resolved[f"{kind}:{reference}"] = _record(hit)
    return resolved


def _named(reference: str, records: Sequence[NamedRecord]) -> NamedRecord | None:
    """By number or name first: an account number is digits, too. Then by internal id."""
    for test in (
        lambda r: reference in (r.number, r.name),
        lambda r: r.name.rsplit(" : ", 1)[-1] == reference,
        lambda r: r.id == reference,
    ):
        hits = [r for r in records if test(r)]
        if hits:
            return next((r for r in hits if not r.isinactive), hits[0])
    return None


def _record(found: NamedRecord) -> BookRecord:
    return BookRecord(found.id, found.number, found.name, found.type, found.isinactive)


def account_references(settings: AmazonNetSuiteSettings) -> list[str]:
    """Every account a setting names."""
    journal = settings.journal
    names = {
        *settings.payment.netsuite_payment_account.values(),
        *settings.refund.netsuite_refund_account.values(),
        *journal.amazon_payment_account.values(),
        *journal.negative_deposit_account.values(),
        *journal.transaction_fee_accounts.values(),
        *journal.non_transaction_accounts.values(),
        journal.suspense_account,
        journal.carried_forward_account,
        settings.general.rounding_account,
    }
    return sorted(name for name in names if name)


def item_references(settings: AmazonNetSuiteSettings) -> list[str]:
    """Every item a setting names."""
    refund = settings.refund
    names = {
        refund.substitute_item,
        refund.tax_only_refund_item,
        refund.tax_item,
        refund.tax_code,
        refund.shipping_item,
        refund.giftwrap_item,
        refund.promotion_item,
        refund.restocking_item,
        refund.unknown_sku_item,
    }
    return sorted(name for name in names if name)


def _items_by_sku(
    matching: Matching, groups: Sequence[SettlementGroup], lines: dict[str, tuple[BookLine, ...]]
) -> dict[str, BookRecord]:
    """Items of refunded SKUs that no document read shows."""
    shown = {line.item.strip() for of in lines.values() for line in of}
    wanted = sorted(
        {
            line.sku.strip()
            for group in groups
            if group.cls in REFUND_CLASSES
            for line in group.lines
            if line.sku.strip() and line.sku.strip() not in shown
        }
    )
    if not wanted:
        return {}
    found = {record.number: _record(record) for record in matching.items(wanted)}
    return {sku: found[sku] for sku in wanted if sku in found}
