"""What the scenes share: a small shop and its Omni account, made through the vendors' APIs, and sums over the store.

Belongs here: set-up, and sums that know nothing of the product. Does not belong here: assertions of a scene.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

import httpx

from ledger_pipelines.integrations.by_day.results import RunResult
from ledger_pipelines.sandbox.server import RunningSandbox
from ledger_pipelines_tests.e2e.shop.kit import GOODS, KIT, begin, open_store, set_clock
from ledger_pipelines_tests.omni_stage import FREE, MAIN, SHED, OmniAccount, OmniStage
from ledger_pipelines_tests.store_stage import Record

POT: Record = {"SKU": "POT-600", "Quantity": "1"}
TEA: Record = {"SKU": "TEA-EB-100", "Quantity": "2"}
KETTLE: Record = {"SKU": "KETTLE", "Quantity": "1"}
"""Of which there are two."""
DISPATCH = "Yes - Completed Orders Only"
ORDERS = r"/v1/SalesOrders"


def open_account(sandbox: RunningSandbox, local: str) -> None:
    """The small shop's goods and people in the store; its goods, with stock at the main branch, and one customer in Omni."""
    with httpx.Client(base_url=sandbox.control_url, trust_env=False, timeout=60) as control:
        begin(control, local, "empty", "cin7")
        control.post("/cin7/settings", json=FREE).raise_for_status()
    open_store(sandbox)
    given = sandbox.credentials["cin7"]
    with httpx.Client(
        base_url=sandbox.base_urls["cin7"],
        trust_env=False,
        timeout=60,
        auth=(str(given["username"]), str(given["key"])),
    ) as omni:
        goods = [
            *((sku, name, price, stock) for sku, name, price, stock in GOODS),
            (KIT, "Starter kit", "72.00", 0),
        ]
        products = [
            {
                "styleCode": sku,
                "name": name,
                "productOptions": [{"productOptionCode": sku, "retailPrice": float(price)}],
            }
            for sku, name, price, _ in goods
        ]
        stock = [{"code": sku, "qty": count, "unitCost": 5} for sku, _, _, count in goods if count]
        contact = {
            "type": "Customer", "firstName": "Priya", "lastName": "Nair", "email": "PRIYA@example.com",
            "integrationRef": "priya.nair0",
        }  # fmt: skip
        for path, body in (
            ("Products", products),
            ("Adjustments", [{"branchId": MAIN, "lineItems": stock}]),
            ("Contacts", [contact]),
        ):
            told = omni.post(f"/api/v1/{path}", json=body).raise_for_status().json()
            assert all(one["success"] for one in told), told


def restored(sandbox: RunningSandbox, local: str) -> None:
    """The state kept, no faults, no calls counted, and the clock."""
    with httpx.Client(base_url=sandbox.control_url, trust_env=False, timeout=60) as control:
        for path in ("/faults", "/calls", "/cin7/meter"):
            control.delete(path).raise_for_status()
        control.post("/restore", json={"name": "opened"}).raise_for_status()
        set_clock(control, local)


def totals(stage: OmniStage, statuses: Sequence[str] = ()) -> Mapping[str, Decimal]:
    """What the store's orders come to, by number: all that are not cancelled, or of these statuses."""
    return {
        one["key"]: Decimal(one["GrandTotal"])
        for one in stage.store()["order"]
        if (one["OrderStatus"] in statuses if statuses else one["OrderStatus"] not in ("Cancelled", "Quote"))
    }


def in_omni(account: OmniAccount) -> Mapping[str, Decimal]:
    """What orders that are not void come to in Omni, by reference."""
    return {
        reference: Decimal(str(one["total"]))
        for reference, one in account.orders().items()
        if not one["isVoid"]
    }


def writes(stage: OmniStage) -> dict[str, int]:
    """Calls that wrote to the account since they were counted last."""
    return {
        name: count
        for name, count in stage.calls("cin7").items()
        if name.startswith(("POST", "PUT", "DELETE"))
    }


def refused(result: RunResult) -> list[str]:
    """What a run had refused, in words."""
    return [
        row.reason.text
        for run in result.runs
        if run.result is not None
        for row in run.result.rows
        if row.outcome.value == "refused"
    ]


__all__ = [
    "DISPATCH", "KETTLE", "MAIN", "ORDERS", "POT", "SHED", "TEA", "in_omni", "open_account", "refused", "restored", "totals",
    "writes",
]  # fmt: skip
