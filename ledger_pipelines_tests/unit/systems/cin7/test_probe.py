"""Looking records up: in few calls, exactly, in the order's own currency; changes and voids by what the record says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from ledger_pipelines.documents.effects import Action, Effect, Expected, Remote
from ledger_pipelines.documents.keys import Json
from ledger_pipelines.documents.money import Money
from ledger_pipelines.errors import CredentialError, TransientError, UnknownOutcomeError
from ledger_pipelines.sync.agreement import disagreements
from ledger_pipelines.systems.cin7.probe import CHUNK, LONGEST, chunks
from ledger_pipelines.systems.cin7.writer import Cin7Writer
from ledger_pipelines_tests.unit.systems.cin7.bodies import (
    change,
    contact_body,
    effect_of,
    line,
    order_body,
    payment_body,
    product_body,
    void,
)
from ledger_pipelines_tests.unit.systems.cin7.fake import Script, fake_client

ORDERS, CONTACTS, PAYMENTS, OPTIONS = "/v1/SalesOrders", "/v1/Contacts", "/v1/Payments", "/v1/ProductOptions"


def order(reference: str, amount: str = "99.90", **more: Json) -> Effect:
    return effect_of("sales_order", reference, order_body(reference, **more), amount)


def found(
    folder: Path, effects: Sequence[Effect], reads: dict[str, list[dict[str, Any]]], **more: Any
) -> tuple[dict[str, Remote], Script]:
    script = Script(reads=reads)
    with fake_client(script, folder, **more) as client:
        by_key = dict(Cin7Writer(client).probe(effects))
    return {one.external_id: by_key[one.key] for one in effects if one.key in by_key}, script


def row(key: int, reference: str, total: str = "99.90", **more: Any) -> dict[str, Any]:
    return {
        "id": key,
        "reference": reference,
        "total": float(total),
        "lineItems": [{"id": 1, "qty": 2}],
        **more,
    }


# --- creations -------------------------------------------------------------------------------------------------------


def test_many_orders_are_looked_for_in_one_call_each_twenty(tmp_path: Path) -> None:
    effects = [order(f"N{number}") for number in range(41)]
    told, script = found(tmp_path, effects, {ORDERS: [row(7, "N3"), row(8, "N40"), row(9, "other")]})
    assert set(told) == {"N3", "N40"}
    assert told["N3"] == Remote("7", "N3", "N3", Money(Decimal("99.90"), "AUD"), None, 1)
    assert [condition.count("'") // 2 for condition in script.conditions] == [20, 20, 1]


def test_addresses_stay_short_whatever_the_references_are() -> None:
    parts = list(chunks(["x" * 200] * 30 + list(range(50))))
    assert sum(map(len, parts)) == 80
    assert max(map(len, parts)) <= CHUNK
    assert max(sum(len(str(one)) for one in part) for part in parts) <= LONGEST


def test_a_reference_in_another_case_is_a_difference_and_of_several_the_living_oldest_counts(
    tmp_path: Path,
) -> None:
    rows = [row(3, "n1"), row(9, "N2"), row(6, "N2"), row(5, "N2", isVoid=True)]
    told, _ = found(tmp_path, [order("N1"), order("N2")], {ORDERS: rows})
    assert disagreements(order("N1"), told["N1"]) == ["its reference is n1, we meant N1"]
    assert told["N2"].remote_id == "6"


def test_lines_that_are_parts_of_others_do_not_count(tmp_path: Path) -> None:
    lines = [{"id": 1, "qty": 1}, {"id": 2, "parentId": 1, "qty": 1}, {"id": 3, "parentId": 0, "qty": 2}]
    told, _ = found(tmp_path, [order("N1")], {ORDERS: [row(7, "N1", lineItems=lines)]})
    assert told["N1"].lines == 2


def test_a_line_that_was_removed_does_not_count(tmp_path: Path) -> None:
    lines = [{"id": 1, "qty": 1}, {"id": 2, "qty": 0}]
    told, _ = found(tmp_path, [order("N1")], {ORDERS: [row(7, "N1", lineItems=lines)]})
    assert told["N1"].lines == 1


@pytest.mark.parametrize(
    ("there", "adopted"),
    [(None, False), ("N1-7", False), ("N1-0", True)],
    ids=["typed in", "of other lines", "ours"],
)
def test_an_order_that_staff_entered_meanwhile_under_the_same_reference_is_not_taken_for_ours(
    tmp_path: Path, there: str | None, adopted: bool
) -> None:
    """Same reference, same total, as many lines: it was adopted, and then changed and dispatched like one of ours."""
    meant = order("N1", lineItems=[line("TEA-TEST", "49.95", integrationRef="N1-0")])
    lines = [{"id": 1, "qty": 2, "integrationRef": there}]
    told, _ = found(tmp_path, [meant], {ORDERS: [row(7, "N1", lineItems=lines)]})
    assert (not disagreements(meant, told["N1"])) == adopted


@pytest.mark.parametrize(
    ("meant", "total", "rate", "agrees"),
    [
        ("230.00", "4.1186", "55.8441", True),
        ("230.01", "4.1186", "55.8441", False),
        ("230.00", "4.1187", "55.8441", False),
        ("15000.00", "1.0000", "15000", True),
        ("15000.50", "1.0000", "15000", True),
        ("15002.00", "1.0000", "15000", False),
    ],
)
def test_a_foreign_order_is_compared_in_its_own_currency_as_far_as_the_digits_go(
    tmp_path: Path, meant: str, total: str, rate: str, agrees: bool
) -> None:
    effect = replace(order("N1"), expected=Expected(Money(Decimal(meant), "NZD")))
    held = row(7, "N1", total, currencyCode="NZD", currencyRate=float(rate))
    told, _ = found(tmp_path, [effect], {ORDERS: [held]})
    assert (disagreements(effect, told["N1"]) == []) is agrees
    as_sent, _ = found(tmp_path, [effect], {ORDERS: [row(7, "N1", meant, currencyCode="NZD", currencyRate=55.8)]}, base_amounts=False)  # fmt: skip
    assert disagreements(effect, as_sent["N1"]) == []


def test_another_currency_than_meant_is_a_difference(tmp_path: Path) -> None:
    held = row(7, "N1", currencyCode="NZD", currencyRate=1.09)
    told, _ = found(tmp_path, [order("N1")], {ORDERS: [held]})
    assert "its currency is NZD, we meant AUD" in disagreements(order("N1"), told["N1"])


def test_contacts_are_found_by_address_whatever_the_case_or_by_our_reference(tmp_path: Path) -> None:
    rows = [
        {"id": 8, "email": "ANA@tea.example", "isActive": False}, {"id": 9, "email": "ana@tea.example"},
        {"id": 4, "integrationRef": "NETO-bo"}, {"id": 5, "integrationRef": "NETO-bob"},
    ]  # fmt: skip
    effects = [
        effect_of("contact", one, contact_body(one)) for one in ("ana@tea.example", "NETO-bo", "x@y.example")
    ]
    told, script = found(tmp_path, effects, {CONTACTS: rows})
    assert {name: (one.remote_id, one.external_id) for name, one in told.items()} == {
        "ana@tea.example": ("9", "ana@tea.example"), "NETO-bo": ("4", "NETO-bo"),
    }  # fmt: skip
    assert script.conditions == [
        "email IN ('ana@tea.example','x@y.example')",
        "integrationRef IN ('NETO-bo')",
    ]


def test_payments_are_found_on_their_order_by_our_reference(tmp_path: Path) -> None:
    rows = [
        {"id": 2, "orderId": 88123, "transactionRef": "P1", "amount": 9.9}, {"id": 1, "orderId": 88124, "transactionRef": "P1", "amount": 5},
        {"id": 4, "orderId": 88123, "transactionRef": "P1 ", "amount": 9.9}, {"id": 5, "orderId": 88123, "transactionRef": "", "amount": 1},
    ]  # fmt: skip
    effects = [effect_of("payment", name, payment_body(name, target, "9.90"), "9.90") for name, target in (("P1", 88123), ("P2", "88124"))]  # fmt: skip
    told, script = found(tmp_path, effects, {PAYMENTS: rows})
    assert told == {"P1": Remote("2", "P1", "P1", Money(Decimal("9.9"), "AUD"))}
    assert script.conditions == ["orderId IN (88123,88124)"]


def test_a_payment_whose_order_has_no_id_yet_is_looked_for_by_our_reference(tmp_path: Path) -> None:
    effect = effect_of("payment", "P1", payment_body("P1", {"$link": "KEY"}, "9.90"), "9.90")
    told, script = found(
        tmp_path, [effect], {PAYMENTS: [{"id": 2, "orderId": 5, "transactionRef": "P1", "amount": 9.9}]}
    )
    assert told["P1"].remote_id == "2"
    assert script.conditions == ["transactionRef IN ('P1')"]


def test_a_payment_in_another_currency_is_not_compared_by_amount(tmp_path: Path) -> None:
    effect = replace(effect_of("payment", "P1", payment_body("P1", 5, "9.90")), expected=Expected(Money(Decimal("9.90"), "NZD")))  # fmt: skip
    told, _ = found(
        tmp_path, [effect], {PAYMENTS: [{"id": 2, "orderId": 5, "transactionRef": "P1", "amount": 8}]}
    )
    assert told["P1"].amount is None


def test_a_product_is_found_by_the_sku_of_its_option(tmp_path: Path) -> None:
    rows = [{"id": 4, "productId": 70, "productOptionCode": "A"}]
    told, script = found(tmp_path, [effect_of("product", "A", product_body("A"))], {OPTIONS: rows})
    assert told == {"A": Remote("70", "A", "A")}
    assert script.conditions == ["productOptionCode IN ('A')"]


def test_without_a_reference_nothing_is_learnt(tmp_path: Path) -> None:
    with pytest.raises(UnknownOutcomeError, match="without a reference"):
        found(tmp_path, [effect_of("sales_order", "", {})], {})


# --- changes ---------------------------------------------------------------------------------------------------------

HELD = {
    "id": 501, "reference": "N1", "total": 99.9, "stage": "Dispatched ", "trackingCode": None, "taxStatus": "incl",
    "dispatchedDate": "2026-03-05T00:00:00Z", "freightTotal": 12.5, "isApproved": True, "memberId": 77, "phone": "0400",
    "customFields": {"orders_1": "x"},
    "lineItems": [{"id": 9, "code": "A", "qty": 2.0, "unitPrice": 19.9}, {"id": 10, "code": "B", "qty": 1}],
}  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        {"stage": "Dispatched", "dispatchedDate": "2026-03-05T11:00:00.000+11:00"},
        {"dispatchedDate": "2026-03-05"},
        {"freightTotal": Decimal("12.50"), "trackingCode": "", "total": 1},
        {"trackingCode": None, "stage": None, "memberId": "77", "taxStatus": 1},
        {"lineItems": [{"id": 9, "qty": 2, "unitPrice": Decimal("19.90")}]},
        {"lineItems": [{"code": "B", "qty": 1}, {"id": "9", "code": "A"}, {"id": 44, "qty": 0}]},
        {"customFields": {"orders_1": "x"}, "isApproved": True},
    ],
)
def test_a_record_that_says_what_a_change_wants_is_the_change_made(
    tmp_path: Path, body: dict[str, Json]
) -> None:
    told, script = found(tmp_path, [change(501, body)], {ORDERS: [HELD]})
    assert told["N1"].remote_id == "501"
    assert script.conditions == ["id IN (501)"]


@pytest.mark.parametrize(
    "body",
    [
        {"stage": "Dispatch"},
        {"dispatchedDate": "2026-03-05T00:00:01Z"},
        {"freightTotal": Decimal("12.51")},
        {"isApproved": False},
        {"phone": "400"},
        {"stage": ""},
        {"trackingCode": "TRK"},
        {"taxStatus": 2},
        {"lineItems": [{"id": 9, "qty": 3}]},
        {"lineItems": [{"id": 44, "qty": 1}]},
        {"lineItems": [{"code": "B", "qty": 1}, {"code": "B", "qty": 1}]},
        {"customFields": {"orders_2": "x"}},
    ],
)
def test_a_record_that_says_something_else_is_not(tmp_path: Path, body: dict[str, Json]) -> None:
    told, _ = found(tmp_path, [change(501, body)], {ORDERS: [HELD]})
    assert told == {}


def test_amounts_of_a_foreign_order_are_compared_in_its_own_currency(tmp_path: Path) -> None:
    held = {**HELD, "currencyCode": "NZD", "currencyRate": 1.25, "freightTotal": 10}
    for freight, same in (("12.50", True), ("10", False)):
        told, _ = found(tmp_path, [change(501, {"freightTotal": Decimal(freight)})], {ORDERS: [held]})
        assert bool(told) is same


def test_a_change_that_knows_only_the_reference_is_found_by_it(tmp_path: Path) -> None:
    told, script = found(tmp_path, [change("", {"stage": "Dispatched"})], {ORDERS: [HELD]})
    assert told["N1"].remote_id == "501"
    assert script.conditions == ["reference IN ('N1')", "id IN (501)"]


def test_a_change_whose_record_has_no_id_yet_was_not_made(tmp_path: Path) -> None:
    told, script = found(tmp_path, [change("$link:KEY", {"stage": "Dispatched"})], {ORDERS: [HELD]})
    assert (told, script.asked) == ({}, [])


# --- voids -----------------------------------------------------------------------------------------------------------


def test_a_void_is_made_when_the_order_is_void_or_gone_for_good(tmp_path: Path) -> None:
    held = [row(1, "N1", isVoid=True), row(2, "N2", status="Approved"), row(3, "N3", status="Void")]
    script = Script(reads={ORDERS: held})

    def handler(request: httpx.Request) -> httpx.Response:
        one = request.url.path.rsplit("/", 1)[-1]
        if one == "4":
            return httpx.Response(404, json={"message": "Not found."})
        return httpx.Response(200, json=row(5, "N5")) if one == "5" else script(request)

    with fake_client(handler, tmp_path) as client:
        effects = [void(number, f"N{number}") for number in range(1, 6)]
        told = Cin7Writer(client).probe(effects)
    assert {one.external_id for one in told.values()} == {"N1", "N3", "N4"}


# --- nothing learnt --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(503), TransientError),
        (httpx.Response(401), CredentialError),
        (httpx.Response(400, json={"message": "Unknown field"}), UnknownOutcomeError),
        (httpx.Response(200, json=[{"id": 1, "reference": "N1", "total": "x"}]), UnknownOutcomeError),
    ],
)
def test_a_search_that_fails_says_so(tmp_path: Path, answer: httpx.Response, error: type[Exception]) -> None:
    with fake_client(lambda _: answer, tmp_path) as client, pytest.raises(error):
        Cin7Writer(client).probe([order("N1")])


def test_a_condition_that_is_not_heeded_teaches_nothing(tmp_path: Path) -> None:
    rows = [row(number, f"X{number}") for number in range(250)]
    with (
        fake_client(lambda _: httpx.Response(200, json=rows), tmp_path) as client,
        pytest.raises(UnknownOutcomeError, match="more than 5,000"),
    ):
        Cin7Writer(client).probe([order("N1")])


def test_kinds_that_are_not_written_are_not_looked_for(tmp_path: Path) -> None:
    told, script = found(
        tmp_path, [effect_of("quote", "Q", {}), effect_of("quote", "Q", {}, action=Action.UPDATE)], {}
    )
    assert (told, script.asked) == ({}, [])
