"""One bad record among many, for each integration: how it is bad, what is left undone, how its cause is corrected.

Belongs here: the ways. Does not belong here: looking at what follows (`drills.isolation`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from ledger_pipelines_tests.faults.changes import invoice_of, pay_by_hand
from ledger_pipelines_tests.generate import FEES, Amount, Group, SettlementFile, many
from ledger_pipelines_tests.stage import Stage

PAYMENT = "customerPayment"
UNKNOWN_FEE = "NeverSeenBeforeFee"
LONG = 400


@dataclass
class Bad:
    """The business of one case.

    Args:
        file: With the bad record in it.
        order_id: Of the bad record.
        number: What an open item is to be found by.
        undone: Kinds of documents that the bad record, and it alone, has to go without; () = its own are written.
    """

    file: SettlementFile
    order_id: str
    number: str
    undone: tuple[str, ...] = (PAYMENT,)
    kept: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Way:
    """How a record is bad.

    Args:
        make: The business, of so many orders.
        spoil: Makes it bad in the target, before anything is done; None = it is bad in the file.
        meanwhile: The same, but between reading and writing: nobody could have known.
        repair: Corrects the cause, as a person does.
        written_after: Whether something is to be written then; not when a person took it upon themselves.
    """

    make: Callable[[int], Bad]
    repair: Callable[[Stage, Bad], None]
    spoil: Callable[[Stage, Bad], None] | None = None
    meanwhile: Callable[[Stage, Bad], None] | None = None
    written_after: bool = True


def _among(count: int) -> Bad:
    file = many(count, settlement_id="26700000007", merchant=Decimal("0.03"), refunds=Decimal("0.03"))
    refunded = {group.order_id for group in file.groups if group.transaction_type == "Refund"}
    plain = [g for g in file.groups if g.order_id and g.channel == "AFN" and g.order_id not in refunded]
    chosen = plain[len(plain) // 2].order_id
    return Bad(file, chosen, chosen)


def _with(count: int, change: Callable[[Group], Group]) -> Bad:
    bad = _among(count)
    groups = list(bad.file.groups)
    at = next(n for n, group in enumerate(groups) if group.order_id == bad.order_id)
    groups[at] = change(groups[at])
    bad.file = replace(bad.file, groups=tuple(groups))
    return bad


def _unmapped(count: int) -> Bad:
    fee = Amount(FEES, UNKNOWN_FEE, Decimal("-0.37"))
    bad = _with(count, lambda group: replace(group, amounts=(*group.amounts, fee)))
    bad.number, bad.undone = bad.file.settlement_id, ()
    return bad


def _too_large(count: int) -> Bad:
    bad = _with(count, lambda group: replace(group, merchant_order_id="M" * LONG))
    bad.undone = ("customrecord_azs_txn",)
    return bad


def _paid(stage: Stage, bad: Bad) -> None:
    total = str(invoice_of(stage, bad.order_id)["total"])
    bad.kept["payment"] = pay_by_hand(stage, bad.order_id, total)


def _unpaid(stage: Stage, bad: Bad) -> None:
    _delete(stage, PAYMENT, bad.kept["payment"])
    stage.service.retry([bad.order_id], "a bookkeeper", "the other payment is gone")


def _gone(stage: Stage, bad: Bad) -> None:
    _delete(stage, "invoice", str(invoice_of(stage, bad.order_id)["id"]))


def _dearer(stage: Stage, bad: Bad) -> None:
    invoice = invoice_of(stage, bad.order_id)
    line = invoice["item"][0]
    bad.kept["line"] = {"line": line["line"], "amount": Decimal(str(line["amount"]))}
    changed = {"line": line["line"], "amount": Decimal(str(line["amount"])) + 1}
    stage.change("invoice", str(invoice["id"]), {"item": {"items": [changed]}})


def _as_before(stage: Stage, bad: Bad) -> None:
    stage.change(
        "invoice", str(invoice_of(stage, bad.order_id)["id"]), {"item": {"items": [bad.kept["line"]]}}
    )


def _mapped(stage: Stage, bad: Bad) -> None:
    del bad
    stage.again(**{f"journal__transaction_fee_accounts__Order/{FEES}/{UNKNOWN_FEE}": "6100"})


def _taken_off(stage: Stage, bad: Bad) -> None:
    keys = [item.key for item in stage.service.errors(bad.file.settlement_id) if item.number == bad.number]
    stage.service.ignore(keys, "a bookkeeper", "the record of it is not needed")


def _seed(stage: Stage, bad: Bad) -> None:
    stage.seed(bad.file.settlement_id)


def _delete(stage: Stage, record: str, record_id: str) -> None:
    answer = stage.service.client.write("DELETE", f"/services/rest/record/v1/{record}/{record_id}")
    assert answer.status == 204, answer.body


WAYS: Mapping[str, Mapping[str, Way]] = {
    "amazon_netsuite": {
        "refused-by-target": Way(_among, _unpaid, meanwhile=_paid),
        "order-missing": Way(_among, _seed, spoil=_gone),
        "does-not-foot": Way(_among, _as_before, spoil=_dearer),
        "unmapped": Way(_unmapped, _mapped),
        "too-large": Way(_too_large, _taken_off, written_after=False),
    }
}
"""By integration, by name. An integration without ways fails the drill."""
