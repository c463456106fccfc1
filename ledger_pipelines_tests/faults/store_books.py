"""A store's products and stock in a form in which two runs can be compared, whatever its orders flow into.

Belongs here: what counts as the same in a store. Does not belong here: the target's books (`shop_books`, `omni_books`), running anything.
"""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal, InvalidOperation
from typing import Any

from ledger_pipelines_tests.store_stage import StoreStage

Json = Any
_LEFT_OUT = frozenset({"number", "added", "updated"})


def products(stage: StoreStage[Any]) -> Counter[str]:
    """Each product as the store has it, and the stock of all."""
    told = stage.control.get("/dump/neto").raise_for_status().json()
    found: Counter[str] = Counter()
    for item in told["records"]["item"]:
        found[
            f"product of the store {text(plain({k: v for k, v in item.items() if k not in _LEFT_OUT}))}"
        ] += 1
    found[f"stock of the store {text(plain(told['stock']))}"] += 1
    return found


def skus(stage: StoreStage[Any]) -> list[str]:
    """What its products are known by; doubles included."""
    return [str(row["key"]) for row in stage.store()["item"]]


def plain(value: Json) -> Json:
    """A value without what differs by nothing but form: lists in order, numbers without their zeros."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return sorted((plain(one) for one in value), key=text)
    if isinstance(value, str | int | Decimal) and not isinstance(value, bool):
        return number(value)
    return value


def number(value: str | int | Decimal) -> str:
    """A number as a text without its zeros; any other text as it is."""
    try:
        return f"{Decimal(str(value)).normalize():f}"
    except InvalidOperation:
        return str(value)


def text(value: Json) -> str:
    """Canonical."""
    return json.dumps(value, sort_keys=True, default=str)
