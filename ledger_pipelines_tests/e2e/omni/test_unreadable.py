"""A record that cannot be read stops what rests on it, and nothing else; mended, it goes by itself."""

from __future__ import annotations

from ledger_pipelines.integrations.by_day.results import RunResult
from ledger_pipelines.integrations.by_day.unreadable import UNREADABLE
from ledger_pipelines_tests.e2e.omni.conftest import Opened
from ledger_pipelines_tests.e2e.omni.kit import DISPATCH, POT, TEA, in_omni, totals, writes
from ledger_pipelines_tests.e2e.shop.kit import unread
from ledger_pipelines_tests.faults import omni_scene
from ledger_pipelines_tests.omni_stage import OmniStage

GUEST = {"Username": "noreg", "Email": "tom@example.com", "BillFirstName": "Tom", "BillLastName": "Harris"}


def run(stage: OmniStage) -> RunResult:
    stage.clock.jump(120)
    stage.forget_calls()
    return stage.run()


def paid(stage: OmniStage, *lines: dict[str, str], **more: object) -> str:
    number = stage.order(*lines, **more)
    stage.pay(number, str(stage.owed(number)))
    return number


def test_an_order_of_the_store(opened: Opened) -> None:
    stage = opened(
        payments__enabled=True,
        status_updates__auto_dispatch_orders=DISPATCH,
        branches__branch="Main warehouse",
    )
    good, bad, other = paid(stage, POT), paid(stage, TEA), paid(stage, POT, **GUEST)
    stage.spoil(bad, "GrandTotal")
    result = run(stage)
    assert set(unread(result, bad)) == {"contacts", "orders", "payments", "status_updates"}
    (row,) = {one.key: one for one in unread(result, bad).values()}.values()
    assert f"order {bad}: GrandTotal is 'a lot'" in row.reason.text
    assert "Nothing of it is written until then" in row.reason.text
    assert "Correct it in Neto" in row.reason.remedy and "by itself" in row.reason.remedy
    own = totals(stage)
    assert in_omni(stage.account()) == {number: own[number] for number in (good, other)}
    assert len(stage.account().records("payment")) == 2
    (item,) = stage.service.errors()
    assert (item.number, item.code, item.key) == (bad, UNREADABLE, row.key)
    run(stage)
    assert writes(stage) == {}
    stage.mend()
    stage.status(bad, "Pack")
    result = run(stage)
    assert unread(result, bad) == {} and stage.service.errors() == []
    assert in_omni(stage.account()) == own
    assert len(stage.account().records("payment")) == 3


def test_an_order_that_is_in_omni_already_stays_as_it_was(opened: Opened) -> None:
    stage = opened(status_updates__auto_dispatch_orders=DISPATCH, branches__branch="Main warehouse")
    number, other = stage.order(POT), stage.order(TEA)
    run(stage)
    stage.spoil(number, "ShippingTotal", "nine")
    stage.status(number, "Dispatched")
    stage.status(other, "Dispatched")
    run(stage)
    run(stage)
    account = stage.account()
    assert account.order(other)["dispatchedDate"] and not account.order(number)["dispatchedDate"]
    stage.mend()
    stage.status(number, "Dispatched")
    run(stage)
    run(stage)
    assert stage.account().order(number)["dispatchedDate"]
    assert stage.service.errors() == []


def test_ignoring_it_ignores_it_as_it_is_and_not_what_it_says_once_mended(opened: Opened) -> None:
    stage = opened()
    number = stage.order(POT)
    stage.spoil(number, "GrandTotal")
    assert run(stage).exit_code == 1
    stage.service.ignore([number], "test", "looked at")
    assert run(stage).exit_code == 0
    stage.mend()
    stage.spoil(number, "GrandTotal", "another thing")
    stage.status(number, "Pack")
    assert run(stage).exit_code == 1
    stage.mend()
    stage.status(number, "Pick")
    assert run(stage).exit_code == 0
    assert in_omni(stage.account()) == totals(stage)


def test_a_customer_of_the_store(opened: Opened) -> None:
    """Whose order waits by its own number, and says for which record."""
    stage = opened(payments__enabled=True)
    number, other = paid(stage, POT), paid(stage, POT, **GUEST)
    stage.spoil("priya.nair0", "Active", "perhaps")
    touch = {"Customer": [{"Username": "priya.nair0", "Active": "True"}]}
    stage.shop("UpdateCustomer", touch)
    result = run(stage)
    told = unread(result, number)
    assert sorted(told) == ["contacts", "orders", "payments"]
    assert all("customer priya.nair0: Active is 'perhaps'" in row.reason.text for row in told.values())
    assert told["payments"].reason.text.startswith(f"Payments of order {number} cannot go on: ")
    assert "do not ask for that money" in told["payments"].reason.text
    assert unread(result, other) == {}
    own = totals(stage)
    assert in_omni(stage.account()) == {other: own[other]}
    stage.mend()
    stage.shop("UpdateCustomer", touch)
    run(stage)
    assert in_omni(stage.account()) == own
    assert stage.service.errors() == []


def test_a_product_of_the_store_is_not_made_and_the_order_of_it_waits(opened: Opened) -> None:
    stage = opened(products__download=True)
    omni_scene.product(stage, "LADLE", "7.00")
    omni_scene.product(stage, "SIEVE", "9.00")
    number, other = (
        stage.order({"SKU": "LADLE", "Quantity": "1"}),
        stage.order({"SKU": "SIEVE", "Quantity": "1"}),
    )
    stage.spoil("LADLE", "DefaultPrice", "cheap")
    result = run(stage)
    assert set(unread(result, "LADLE")) == {"products_to_cin7"}
    assert set(unread(result, number)) == {"orders"}
    own = totals(stage)
    assert in_omni(stage.account()) == {other: own[other]}
    stage.mend()
    stage.shop("UpdateItem", {"Item": [{"SKU": "LADLE", "DefaultPrice": "7.00"}]})
    run(stage)
    assert in_omni(stage.account()) == own
    assert stage.service.errors() == []


def test_an_order_as_omni_gives_it_back(opened: Opened) -> None:
    """What Omni says of an order of ours cannot be read: it is neither made again nor changed, and the others are."""
    stage = opened()
    number, other = stage.order(POT), stage.order(TEA)
    run(stage)
    stage.spoil(number, "total", vendor="cin7")
    for one in (number, other):
        wish = {"OrderID": one, "OrderLine": [POT | {"Quantity": "3"}], "ShippingCost": "9.95"}
        stage.control.post("/neto/edit", json=wish).raise_for_status()
    run(stage)
    result = run(stage)
    assert set(unread(result, number)) == {"orders"}
    assert "total is 'a lot', which is no number" in unread(result, number)["orders"].reason.text
    own, there = totals(stage), in_omni(stage.account())
    assert there[other] == own[other] and there[number] != own[number]
    stage.mend("cin7")
    stage.omni(
        "PUT", "SalesOrders", [{"id": stage.account().order(number)["id"], "internalComments": "seen"}]
    )
    run(stage)
    assert in_omni(stage.account()) == own
    assert stage.service.errors() == []
