"""Products and stock through both sandboxes: read, planned, written by the real writers, read again; then nothing is left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from ledger_pipelines.documents.dates import Window
from ledger_pipelines.documents.effects import Action, Confirmed, Mode, Prepared, Writer
from ledger_pipelines.documents.keys import decode
from ledger_pipelines.integrations.by_day.context import JournalView
from ledger_pipelines.integrations.neto_saasu import items_from_saasu, items_to_saasu, stock_from_saasu
from ledger_pipelines.integrations.neto_saasu.context import Context
from ledger_pipelines.integrations.neto_saasu.mirror import Mirror
from ledger_pipelines.integrations.neto_saasu.pairing import pair
from ledger_pipelines.integrations.neto_saasu.settings import (
    InventoryFromSaasu,
    NetoSaasuSettings,
    ProductsToSaasu,
    QuantityBasis,
)
from ledger_pipelines.sandbox.server import running_sandbox
from ledger_pipelines.storage.snapshots import SnapshotStore
from ledger_pipelines.sync.plan import PlanRow
from ledger_pipelines.sync.sweep import Sweep, sweep
from ledger_pipelines.systems.neto.client import KeyCredentials, NetoClient, NetoConnection
from ledger_pipelines.systems.neto.entities import ENTITIES as NETO
from ledger_pipelines.systems.neto.reader import NetoReader
from ledger_pipelines.systems.neto.writer import NetoWriter
from ledger_pipelines.systems.saasu.client import SaasuClient
from ledger_pipelines.systems.saasu.entities import ENTITIES as SAASU
from ledger_pipelines.systems.saasu.reader import SaasuReader
from ledger_pipelines.systems.saasu.settings import PasswordCredentials, SaasuConnection
from ledger_pipelines.systems.saasu.writer import SaasuWriter
from ledger_pipelines.systems.secrets import Secret
from ledger_pipelines_tests.unit.integrations.neto_saasu.building_stock import SYDNEY

SETTINGS = NetoSaasuSettings(
    products_to_saasu=ProductsToSaasu(
        asset_account="Inventory",
        income_account="Sales",
        cost_of_sale_account="Cost of Goods Sold",
        expense_account="Purchases",
    ),
    inventory_from_saasu=InventoryFromSaasu(enabled=True, warehouse="W1", quantity=QuantityBasis.ON_HAND),
)


class Both:
    """A store and a file of the sandbox, with our clients, readers and writers."""

    def __init__(self, root: Path, neto: NetoClient, saasu: SaasuClient) -> None:
        self.root = root
        self.neto, self.saasu = neto, saasu
        self.to_store = NetoWriter(neto, timedelta(0))
        self.to_file = SaasuWriter(saasu)
        self.mirror = Mirror(root, "shop", "books", SYDNEY, SYDNEY, "AUD", "AUD")

    @property
    def window(self) -> Window:
        today = datetime.now(UTC).astimezone(SYDNEY).date()
        return Window(today - timedelta(days=2), today, SYDNEY)

    def read(self) -> None:
        """All of both, as of now."""
        now, window = datetime.now(UTC), self.window
        asked = Sweep(window, window.first, window.last, "test", now=now)
        for name, reader, entities in (
            ("shop", NetoReader(self.neto), ("products", "stock", "warehouses", "orders")),
            ("books", SaasuReader(self.saasu), tuple(SAASU)),
        ):
            store = SnapshotStore(self.root, name)
            for entity in entities:
                list(sweep(reader, store, (NETO if name == "shop" else SAASU)[entity], asked))  # type: ignore[arg-type]

    def context(self) -> Context:
        """With what was read last, and a journal that knows nothing."""
        today = self.window.last
        return Context(
            integration="pair", source="shop", target="books", account="5150", store="mystore", zone=SYDNEY, store_zone=SYDNEY,
            mode=Mode.LIVE, settings=SETTINGS, day=today, today=today, first_day=self.window.first, shop=self.mirror.shop(),
            books=self.mirror.books(), journal=JournalView({}),
        )  # fmt: skip

    def product_rows(self) -> list[PlanRow]:
        """Of all days."""
        ctx = self.context()
        products = [one for day in self.window.days() for one in self.mirror.products_of(day)]
        return items_to_saasu.others(ctx, products, ())


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    root = tmp_path_factory.mktemp("pair")
    with running_sandbox(seed="demo", vendors=("neto", "saasu")) as sandbox:
        with httpx.Client(base_url=sandbox.control_url, trust_env=False) as control:
            control.post(
                "/saasu/settings", json={"rate_limit": False, "daily_quota": None}
            ).raise_for_status()
            control.post("/neto/settings", json={"calls_per_minute": None}).raise_for_status()
        key = KeyCredentials(Secret(sandbox.credentials["neto"]["api_key"]))
        store = NetoConnection(
            "shop", sandbox.base_urls["neto"], key, SYDNEY, sandbox=True, calls_per_second=10_000
        )
        told = sandbox.credentials["saasu"]
        login = PasswordCredentials(Secret(told["username"]), Secret(told["password"]))
        file = SaasuConnection(
            "books", told["file_id"], login, state_folder=root, base_url=sandbox.base_urls["saasu"], sandbox=True,
            seconds_between_calls=0,
        )  # fmt: skip
        with NetoClient(store) as neto, SaasuClient(file) as saasu:
            opened = Both(root, neto, saasu)
            opened.read()
            yield opened


def send(writer: Writer, rows: Sequence[PlanRow]) -> None:
    """Every effect in calls as large as the writer takes; all must be confirmed."""
    wanted = []
    for row in rows:
        if row.effect is not None:
            body = decode(row.effect.body)
            assert isinstance(body, dict)
            wanted.append(Prepared(row.effect, body, "", row.effect.target_id, 1))
    for start in range(0, len(wanted), writer.batch_size):
        for ending in writer.send(wanted[start : start + writer.batch_size]):
            assert isinstance(ending, Confirmed), ending


def test_products_that_saasu_does_not_have_become_items_once(both: Both) -> None:
    first = both.product_rows()
    made = [row for row in first if row.action is Action.CREATE]
    assert made, Counter(row.reason.code for row in first)
    assert {row.reason.code for row in first} <= {"new-item", "known", "parent", "kit", "code-spelling"}
    send(both.to_file, made)
    both.read()
    again = both.product_rows()
    assert [row for row in again if row.action is Action.CREATE] == []
    assert {row.number for row in made} <= {row.number for row in again if row.reason.code == "known"}
    item = both.mirror.books().item_by_code[made[0].number]
    assert item.active and item.sold


def test_stock_becomes_that_of_saasu_and_is_mended_when_someone_edits_it(both: Both) -> None:
    first = [row for row in stock_from_saasu.rows(both.context()) if row.effect is not None]
    assert first
    send(both.to_store, first)
    both.read()
    (in_step,) = [row for row in stock_from_saasu.rows(both.context()) if row.reason.code == "same"]
    assert not [row for row in stock_from_saasu.rows(both.context()) if row.effect is not None], in_step
    edited = {
        "SKU": "TEA-EB-50",
        "WarehouseQuantity": {"WarehouseID": "1", "Quantity": "999", "Action": "set"},
    }
    both.neto.write("UpdateItem", {"Item": [edited]})
    both.read()
    mended = [row.number for row in stock_from_saasu.rows(both.context()) if row.effect is not None]
    assert mended == ["TEA-EB-50"]


def test_an_item_made_in_saasu_becomes_a_product_that_is_not_approved(both: Both) -> None:
    body = {
        "Code": "NEW-1", "Description": "New thing", "Type": "I", "IsActive": True, "IsSold": True, "SaleIncomeAccountId": 9040,
        "SaleTaxCodeId": 1, "SellingPrice": 12, "IsSellingPriceIncTax": True,
    }  # fmt: skip
    tax = both.mirror.books().tax_code("G1", "test").id
    assert both.saasu.write("POST", "/Item", {**body, "SaleTaxCodeId": int(tax)}).status == 200
    both.read()
    ctx = both.context()
    items = [one for day in both.window.days() for one in both.mirror.saasu_items_of(day)]
    rows = items_from_saasu.rows(ctx, items)
    made = [row for row in rows if row.effect is not None]
    assert "NEW-1" in {row.number for row in made}
    send(both.to_store, made)
    both.read()
    assert not [row for row in items_from_saasu.rows(both.context(), items) if row.effect is not None]
    answer = both.neto.read(
        "GetItem", {"Filter": {"SKU": ["NEW-1"], "OutputSelector": ["Approved", "IsActive", "DefaultPrice"]}}
    )
    assert '"Approved": "False"' in str(answer.body).replace("'", '"')


def test_pairing_of_the_demo_finds_what_the_seed_put_there(both: Both) -> None:
    shop, books = both.mirror.shop(), both.mirror.books()
    found = pair(shop.items.values(), shop.customers.values(), shop.orders.values(), books)
    assert len(found.items) > 30
    assert {"SHIPPING", "SURCHARGE", "DISCOUNT"} <= set(found.only_in_books)
