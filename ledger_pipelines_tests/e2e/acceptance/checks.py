"""What acceptance tests ask of the sandbox's books again and again.

Belongs here: questions with a verdict. Does not belong here: set-up (`stage`), scenarios.
"""

from __future__ import annotations

from decimal import Decimal

from ledger_pipelines_tests.stage import BANK, CLEARING, PAYABLE, Record, Stage

TXN, SUMMARY = "customrecord_azs_txn", "customrecord_azs_summary"


def settled(stage: Stage, settlement_id: str, deposit: str | Decimal, currency: str = "USD") -> None:
    """The settlement's own documents left the clearing account at 0.00 and put the deposit on the bank (or owe it to Amazon)."""
    books = stage.books()
    assert books.posted(settlement_id, CLEARING[currency]) == 0
    deposited = [
        (str(line["account"]), Decimal(line.get("debit") or 0) - Decimal(line.get("credit") or 0))
        for journal in books.ours("journalEntry", settlement_id)
        for line in journal["line"]
        if line.get("memo") == "Amount deposited by Amazon"
    ]
    number = BANK[currency] if Decimal(deposit) >= 0 else PAYABLE
    account = next(str(a["id"]) for a in books.records("account") if a["acctNumber"] == number)
    assert deposited == [(account, Decimal(deposit))]
    assert summary(stage, settlement_id)["custrecord_azs_sum_status"]["refName"] == "Reconciled"


def no_doubles(stage: Stage) -> None:
    """No external id of ours is there twice."""
    found = stage.books().external_ids()
    assert len(found) == len(set(found))


def summary(stage: Stage, settlement_id: str) -> Record:
    """The one summary record of a settlement."""
    (found,) = [
        r for r in stage.books().records(SUMMARY) if r["custrecord_azs_sum_settlement_id"] == settlement_id
    ]
    return found


def states(stage: Stage, order_id: str) -> list[str]:
    """States of an order's groups, as the settlement transactions in NetSuite tell them."""
    return [
        r["custrecord_azs_txn_status"]["refName"]
        for r in stage.books().records(TXN)
        if r.get("custrecord_azs_txn_order_id") == order_id
    ]


def message(stage: Stage, order_id: str) -> str:
    """What the settlement transactions of an order say."""
    return " ".join(
        str(r.get("custrecord_azs_txn_message"))
        for r in stage.books().records(TXN)
        if r.get("custrecord_azs_txn_order_id") == order_id
    )
