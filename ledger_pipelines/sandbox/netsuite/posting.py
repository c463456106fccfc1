"""The general ledger: what each transaction posts, and its searchable header and lines.

Belongs here: ledger entries that balance in transaction currency and in the subsidiary's books, and writing the
`transaction`, `transactionline` and `transactionaccountingline` projections. Does not belong here: computing
totals (sales, rules) or applications (apply). Source: netsuite.md 7.3, 9.1, 9.3.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from ledger_pipelines.sandbox.codec import ZERO, Document, number, plain, rounded
from ledger_pipelines.sandbox.netsuite import clock as times
from ledger_pipelines.sandbox.netsuite import rules
from ledger_pipelines.sandbox.netsuite.company import Company
from ledger_pipelines.sandbox.netsuite.schema import RecordType
from ledger_pipelines.sandbox.netsuite.store import Row

SALES_TAX = "2300"
EXCHANGE_GAIN = "7900"
_NON_POSTING = frozenset({"salesOrder", "itemFulfillment"})
_SIGN = {"invoice": 1, "cashSale": 1, "salesOrder": 1, "creditMemo": -1, "cashRefund": -1}


@dataclass
class Entry:
    """One line: `foreign` is debit-positive in the transaction's currency; `base` likewise in the books' currency."""

    line: int
    account: str | None
    foreign: Decimal
    base: Decimal | None = None
    mainline: bool = False
    taxline: bool = False
    source: Document = field(default_factory=dict)
    quantity: Decimal | None = None


def entries(company: Company, record_type: RecordType, row: Row) -> list[Entry]:
    """The lines of a transaction, balanced in both currencies."""
    body = row.body
    name = record_type.name
    if name in _SIGN:
        found = _sale(company, record_type, body)
    elif name == "customerPayment":
        found = _two(body["account"], body["arAcct"], number(body["payment"]))
    elif name == "customerRefund":
        found = _two(body["arAcct"], body["account"], number(body.get("total")))
        found[0].mainline, found[1].mainline = False, True
        found[0].line, found[1].line = 1, 0
    elif name == "journalEntry":
        found = [
            Entry(
                int(line["line"]) - 1,
                line["account"],
                number(line.get("debit")) - number(line.get("credit")),
                mainline=True,
                source=line,
            )
            for line in body["line"]
        ]
    elif name == "deposit":
        found = _deposit(company, body)
    else:
        found = _fulfilment(body)
    _to_books(company, row, found)
    return found


def _two(debit: str, credit: str, amount: Decimal) -> list[Entry]:
    return [Entry(0, debit, amount, mainline=True), Entry(1, credit, -amount)]


def _sale(company: Company, record_type: RecordType, body: Document) -> list[Entry]:
    sign = _SIGN[record_type.name]
    found = [
        Entry(
            0,
            body.get("account"),
            sign * number(body["total"]),
            mainline=True,
            source={"memo": body.get("memo")},
        )
    ]
    for line in body["item"]:
        quantity = number(line["quantity"]) if line.get("quantity") is not None else None
        found.append(
            Entry(
                int(line["line"]),
                _income_account(company, line),
                -sign * number(line["amount"]),
                source=line,
                quantity=None if quantity is None else -sign * quantity,
            )
        )
    following = max(entry.line for entry in found) + 1
    extra: list[tuple[Decimal, Callable[[], str], bool]] = [
        (number(body.get("taxTotal")), lambda: _tax_account(company, body), True),
        (
            number(body.get("shippingCost")) + number(body.get("handlingCost")),
            lambda: rules.default_account(company, "Income"),
            False,
        ),
        (number(body.get("discountTotal")), lambda: _discount_account(company, body), False),
    ]
    for amount, account_of, is_tax in extra:
        if amount:
            found.append(Entry(following, account_of(), -sign * amount, taxline=is_tax))
            following += 1
    return found


def _income_account(company: Company, line: Document) -> str:
    item = company.store.master("item", int(line["item"]))
    if item is not None:
        for name in ("account", "incomeAccount") if item.rectype == "discountItem" else ("incomeAccount",):
            if item.body.get(name):
                return str(item.body[name])
    if line.get("account"):
        return str(line["account"])
    return rules.default_account(company, "Income")


def _tax_account(company: Company, body: Document) -> str:
    codes = [body.get("taxItem"), *(line.get("taxCode") for line in body["item"])]
    for code in codes:
        item = company.store.master("item", int(code)) if code else None
        if item is not None and item.body.get("account"):
            return str(item.body["account"])
    return rules.default_account(company, "OthCurrLiab", SALES_TAX)


def _discount_account(company: Company, body: Document) -> str:
    item = company.store.master("item", int(body["discountItem"])) if body.get("discountItem") else None
    if item is not None and item.body.get("account"):
        return str(item.body["account"])
    return rules.default_account(company, "Income")


def _deposit(company: Company, body: Document) -> list[Entry]:
    found = [Entry(0, body["account"], number(body["total"]), mainline=True)]
    for line in body.get("payment") or []:
        if line.get("deposit") is False:
            continue
        held = company.store.db.execute(
            "SELECT account, entity FROM ns_transaction WHERE id = ?", (line["id"],)
        ).fetchone()
        found.append(
            Entry(len(found), str(held[0]), -number(line["paymentAmount"]), source={"entity": held[1]})
        )
    for line in body.get("other") or []:
        found.append(Entry(len(found), line["account"], -number(line["amount"]), source=line))
    for line in body.get("cashback") or []:
        found.append(Entry(len(found), line["account"], number(line["amount"]), source=line))
    return found


def _fulfilment(body: Document) -> list[Entry]:
    found = [Entry(0, None, ZERO, mainline=True)]
    return found + [
        Entry(int(line["line"]), None, ZERO, source=line, quantity=-number(line.get("quantity")))
        for line in body.get("item") or []
    ]


def _to_books(company: Company, row: Row, found: list[Entry]) -> None:
    """Translate at the transaction's rate; line 0 (the last journal line) takes the rounding remainder."""
    body = row.body
    rate = number(body.get("exchangeRate")) or Decimal(1)
    precision = company.precision(company.base_currency(body.get("subsidiary")))
    for entry in found:
        entry.base = rounded(entry.foreign * rate, precision)
    receivable = next((entry for entry in found if entry.account == body.get("arAcct")), None)
    is_memo = row.rectype == "creditMemo"
    if is_memo:
        receivable = found[0]
    if receivable is None and found:
        absorbing = found[-1] if row.rectype == "journalEntry" else found[0]
        absorbing.base = number(absorbing.base) - sum((number(entry.base) for entry in found), ZERO)
        return
    if receivable is None:
        return
    others = sum((number(entry.base) for entry in found if entry is not receivable), ZERO)
    receivable.base = -others
    at_documents = _at_document_rates(company, row, rate, precision)
    difference = number(receivable.base) - at_documents * (1 if receivable.foreign >= 0 else -1)
    if at_documents and difference:
        receivable.base = number(receivable.base) - difference
        gain = rules.default_account(company, "OthExpense", EXCHANGE_GAIN)
        found.append(Entry(max(entry.line for entry in found) + 1, gain, ZERO, base=difference))


def _at_document_rates(company: Company, row: Row, own_rate: Decimal, precision: int) -> Decimal:
    """The receivable in the books when each applied part is valued at its document's rate; 0 when nothing differs."""
    links = company.store.db.execute(
        "SELECT l.foreignamount, t.exchangerate FROM ns_link l JOIN ns_transaction t ON t.id = l.previousdoc "
        "WHERE l.nextdoc = ? AND l.linktype = 'Payment'",
        (row.id,),
    ).fetchall()
    if all(number(rate) == own_rate for _, rate in links):
        return ZERO
    total = number(row.body.get("payment") if row.rectype == "customerPayment" else row.body.get("total"))
    value = ZERO
    for amount, rate in links:
        value += rounded(number(amount) * number(rate), precision)
        total -= number(amount)
    return value + rounded(total * own_rate, precision)


def is_posting(company: Company, record_type: RecordType, body: Document) -> bool:
    """Whether a transaction reaches the ledger (orders, unapproved invoices and journals do not)."""
    if record_type.name in _NON_POSTING:
        return False
    if record_type.name == "journalEntry":
        return bool(body.get("approved", True))
    if record_type.name == "invoice" and company.features.approvalRouting:
        return body.get("approvalStatus") in {"2", "11"}
    return True


def project(company: Company, record_type: RecordType, row: Row) -> None:
    """Write header, lines and ledger of a transaction anew; settlement columns are filled by `apply.refresh`."""
    body = row.body
    store = company.store
    posting = is_posting(company, record_type, body)
    header: Document = {
        "id": row.id,
        "recordtype": record_type.name.lower(),
        "type": record_type.type_code,
        "tranid": body.get("tranId"),
        "transactionnumber": body.get("transactionNumber"),
        "trandate": times.stored_date(body.get("tranDate")),
        "entity": _int(body.get(rules.entity_field(record_type))),
        "currency": _int(body.get("currency")),
        "exchangerate": plain(number(body.get("exchangeRate") or 1)),
        "foreigntotal": plain(
            number(body.get("payment") if record_type.name == "customerPayment" else body.get("total"))
        ),
        "duedate": times.stored_date(body.get("dueDate")),
        "terms": _int(body.get("terms")),
        "otherrefnum": body.get("otherRefNum"),
        "externalid": row.external_id,
        "memo": body.get("memo"),
        "postingperiod": _int(body.get("postingPeriod")),
        "posting": "T" if posting else "F",
        "voided": "F",
        "createddate": row.created_local,
        "lastmodifieddate": row.modified_local,
        "createdby": row.created_by,
        "createdfrom": _int(body.get("createdFrom")),
        "isreversal": "F",
        "reversaldate": times.stored_date(body.get("reversalDate")),
        "account": _int(body.get("account")),
        "araccount": _int(
            body.get("arAcct")
            or (body.get("account") if record_type.name in {"invoice", "creditMemo"} else None)
        ),
        "subsidiary": _int(body.get("subsidiary")),
        "department": _int(body.get("department")),
        "class": _int(body.get("class")),
        "location": _int(body.get("location")),
        "visible_at": row.visible_at,
    }
    for name, spec in company.schema.body_fields.items():
        header[name] = searchable(spec.kind, body.get(spec.name))
    store.insert("ns_transaction", header)
    store.clear_lines(row.id)
    for at, entry in enumerate(entries(company, record_type, row)):
        _write(company, row, header, entry, at, posting=posting)


def _write(company: Company, row: Row, header: Document, entry: Entry, at: int, *, posting: bool) -> None:
    source = entry.source
    entity = _int(source.get("entity")) or header["entity"]
    line: Document = {
        "transaction": row.id,
        "id": entry.line,
        "linesequencenumber": at,
        "uniquekey": row.id * 1000 + entry.line,
        "mainline": "T" if entry.mainline else "F",
        "taxline": "T" if entry.taxline else "F",
        "item": _int(source.get("item")),
        "itemtype": source.get("itemType"),
        "quantity": None if entry.quantity is None else plain(entry.quantity),
        "rate": None if source.get("rate") is None else plain(number(source["rate"])),
        "netamount": plain(number(entry.base)),
        "foreignamount": plain(entry.foreign),
        "entity": entity,
        "subsidiary": header["subsidiary"],
        "department": _int(source.get("department")) or header["department"],
        "class": _int(source.get("class")) or header["class"],
        "location": _int(source.get("location")) or header["location"],
        "memo": source.get("memo") or source.get("description"),
        "createdfrom": _int(source.get("orderDoc")) or header["createdfrom"],
        "orderline": source.get("orderLine"),
        "expenseaccount": _int(entry.account),
        "visible_at": row.visible_at,
    }
    for name, spec in company.schema.column_fields.items():
        line[name] = searchable(spec.kind, source.get(spec.name))
    company.store.insert("ns_line", line)
    if not posting or entry.account is None:
        return
    base = number(entry.base)
    company.store.insert(
        "ns_ledger",
        {
            "transaction": row.id,
            "transactionline": entry.line,
            "accountingbook": 1,
            "account": _int(entry.account),
            "amount": plain(base),
            "debit": plain(base) if base > 0 else None,
            "credit": plain(-base) if base < 0 else None,
            "posting": "T",
            "currency": header["currency"],
            "foreigndebit": plain(entry.foreign) if entry.foreign > 0 else None,
            "foreigncredit": plain(-entry.foreign) if entry.foreign < 0 else None,
            "subsidiary": header["subsidiary"],
            "entity": entity,
            "visible_at": row.visible_at,
        },
    )


def searchable(kind: str, value: object) -> object:
    """A kept field value as SuiteQL columns hold it."""
    if value is None:
        return None
    if kind == "bool":
        return "T" if value else "F"
    if kind == "date":
        return times.stored_date(str(value))
    if kind in {"money", "number"}:
        return plain(number(value))
    return str(value)


def _int(value: object) -> int | None:
    return None if value in {None, ""} else int(str(value))
