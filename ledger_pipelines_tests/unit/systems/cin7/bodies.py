"""Bodies and effects of the tests of Cin7's writer.

Belongs here: what is written. Does not belong here: where (`desk`, `fake`), assertions.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from ledger_pipelines.documents.effects import Action, Effect, Expected
from ledger_pipelines.documents.keys import Json, canonical
from ledger_pipelines.documents.money import Money

WINDOW = timedelta(seconds=20)
Body = dict[str, Json]


def line(code: str, price: str, qty: int = 2, **more: Json) -> Body:
    """One line of an order."""
    return {"code": code, "name": code, "qty": qty, "unitPrice": Decimal(price), "sort": 1, **more}


def order_body(reference: str, price: str = "49.95", **more: Json) -> Body:
    """An order of something Cin7 does not know, which it takes all the same; two of it."""
    return {
        "reference": reference, "customerOrderNo": reference, "isApproved": True, "stage": "New", "branchId": 3,
        "firstName": "Ana", "lastName": "Reid", "email": "ana@example.test", "currencyCode": "AUD", "taxStatus": "Incl",
        "taxRate": Decimal(10), "lineItems": [line("TEA-TEST", price)], **more,
    }  # fmt: skip


def contact_body(reference: str, **more: Json) -> Body:
    """A customer, known by an e-mail address or by `integrationRef`."""
    known: Body = {"email": reference} if "@" in reference else {"integrationRef": reference}
    return {"type": "Customer", "firstName": "Ana", "lastName": f"Reid {reference}", **known, **more}


def payment_body(reference: str, order: Json, amount: str, **more: Json) -> Body:
    """A payment of an order."""
    return {
        "orderId": order, "method": "Credit Card", "amount": Decimal(amount), "transactionRef": reference,
        "paymentDate": "2026-09-14T00:00:00Z", "orderType": "SalesOrder", **more,
    }  # fmt: skip


def product_body(sku: str, **more: Json) -> Body:
    """A product with one option."""
    option: Body = {"productOptionCode": sku, "retailPrice": Decimal("11.00")}
    return {"styleCode": sku, "name": f"Tea {sku}", "status": "Public", "productOptions": [option], **more}


def effect_of(
    kind: str,
    reference: str,
    body: Body,
    amount: str | None = None,
    *,
    action: Action = Action.CREATE,
    **more: Any,
) -> Effect:
    """An effect of these tests."""
    expected = Expected(None if amount is None else Money(Decimal(amount), "AUD"))
    values: dict[str, Any] = {
        "key": f"KEY-{kind}-{action}-{reference}", "connection": "stock", "integration": "neto_cin7", "flow": "orders",
        "partition": "2026-09-14", "kind": kind, "action": action, "external_id": reference, "number": reference,
        "title": f"{kind} {reference}", "body": canonical(body), "expected": expected,
    }  # fmt: skip
    return Effect(**(values | more))


def change(target: int | str, body: Body, reference: str = "N1", kind: str = "sales_order") -> Effect:
    """A change of a record."""
    return effect_of(kind, reference, body, action=Action.UPDATE, target_id=str(target))


def void(target: int | str, reference: str = "N1") -> Effect:
    """A void of an order."""
    return effect_of("sales_order", reference, {}, action=Action.VOID, target_id=str(target))
