"""Is the product there, and does the warehouse hold so many? One GetItem for up to 100 SKUs.

Belongs here: looking effects up by SKU, comparing a quantity. Does not belong here: sending (`writer`), deciding on
adoption (`sync`). Facts: neto.md 2.2 (100 SKUs a filter), 6.1, 6.2.

A SKU is the same only letter by letter. Calls: 1 each 100 SKUs when all are there; where one is missing, another that
shows that the page was the last (a short page is no proof, neto.md 4.4).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Final

from ledger_pipelines.documents.effects import Action, Effect, Remote
from ledger_pipelines.documents.keys import Json, decode
from ledger_pipelines.systems.neto.client import NetoClient
from ledger_pipelines.systems.neto.documents import stock
from ledger_pipelines.systems.neto.shapes import Fields, as_list

ITEM: Final = "item"
STOCK: Final = "stock"
MOST: Final = 100
"""Products a call (neto.md 2.2)."""


def body_of(effect: Effect) -> Mapping[str, Json]:
    """The body, read."""
    body = decode(effect.body) if effect.body else {}
    return body if isinstance(body, dict) else {}


class Probe:
    """Look-ups of one store."""

    def __init__(self, client: NetoClient) -> None:
        self._client = client

    def find(self, effects: Sequence[Effect]) -> dict[str, Remote]:
        """What the store holds, by effect key.

        CREATE of an item: the product under that SKU. UPDATE of stock: the product, when the warehouse holds so many.

        Raises:
            TransientError, CredentialError, PermanentError, DataError: nothing is learnt.
        """
        wanted = [effect for effect in effects if effect.external_id and _known(effect)]
        found: dict[str, Remote] = {}
        held: dict[str, Fields] = {}
        skus = list(dict.fromkeys(effect.external_id for effect in wanted))
        with_stock = any(effect.kind == STOCK for effect in wanted)
        for start in range(0, len(skus), MOST):
            for fields in self._products(skus[start : start + MOST], with_stock=with_stock):
                held[_sku(fields)] = fields
        for effect in wanted:
            product = held.get(effect.external_id)
            if product is None or (effect.kind == STOCK and not _agrees(effect, product)):
                continue
            told = "" if effect.kind == STOCK else product.text("InventoryID") or product.text("ID")
            found[effect.key] = Remote(told or effect.external_id, effect.external_id, effect.external_id)
        return found

    def _products(self, skus: Sequence[str], *, with_stock: bool) -> Iterator[Fields]:
        """The products of those SKUs, letter by letter, and those that Neto takes for them."""
        missing, seen = set(skus), set[str]()
        page = 0
        while missing:
            asked: dict[str, Json] = {
                "SKU": list(skus), "Page": page, "Limit": MOST, "OrderBy": "ID", "OrderDirection": "ASC",
                "OutputSelector": ["ID", "WarehouseQuantity"] if with_stock else ["ID"],
            }  # fmt: skip
            answer = self._client.read("GetItem", {"Filter": asked})
            before = len(seen)
            for one in as_list(answer.body.get("Item")):
                fields = Fields.of(one, "product")
                sku = _sku(fields)
                missing.discard(sku)
                seen.add(sku)
                yield fields
            if len(seen) == before:
                return
            page += 1


def _known(effect: Effect) -> bool:
    return (effect.kind, effect.action) in {(ITEM, Action.CREATE), (STOCK, Action.UPDATE)}


def _sku(fields: Fields) -> str:
    value = fields.body.get("SKU")
    return value if isinstance(value, str) else fields.text("SKU")


def _agrees(effect: Effect, product: Fields) -> bool:
    body = body_of(effect)
    try:
        wanted = Decimal(str(body.get("Quantity")))
    except InvalidOperation:
        return False
    place = str(body.get("WarehouseID"))
    levels = stock(product.body)
    # Neto shows no level of a warehouse that never held the product
    return next((level.on_hand for level in levels if level.place == place), Decimal(0)) == wanted
