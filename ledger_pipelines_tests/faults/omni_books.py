"""An Omni account's orders, contacts, payments and stock, and its store's products, in a form in which two runs can be compared: no ids, no instants of the server.

Belongs here: what counts as the same. Does not belong here: running anything.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from ledger_pipelines_tests.faults import store_books
from ledger_pipelines_tests.faults.drill_books import Picture
from ledger_pipelines_tests.faults.store_books import number, text
from ledger_pipelines_tests.omni_stage import OmniAccount, OmniStage

Json = Any
_OURS: Mapping[str, str] = {
    "product": "styleCode", "contact": "email", "order": "reference", "payment": "transactionRef",
}  # fmt: skip
"""What the product writes, and what each is known by."""
STORE_PRODUCT = "product of the store"
_SERVERS = frozenset(
    {"id", "modifiedDate", "modifiedCOGSDate", "cancellationDate", "_voidedAt", "transactionId"}
)

_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T")


def picture(stage: OmniStage) -> Picture:
    """Records of the account and products of the store, links, and every movement of stock, from the sandbox's dumps."""
    account = stage.account()
    names = _names(account)
    records: Counter[str] = Counter()
    links: Counter[str] = Counter()
    for kind in (*_OURS, "option"):
        for row in account.records(kind):
            records[f"{kind} {text(_plain(kind, '', row, names))}"] += 1
    for payment in account.records("payment"):
        of = names.get(f"order {payment['orderId']}", "?")
        links[f"{payment['transactionRef']} -> {of} {number(payment['amount'])}"] += 1
    records += store_books.products(stage)
    ledger: Counter[str] = Counter()
    for move in account.dump["stock_moves"]:
        owner, option = (
            names.get(f"{move['kind']} {move['owner']}", "?"),
            names.get(f"option {move['option']}", "?"),
        )
        ledger[
            f"{owner} {option} {move['branch']} {number(move['on_hand'])} {number(move['open_sales'])}"
        ] += 1
    told = stage.control.get("/ledger/cin7").raise_for_status().json()
    sums = {status: text(sums) for status, sums in told["sales"].items()}
    return Picture(records, ledger, links, {**sums, "adds up": str(told["adds_up"])})


def references(stage: OmniStage) -> list[str]:
    """What each record of the account is known by, and each product of the store; doubles included."""
    account = stage.account()
    found = [f"{kind} {row[field]}" for kind, field in _OURS.items() for row in account.records(kind)]
    return [*found, *(f"{STORE_PRODUCT} {sku}" for sku in store_books.skus(stage))]


def intended(stage: OmniStage) -> set[str]:
    """References of what is there."""
    account = stage.account()
    there = {str(row[field]) for kind, field in _OURS.items() for row in account.records(kind)}
    return there | set(store_books.skus(stage))


def made(stage: OmniStage, kinds: Sequence[str]) -> Mapping[str, int]:
    """How many of each kind are there, in the words of `omni_scene.KINDS`."""
    account = stage.account()
    orders = account.records("order")
    counts = {kind: len(account.records(kind)) for kind in _OURS}
    counts["dispatched"] = sum(bool(one["dispatchedDate"]) for one in orders)
    counts["void"] = sum(bool(one["isVoid"]) for one in orders)
    counts["line"] = sum(len(account.lines(str(one["reference"]))) for one in orders)
    counts["uploaded"] = sum(not one["Approved"] for one in stage.store()["item"])
    return {kind: counts[kind] for kind in kinds}


def found_by_hand(stage: OmniStage, kind: str, reference: str) -> list[str]:
    """Ids of what a person finds in the account under a reference."""
    if kind == "item":
        return [str(row["number"]) for row in stage.store()["item"] if row["key"] == reference]
    kind = {"sales_order": "order"}.get(kind, kind)
    field = _OURS[kind]
    return [str(row["id"]) for row in stage.account().records(kind) if str(row[field]) == reference]


def _names(account: OmniAccount) -> dict[str, str]:
    """Records by kind and id: what they are known by."""
    found = {
        f"{kind} {row['id']}": f"{kind} {row[field]}"
        for kind, field in _OURS.items()
        for row in account.records(kind)
    }
    return found | {
        f"option {row['id']}": f"option {row['productOptionCode']}" for row in account.records("option")
    }


_LINKS: Mapping[str, str] = {
    "memberId": "contact", "orderId": "order", "productId": "product", "productOptionId": "option", "billingId": "contact",
}  # fmt: skip


def _plain(kind: str, name: str, value: Json, names: Mapping[str, str]) -> Json:
    if isinstance(value, dict):
        return {
            k: _plain(kind, k, v, names)
            for k, v in value.items()
            if k not in _SERVERS
            and not k.startswith("_")
            and (k != "createdDate" or (kind, name) == ("order", ""))
        }
    if isinstance(value, list):
        return sorted((_plain(kind, name or "list", one, names) for one in value), key=text)
    if name in _LINKS:
        return names.get(f"{_LINKS[name]} {value}", str(value))
    if isinstance(value, str) and _INSTANT.match(value):
        return value[:10]  # the day counts: the same scene is played again at another hour
    if isinstance(value, str | int | Decimal) and not isinstance(value, bool):
        return number(value)
    return value
