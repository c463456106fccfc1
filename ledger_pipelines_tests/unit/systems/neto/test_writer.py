"""What Neto answers to a write and what it means: partial success, refusals of a whole call, shapes, names within names."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

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
    Prepared,
    Refused,
    Unknown,
)
from ledger_pipelines.errors import CredentialError, TransientError, UnknownOutcomeError
from ledger_pipelines.sync.links import prepare
from ledger_pipelines.systems.neto.client import KeyCredentials, NetoClient, NetoConnection
from ledger_pipelines.systems.neto.probe import ITEM, STOCK
from ledger_pipelines.systems.neto.writer import NetoWriter
from ledger_pipelines.systems.secrets import Secret
from ledger_pipelines_tests.faults.engine_target import FakeClock
from ledger_pipelines_tests.unit.systems.neto.store import Store
from ledger_pipelines_tests.unit.systems.neto.test_writer_standard import effect_of

Reply = dict[str, Any]


def _writer(answer: Callable[[Reply], httpx.Response | Reply]) -> tuple[NetoWriter, list[Reply]]:
    """A writer of a store that answers so, and what it was sent."""
    sent: list[Reply] = []

    def reply(request: httpx.Request) -> httpx.Response:
        sent.append({"action": request.headers["NETOAPI_ACTION"], **json.loads(request.content)})
        told = answer(sent[-1])
        return told if isinstance(told, httpx.Response) else httpx.Response(200, json=told)

    connection = NetoConnection(
        "shop",
        "https://shop.example",
        KeyCredentials(Secret("k" * 32)),
        ZoneInfo("UTC"),
        calls_per_second=10_000,
    )
    client = NetoClient(connection, clock=FakeClock(), transport=httpx.MockTransport(reply))
    return NetoWriter(client, timedelta(minutes=5)), sent


def _quantity(sku: str, quantity: str = "5") -> Prepared:
    body = {"SKU": sku, "WarehouseID": "3", "Quantity": quantity}
    return prepare(effect_of(STOCK, sku, dict(body)), {}, 1)


def _product(sku: str) -> Prepared:
    return prepare(effect_of(ITEM, sku, {"SKU": sku, "Name": sku}), {}, 1)


def _kinds(endings: object) -> list[type[Ending]]:
    assert isinstance(endings, list)
    return [type(one) for one in endings]


def _said(kind: str, *texts: str) -> Reply:
    told: Any = [{"Message": text, "SeverityCode": "Waring"} for text in texts]
    return {"Ack": kind, "Messages": {kind: told[0] if len(told) == 1 else told}}


def test_a_quantity_is_set_in_its_warehouse_and_nothing_else_of_the_product_is_touched() -> None:
    writer, sent = _writer(lambda body: {"Item": [{"SKU": "TEA"}, {"SKU": "POT"}], "Ack": "Success"})
    assert _kinds(writer.send([_quantity("TEA"), _quantity("POT", "0")])) == [Confirmed, Confirmed]
    level = {"WarehouseID": "3", "Quantity": "5", "Action": "set"}
    assert sent == [
        {
            "action": "UpdateItem",
            "Item": [
                {"SKU": "TEA", "WarehouseQuantity": level},
                {"SKU": "POT", "WarehouseQuantity": level | {"Quantity": "0"}},
            ],
        }
    ]


@pytest.mark.parametrize(
    "listed",
    [
        {"InventoryID": "2060", "SKU": "CAP"},
        [{"InventoryID": "2060", "SKU": "CAP"}],
        ["CAP"],
        "CAP",
    ],
)
def test_every_shape_of_a_result_confirms(listed: Any) -> None:
    writer, _ = _writer(lambda body: {"Item": listed, "Ack": "Success"})
    [ending] = writer.send([_product("CAP")])
    assert isinstance(ending, Confirmed)
    assert ending.remote.remote_id in {"2060", "CAP"}
    assert ending.remote.external_id == "CAP"


def test_of_a_partial_success_the_named_one_is_refused_and_no_other_that_its_name_is_part_of() -> None:
    answer = {
        "Item": {"SKU": "TEA-RED"},
        **_said("Warning", "Cannot find Item TEA.", "Cannot find Item TEA-XX"),
    }
    writer, _ = _writer(lambda body: answer)
    endings = list(writer.send([_quantity("TEA"), _quantity("TEA-RED"), _quantity("TEA-XX")]))
    # TEA-RED is confirmed although a warning names TEA
    assert _kinds(endings) == [Refused, Confirmed, Refused]
    assert isinstance(endings[0], Refused)
    assert endings[0].text == "Cannot find Item TEA."


def test_one_that_is_neither_listed_nor_named_is_unknown() -> None:
    writer, _ = _writer(lambda body: {"Item": [{"SKU": "TEA"}], "Ack": "Success"})
    assert _kinds(writer.send([_product("TEA"), _product("POT")])) == [Confirmed, Unknown]


def test_a_sku_that_neto_spells_otherwise_is_not_ours() -> None:
    writer, _ = _writer(lambda body: {"Item": [{"SKU": "Tea"}, {"SKU": "POT"}], "Ack": "Success"})
    assert _kinds(writer.send([_quantity("TEA"), _quantity("POT")])) == [Unknown, Confirmed]


def test_a_quantity_is_unknown_when_neto_lists_its_product_but_warns_of_something() -> None:
    answer = {"Item": [{"SKU": "TEA"}, {"SKU": "POT"}], **_said("Warning", "Cannot find Warehouse 3")}
    writer, _ = _writer(lambda body: answer)
    assert _kinds(writer.send([_quantity("TEA"), _quantity("POT")])) == [Unknown, Unknown]


@pytest.mark.parametrize("kind", ["Warning", "Error"])
def test_a_product_that_is_there_already_is_told_as_such(kind: str) -> None:
    writer, _ = _writer(lambda body: {"Item": "", **_said(kind, "Item CAP already exists")})
    assert _kinds(writer.send([_product("CAP")])) == [Exists]


def _one_bad(body: Reply) -> Reply:
    skus = [one["SKU"] for one in body["Item"]]
    if "BAD-37" in skus:
        return _said("Error", "Name must not exceed 150 characters")
    return {"Item": [{"SKU": sku} for sku in skus], "Ack": "Success"}


def test_a_call_refused_for_one_product_is_sent_again_in_halves_until_only_that_one_is_refused() -> None:
    batch = [_product(f"BAD-{n}" if n == 37 else f"OK-{n}") for n in range(100)]
    writer, sent = _writer(_one_bad)
    endings = list(writer.send(batch))
    assert [n for n, one in enumerate(endings) if not isinstance(one, Confirmed)] == [37]
    assert isinstance(endings[37], Refused)
    assert len(sent) <= 15


def test_a_refusal_that_is_about_all_is_asked_for_a_few_times_only() -> None:
    writer, sent = _writer(lambda body: _said("Error", "Cannot find Warehouse 3"))
    endings = list(writer.send([_quantity(f"TEA-{n}") for n in range(100)]))
    assert {(type(one), getattr(one, "text", "")) for one in endings} == {
        (Refused, "Cannot find Warehouse 3")
    }
    assert len(sent) <= 10


def test_after_a_refused_key_amid_a_batch_no_further_call_is_made() -> None:
    answers = iter([_said("Error", "Name is wrong"), _said("Error", "Invalid API Key")])
    writer, sent = _writer(lambda body: next(answers))
    assert set(_kinds(writer.send([_product(f"CAP-{n}") for n in range(8)]))) == {CredentialsRefused}
    assert len(sent) == 2


def test_after_an_unclear_answer_amid_a_batch_the_rest_is_not_sent() -> None:
    said: list[httpx.Response | Reply] = [_said("Error", "Name is wrong"), httpx.Response(502, html="<html>")]
    answers = iter(said)
    writer, _ = _writer(lambda body: next(answers))
    assert _kinds(writer.send([_product(f"CAP-{n}") for n in range(4)])) == [
        Unknown,
        Unknown,
        NotSent,
        NotSent,
    ]


@pytest.mark.parametrize(
    ("answer", "ending"),
    [
        (httpx.Response(200, html="<html>maintenance</html>"), Unknown),
        (httpx.Response(200, text='{"Item": [{"SKU"'), Unknown),
        (httpx.Response(200, json={"no": "Ack"}), Unknown),
        (httpx.Response(503, text="busy"), Unknown),
        (httpx.Response(404, text="not here"), Unknown),
        (httpx.Response(302, headers={"location": "https://elsewhere.example"}), Unknown),
        (httpx.Response(429, text="Too many requests", headers={"retry-after": "3"}), NotSent),
        (httpx.Response(401, text="no"), CredentialsRefused),
        (httpx.Response(403, text="no"), CredentialsRefused),
        (httpx.Response(403, html="<html>firewall</html>"), Unknown),
    ],
)
def test_answers_that_are_not_netos_own(answer: httpx.Response, ending: type[Ending]) -> None:
    writer, sent = _writer(lambda body: answer)
    assert _kinds(writer.send([_product("CAP"), _product("HAT")])) == [ending, ending]
    assert len(sent) == 1


def test_what_the_api_cannot_do_is_refused_without_a_call() -> None:
    writer, sent = _writer(lambda body: {"Item": [{"SKU": "CAP"}], "Ack": "Success"})
    unknown = effect_of(ITEM, "CAP", {})
    void = Effect(**{name: getattr(unknown, name) for name in Effect.__slots__} | {"action": Action.VOID})
    endings = list(writer.send([prepare(void, {}, 1), _product("CAP")]))
    assert _kinds(endings) == [Refused, Confirmed]
    assert len(sent) == 1
    assert writer.probe([void]) == {}


# --- probe ---------------------------------------------------------------------------------------------------------


def test_a_probe_of_products_that_are_all_there_is_one_call_a_hundred(bare: Store) -> None:
    bare.call("AddItem", {"Item": [{"SKU": f"P-{n}"} for n in range(150)]})
    writer = NetoWriter(bare.client, timedelta(minutes=5))
    effects = [_product(f"P-{n}").effect for n in range(150)]
    before = bare.calls()
    assert set(writer.probe(effects)) == {effect.key for effect in effects}
    assert bare.calls() - before == 2


def test_a_probe_of_short_pages_still_finds_all(bare: Store) -> None:
    bare.call("AddItem", {"Item": [{"SKU": f"P-{n}"} for n in range(90)]})
    bare.settings(short_pages=True)
    writer = NetoWriter(bare.client, timedelta(minutes=5))
    assert len(writer.probe([_product(f"P-{n}").effect for n in range(95)])) == 90


def test_a_product_in_other_letters_is_not_the_one_looked_for(bare: Store) -> None:
    bare.call("AddItem", {"Item": {"SKU": "Cap-1"}})
    writer = NetoWriter(bare.client, timedelta(minutes=5))
    assert writer.probe([_product("CAP-1").effect]) == {}
    assert len(writer.probe([_product("Cap-1").effect])) == 1


@pytest.mark.parametrize(("wanted", "found"), [("4", True), ("4.000", True), ("5", False)])
def test_a_quantity_is_found_only_when_the_warehouse_holds_just_that(
    bare: Store, wanted: str, found: bool
) -> None:
    held = [{"WarehouseID": "1", "Quantity": "9"}, {"WarehouseID": "3", "Quantity": "4"}]
    bare.call("AddItem", {"Item": {"SKU": "TEA", "WarehouseQuantity": held}})
    writer = NetoWriter(bare.client, timedelta(minutes=5))
    assert bool(writer.probe([_quantity("TEA", wanted).effect])) is found


def test_a_warehouse_that_never_held_the_product_holds_none(bare: Store) -> None:
    bare.call("AddItem", {"Item": {"SKU": "TEA", "WarehouseQuantity": {"WarehouseID": "1", "Quantity": "9"}}})
    writer = NetoWriter(bare.client, timedelta(minutes=5))
    assert writer.probe([_quantity("TEA", "0").effect])
    assert not writer.probe([_quantity("TEA", "9").effect])


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (_said("Error", "Invalid API Key"), CredentialError),
        (_said("Error", "Database is away"), UnknownOutcomeError),
        (
            {"Ack": "Success", "Item": [{"SKU": "CAP", "WarehouseQuantity": {"Quantity": "lots"}}]},
            UnknownOutcomeError,
        ),
        (httpx.Response(200, html="<html>"), TransientError),
    ],
)
def test_a_probe_that_learns_nothing_says_so(answer: httpx.Response | Reply, error: type[Exception]) -> None:
    writer, _ = _writer(lambda body: answer)
    with pytest.raises(error):
        writer.probe([_quantity("CAP").effect])


def test_amounts_of_a_new_product_travel_exactly() -> None:
    raw: list[bytes] = []

    def keep(request: httpx.Request) -> httpx.Response:
        raw.append(request.content)
        return httpx.Response(200, json={"Item": {"SKU": "CAP"}, "Ack": "Success"})

    connection = NetoConnection(
        "shop", "https://shop.example", KeyCredentials(Secret("k" * 32)), ZoneInfo("UTC")
    )
    client = NetoClient(connection, clock=FakeClock(), transport=httpx.MockTransport(keep))
    effect = effect_of(ITEM, "CAP", {"SKU": "CAP", "DefaultPrice": Decimal("38.45454545")})
    NetoWriter(client, timedelta(minutes=5)).send([prepare(effect, {}, 1)])
    assert b'"DefaultPrice":38.45454545' in raw[0]


def test_refused_and_listed_as_done_is_unknown_and_is_not_sent_again_in_halves() -> None:
    writer, sent = _writer(lambda body: {"Item": [{"SKU": "TEA"}], "Ack": "Error"})
    assert _kinds(writer.send([_product("TEA"), _product("POT")])) == [Unknown, Unknown]
    assert len(sent) == 1
