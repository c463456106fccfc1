"""What the tests of Neto's sandbox share: a client of its API as a stranger would write one. No client of the product."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import httpx

from ledger_pipelines.sandbox.server import RunningSandbox

Json = dict[str, Any]
PATH = "/do/WS/NetoAPI"
ORDER = [
    "GrandTotal",
    "OrderTax",
    "ProductSubtotal",
    "OrderStatus",
    "CompleteStatus",
    "DatePaid",
    "DateInvoiced",
    "DatePlaced",
]


@dataclass
class Desk:
    """One store."""

    sandbox: RunningSandbox
    control: httpx.Client = field(init=False)
    api: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.control = httpx.Client(base_url=self.sandbox.control_url, trust_env=False)
        self.api = httpx.Client(base_url=self.sandbox.base_urls["neto"], trust_env=False)

    def close(self) -> None:
        self.control.close()
        self.api.close()

    def settings(self, **changes: object) -> None:
        assert self.control.post("/neto/settings", json=changes).status_code == 200

    def ask(self, action: str, body: object = None, **headers: str) -> httpx.Response:
        key = self.sandbox.credentials["neto"]["api_key"]
        told = {"NETOAPI_ACTION": action, "NETOAPI_KEY": key, "Accept": "application/json"} | headers
        return self.api.post(PATH, json={} if body is None else body, headers=told)

    def call(self, action: str, body: object = None) -> Json:
        answer: Json = self.ask(action, body).json()
        assert answer["Ack"] == "Success", answer
        return answer

    def said(self, action: str, body: object = None, kind: str = "Error") -> str:
        answer = self.ask(action, body).json()
        assert answer["Ack"] == kind, answer
        return str(answer["Messages"][kind]["Message"])

    def find(self, action: str, *selected: str, **filters: object) -> list[Json]:
        answer = self.call(action, {"Filter": {"OutputSelector": list(selected), **filters}})
        found: list[Json] = answer[action.removeprefix("Get")]
        return found

    def item(self, sku: str = "POT", **more: object) -> None:
        stock = {"WarehouseID": "1", "Quantity": "10"}
        self.call(
            "AddItem",
            {"Item": {"SKU": sku, "Name": sku, "DefaultPrice": "11", "WarehouseQuantity": stock} | more},
        )

    def order(self, *lines: Json, **more: object) -> str:
        made = self.call(
            "AddOrder",
            {
                "Order": {"Username": "pat", "OrderLine": list(lines) or [{"SKU": "POT", "Quantity": "1"}]}
                | more
            },
        )
        key: str = made["Order"]["OrderID"]
        return key

    def read(self, key: str, *selected: str) -> Json:
        (found,) = self.find("GetOrder", *(selected or ORDER), OrderID=key)
        return found

    def pay(self, key: str, amount: str, **more: object) -> str:
        body = {
            "OrderID": key,
            "AmountPaid": amount,
            "PaymentMethodName": "PayPal Checkout",
            "CardAuthorisation": "x",
        } | more
        paid: str = self.call("AddPayment", {"Payment": [body]})["Payment"]["PaymentID"]
        return paid

    def stock(self, sku: str = "POT") -> tuple[str, str]:
        """(on hand in warehouse 1, available to sell)."""
        (item,) = self.find("GetItem", "WarehouseQuantity", "AvailableSellQuantity", SKU=sku)
        return item["WarehouseQuantity"]["Quantity"], item["AvailableSellQuantity"]
