"""What is sent, in which calls, and what each answer means: on answers as scripted."""

from __future__ import annotations

from collections.abc import Sequence
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
    Ending,
    Exists,
    NotSent,
    Refused,
    Remote,
    Unknown,
    WriteClass,
)
from ledger_pipelines.documents.keys import Json
from ledger_pipelines.sync.links import prepare
from ledger_pipelines.systems.cin7.writer import Cin7Writer
from ledger_pipelines_tests.faults.engine_target import FakeClock
from ledger_pipelines_tests.unit.systems.cin7.bodies import (
    WINDOW,
    change,
    contact_body,
    effect_of,
    order_body,
    payment_body,
    product_body,
    void,
)
from ledger_pipelines_tests.unit.systems.cin7.fake import KEY, Script, fake_client, result, said

ORDERS, CONTACTS = "/v1/SalesOrders", "/v1/Contacts"
EXISTS = "Reference N1 already exists"


def order(reference: str, **more: Json) -> Effect:
    return effect_of("sales_order", reference, order_body(reference, **more))


def orders(*references: str) -> list[Effect]:
    return [order(one) for one in references]


class Bench:
    """A writer on a script."""

    def __init__(self, script: Script, folder: Path, **more: Any) -> None:
        self.script, self.clock = script, FakeClock()
        self.writer = Cin7Writer(fake_client(script, folder, self.clock, **more))

    def send(self, effects: Sequence[Effect], ids: dict[str, str] | None = None) -> list[Ending]:
        return list(self.writer.send([prepare(effect, ids or {}) for effect in effects]))


def test_it_declares_itself(tmp_path: Path) -> None:
    writer = Bench(Script(), tmp_path, records_a_call=7).writer
    assert (writer.connection, writer.write_class, writer.settle_window) == (
        "stock",
        WriteClass.SEARCH,
        WINDOW,
    )
    assert (writer.batch_size, writer.workers) == (7, 1)


# --- batches ---------------------------------------------------------------------------------------------------------


def test_creations_changes_voids_and_dispatches_go_apart(tmp_path: Path) -> None:
    ship: dict[str, Json] = {"stage": "Dispatched", "dispatchedDate": "2026-03-05T00:00:00Z"}
    effects = {
        "create": order("N1"), "contact": effect_of("contact", "a@b.example", contact_body("a@b.example")),
        "change": change(1, {"stage": "Pick"}), "void": void(2), "dispatch": change(3, ship),
    }  # fmt: skip
    writer = Bench(Script(), tmp_path).writer
    keys = {name: writer.batch_key(effect) for name, effect in effects.items()}
    assert keys["dispatch"] is None
    assert None not in {key for name, key in keys.items() if name != "dispatch"}
    assert len(set(keys.values())) == len(keys)
    assert keys["create"] == writer.batch_key(order("N2"))
    assert writer.batch_key(change(4, {"dispatchedDate": None})) == keys["change"]
    several = Bench(Script(), tmp_path, dispatches_a_call=5).writer
    assert several.batch_key(effects["dispatch"]) not in {None, several.batch_key(effects["change"])}
    assert writer.batch_key(effect_of("quote", "Q", {})) is None


def test_a_batch_is_one_call_and_each_record_has_its_own_ending(tmp_path: Path) -> None:
    answer = said(
        result(0, 88123, code="N1"), result(1, None, "Sorry, no."), result(2, 0, "N3 ALREADY EXISTS")
    )
    bench = Bench(Script(answer), tmp_path)
    assert bench.send(orders("N1", "N2", "N3")) == [
        Confirmed(Remote("88123", "N1", "N1")),
        Refused("cin7-refused", "Sorry, no."),
        Exists("N3 ALREADY EXISTS"),
    ]
    assert bench.script.lines == ["POST /api/v1/SalesOrders"]
    assert [one["reference"] for one in bench.script.sent[0]] == ["N1", "N2", "N3"]


def test_words_of_a_refused_record_arrive_without_the_login(tmp_path: Path) -> None:
    """Cin7 refuses a record with status 200: its words went into journal and Dagster as they came."""
    bench = Bench(Script(said(result(0, None, f"Not with {KEY}."))), tmp_path)
    assert bench.send(orders("N1")) == [Refused("cin7-refused", "Not with ***.")]


def test_dispatches_go_as_many_a_call_as_is_set_and_no_record_twice_in_one(tmp_path: Path) -> None:
    ship: dict[str, Json] = {"dispatchedDate": "2026-03-05T00:00:00Z"}
    answers = [said(result(0, 1), result(1, 2)), said(result(0, 2)), said(result(0, 3))]
    bench = Bench(Script(*answers), tmp_path, dispatches_a_call=2)
    effects = [change(target, ship, f"N{place}") for place, target in enumerate((1, 2, 2))]
    told = bench.send([*effects[:2], effects[2]])
    assert [type(one) for one in told] == [Confirmed] * 3
    assert [[one["id"] for one in sent] for sent in bench.script.sent] == [[1, 2], [2]]
    one = Bench(Script(said(result(0, 1)), said(result(0, 2))), tmp_path)
    assert [type(each) for each in one.send(effects[:2])] == [Confirmed] * 2
    assert [len(sent) for sent in one.script.sent] == [1, 1]


def test_two_changes_of_one_record_are_two_calls(tmp_path: Path) -> None:
    bench = Bench(Script(said(result(0, 1)), said(result(0, 1))), tmp_path)
    bench.send([change(1, {"stage": "Pick"}, "N1"), change(1, {"stage": "Pack"}, "N2")])
    assert [[one["stage"] for one in sent] for sent in bench.script.sent] == [["Pick"], ["Pack"]]


# --- bodies ----------------------------------------------------------------------------------------------------------


def test_a_change_names_its_record_inside_the_body_and_sends_nothing_read_only(tmp_path: Path) -> None:
    bench = Bench(Script(said(result(0, 88123))), tmp_path)
    body: dict[str, Json] = {
        "total": 5, "status": "VOID", "memberId": "77", "customFields": {"orders_1Id": "5"}, "id": 4,
        "lineItems": [{"id": "9", "code": "A", "qty": 1, "qtyShipped": 1, "productId": 5, "productOptionId": "6"}],
    }  # fmt: skip
    assert bench.send([change(88123, body)]) == [Confirmed(Remote("88123", "N1", ""))]
    assert bench.script.lines == ["PUT /api/v1/SalesOrders"]
    assert bench.script.sent == [
        [
            {
                "id": 88123,
                "memberId": 77,
                "customFields": {"orders_1Id": "5"},
                "lineItems": [{"id": "9", "code": "A", "qty": 1, "productOptionId": 6}],
            }
        ]
    ]


def test_a_void_is_for_good_and_no_draft_remains(tmp_path: Path) -> None:
    bench = Bench(Script(said(result(0, 501))), tmp_path)
    assert bench.send([void(501)]) == [Confirmed(Remote("501", "N1", ""))]
    assert bench.script.sent == [[{"id": 501, "isVoid": True, "isApproved": False}]]


def test_a_payments_order_is_filled_in_from_its_link_as_a_number(tmp_path: Path) -> None:
    bench = Bench(Script(said(result(0, 7))), tmp_path)
    link: Json = {"$link": "KEY-sales_order-create-N1"}
    bench.send(
        [effect_of("payment", "P1", payment_body("P1", link, "9.90"))], {"KEY-sales_order-create-N1": "88123"}
    )
    [[sent]] = bench.script.sent
    assert (sent["orderId"], sent["amount"], sent["transactionRef"]) == (88123, Decimal("9.90"), "P1")


@pytest.mark.parametrize(
    ("effect", "code"),
    [
        (effect_of("quote", "Q", {}), "unknown-kind"),
        (effect_of("sales_order", "N1", order_body("N1"), action=Action.SKIP), "unknown-action"),
        (order("N" * 31), "too-long"),
        (order("N1", trackingCode="x" * 51), "too-long"),
        (order("N1", deliveryInstructions="x" * 2001), "too-long"),
        (effect_of("sales_order", "N2", order_body("N1")), "reference-missing"),
        (effect_of("sales_order", "", order_body("")), "reference-missing"),
        (effect_of("contact", "b@b.example", contact_body("a@b.example")), "reference-missing"),
        (effect_of("payment", "P2", payment_body("P1", 1, "1")), "reference-missing"),
        (effect_of("product", "B", product_body("A")), "reference-missing"),
        (effect_of("contact", "a@b.example", {}, action=Action.VOID, target_id="5"), "void-not-supported"),
        (change("x", {"stage": "Pick"}), "gone"),
    ],
)
def test_what_could_not_be_right_or_found_again_is_not_sent(
    tmp_path: Path, effect: Effect, code: str
) -> None:
    bench = Bench(Script(said(result(0, 1))), tmp_path)
    bad, good = bench.send([effect, order("N9")])
    assert isinstance(bad, Refused)
    assert bad.code == code
    assert isinstance(good, Confirmed)
    assert [[one["reference"] for one in sent] for sent in bench.script.sent] == [["N9"]]


def test_a_contact_is_known_by_its_e_mail_address_whatever_the_case_or_by_our_reference(
    tmp_path: Path,
) -> None:
    bench = Bench(Script(said(result(0, 1), result(1, 2))), tmp_path)
    told = bench.send(
        [
            effect_of("contact", "ana@tea.example", contact_body("Ana@Tea.example")),
            effect_of("contact", "NETO-bo", contact_body("NETO-bo")),
        ]
    )
    assert [type(one) for one in told] == [Confirmed] * 2


def test_a_change_that_knows_only_the_reference_finds_its_record_in_one_call(tmp_path: Path) -> None:
    rows = [{"id": 501, "reference": "N1"}, {"id": 502, "reference": "N2", "isVoid": True}]
    bench = Bench(Script(said(result(0, 501), result(1, 502)), reads={ORDERS: rows}), tmp_path)
    effects = [change("", {"stage": "Pick"}, name) for name in ("N1", "N2", "N3")]
    told = bench.send(effects)
    assert told[2] == Refused("gone", "N3: its sales_order is not in Cin7.")
    assert [type(one) for one in told[:2]] == [Confirmed] * 2
    assert bench.script.conditions == ["reference IN ('N1','N2','N3')"]
    assert [one["id"] for one in bench.script.sent[0]] == [501, 502]


def test_when_that_reading_fails_nothing_was_written(tmp_path: Path) -> None:
    def broken(_: httpx.Request) -> httpx.Response:
        return httpx.Response(503)

    writer = Cin7Writer(fake_client(broken, tmp_path))
    [ending] = writer.send([prepare(change("", {"stage": "Pick"}), {})])
    assert isinstance(ending, NotSent)


# --- answers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500, json={"message": "An error has occurred."}),
        httpx.Response(500, text=""),
        httpx.Response(502, text="<html>"),
        httpx.Response(408, text=""),
        httpx.Response(200, text="<html>gateway</html>"),
        httpx.Response(200, text='[{"index": 0, "success": tr'),
        httpx.Response(200, text="null"),
        httpx.Response(200, json={"message": "done"}),
        httpx.Response(200, json=[]),
        said({"index": 0, "id": 5}, {"index": 1, "id": 6}),
        said(result(0, None), result(1, 0)),
        said(result(0, 5), result(0, 6)),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("cut"),
    ],
)
def test_what_does_not_say_is_unknown_for_all_of_the_batch(
    tmp_path: Path, answer: httpx.Response | Exception
) -> None:
    bench = Bench(Script(answer), tmp_path)
    assert [type(one) for one in bench.send(orders("N1", "N2"))] == [Unknown, Unknown]
    assert len(bench.script.asked) == 1


def test_results_may_come_in_any_order_without_errors_and_in_pascal_case(tmp_path: Path) -> None:
    answer = said(
        {"Index": 1, "Success": True, "Id": 6, "Code": "N2"}, {"Index": 0, "Success": True, "Id": 5}
    )
    assert Bench(Script(answer), tmp_path).send(orders("N1", "N2")) == [
        Confirmed(Remote("5", "N1", "")),
        Confirmed(Remote("6", "N2", "N2")),
    ]
    bare = said({"success": True, "id": 5}, {"success": True, "id": 6, "errors": None})
    assert [type(one) for one in Bench(Script(bare), tmp_path).send(orders("N1", "N2"))] == [Confirmed] * 2


def test_a_creation_refused_without_a_word_is_looked_for(tmp_path: Path) -> None:
    answer = said(
        {"index": 0, "success": False}, {"index": 1, "success": False, "errors": None}, result(2, 7)
    )
    script = Script(answer, reads={ORDERS: [{"id": 5, "reference": "N1", "total": 1}]})
    told = Bench(script, tmp_path).send(orders("N1", "N2", "N3"))
    assert [type(one) for one in told] == [Exists, Refused, Confirmed]
    assert script.conditions == ["reference IN ('N1','N2')"]

    def handler(request: httpx.Request) -> httpx.Response:
        return said({"index": 0, "success": False}) if request.method == "POST" else httpx.Response(503)

    [ending] = Cin7Writer(fake_client(handler, tmp_path)).send([prepare(order("N1"), {})])
    assert isinstance(ending, NotSent)


def test_a_record_without_a_result_is_unknown_alone(tmp_path: Path) -> None:
    told = Bench(Script(said(result(1, 6))), tmp_path).send(orders("N1", "N2"))
    assert [type(one) for one in told] == [Unknown, Confirmed]


def test_an_answer_about_another_record_is_none(tmp_path: Path) -> None:
    [ending] = Bench(Script(said(result(0, 6))), tmp_path).send([change(5, {"stage": "Pick"})])
    assert isinstance(ending, Unknown)


@pytest.mark.parametrize(
    ("text", "action", "ending"),
    [
        ("Sales Order not found.", Action.UPDATE, Refused("gone", "Sales Order not found.")),
        ("Member not found.", Action.CREATE, Refused("not-found", "Member not found.")),
        ("The order is locked", Action.UPDATE, Refused("locked", "The order is locked")),
        ("Order is void", Action.UPDATE, Refused("void", "Order is void")),
        (EXISTS, Action.UPDATE, Refused("already-used", EXISTS)),
        ("", Action.UPDATE, Refused("no-words", "Cin7 refused it without a word.")),
    ],
)
def test_words_have_codes(tmp_path: Path, text: str, action: Action, ending: Ending) -> None:
    effect = order("N1") if action is Action.CREATE else change(5, {"stage": "Pick"})
    failed = {"index": 0, "success": False, "id": None, "errors": [text]}
    assert Bench(Script(said(failed)), tmp_path).send([effect]) == [ending]


@pytest.mark.parametrize("wait", [2, 7200])
def test_a_throttled_write_is_not_sent_and_says_how_long(tmp_path: Path, wait: int) -> None:
    answer = httpx.Response(429, text='"quota exceeded"', headers={"Retry-After": str(wait)})
    ship: dict[str, Json] = {"dispatchedDate": "2026-03-05T00:00:00Z"}
    bench = Bench(Script(answer), tmp_path)
    told = bench.send([change(1, ship, "N1"), change(2, ship, "N2")])
    assert [(type(one), one.retry_after) for one in told if isinstance(one, NotSent)] == [(NotSent, wait)] * 2
    assert len(bench.script.asked) == 1


def test_no_connection_is_not_sent(tmp_path: Path) -> None:
    [ending] = Bench(Script(httpx.ConnectError("refused")), tmp_path).send(orders("N1"))
    assert isinstance(ending, NotSent)


def test_login_and_permission_are_told_apart_and_the_module_is_named(tmp_path: Path) -> None:
    denied = Bench(Script(httpx.Response(401, json={"message": "no"})), tmp_path).send(orders("N1", "N2"))
    assert [type(one) for one in denied] == [CredentialsRefused] * 2
    for effect, words in (
        (order("N1"), "WRITE SalesOrders"),
        (change(5, {"stage": "x"}), "UPDATE SalesOrders"),
    ):
        [module] = Bench(Script(httpx.Response(403, json={"message": "no"})), tmp_path).send([effect])
        assert isinstance(module, CredentialsRefused)
        assert words in module.text


# --- a request refused as a whole ------------------------------------------------------------------------------------


def test_one_duplicate_that_refuses_the_whole_request_costs_one_search_and_no_second_write(
    tmp_path: Path,
) -> None:
    held = {"id": 7, "reference": "N2", "total": Decimal("99.90").__str__(), "lineItems": []}
    script = Script(
        httpx.Response(400, json={"message": "Reference 'N2' already exists"}), reads={ORDERS: [held]}
    )
    bench = Bench(script, tmp_path)
    told = bench.send(orders("N1", "N2", "N3"))
    assert isinstance(told[1], Exists)
    rest = [told[0], told[2]]
    assert all(isinstance(one, NotSent) and one.retry_after is None for one in rest)
    assert script.lines == ["POST /api/v1/SalesOrders", "GET /api/v1/SalesOrders"]
    assert script.conditions == ["reference IN ('N1','N2','N3')"]
    assert bench.writer.batch_key(order("N1")) == bench.writer.batch_key(order("N4")) is not None


def test_that_search_goes_by_twenty_references_a_call(tmp_path: Path) -> None:
    names = [f"N{number:02}" for number in range(45)]
    script = Script(
        httpx.Response(400, json="already exists"),
        reads={ORDERS: [{"id": 7, "reference": "N44", "total": 1}]},
    )
    told = Bench(script, tmp_path).send(orders(*names))
    assert [place for place, one in enumerate(told) if isinstance(one, Exists)] == [44]
    assert [len(condition.split(",")) for condition in script.conditions] == [20, 20, 5]


def test_when_the_search_fails_nothing_was_applied_all_the_same(tmp_path: Path) -> None:
    asked: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request.method)
        return (
            httpx.Response(400, json={"message": EXISTS}) if request.method == "POST" else httpx.Response(503)
        )

    writer = Cin7Writer(fake_client(handler, tmp_path))
    told = writer.send([prepare(one, {}) for one in orders("N1", "N2")])
    assert [type(one) for one in told] == [NotSent, NotSent]
    assert asked.count("POST") == 1


def test_a_duplicate_sent_alone_needs_no_search(tmp_path: Path) -> None:
    bench = Bench(Script(httpx.Response(400, text=f'"{EXISTS}"')), tmp_path)
    assert bench.send(orders("N1")) == [Exists(EXISTS)]
    assert len(bench.script.asked) == 1


@pytest.mark.parametrize("text", [EXISTS, "Missing or malformed JSON data"])
def test_where_nothing_tells_which_record_is_meant_they_are_sent_one_a_call(
    tmp_path: Path, text: str
) -> None:
    script = Script(
        httpx.Response(400, json={"message": text}),
        said(result(0, 1)),
        httpx.Response(400, json={"message": text}),
    )
    bench = Bench(script, tmp_path)
    effects = orders("N1", "N2")
    told = bench.send(effects)
    assert [type(one) for one in told] == [NotSent, NotSent]
    assert [bench.writer.batch_key(one) for one in effects] == [None, None]
    assert bench.writer.batch_key(order("N3")) is not None
    again = bench.send(effects)
    assert isinstance(again[0], Confirmed)
    assert isinstance(again[1], Exists if text == EXISTS else Refused)
    assert [len(sent) for sent in script.sent] == [2, 1, 1]


def test_contacts_of_both_sorts_are_searched_by_what_they_are_known_by(tmp_path: Path) -> None:
    script = Script(
        httpx.Response(400, json={"message": "duplicate"}),
        reads={CONTACTS: [{"id": 5, "email": "ANA@tea.example"}]},
    )
    told = Bench(script, tmp_path).send(
        [effect_of("contact", one, contact_body(one)) for one in ("ana@tea.example", "NETO-bo")]
    )
    assert [type(one) for one in told] == [Exists, NotSent]
    assert script.conditions == ["email IN ('ana@tea.example')", "integrationRef IN ('NETO-bo')"]


# --- voids that are refused ------------------------------------------------------------------------------------------


def test_a_void_of_what_is_void_or_gone_is_done_and_a_locked_one_is_refused(tmp_path: Path) -> None:
    answers = said(*(result(place, None, "No.") for place in range(3)))
    script = Script(answers)
    script.reads = {
        ORDERS: [
            {"id": 1, "total": 1, "isVoid": True},
            {"id": 2, "total": 1, "isVoid": False, "status": "APPROVED"},
        ]
    }

    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/3"):
            script.asked.append(request)
            return httpx.Response(404, json={"message": "gone"})
        return script(request)

    writer = Cin7Writer(fake_client(handler, tmp_path))
    told = writer.send([prepare(void(target, f"N{target}"), {}) for target in (1, 2, 3)])
    assert told == [
        Confirmed(Remote("1", "N1")), Refused("cin7-refused", "No."), Confirmed(Remote("3", "N3")),
    ]  # fmt: skip
    assert script.lines[1:] == ["GET /api/v1/SalesOrders", "GET /api/v1/SalesOrders/3"]


def test_a_void_that_is_refused_stays_refused_where_it_cannot_be_looked_at(tmp_path: Path) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        return said(result(0, None, "No.")) if request.method == "PUT" else httpx.Response(503)

    [ending] = Cin7Writer(fake_client(handler, tmp_path)).send([prepare(void(1), {})])
    assert ending == Refused("cin7-refused", "No.")


def test_one_id_for_two_new_records_is_unknown_for_both_and_the_third_is_confirmed(tmp_path: Path) -> None:
    bench = Bench(Script(said(result(0, 900), result(1, 900), result(2, 901))), tmp_path)
    assert [type(one) for one in bench.send(orders("N1", "N2", "N3"))] == [Unknown, Unknown, Confirmed]


def test_a_refusal_nested_without_end_is_refused_and_only_the_beginning_of_it_kept(tmp_path: Path) -> None:
    bench = Bench(Script(httpx.Response(400, content=b"[" * 100_000)), tmp_path)
    [ending] = bench.send([order("N1")])
    assert isinstance(ending, Refused)
    assert len(ending.text) == 500
