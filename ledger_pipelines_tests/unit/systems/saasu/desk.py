"""What the tests of Saasu's reader and writer share: a client, calls at the control port, bodies that the demo's file takes.

Belongs here: arranging scenes through Saasu's own API and the sandbox's control port. Does not belong here: assertions.
"""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

from ledger_pipelines.documents.dates import Clock
from ledger_pipelines.documents.effects import Action, Effect, Expected
from ledger_pipelines.documents.keys import Json, canonical
from ledger_pipelines.documents.money import Money
from ledger_pipelines.sandbox.server import RunningSandbox
from ledger_pipelines.systems.saasu.client import SaasuClient
from ledger_pipelines.systems.saasu.settings import AccessKeyCredentials, PasswordCredentials, SaasuConnection
from ledger_pipelines.systems.secrets import Secret
from ledger_pipelines_tests.stage import JumpingClock

DAY = date(2026, 9, 14)
WINDOW = timedelta(seconds=20)
BANK, CLEARING, SALES, ASSET, COST = 9001, 9020, 9040, 9011, 9050
SHIPPING, GST = 300001, 7
Body = dict[str, Json]


def client_on(
    sandbox: RunningSandbox, folder: Path, clock: Clock, *, access_key: bool = False, **more: Any
) -> SaasuClient:
    """A client of the demo's first file."""
    told = sandbox.credentials["saasu"]
    given = PasswordCredentials(Secret(told["username"]), Secret(told["password"]))
    credentials = AccessKeyCredentials(Secret(told["access_key"])) if access_key else given
    settings: dict[str, Any] = {
        "credentials": credentials,
        "state_folder": folder,
        "base_url": sandbox.base_urls["saasu"],
        "sandbox": True,
        "seconds_between_calls": 0,
        "settle_window": WINDOW,
    }
    return SaasuClient(SaasuConnection("books", told["file_id"], **(settings | more)), clock=clock)


class Desk:
    """A client on a sandbox whose clock jumps with it."""

    def __init__(self, sandbox: RunningSandbox, control: httpx.Client, folder: Path, **more: Any) -> None:
        self.sandbox, self.control = sandbox, control
        self.clock = JumpingClock(control)
        self.client = client_on(sandbox, folder, self.clock, **more)

    def close(self) -> None:
        """Close the client."""
        self.client.close()

    # --- the sandbox -------------------------------------------------------------------------------------------------

    def records(self, kind: str) -> list[dict[str, Any]]:
        """All records of a kind, out of the sandbox's own dump."""
        answer = self.control.get("/dump/saasu").raise_for_status()
        file = json.loads(answer.text, parse_float=Decimal)["files"][str(self.client.connection.file_id)]
        found: list[dict[str, Any]] = file["records"].get(kind, [])
        return found

    def fault(self, kind: str, **more: Any) -> None:
        """Set a fault."""
        self.control.post("/faults", json={"vendor": "saasu", "kind": kind, **more}).raise_for_status()

    def settings(self, **changes: Any) -> None:
        """Change the sandbox's switches."""
        self.control.post("/saasu/settings", json=changes).raise_for_status()

    def calls(self) -> dict[str, int]:
        """Calls the sandbox counted, by method and path, without the log-in."""
        found: dict[str, int] = {}
        for call in self.control.get("/calls").json()["calls"]:
            if not call["path"].startswith("/authorisation"):
                name = f"{call['method']} {call['path']}"
                found[name] = found.get(name, 0) + call["count"]
        return found

    def forget_calls(self) -> None:
        """Count from nought."""
        self.control.delete("/calls").raise_for_status()

    # --- records, through the API ------------------------------------------------------------------------------------

    def made(self, path: str, body: Body) -> int:
        """Create a record; its id."""
        answer = self.client.write("POST", path, body)
        assert answer.ok, answer.body
        told = answer.json()
        assert isinstance(told, dict)
        found = next(value for name, value in told.items() if name.startswith("Inserted"))
        assert isinstance(found, int)
        return found

    def removed(self, path: str) -> None:
        """Delete one."""
        answer = self.client.write("DELETE", path)
        assert answer.ok, answer.body

    def put(self, path: str, **changes: Json) -> None:
        """Change one as a person would."""
        held = self.client.get(path)
        assert isinstance(held, dict)
        answer = self.client.write("PUT", path, {**held, **changes})
        assert answer.ok, answer.body


def contact_body(reference: str, **more: Json) -> Body:
    """A customer."""
    return {
        "ContactId": reference, "GivenName": "Priya", "FamilyName": "Nair", "EmailAddress": f"{reference}@tea.example",
        "IsActive": True, "IsCustomer": True, "IsSupplier": False, "IsPartner": False, "IsContractor": False, **more,
    }  # fmt: skip


def item_body(code: str, **more: Json) -> Body:
    """An item that is sold, and not kept in stock."""
    return {
        "Code": code, "Description": f"Tea {code}", "Type": "I", "IsActive": True, "IsVisible": True, "IsInventoried": False,
        "IsSold": True, "SaleIncomeAccountId": SALES, "SaleTaxCodeId": GST, "IsBought": False,
        "SellingPrice": Decimal("11.00"), "IsSellingPriceIncTax": True, **more,
    }  # fmt: skip


def invoice_body(reference: str, price: str = "49.95", /, **more: Json) -> Body:
    """A sale of shipping, which is always to be had; its number is our reference."""
    line: Body = {
        "Description": "Express",
        "TaxCode": "G1",
        "InventoryId": SHIPPING,
        "Quantity": 2,
        "UnitPrice": Decimal(price),
    }
    return {
        "TransactionType": "S", "Layout": "I", "InvoiceType": "Tax Invoice", "TransactionDate": DAY.isoformat(),
        "InvoiceNumber": reference, "PurchaseOrderNumber": reference, "Summary": f"Web order {reference}",
        "Currency": "AUD", "IsTaxInc": True, "AutoPopulateFxRate": False, "LineItems": [line], **more,
    }  # fmt: skip


def quick_payment(reference: str, amount: str) -> Body:
    """The payment inside the creation of an invoice."""
    return {
        "QuickPayment": {
            "DatePaid": DAY.isoformat(), "DateCleared": DAY.isoformat(), "BankedToAccountId": str(BANK),
            "Amount": Decimal(amount), "Reference": reference, "Summary": "Card",
        }
    }  # fmt: skip


def payment_body(reference: str, invoice: Json, amount: str, **more: Json) -> Body:
    """A payment of one invoice."""
    return {
        "TransactionType": "SP", "TransactionDate": DAY.isoformat(), "PaymentAccountId": str(BANK), "Reference": reference,
        "Summary": "Card", "PaymentItems": [{"InvoiceTransactionId": invoice, "AmountPaid": Decimal(amount)}], **more,
    }  # fmt: skip


def journal_body(reference: str, amount: str, **more: Json) -> Body:
    """Money of nobody's invoice: bank to deposits."""
    lines: list[Json] = [
        {"Type": "Debit", "AccountId": str(BANK), "Amount": Decimal(amount)},
        {"Type": "Credit", "AccountId": str(CLEARING), "Amount": Decimal(amount)},
    ]
    return {
        "TransactionDate": DAY.isoformat(), "Reference": reference, "Summary": "Paid too much", "Items": lines, **more,
    }  # fmt: skip


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
    expected = Expected(
        None if amount is None else Money(Decimal(amount), "AUD"), None if amount is None else DAY
    )
    values: dict[str, Any] = {
        "key": f"KEY-{kind}-{action}-{reference}", "connection": "books", "integration": "neto_saasu", "flow": "orders",
        "partition": DAY.isoformat(), "kind": kind, "action": action, "external_id": reference, "number": reference,
        "title": f"{kind} {reference}", "body": canonical(body), "expected": expected,
    }  # fmt: skip
    return Effect(**(values | more))
