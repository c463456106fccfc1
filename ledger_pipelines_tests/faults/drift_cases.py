"""Lists of a shop's vendors that change while they are read page by page: nothing lost, nothing doubled in the snapshot.

Belongs here: what happens between two pages, and the snapshot compared with what is there; by list. Does not belong here: NetSuite's lists
(`drills.redeliver_pages`), days that come again (`day_cases`), which integration has which list (`shop_cases`, `omni_cases`).

A `past` window ended before the reading began: a record that changes leaves it, and every later one moves up by a place. In a `present` one
it stays, at another place perhaps, and has to be there once, as it is now.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from unittest import mock

from ledger_pipelines.documents.dates import Window
from ledger_pipelines.storage.snapshots import SnapshotStore
from ledger_pipelines.sync.sweep import Sweep, sweep
from ledger_pipelines.systems.cin7.client import Cin7Client
from ledger_pipelines.systems.cin7.entities import ENTITIES as CIN7
from ledger_pipelines.systems.cin7.reader import Cin7Reader
from ledger_pipelines.systems.entities import ChangesReader, EntityLike
from ledger_pipelines.systems.neto.client import NetoClient
from ledger_pipelines.systems.neto.entities import ENTITIES as NETO
from ledger_pipelines.systems.neto.reader import NetoReader
from ledger_pipelines.systems.saasu.client import SaasuClient
from ledger_pipelines.systems.saasu.entities import ENTITIES as SAASU
from ledger_pipelines.systems.saasu.reader import SaasuReader
from ledger_pipelines_tests.faults.day_cases import Case, OneCase

PAGE, MADE = 3, 11
"""Rows of a page; records made for the case, which nothing else refers to."""
MARK = "Drifted away"
DAY = 24 * 3600


@dataclass(frozen=True, slots=True)
class Listed:
    """One list.

    Args:
        entity: Whose snapshot it makes.
        reader: Reads it in small pages: (stage).
        turns: The client's method that asks for a page, and what the first thing it is told says of this list.
        make: Makes a record of that number; its key in the snapshot: (stage, number).
        change: Writes `MARK` into a record: (stage, key).
        goes: Deletes a record: (stage, key); None where nothing can be deleted.
    """

    entity: EntityLike
    reader: Callable[[Any], ChangesReader]
    turns: tuple[type, str, str]
    make: Callable[[Any, int], str]
    change: Callable[[Any, str], object]
    goes: Callable[[Any, str], object] | None = None


def cases(lists: Mapping[str, Listed]) -> Mapping[str, Case]:
    """`drift-LIST-WINDOW-WHAT`."""
    found: dict[str, Case] = {}
    for name, one in lists.items():
        for past in (True, False):
            window = "past" if past else "present"
            for what in ("read-one-changes", "coming-one-changes", "read-one-goes"):
                if what != "read-one-goes" or one.goes is not None:
                    found[f"drift-{name}-{window}-{what}"] = partial(_drifts, one, past, what)
    return found


def _drifts(listed: Listed, past: bool, what: str, one: OneCase) -> None:
    stage, entity = one.stage, listed.entity
    stage.clock.jump(DAY)  # what the scene has made is of an earlier day
    zone = stage.service.setup.zone
    first = stage.clock.now().astimezone(zone).date()
    mine = [listed.make(stage, number) for number in range(MADE)]
    last = stage.clock.now().astimezone(zone).date() + (timedelta() if past else timedelta(days=1))
    stage.clock.jump(DAY if past else 2)
    store = SnapshotStore(stage.folder / "drift", "drift")
    between = _Between(listed, stage, mine, what)
    with between.turning():
        asked = Sweep(Window(first, last, zone), first - timedelta(days=90), last, "drill")
        days = [done.manifest.day for done in sweep(listed.reader(stage), store, entity, asked)]
    rows = store.read(entity.name, days).to_pylist()
    kept = Counter(str(row[entity.key[0]]) for row in rows)
    gone, touched = what == "read-one-goes", between.touched
    due = set(mine) - ({touched} if past or gone else set())
    lost, doubled = due - set(kept), [key for key, count in kept.items() if count > 1]
    one.must(touched, f"{between.pages} calls, and nothing happened between them")
    one.must(not lost, f"lost: {sorted(lost)} of {mine}; {touched} was touched")
    one.must(not doubled, f"there more than once: {doubled}")
    seen = [row["record"] for row in rows if str(row[entity.key[0]]) == touched]
    one.must(past or gone or all(MARK in record for record in seen), f"{touched} is there as it was before")
    one.found.figures |= {"lost": len(lost), "doubled": len(doubled), "calls": between.pages}


@dataclass
class _Between:
    """Something happens once a page of what was made has been read. touched: the record it happened to."""

    listed: Listed
    stage: Any
    mine: Sequence[str]
    what: str
    pages: int = 0
    touched: str = ""
    _given: str = ""

    @contextmanager
    def turning(self) -> Iterator[None]:
        """While the list is read."""
        client, method, of = self.listed.turns
        real = getattr(client, method)

        def turned(connection: object, first: str, *more: object, **named: object) -> object:
            answer = real(connection, first, *more, **named)
            if first == of:
                self._turned(repr(answer))
            return answer

        with mock.patch.object(client, method, turned):
            yield

    def _turned(self, page: str) -> None:
        self.pages, self._given = self.pages + 1, self._given + page
        read = [key for key in self.mine if key in self._given]
        coming = [key for key in self.mine if key not in self._given]
        if self.touched or len(read) < PAGE or not coming:
            return
        self.touched = coming[-1] if self.what.startswith("coming") else read[0]
        act = self.listed.goes if self.what == "read-one-goes" else self.listed.change
        assert act is not None
        act(self.stage, self.touched)


# --- the lists ---------------------------------------------------------------------------------------------------------


def _orders(stage: Any, number: int) -> str:
    del number
    return str(stage.order({"SKU": "TIN-200", "Quantity": "1"}))


def _products(stage: Any, number: int) -> str:
    made = stage.shop("AddItem", {"Item": [{"SKU": f"DRIFT-{number:02d}", "Name": "Drift"}]})["Item"]
    return str((made[0] if isinstance(made, list) else made)["InventoryID"])


def _renamed(stage: Any, key: str) -> None:
    stage.shop("UpdateItem", {"Item": [{"InventoryID": key, "Name": MARK}]})


def _noted(stage: Any, key: str) -> None:
    stage.shop("UpdateOrder", {"Order": [{"OrderID": key, "PurchaseOrderNumber": MARK}]})


STORE: Mapping[str, Listed] = {
    "orders": Listed(
        NETO["orders"], lambda stage: NetoReader(stage.service.neto, page=PAGE), (NetoClient, "read", "GetOrder"), _orders, _noted
    ),
    "products": Listed(
        NETO["products"], lambda stage: NetoReader(stage.service.neto, page=PAGE), (NetoClient, "read", "GetItem"), _products, _renamed
    ),
}  # fmt: skip
"""Of a store."""


def _saasu(stage: Any) -> SaasuReader:
    return SaasuReader(stage.service.saasu, page=PAGE)


def _file_contact(stage: Any, number: int) -> str:
    body = {
        "GivenName": "Drift",
        "FamilyName": f"Number {number}",
        "ContactId": f"drift{number}",
        "IsCustomer": True,
    }
    return str(stage.book("POST", "/Contact", body)["InsertedContactId"])


def _file_invoice(stage: Any, number: int) -> str:
    line = {"Description": "Drift", "AccountId": 9040, "TaxCode": "G1", "TotalAmount": "11.00"}
    body = {
        "TransactionType": "S", "InvoiceType": "Tax Invoice", "Layout": "S", "InvoiceNumber": f"DRIFT-{number}",
        "TransactionDate": stage.service.today().isoformat(), "LineItems": [line],
    }  # fmt: skip
    return str(stage.book("POST", "/Invoice", body)["InsertedEntityId"])


def _put(stage: Any, path: str, **changes: object) -> None:
    held = stage.book("GET", path)
    body = {name: value for name, value in held.items() if name != "_links"} | changes
    stage.book("PUT", path, {name: _wired(value) for name, value in body.items()})


def _file_invoice_goes(stage: Any, key: str) -> None:
    stage.book("DELETE", f"/Invoice/{key}")


def _wired(value: Any) -> Any:
    """Amounts as text: JSON's writer knows no decimals."""
    if isinstance(value, dict):
        return {name: _wired(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_wired(one) for one in value]
    return str(value) if isinstance(value, Decimal) else value


FILE: Mapping[str, Listed] = {
    "contacts": Listed(SAASU["contacts"], _saasu, (SaasuClient, "page", "/Contacts"), _file_contact, lambda stage, key: _put(stage, f"/Contact/{key}", FamilyName=MARK)),
    "invoices": Listed(
        SAASU["invoices"], _saasu, (SaasuClient, "page", "/Invoices"), _file_invoice, lambda stage, key: _put(stage, f"/Invoice/{key}", Summary=MARK), _file_invoice_goes
    ),
}  # fmt: skip
"""Of a Saasu file."""


def _made(stage: Any, path: str, body: Mapping[str, object]) -> str:
    told = stage.omni("POST", path, [body])
    assert told[0]["success"], told
    return str(told[0]["id"])


def _made_apart(stage: Any, path: str, body: Mapping[str, object]) -> str:
    """In a second of its own: such a list is read by time, one whose rows are of one second by id."""
    stage.clock.jump(2)
    return _made(stage, path, body)


def _changed(stage: Any, path: str, key: str, **changes: object) -> None:
    told = stage.omni("PUT", path, [{"id": int(key), **changes}])
    assert told[0]["success"], told


ACCOUNT: Mapping[str, Listed] = {
    name: Listed(CIN7[entity], lambda stage: Cin7Reader(stage.service.cin7, page=PAGE), (Cin7Client, "page", CIN7[entity].path), make, change)
    for name, entity, make, change in (
        (
            "account-contacts", "contacts",
            lambda stage, number: _made(stage, "Contacts", {"type": "Customer", "email": f"drift{number}@example.com"}),
            lambda stage, key: _changed(stage, "Contacts", key, lastName=MARK),
        ),
        (
            "account-orders", "sales_orders",
            lambda stage, number: _made_apart(stage, "SalesOrders", {"reference": f"DRIFT-{number}"}),
            lambda stage, key: _changed(stage, "SalesOrders", key, internalComments=MARK),
        ),
    )
}  # fmt: skip
"""Of an Omni account."""
