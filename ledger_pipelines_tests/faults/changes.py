"""What changes between a plan and its export, for each integration: the plan must be refused, with the change in words.

Belongs here: the changes, as a person or another run makes them. Does not belong here: looking at what follows (`drills.plan`).
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from ledger_pipelines_tests.faults.drill_cases import SMALL
from ledger_pipelines_tests.generate import order
from ledger_pipelines_tests.stage import Stage

FIRST, FOURTH = "113-6700000-0000001", "113-6700000-0000004"


@dataclass(frozen=True, slots=True)
class Change:
    """One change of an input.

    Args:
        flow: Whose plan is stale after it.
        make: Makes it: (installation, partition).
        words: What the refusal must say.
        leave_out: How many orders the target does not know.
    """

    flow: str
    make: Callable[[Stage, str], None]
    words: tuple[str, ...]
    leave_out: int = 0


def invoice_of(stage: Stage, order_id: str) -> dict[str, Any]:
    """The invoice of an order in the sandbox's books."""
    (found,) = [r for r in stage.books().records("invoice") if r.get("otherRefNum") == order_id]
    return dict(found)


def pay_by_hand(stage: Stage, order_id: str, amount: str) -> str:
    """A person receives a payment of an order's invoice in the target; the payment's id."""
    invoice = str(invoice_of(stage, order_id)["id"])
    return stage.make("customerPayment", {
        "customer": {"id": "101"}, "payment": Decimal(amount), "undepFunds": False, "account": {"id": "201"},
        "tranDate": "2026-03-10", "autoApply": False,
        "apply": {"items": [{"doc": {"id": invoice}, "apply": True, "amount": Decimal(amount)}]},
    })  # fmt: skip


def _revised(stage: Stage, sid: str) -> None:
    groups = (replace(SMALL.groups[1], amounts=order(FIRST, "101.00").amounts), *SMALL.groups[2:])
    stage.close_service()
    shutil.rmtree(next((stage.folder / "data" / "settlements").glob(f"*/{sid}")))
    stage.arrive(replace(SMALL, groups=(SMALL.groups[0], *groups)), seed=False, name="revised.txt")


def _paid(stage: Stage, sid: str) -> None:
    pay_by_hand(stage, FIRST, "105.00")
    stage.service.read_books(sid)


def _edited(stage: Stage, sid: str) -> None:
    invoice = invoice_of(stage, FOURTH)
    line = {"line": invoice["item"][0]["line"], "amount": Decimal("30.00")}
    stage.change("invoice", str(invoice["id"]), {"item": {"items": [line]}})
    stage.service.read_books(sid)


def _period(stage: Stage, sid: str) -> None:
    stage.period("Mar 2026", closed=True)
    stage.service.read_books(sid)


def _setting(stage: Stage, sid: str) -> None:
    del sid
    stage.again(general__document_date="deposit")


def _mapping(stage: Stage, sid: str) -> None:
    del sid
    stage.again(journal__transaction_fee_accounts__selling_fees="6110")


def _mode(stage: Stage, sid: str) -> None:
    del sid
    stage.again(general__enable_test_mode=True, general__amazon_order_ids=[FOURTH])


def _ignored(stage: Stage, sid: str) -> None:
    (blocked,) = [item.number for item in stage.service.errors(sid) if item.flow == "payments"]
    stage.service.ignore([blocked], "a bookkeeper", "booked by hand")


def _another_run(stage: Stage, sid: str) -> None:
    stage.again(general__document_date="deposit").run(None, sid)
    stage.again(general__document_date="posted")


CHANGES: Mapping[str, Mapping[str, Change]] = {
    "amazon_netsuite": {
        "settlement-revised": Change("payments", _revised, ("settlement", FIRST, "101.00")),
        "invoice-paid-by-hand": Change("payments", _paid, ("books", FIRST, "105.00")),
        "amount-edited": Change("payments", _edited, ("books", FOURTH)),
        "period-closed": Change("payments", _period, ("books", FIRST, FOURTH)),
        "setting-changed": Change("payments", _setting, ("settings",)),
        "mapping-changed": Change("settlement_journal", _mapping, ("settings",)),
        "test-mode": Change("payments", _mode, ("mode", FIRST)),
        "ignored-by-a-person": Change("payments", _ignored, ("is now skip", "ignored-by-user"), leave_out=1),
        "another-run": Change("payments", _another_run, (FIRST, "is now skip")),
    }
}
"""By integration, by name. An integration without changes fails the drill."""
