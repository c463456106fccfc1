"""Cases that only a store with Omni has: what its plans write, what may change after planning.

Belongs here: what the drill `plan` has to know of `neto_cin7`, acts of staff on either side. Does not belong here: the business
(`omni_scene`), the cases themselves (`plan_cases`, `day_cases`), which integration has which (`own_cases`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date

from ledger_pipelines.documents.effects import Effect
from ledger_pipelines.sync.plan import Plan
from ledger_pipelines.systems.cin7.writer import dispatches
from ledger_pipelines_tests.faults import drift_cases, omni_books, plan_cases
from ledger_pipelines_tests.faults.day_cases import Case, OneCase
from ledger_pipelines_tests.faults.plan_cases import (
    Change,
    Planned,
    order_cancelled,
    order_edited,
    read_again,
)
from ledger_pipelines_tests.omni_stage import SHED

BATCH = 50
"""Records a call, as shipped."""
UPLOAD = "products_from_cin7"
_KINDS = {"sales_order": "order", "item": omni_books.STORE_PRODUCT}


def _names(effect: Effect) -> list[str]:
    kind = _KINDS.get(effect.kind, effect.kind)
    return [f"{kind} {effect.external_id}"] if plan_cases.creates(effect) else []


def _calls(plan: Plan) -> int:
    """Records of one kind and one act share calls; a dispatch has its own."""
    if plan.flow == UPLOAD:
        return 0
    alike = Counter((one.kind, one.action) for one in plan.effects() if not dispatches(one))
    return sum(-(-number // BATCH) for number in alike.values()) + sum(map(dispatches, plan.effects()))


def _number(one: OneCase, kind: str, reference: str) -> str:
    return next(iter(omni_books.found_by_hand(one.stage, kind, reference)), "")


def _branch(one: OneCase, day: date) -> Sequence[str]:
    del day
    one.stage.again(branches__branch=str(SHED))
    return []


def _contact_by_hand(one: OneCase, day: date) -> Sequence[str]:
    """Staff make the contact themselves."""
    effect = next(filter(plan_cases.creates, one.stage.service.plan("contacts", day).effects()))
    told = one.stage.omni(
        "POST", "Contacts", [{"type": "Customer", "email": effect.external_id, "firstName": "By hand"}]
    )
    assert told[0]["success"], told
    return read_again(one, effect.external_id)


def _paid_by_hand(one: OneCase, day: date) -> Sequence[str]:
    """Staff enter a payment that is planned themselves, under the same reference."""
    effect = next(filter(plan_cases.creates, one.stage.service.plan("payments", day).effects()))
    assert effect.expected.amount is not None
    owner = next(
        one
        for one in one.stage.account().records("order")
        if one["reference"] and one["reference"] in effect.number
    )
    told = one.stage.omni("POST", "Payments", [{
        "orderId": owner["id"], "amount": str(effect.expected.amount.amount), "transactionRef": effect.external_id,
        "method": "By hand", "paymentDate": f"{day.isoformat()}T00:00:00Z",
    }])  # fmt: skip
    assert told[0]["success"], told
    return read_again(one, str(owner["reference"]))


def _shipped_by_hand(one: OneCase, day: date) -> Sequence[str]:
    """Staff dispatch an order in Omni themselves."""
    effect = next(filter(dispatches, one.stage.service.plan("status_updates", day).effects()))
    one.stage.edit(effect.external_id, dispatchedDate=f"{day.isoformat()}T00:00:00Z")
    return read_again(one, effect.external_id)


def _uploaded_by_hand(one: OneCase, day: date) -> Sequence[str]:
    """Staff make the product in the store themselves."""
    effect = one.stage.service.plan(UPLOAD, day).effects()[0]
    one.stage.shop("AddItem", {"Item": [{"SKU": effect.external_id, "Name": "By hand"}]})
    return read_again(one, effect.external_id)


PLANNED = Planned(
    days=2,
    vendor=lambda flow: "neto" if flow == UPLOAD else "cin7",
    names=_names,
    calls=_calls,
    number=_number,
    changes={
        "order-edited": Change("orders", order_edited),
        "order-cancelled": Change("orders", order_cancelled),
        "branch-changed": Change("orders", _branch),
        "contact-by-hand": Change("contacts", _contact_by_hand),
        "paid-by-hand": Change("payments", _paid_by_hand),
        "shipped-by-hand": Change("status_updates", _shipped_by_hand),
        "uploaded-by-hand": Change(UPLOAD, _uploaded_by_hand),
    },
)
CASES: Mapping[str, Mapping[str, Case]] = {
    "plan": plan_cases.cases(PLANNED),
    "redeliver": drift_cases.cases(drift_cases.ACCOUNT),
}  # fmt: skip
"""By drill and kind."""
