"""Invoices, payments and returns of a small shop, written into the sandbox's file as planned: it refuses nothing, and its
ledger agrees with what came in and went out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal

import httpx
import pytest

from ledger_pipelines.documents.effects import Action, EffectState
from ledger_pipelines.documents.keys import Json, canonical, decode
from ledger_pipelines.documents.sales import (
    Charge,
    ChargeKind,
    DocumentKind,
    Payment,
    PaymentKind,
    SalesDocument,
    SalesLine,
)
from ledger_pipelines.integrations.by_day.context import Known
from ledger_pipelines.integrations.neto_saasu import invoices, payments, refunds
from ledger_pipelines.integrations.neto_saasu.context import Context
from ledger_pipelines.sandbox.server import RunningSandbox, running_sandbox
from ledger_pipelines.sync.links import prepare
from ledger_pipelines.sync.plan import PlanRow
from ledger_pipelines.systems.saasu.records import SaasuAccount, SaasuItem
from ledger_pipelines_tests.unit.integrations.neto_saasu import building

ROOM = {"invoice": "Invoice", "payment": "Payment", "journal": "Journal"}
ACCOUNTS = (
    SaasuAccount("9001", "ANZ Cheque", "Asset", active=True, bank=True, detail=True, fee_account="9055"),
    SaasuAccount("9002", "PayPal Clearing", "Asset", active=True, bank=True, detail=True, fee_account=""),
    SaasuAccount("9003", "Voucher Clearing", "Asset", active=True, bank=True, detail=True, fee_account=""),
    SaasuAccount("9020", "Deposits", "Liability", active=True, bank=False, detail=True, fee_account=""),
    SaasuAccount("9042", "Other Income", "Income", active=True, bank=False, detail=True, fee_account=""),
)
SETTINGS = {
    "orders_to_saasu": {"contact": "default", "default_contact": "pat_rivers", "on_edit": "credit"},
    "payments": {
        "methods": {"Card": "9001", "PayPal": "9002"}, "overpayment": "journal", "overpayment_account": "9020",
        "fee_percent": {"Card": "1.5"},
    },
    "refunds": {"account": "9042", "credit_account": "9003"},
}  # fmt: skip


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(seed="empty", vendors=("saasu",)) as running:
        yield running


@dataclass
class File:
    """The sandbox's file, and what was written into it."""

    sandbox: RunningSandbox
    api: httpx.Client
    control: httpx.Client
    items: tuple[SaasuItem, ...] = ()
    contact: str = ""
    known: dict[str, Known] = field(default_factory=dict)

    def post(self, room: str, sent: dict[str, Json]) -> str:
        answer = self.api.post(
            f"/{room}", content=canonical(sent), headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == 200, f"{room}: {answer.text}: {sent}"
        told = answer.json()
        return str(next(told[name] for name in told if name.startswith("Inserted")))

    def set_up(self) -> None:
        self.contact = self.post(
            "Contact", {"GivenName": "Pat", "FamilyName": "Rivers", "ContactId": "pat_rivers"}
        )
        made = [building.saasu_item("300001", "SHIPPING", inventoried=False)]
        for code in ("MUG-01", "TEE-RED-M"):
            sent: dict[str, Json] = {
                "Code": code, "Description": code, "Type": "I", "IsActive": True, "IsInventoried": True,
                "AssetAccountId": 9011, "IsSold": True, "SaleIncomeAccountId": 9040, "SaleTaxCodeId": 7,
                "SaleCoSAccountId": 9050, "IsBought": True, "PurchaseTaxCodeId": 12,
            }  # fmt: skip
            made.append(building.saasu_item(self.post("Item", sent), code))
        stock: list[Json] = [
            {"ItemId": int(one.id), "Quantity": 20, "AccountId": 9060, "UnitPrice": 4, "TotalPrice": 80}
            for one in made[1:]
        ]
        self.post("ItemAdjustment", {"Date": "2025-01-01", "Summary": "Opening", "AdjustmentItems": stock})
        self.items = tuple(made)

    def context(self, orders: Sequence[SalesDocument], returns: Sequence[SalesDocument] = ()) -> Context:
        contact = building.saasu_contact(self.contact, "pat_rivers", given="Pat", family="Rivers")
        file = building.books(items=self.items, accounts=ACCOUNTS, contacts=(contact,))
        store = replace(building.shop(orders), returns={one.key: one for one in returns})
        choices = building.settings(**SETTINGS)  # type: ignore[arg-type]
        return building.context(choices=choices, file=file, store=store, known=self.known.values())

    def write(self, rows: Sequence[PlanRow]) -> None:
        """Carry out, in order, once what each waits for is there."""
        for row in rows:
            if row.effect is None:
                continue
            ids = {key: one.remote_id for key, one in self.known.items()}
            missing = [key for key in row.effect.depends_on if key not in ids]
            assert not missing, row.title
            assert row.effect.action is Action.CREATE
            sent = prepare(row.effect, ids).body
            remote_id = self.post(ROOM[row.kind], _numbered(sent))
            self.known[row.key] = building.known(
                row.effect, EffectState.CONFIRMED, remote_id, confirmed_at=datetime(2025, 3, 4, tzinfo=UTC)
            )

    def carry_out(
        self, orders: Sequence[SalesDocument], returns: Sequence[SalesDocument] = ()
    ) -> list[PlanRow]:
        """All three flows; again, and nothing is left."""
        self.write(invoices.rows(self.context(orders, returns), orders))
        self.write(payments.rows(self.context(orders, returns), orders))
        self.write(refunds.rows(self.context(orders, returns), returns))
        ctx = self.context(orders, returns)
        again = [*invoices.rows(ctx, orders), *payments.rows(ctx, orders), *refunds.rows(ctx, returns)]
        assert not [row for row in again if row.effect is not None]
        return again

    def owed(self) -> dict[str, Decimal]:
        """By purchase-order number."""
        answer = self.api.get("/Invoices", params={"PageSize": 100, "TransactionType": "S"})
        found = decode(answer.content)
        assert isinstance(found, dict)
        listed = found["Invoices"]
        assert isinstance(listed, list)
        return {
            str(one["PurchaseOrderNumber"]): Decimal(str(one["AmountOwed"]))
            for one in listed
            if isinstance(one, dict)
        }

    def balance(self, account: str) -> Decimal:
        """Debits less credits."""
        trial = self.control.get("/trial-balance/saasu").json()["5150"]
        assert trial["balanced"]
        return sum(
            (Decimal(one["balance"]) for one in trial["accounts"] if str(one["id"]) == account), Decimal(0)
        )

    def on_hand(self, code: str) -> Decimal:
        """Of an item."""
        number = next(one.id for one in self.items if one.code == code)
        found = decode(self.api.get(f"/Item/{number}").content)
        assert isinstance(found, dict)
        return Decimal(str(found["StockOnHand"]))


def _numbered(value: Json) -> Json:
    """Ids as numbers, as the writer sends them."""
    if isinstance(value, dict):
        return {
            name: int(one) if name.endswith("Id") and isinstance(one, str) else _numbered(one)
            for name, one in value.items()
        }
    return [_numbered(one) for one in value] if isinstance(value, list) else value


@pytest.fixture
def file(sandbox: RunningSandbox) -> Iterator[File]:
    told = sandbox.credentials["saasu"]
    with (
        httpx.Client(base_url=sandbox.control_url, trust_env=False) as control,
        httpx.Client(
            base_url=sandbox.base_urls["saasu"], trust_env=False,
            params={"FileId": told["file_id"], "wsaccesskey": told["access_key"]}, headers={"X-Api-Version": "1.0"},
        ) as api,
    ):  # fmt: skip
        control.post("/reset", json={"seed": "empty"}).raise_for_status()
        control.post("/saasu/settings", json={"rate_limit": False, "daily_quota": None}).raise_for_status()
        made = File(sandbox, api, control)
        made.set_up()
        yield made


def paid(
    key: str, amount: str, method: str = "PayPal", hour: int = 1, kind: PaymentKind = PaymentKind.RECEIPT
) -> Payment:
    """Money of 3 March 2025."""
    return building.payment(key, amount, method=method, at=datetime(2025, 3, 3, hour, tzinfo=UTC), kind=kind)


def credit(number: str, on: SalesDocument, *lines: SalesLine, shipping: str = "0", back: tuple[Payment, ...] = ()) -> SalesDocument:  # fmt: skip
    """A closed return."""
    charges = (Charge(ChargeKind.SHIPPING, Decimal(shipping)),) if Decimal(shipping) else ()
    tax = sum((one.tax for one in lines), Decimal(0)) + (Decimal(shipping) / 11).quantize(Decimal("0.01"))
    made = building.order(number, *lines, charges=charges, tax=tax, status="Closed", day=date(2025, 3, 4))
    return replace(made, kind=DocumentKind.CREDIT, related=on.key, payments=back)


def test_the_ledger_holds_what_came_in_and_went_out(file: File) -> None:
    mugs = building.order(
        "N1", building.line("MUG-01", "2", "16.50"), charges=(Charge(ChargeKind.SHIPPING, Decimal("5.50"), Decimal("0.50")),),
        payments=(paid("1", "38.50"),),
    )  # fmt: skip
    twice = building.order("N2", payments=(paid("2", "10"), paid("3", "10", "Card", 2)))
    parent = building.order("N3", payments=(paid("4", "33"),))
    child = building.order("N4", related="N3")
    orders = [mugs, twice, parent, child]
    back = (paid("31", "4", kind=PaymentKind.REFUND), paid("32", "10", "Card", 2, PaymentKind.REFUND))
    returns = [
        credit(
            "77",
            mugs,
            replace(building.line("MUG-01", "1", "16.50"), returned_to_stock=True),
            building.line("MUG-01", "1", "11"),
            shipping="5.50",
            back=back,
        ),
        credit("78", parent, building.line("MUG-01", "1", "5.50")),
    ]
    file.carry_out(orders, returns)

    assert set(file.owed().values()) == {Decimal(0)}, file.owed()
    # received 38.50 + 10 + 33 by PayPal, 10 by card less its fee; given back 4 and 10; kept as credit 33 - 14 and 5.50
    assert file.balance("9002") == Decimal("77.50")
    assert file.balance("9001") == Decimal(10) - Decimal(10) - Decimal("0.15")
    assert file.balance("9003") == -(Decimal(19) + Decimal("5.50"))
    assert file.balance("9020") == Decimal("-3.50")
    assert file.on_hand("MUG-01") == 20 - 5 + 1

    later = replace(returns[0], payments=(*back, paid("33", "19", "PayPal", 5, PaymentKind.REFUND)))
    file.carry_out(orders, [later, returns[1]])
    assert file.balance("9003") == Decimal("-5.50")
    assert file.balance("9002") == Decimal("58.50")


def test_a_payment_moves_with_its_order_and_the_bank_stays_as_it_was(file: File) -> None:
    before = building.order(
        "N1", building.line("MUG-01", "2", "16.50"), payments=(paid("1", "20"), paid("2", "13", hour=2))
    )
    file.carry_out([before])
    assert file.balance("9002") == 33
    after = replace(
        building.order("N1", building.line("MUG-01", "1", "16.50"), payments=before.payments),
        changed=datetime(2025, 3, 5, 3, tzinfo=UTC),
    )
    file.carry_out([after])
    assert file.owed() == {"N1": 0, "N1-C1": Decimal("-16.50"), "N1-R1": 0}
    assert file.balance("9002") == 33
