"""Records that requests bring to a shop's vendors, against the rows of a plan: each by its key and by its body.

Belongs here: taking what arrives at the sandbox's gate, and the comparison. Does not belong here: making plans, carrying them out
(`plan_cases`), NetSuite's (`ground`, `exactness`).

Taken where the sandbox receives it, and links are filled in from the sandbox's dump, so that what the product says of itself plays
no part. Ids are compared as numbers, and no other text is touched.
"""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from unittest import mock

from starlette.types import Receive, Scope, Send

from ledger_pipelines.documents.effects import LINK, Action, Effect
from ledger_pipelines.documents.keys import Json, canonical, decode, digest
from ledger_pipelines.sandbox.gate import Gate
from ledger_pipelines.sandbox.wire import read_body, replay
from ledger_pipelines_tests.faults.exactness import filled

_METHODS = frozenset({"POST", "PUT", "DELETE"})
_PLACES: Mapping[str, str] = {
    "sales_order": "cin7 /api/v1/SalesOrders", "contact": "cin7 /api/v1/Contacts", "payment": "cin7 /api/v1/Payments",
    "product": "cin7 /api/v1/Products",
}  # fmt: skip
_NETO = {("item", Action.CREATE): "AddItem", ("stock", Action.UPDATE): "UpdateItem"}
_LINKED = f"{LINK}:"
_NAMES_THE_RECORD = frozenset({"id", "Id", "LastUpdatedId"})


@dataclass(frozen=True, slots=True)
class Wired:
    """One record in one request. place: vendor, path or action; key: the id it names, "" for a creation."""

    place: str
    method: str
    key: str
    body: Json


@contextlib.contextmanager
def on_wire() -> Iterator[list[Wired]]:
    """Every record that a request brings to a sandbox of this process in the block, each of a call on its own."""
    seen: list[Wired] = []
    real = Gate.__call__

    async def call(self: Gate, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await real(self, scope, receive, send)
            return
        body = await read_body(receive)
        if body is None:
            return
        seen.extend(_records(self._vendor.name, scope, body))
        await real(self, scope, replay(body, receive), send)

    with mock.patch.object(Gate, "__call__", call):
        yield seen


def _records(vendor: str, scope: Scope, body: bytes) -> Iterator[Wired]:
    method, path = scope["method"], scope["path"]
    if method not in _METHODS or "authorisation" in path:
        return
    told = json.loads(body, parse_float=Decimal) if body.strip() else {}
    if vendor == "neto":
        action = next(value.decode() for name, value in scope["headers"] if name == b"netoapi_action")
        if not action.startswith("Get"):
            for one in told["Item"] if isinstance(told["Item"], list) else [told["Item"]]:
                yield Wired(f"neto {action}", method, "", one)
    elif vendor == "cin7":
        for one in told:
            yield Wired(f"cin7 {path}", method, str(one.get("id", "")), one)
    else:
        _, kind, *rest = path.split("/")
        yield Wired(f"{vendor} /{kind}", method, "".join(rest), told)


def otherwise(
    vendor: str,
    effects: Iterable[Effect],
    arrived: Iterable[Wired],
    number: Callable[[str, str], str],
    known: Iterable[Effect],
) -> list[str]:
    """What arrived other than some effects say; sentences.

    Args:
        vendor: Where they go.
        effects: Of the plan that was carried out.
        arrived: What came meanwhile.
        number: The id in the target of a kind's record under a reference, out of the sandbox's dump.
        known: Every effect that links may point to.
    """  # fmt: skip
    ids = {one.key: number(one.kind, one.external_id) for one in known}
    wanted = [_wanted(vendor, one, ids, number) for one in effects]
    came: Counter[tuple[str, str, str, str]] = Counter()
    bodies = {(one.place, one.method, one.key): one.body for one in wanted if one.method == "PUT"}
    for one in arrived:
        body = one.body
        partial = bodies.get((one.place, one.method, one.key))
        if vendor == "saasu" and isinstance(partial, dict) and isinstance(body, dict):
            body = {
                name: body.get(name) for name in partial
            }  # a PUT carries the rest of the record as it was read
        came[_hashed(one, body)] += 1
    due = Counter(_hashed(one, one.body) for one in wanted)
    return [f"planned and did not arrive: {' '.join(row)} x{n}" for row, n in (due - came).items()] + [
        f"arrived and was not planned: {' '.join(row)} x{n}" for row, n in (came - due).items()
    ]


def _hashed(one: Wired, body: Json) -> tuple[str, str, str, str]:
    return one.place, one.method, one.key, digest(canonical(_form("", body)))[:12]


def _wanted(vendor: str, effect: Effect, ids: Mapping[str, str], number: Callable[[str, str], str]) -> Wired:
    body = filled(decode(effect.body), ids)
    assert isinstance(body, dict)
    method = {Action.CREATE: "POST", Action.UPDATE: "PUT"}.get(effect.action, "DELETE")
    if vendor == "neto":
        action = _NETO[effect.kind, effect.action]
        if action == "UpdateItem":
            level = {"WarehouseID": body["WarehouseID"], "Quantity": str(body["Quantity"]), "Action": "set"}
            body = {"WarehouseQuantity": level}
        return Wired(f"neto {action}", "POST", "", {**body, "SKU": effect.external_id})
    target = effect.target_id
    if target.startswith(_LINKED):
        target = ids.get(target.removeprefix(_LINKED), target)
    key = "" if method == "POST" else target or number(effect.kind, effect.external_id)
    if vendor == "cin7":
        if effect.action is Action.VOID:
            method, body = "PUT", {**body, "isVoid": True, "isApproved": False}
        return Wired(_PLACES[effect.kind], method, key, body)
    return Wired(f"{vendor} /{effect.kind[0].upper()}{effect.kind[1:]}", method, key, body)


def _form(name: str, value: Any) -> Any:
    """Without what only names the record; ids and amounts in one form."""
    if isinstance(value, dict):
        return {one: _form(one, item) for one, item in value.items() if one not in _NAMES_THE_RECORD}
    if isinstance(value, list):
        return [_form("", one) for one in value]
    digits = isinstance(value, str) and value.isdecimal() and name.endswith("Id")
    if digits or (isinstance(value, int | Decimal) and not isinstance(value, bool)):
        return f"{Decimal(str(value)).normalize():f}"
    return value
