"""Reader, writer and engine on a Cin7 with its limits, permissions and oddities: what the standard suites do not bring about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from ledger_pipelines.documents.effects import (
    Action,
    Confirmed,
    CredentialsRefused,
    Effect,
    EffectState,
    Ending,
    Exists,
    Expected,
    Mode,
    NotSent,
    Refused,
    Unknown,
)
from ledger_pipelines.documents.keys import Json
from ledger_pipelines.documents.money import Money
from ledger_pipelines.errors import TransientError
from ledger_pipelines.sandbox.server import RunningSandbox
from ledger_pipelines.storage.journal import Journal
from ledger_pipelines.sync.agreement import disagreements
from ledger_pipelines.sync.apply import apply
from ledger_pipelines.sync.links import prepare
from ledger_pipelines.sync.result import ApplyResult, Outcome
from ledger_pipelines.systems.cin7 import records
from ledger_pipelines.systems.cin7.client import Asked
from ledger_pipelines.systems.cin7.entities import ENTITIES
from ledger_pipelines.systems.cin7.reader import Cin7Reader
from ledger_pipelines.systems.cin7.writer import Cin7Writer
from ledger_pipelines_tests.standard.writer_suite import plan_of
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
from ledger_pipelines_tests.unit.systems.cin7.desk import Desk, client_on

pytestmark = pytest.mark.slow

ORDERS = "/v1/SalesOrders"
SHIP: dict[str, Json] = {
    "stage": "Dispatched",
    "dispatchedDate": "2026-03-05T00:00:00Z",
    "trackingCode": "TRK77",
}


@pytest.fixture
def desk(fresh: RunningSandbox, cin7_control: httpx.Client, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(fresh, cin7_control, tmp_path / "state")
    yield made
    cin7_control.delete("/faults").raise_for_status()
    made.close()


@pytest.fixture
def journal(desk: Desk, tmp_path: Path) -> Iterator[Journal]:
    with Journal.open(tmp_path / "journal.db", now=desk.clock.now()) as opened:
        yield opened


def send(desk: Desk, *effects: Effect, **more: Any) -> list[Ending]:
    return list(Cin7Writer(desk.client).send([prepare(effect, more) for effect in effects]))


def carried_out(desk: Desk, journal: Journal, effects: Sequence[Effect]) -> ApplyResult:
    return apply(
        plan_of(effects), journal=journal, writer=Cin7Writer(desk.client), mode=Mode.LIVE, clock=desk.clock
    )


def order(reference: str, **more: Json) -> Effect:
    return effect_of("sales_order", reference, order_body(reference, **more), "99.90")


def by_reference(desk: Desk) -> dict[str, dict[str, Any]]:
    return {one["reference"]: one for one in desk.records("order")}


# --- an order's life -------------------------------------------------------------------------------------------------


def test_contact_order_and_payment_are_made_in_their_order_and_linked(desk: Desk, journal: Journal) -> None:
    who = effect_of("contact", "ana@tea.example", contact_body("ana@tea.example"))
    bought = order("N1", memberId={"$link": who.key})
    paid = effect_of(
        "payment", "NETO-PAY-1", payment_body("NETO-PAY-1", {"$link": bought.key}, "99.90"), "99.90"
    )
    result = carried_out(desk, journal, [paid, bought, who])
    assert result.counts()[Outcome.WRITTEN] == 3
    [contact] = [one for one in desk.records("contact") if one["email"] == "ana@tea.example"]
    made = by_reference(desk)["N1"]
    [payment] = desk.records("payment")
    assert (made["memberId"], payment["orderId"]) == (contact["id"], made["id"])
    assert sum(desk.calls().values()) == 3


def test_a_dispatch_whose_500_was_a_success_is_found_made_and_not_sent_again(
    desk: Desk, journal: Journal
) -> None:
    target = desk.made(ORDERS, order_body("N1"))
    desk.fault("dispatch_500_but_commit")
    effect = change(target, SHIP)
    first = carried_out(desk, journal, [effect])
    assert first.counts()[Outcome.WRITTEN] == 0
    desk.forget_calls()
    second = carried_out(desk, journal, [effect])
    assert second.counts()[Outcome.ADOPTED] == 1
    assert journal.counts() == {EffectState.CONFIRMED: 1}
    assert {name.split()[0] for name in desk.calls()} == {"GET"}
    assert by_reference(desk)["N1"]["stage"] == "Dispatched"


def test_a_dispatch_whose_500_was_a_failure_is_sent_again_after_the_window(
    desk: Desk, journal: Journal
) -> None:
    target = desk.made(ORDERS, order_body("N1"))
    effect = change(target, SHIP)
    desk.fault("5xx_before", method="PUT", nth=1, status=500)
    for _ in range(2):
        carried_out(desk, journal, [effect])
        desk.clock.jump(21)
    assert journal.counts() == {EffectState.CONFIRMED: 1}
    assert by_reference(desk)["N1"]["trackingCode"] == "TRK77"


def test_a_void_is_made_once_and_a_second_one_finds_it_made(desk: Desk) -> None:
    target = desk.made(ORDERS, order_body("N1"))
    for _ in range(2):
        [ending] = send(desk, void(target))
        assert isinstance(ending, Confirmed)
        assert ending.remote.remote_id == str(target)
    made = by_reference(desk)["N1"]
    assert (made["isVoid"], made["isApproved"]) == (True, False)
    assert set(Cin7Writer(desk.client).probe([void(target)])) == {void(target).key}


def test_a_void_of_an_order_that_was_removed_for_good_is_done(desk: Desk) -> None:
    target = desk.made(ORDERS, order_body("N1"))
    assert Cin7Writer(desk.client).probe([void(target)]) == {}
    send(desk, void(target))
    desk.clock.jump(timedelta(days=200).total_seconds())
    [ending] = send(desk, void(target))
    assert isinstance(ending, Confirmed)


def test_a_dispatched_order_is_not_voided_and_says_why(desk: Desk) -> None:
    target = desk.made(ORDERS, order_body("N1"))
    [shipped] = send(desk, change(target, SHIP))
    assert isinstance(shipped, Confirmed)
    [ending] = send(desk, void(target))
    assert isinstance(ending, Refused)
    assert by_reference(desk)["N1"]["isVoid"] is False


def test_a_change_touches_only_what_it_names(desk: Desk) -> None:
    target = desk.made(ORDERS, order_body("N1", phone="0400", freightTotal=Decimal("5.50")))
    effect = change(target, {"trackingCode": "TRK1", "phone": ""})
    [ending] = send(desk, effect)
    assert isinstance(ending, Confirmed)
    made = by_reference(desk)["N1"]
    assert (made["trackingCode"], str(made["freightTotal"]), made["stage"]) == ("TRK1", "5.50", "New")
    assert not made["phone"]
    assert set(Cin7Writer(desk.client).probe([effect])) == {effect.key}


def test_a_product_is_made_and_found_by_its_sku(desk: Desk) -> None:
    effect = effect_of("product", "NEW-1", product_body("NEW-1"))
    [ending] = send(desk, effect)
    assert isinstance(ending, Confirmed)
    assert Cin7Writer(desk.client).probe([effect])[effect.key].remote_id == ending.remote.remote_id


# --- duplicates ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["item", "request400"])
def test_an_order_that_is_there_is_taken_as_ours_and_its_neighbours_are_written(
    desk: Desk, journal: Journal, mode: str
) -> None:
    desk.settings(duplicate_mode=mode)
    desk.made(ORDERS, order_body("N2"))
    desk.forget_calls()
    result = carried_out(desk, journal, [order("N1"), order("N2"), order("N3")])
    assert result.counts()[Outcome.WRITTEN] == 2
    assert result.counts()[Outcome.ADOPTED] == 1
    assert sorted(one["reference"] for one in desk.records("order")) == ["N1", "N2", "N3"]
    posts = sum(count for name, count in desk.calls().items() if name.startswith("POST"))
    assert posts == (1 if mode == "item" else 2)


@pytest.mark.parametrize("mode", ["item", "request400"])
def test_a_contact_that_is_there_is_evidence(desk: Desk, mode: str) -> None:
    desk.settings(duplicate_mode=mode)
    desk.made("/v1/Contacts", contact_body("ana@tea.example"))
    effects = [effect_of("contact", one, contact_body(one)) for one in ("ana@tea.example", "bo@tea.example")]
    told = send(desk, *effects)
    assert isinstance(told[0], Exists)
    assert isinstance(told[1], Confirmed if mode == "item" else NotSent)


def test_an_order_of_somebody_else_under_our_reference_is_held(desk: Desk, journal: Journal) -> None:
    desk.made(ORDERS, order_body("N1", "1.00"))
    carried_out(desk, journal, [order("N1")])
    assert journal.counts() == {EffectState.HELD: 1}


# --- money -----------------------------------------------------------------------------------------------------------


def test_a_foreign_order_agrees_in_its_own_currency(desk: Desk) -> None:
    body = order_body("N1", "33.33", currencyCode="NZD", lineItems=[line("TEA-TEST", "33.33", 3)])
    effect = replace(
        effect_of("sales_order", "N1", body), expected=Expected(Money(Decimal("99.99"), "NZD"), lines=1)
    )
    [ending] = send(desk, effect)
    assert isinstance(ending, Confirmed)
    remote = Cin7Writer(desk.client).probe([effect])[effect.key]
    assert disagreements(effect, remote) == []
    [row] = desk.client.page(ORDERS, Asked("reference='N1'"))
    made = records.sales_order(row)
    assert made.total != Decimal("99.99")
    assert records.in_currency_of(made, made.total, "AUD") == Decimal("99.99")
    changed = change(made.id, {"lineItems": [{"id": int(made.lines[0].id), "unitPrice": Decimal("33.33")}]})
    assert set(Cin7Writer(desk.client).probe([changed])) == {changed.key}


# --- oddities --------------------------------------------------------------------------------------------------------


def test_pascal_case_and_answers_without_errors_are_read(desk: Desk) -> None:
    desk.settings(pascal_case=True, errors_key=False)
    [ending, again] = [*send(desk, order("N1")), *send(desk, order("N1"))]
    assert isinstance(ending, Confirmed)
    assert isinstance(again, Exists)
    now = desk.clock.now()
    parts = list(
        Cin7Reader(desk.client).read_changes(
            ENTITIES["sales_orders"], now - timedelta(hours=1), now + timedelta(hours=1)
        )
    )
    [row] = [row for part in parts for row in part.cells]
    names = [column.name for column in ENTITIES["sales_orders"].columns]
    assert row[names.index("reference")] == "N1"
    assert '"lineItems":[{' in str(row[-1])
    assert set(Cin7Writer(desk.client).probe([order("N1")])) == {order("N1").key}


@pytest.mark.parametrize("kind", ["html_error_body", "random_503", "drop_response_after_commit"])
def test_whatever_comes_instead_of_an_answer_each_order_is_made_once(
    desk: Desk, journal: Journal, kind: str
) -> None:
    desk.fault(kind, method="POST", nth=1)
    effects = [order(f"N{number}") for number in range(3)]
    for _ in range(3):
        carried_out(desk, journal, effects)
        desk.clock.jump(21)
    assert journal.counts() == {EffectState.CONFIRMED: 3}
    assert sorted(one["reference"] for one in desk.records("order")) == ["N0", "N1", "N2"]


# --- limits ----------------------------------------------------------------------------------------------------------


def test_our_pace_is_never_refused(desk: Desk, tmp_path: Path) -> None:
    desk.settings(per_second=3, per_minute=60, per_day=5000)
    pace = {"seconds_between_calls": 0.35, "calls_per_minute": 60}
    with client_on(desk.sandbox, tmp_path / "paced", desk.clock, **pace) as client:
        for _ in range(100):
            client.page("/v1/Branches", Asked())
        assert sum(call.count for call in client.calls()) == 100


def test_a_day_that_is_spent_parks_the_account_and_the_run_says_until_when(
    desk: Desk, journal: Journal
) -> None:
    desk.settings(per_day=1)
    desk.control.delete("/cin7/meter")
    desk.client.page("/v1/Branches", Asked())
    result = carried_out(desk, journal, [order("N1"), order("N2")])
    assert result.counts()[Outcome.WRITTEN] == 0
    assert journal.counts() == {EffectState.APPROVED: 2}
    until = desk.client.spent().blocked_until
    assert until is not None and until - desk.clock.now() > timedelta(minutes=2)
    desk.forget_calls()
    with pytest.raises(TransientError, match="blocked by the vendor until"):
        desk.client.page("/v1/Branches", Asked())
    assert desk.calls() == {}


# --- permissions -----------------------------------------------------------------------------------------------------


def test_a_connection_that_may_only_read_says_which_module_it_may_not_write(
    desk: Desk, tmp_path: Path
) -> None:
    with client_on(desk.sandbox, tmp_path / "reader", desk.clock, login="reader") as client:
        writer = Cin7Writer(client)
        [ending] = writer.send([prepare(order("N1"), {})])
        assert isinstance(ending, CredentialsRefused)
        assert "may not WRITE SalesOrders" in ending.text
        assert writer.probe([order("N1")]) == {}
    assert desk.records("order") == []


def test_a_lost_answer_is_unknown_for_all_of_a_batch_and_one_search_finds_them(desk: Desk) -> None:
    desk.fault("cut_after", method="POST", nth=1)
    effects = [order(f"N{number}") for number in range(10)]
    assert [type(one) for one in send(desk, *effects)] == [Unknown] * 10
    desk.forget_calls()
    found = Cin7Writer(desk.client).probe(effects)
    assert len(found) == 10
    assert all(disagreements(effect, found[effect.key]) == [] for effect in effects)
    assert sum(desk.calls().values()) == 1


def test_an_update_by_reference_only_is_made(desk: Desk) -> None:
    target = desk.made(ORDERS, order_body("N1"))
    effect = effect_of("sales_order", "N1", {"stage": "Pick"}, action=Action.UPDATE)
    [ending] = send(desk, effect)
    assert isinstance(ending, Confirmed)
    assert ending.remote.remote_id == str(target)
    assert by_reference(desk)["N1"]["stage"] == "Pick"
