"""What the tests of Saasu's sandbox share: a client of its API as a stranger would write one. No client of the product."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import httpx
import msgspec

from ledger_pipelines.sandbox.server import RunningSandbox

SHIPPING, CHEQUE, PAYPAL, SALES, LIABILITY = 300001, 9001, 9002, 9040, 9020
Json = dict[str, Any]
_decoder = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")


def exact(answer: httpx.Response) -> Any:
    return _decoder.decode(answer.content)


@dataclass
class Desk:
    """One login on file 5150."""

    sandbox: RunningSandbox
    file: int = 5150
    control: httpx.Client = field(init=False)
    api: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.control = httpx.Client(base_url=self.sandbox.control_url, trust_env=False)
        self.api = httpx.Client(base_url=self.sandbox.base_urls["saasu"], trust_env=False)
        self.settings(rate_limit=False, daily_quota=None)
        self.grant: Json = self.login().json()

    def close(self) -> None:
        self.control.close()
        self.api.close()

    def settings(self, **changes: object) -> None:
        assert self.control.post("/saasu/settings", json=changes).status_code == 200

    def login(self, path: str = "/authorisation/token", **changes: object) -> httpx.Response:
        told = self.sandbox.credentials["saasu"]
        body = {
            "grant_type": "password",
            "username": told["username"],
            "password": told["password"],
            "scope": "full",
        }
        return self.api.post(path, json=body | changes)

    def ask(self, method: str, path: str, body: object = None, **params: object) -> httpx.Response:
        headers = {
            "Authorization": f"Bearer {self.grant['access_token']}",
            "Content-Type": "application/json",
        }
        content = None if body is None else _encoder.encode(body)
        return self.api.request(
            method, path, params={"FileId": self.file, **params}, content=content, headers=headers
        )

    def get(self, path: str, **params: object) -> Json:
        answer = self.ask("GET", path, **params)
        assert answer.status_code == 200, answer.text
        found: Json = exact(answer)
        return found

    def post(self, path: str, body: Json) -> Json:
        answer = self.ask("POST", path, body)
        assert answer.status_code == 200, answer.text
        found: Json = exact(answer)
        return found

    def put(self, path: str, body: Json) -> Json:
        answer = self.ask("PUT", path, body)
        assert answer.status_code == 200, answer.text
        found: Json = exact(answer)
        return found

    def refused(self, method: str, path: str, body: object = None, **params: object) -> tuple[int, str]:
        answer = self.ask(method, path, body, **params)
        assert answer.status_code >= 400, answer.text
        return answer.status_code, answer.text

    def item(self, code: str = "POT", *, stock: int = 10, cost: str = "4.00", **more: object) -> int:
        """An inventoried, sold item with stock from an adjustment."""
        body = {
            "Code": code, "Description": code.title(), "Type": "I", "IsActive": True, "IsInventoried": True, "AssetAccountId": 9011,
            "IsSold": True, "SaleIncomeAccountId": SALES, "SaleTaxCodeId": 7, "SaleCoSAccountId": 9050, "IsBought": True,
            "SellingPrice": 11, "IsSellingPriceIncTax": True,
        }  # fmt: skip
        made: int = self.post("/Item", body | more)["InsertedItemId"]
        if stock:
            line = {"ItemId": made, "Quantity": stock, "AccountId": 9060, "UnitPrice": float(cost)}
            self.post(
                "/ItemAdjustment", {"Date": "2026-09-01", "Summary": "Opening", "AdjustmentItems": [line]}
            )
        return made

    def sale(self, *lines: Json, **more: object) -> Json:
        """A body of a tax-inclusive item sale."""
        return {
            "TransactionType": "S", "Layout": "I", "InvoiceType": "Tax Invoice", "TransactionDate": "2026-09-02",
            "InvoiceNumber": "<Auto Number>", "IsTaxInc": True, "LineItems": list(lines), **more,
        }  # fmt: skip

    def invoice(self, *lines: Json, **more: object) -> int:
        made: int = self.post("/Invoice", self.sale(*lines, **more))["InsertedEntityId"]
        return made

    def payment(self, invoice: int, amount: str, **more: object) -> Json:
        """A body of a payment."""
        return {
            "TransactionType": "SP", "TransactionDate": "2026-09-03", "PaymentAccountId": CHEQUE,
            "PaymentItems": [{"InvoiceTransactionId": invoice, "AmountPaid": float(amount)}], **more,
        }  # fmt: skip

    def balances(self) -> dict[str, Decimal]:
        """The trial balance by account name; it must balance."""
        trial = self.control.get("/trial-balance/saasu").json()[str(self.file)]
        assert trial["balanced"], trial
        return {
            line["name"]: Decimal(line["balance"]) for line in trial["accounts"] if Decimal(line["balance"])
        }


def line(item: int, quantity: float = 1, price: float = 11, code: str = "G1", discount: float = 0) -> Json:
    return {
        "Description": "x", "TaxCode": code, "InventoryId": item, "Quantity": quantity, "UnitPrice": price,
        "PercentageDiscount": discount,
    }  # fmt: skip
