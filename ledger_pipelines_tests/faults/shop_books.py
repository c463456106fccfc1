"""A file's books, and its store's, in a form in which two runs can be compared: no ids, no instants, no `LastUpdatedId`.

Belongs here: what counts as the same. Does not belong here: running anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from ledger_pipelines_tests.faults import store_books
from ledger_pipelines_tests.faults.drill_books import Picture
from ledger_pipelines_tests.faults.store_books import number, text
from ledger_pipelines_tests.shop_stage import ShopStage

Json = Any
_LEFT_OUT = frozenset({"Id", "LastUpdatedId", "created", "modified"})
_OURS = ("contact", "company", "item", "invoice", "payment", "journal")
"""What the product writes in the file."""
_ALONE = ("contact", "item", "invoice", "journal")


def picture(stage: ShopStage) -> Picture:
    """The file's records and ledger, the links between them, and the store's products and stock, from the sandbox's dumps."""
    file = stage.file()
    names = _names(file.dump["records"])
    records: Counter[str] = Counter()
    links: Counter[str] = Counter()
    for kind in _OURS:
        for row in file.records(kind):
            records[f"{kind} {text(_plain('', row, names))}"] += 1
    for payment in file.records("payment"):
        for paid in payment["PaymentItems"]:
            of = names.get(str(paid["InvoiceTransactionId"]), "?")
            links[f"{payment['Reference']} -> {of} {number(paid['AmountPaid'])}"] += 1
    ledger: Counter[str] = Counter()
    for line in file.dump["ledger"]:
        of = names.get(str(line["transaction"]), "?")
        ledger[f"{of} {text(_plain('', {k: v for k, v in line.items() if k != 'transaction'}, {}))}"] += 1
    for code, held in file.dump["stock"].items():
        records[f"stock of {code} in Saasu {text(_plain('', held, {}))}"] += 1
    records += store_books.products(stage)
    accounts = {line["name"]: number(line["balance"]) for line in file.trial["accounts"]}
    return Picture(records, ledger, links, accounts)


def references(stage: ShopStage) -> list[str]:
    """What each record of the file is known by, and each product of the store; doubles included."""
    file = stage.file()
    found = [f"{kind} {_reference(kind, row)}" for kind in _OURS for row in file.records(kind)]
    return found + [f"product {sku}" for sku in store_books.skus(stage)]


def intended(stage: ShopStage) -> set[str]:
    """References of what is written by a call of its own: companies and first payments go in the calls of others."""
    file = stage.file()
    return {_reference(kind, row) for kind in _ALONE for row in file.records(kind)}


def made(stage: ShopStage, kinds: Sequence[str]) -> Mapping[str, int]:
    """How many of each kind of document are there, in the words of `shop_scene.KINDS`."""
    file = stage.file()
    sales = file.invoices()
    counts = {
        "item": len(file.records("item")),
        "contact": len(file.records("contact")),
        "company": len(file.records("company")),
        "invoice": sum(one["InvoiceType"] == "Tax Invoice" for one in sales),
        "note": sum(one["InvoiceType"] == "Adjustment Note" for one in sales),
        "payment": len(file.payments()),
        "refund": sum("REFUND" in one["Reference"] for one in file.payments()),
        "journal": len(file.records("journal")),
        "product": len(stage.store()["item"]),
    }
    return {kind: counts[kind] for kind in kinds}


def found_by_hand(stage: ShopStage, kind: str, reference: str) -> list[str]:
    """Ids of what a person finds in the file under a reference."""
    kind = {"contactAggregate": "contact"}.get(kind, kind)
    return [str(row["Id"]) for row in stage.file().records(kind) if _reference(kind, row) == reference]


def _reference(kind: str, row: Mapping[str, Json]) -> str:
    field = {
        "contact": "ContactId", "company": "Name", "item": "Code", "invoice": "PurchaseOrderNumber", "payment": "Reference",
        "journal": "Reference",
    }[kind]  # fmt: skip
    return str(row[field])


def _names(records: Mapping[str, Sequence[Mapping[str, Json]]]) -> dict[str, str]:
    """Records by id: what they are known by. Ids of one file are of one series each, far apart."""
    return {
        str(row["Id"]): f"{kind} {_reference(kind, row)}" for kind in _OURS for row in records.get(kind, [])
    }


def _plain(name: str, value: Json, names: Mapping[str, str]) -> Json:
    if isinstance(value, dict):
        return {k: _plain(k, v, names) for k, v in value.items() if k not in _LEFT_OUT}
    if isinstance(value, list):
        return sorted((_plain("", one, names) for one in value), key=text)
    if name.endswith("Id") and name != "ContactId":
        return names.get(str(value), str(value))
    if isinstance(value, str | int | Decimal) and not isinstance(value, bool):
        return number(value)
    return value
