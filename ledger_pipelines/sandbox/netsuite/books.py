"""Verdicts on the books: the trial balance and the dump of everything.

Belongs here: reading out. All amounts as text, every list in a fixed order. Source: issue 2, the sandbox's control.
"""

from __future__ import annotations

from decimal import Decimal

from ledger_pipelines.sandbox import codec
from ledger_pipelines.sandbox.codec import ZERO, Document, number, plain
from ledger_pipelines.sandbox.netsuite.company import Company
from ledger_pipelines.sandbox.netsuite.representation import Presenter, View


def trial_balance(company: Company) -> Document:
    """`{accounts: [{id, number, name, type, currency, debit, credit, balance, base_balance}], currencies, balanced}`.

    `debit`, `credit` and `balance` (debit positive) are in the transaction currency; `base_balance` is in the
    subsidiaries' books. `currencies` gives each currency's totals and difference; `balanced` is true when every
    difference, and the books' difference, is zero.
    """
    sums: dict[tuple[int, int], list[Decimal]] = {}
    base_total = ZERO
    for account, currency, debit, credit, amount in company.store.db.execute(
        "SELECT account, currency, foreigndebit, foreigncredit, amount FROM ns_ledger ORDER BY account, currency"
    ):
        found = sums.setdefault((account, currency), [ZERO, ZERO, ZERO])
        found[0] += number(debit)
        found[1] += number(credit)
        found[2] += number(amount)
        base_total += number(amount)
    symbols = {row.id: str(row.body["symbol"]) for row in company.store.rows("currency")}
    accounts = {row.id: row.body for row in company.store.rows("account")}
    totals: dict[str, list[Decimal]] = {}
    lines = []
    for (account, currency), (debit, credit, base) in sums.items():
        symbol = symbols.get(currency, str(currency))
        body = accounts.get(account, {})
        lines.append(
            {
                "id": str(account), "number": body.get("acctNumber"), "name": body.get("acctName"),
                "type": body.get("acctType"), "currency": symbol, "debit": plain(debit), "credit": plain(credit),
                "balance": plain(debit - credit), "base_balance": plain(base),
            }
        )  # fmt: skip
        total = totals.setdefault(symbol, [ZERO, ZERO])
        total[0] += debit
        total[1] += credit
    lines.sort(key=lambda line: (str(line["number"]), str(line["currency"])))
    currencies = {
        symbol: {"debit": plain(debit), "credit": plain(credit), "difference": plain(debit - credit)}
        for symbol, (debit, credit) in sorted(totals.items())
    }
    balanced = not base_total and all(debit == credit for debit, credit in totals.values())
    return {
        "accounts": lines,
        "currencies": currencies,
        "base_difference": plain(base_total),
        "balanced": balanced,
    }


def dump(company: Company) -> Document:
    """Every record (by type), ledger line, link, job and audit line, in a fixed order; numbers as text."""
    presenter = Presenter(company, "")
    records: Document = {}
    for record_type in sorted(company.schema.types.values(), key=lambda item: item.name):
        rows = company.store.rows(record_type.family, record_type.name)
        if rows:
            records[record_type.name] = [
                _own(
                    presenter.record(record_type, row, View(expand=not record_type.is_transaction)), row.body
                )
                for row in rows
            ]
    # numbers leave as text: what reads the dump compares money exactly
    shown: Document = codec.loads(codec.keep(records))
    return {
        "records": shown,
        "ledger": _table(company, "ns_ledger", '"transaction", transactionline'),
        "links": _table(company, "ns_link", "previousdoc, nextdoc, linktype, previousline, nextline, via"),
        "lines": _table(company, "ns_line", '"transaction", id'),
        "jobs": _table(company, "ns_job", "id"),
        "tasks": _table(company, "ns_task", "job, id"),
        "audit": _table(company, "ns_audit", "id"),
        "features": company.features.model_dump(),
    }


def _own(record: Document, body: Document) -> Document:
    """Drop links; keep the record's own sublist lines as they were sent."""
    found = {name: value for name, value in record.items() if name != "links"}
    for name, value in list(found.items()):
        if isinstance(value, dict) and "id" not in value and set(value) <= {"links", "items", "totalResults"}:
            if name in body:
                found[name] = body[name]
            else:
                del found[name]
        elif isinstance(value, dict) and "id" in value:
            found[name] = {key: cell for key, cell in value.items() if key != "links"}
    return found


def _table(company: Company, table: str, order: str) -> list[Document]:
    cursor = company.store.db.execute(f"SELECT * FROM {table} ORDER BY {order}")  # noqa: S608  own names
    names = [column[0] for column in cursor.description]
    return [
        {name: value for name, value in zip(names, row, strict=True) if value is not None} for row in cursor
    ]
