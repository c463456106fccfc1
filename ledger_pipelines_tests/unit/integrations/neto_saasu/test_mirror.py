"""From daily files to both sides: the newest state, what a deletion takes away, what a day holds, and when it is read again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from ledger_pipelines.errors import DataError
from ledger_pipelines.integrations.by_day.unreadable import UnreadableError
from ledger_pipelines.integrations.neto_saasu.books import BANK
from ledger_pipelines.integrations.shop import Warehouse, several
from ledger_pipelines.systems.neto import documents
from ledger_pipelines_tests.unit.integrations.neto_saasu.building_days import (
    Days,
    deletion,
    invoice,
    item,
    order,
    product,
)

FIRST, SECOND, THIRD = date(2026, 3, 1), date(2026, 3, 2), date(2026, 3, 3)
LATER = "2026-03-02 02:00:00"


@pytest.fixture
def days(tmp_path: Path) -> Days:
    found = Days(tmp_path)
    found.empty(FIRST)
    return found


def test_what_saasu_has_and_nobody_can_read_is_never_taken_for_missing(days: Days) -> None:
    days.saasu("items", FIRST, item("A-1", 1, IsActive="perhaps"), item("B-2", 2))
    days.saasu("stock", FIRST, item("A-1", 1, StockOnHand="some"), item("B-2", 2))
    days.saasu("accounts", FIRST, {"Id": 9, "Name": "Bank", "IsBankAccount": "perhaps"})
    days.saasu("invoices", FIRST, invoice(5, "N1", TotalAmount="lots"), invoice(6, "N2"))
    mirror = days.mirror()
    books = mirror.books()
    assert "A-1" in books.item_by_code and books.item_by_code["B-2"].id == "2"
    assert [one.code for one in books.stock] == ["B-2"] and [code for code, _ in books.unread_stock] == [
        "A-1"
    ]
    assert [one.code for one in mirror.saasu_items_of(FIRST)] == ["B-2"]
    assert [one.key for one in mirror.unreadable_items_of(FIRST)] == ["1"]
    for look in (
        lambda: books.item_by_code["A-1"],
        lambda: books.items_by_folded_code["a-1"],
        lambda: books.account("Bank", "payments.default_account", BANK),
        lambda: books.account("9", "payments.default_account", BANK),
        lambda: books.invoices_by_number["n1"],
    ):
        with pytest.raises(UnreadableError):
            look()
    assert sorted((one.what, one.key) for one in books.unreadable()) == [("invoices", "5"), ("items", "1")]
    assert [one.number for one in books.legible.invoices] == ["N2"]


def test_what_the_store_has_and_nobody_can_read_is_told_by_day(days: Days) -> None:
    days.neto("orders", FIRST, order("N1", GrandTotal="lots"), order("N2"))
    days.neto("products", FIRST, product("MUG-01", DefaultPrice="cheap", ParentSKU="MUG"))
    days.neto("stock", FIRST, {"ID": "2050", "InventoryID": "2050", "SKU": "MUG-01", "AvailableSellQuantity": "many",
                               "WarehouseQuantity": {"WarehouseID": "1", "Quantity": "many"}})  # fmt: skip
    days.neto(
        "payments",
        FIRST,
        {"PaymentID": "7", "OrderID": "N2", "AmountPaid": "lots", "DatePaidUTC": "2026-03-01 02:00:00"},
    )
    mirror = days.mirror()
    assert [one.key for one in mirror.orders_of(FIRST)] == ["N2"]
    assert [one.key for one in mirror.unreadable_of("orders", FIRST)] == ["N1"]
    assert [one.key for one in mirror.unreadable_of("products", FIRST)] == ["MUG-01"]
    assert [mirror.order_of("payments", one.key) for one in mirror.unreadable_of("payments", FIRST)] == ["N2"]
    shop = mirror.shop()
    assert shop.parents == {"MUG-01": "MUG"} and list(shop.unread_stock) == ["MUG-01"]
    assert list(shop.legible.orders) == ["N2"] and "N1" in shop.orders


class TestBooks:
    def test_the_newest_state_of_each_record_counts(self, days: Days) -> None:
        days.saasu("items", FIRST, item("A-1", 1), item("B-2", 2))
        days.saasu("items", SECOND, item("A-9", 1, "2026-03-02T02:00:00.5Z"))
        assert [one.code for one in days.mirror().books().items] == ["A-9", "B-2"]

    def test_a_document_without_currency_is_in_the_files(self, days: Days) -> None:
        days.saasu("invoices", FIRST, invoice(5, "N1"), invoice(6, "N2", Currency="NZD"))
        assert {one.number: one.currency for one in days.mirror().books().invoices} == {
            "N1": "AUD",
            "N2": "NZD",
        }

    def test_what_was_deleted_is_gone_from_every_index_and_known_as_deleted(self, days: Days) -> None:
        contact = {
            "Id": 7,
            "ContactId": "priya",
            "FamilyName": "Nair",
            "LastModifiedDateUtc": "2026-03-01T02:00:00Z",
        }
        payment = {
            "TransactionId": 8, "Reference": "NETO-PAY-1", "TransactionDate": "2026-03-01T00:00:00", "TotalAmount": 5,
            "LastModifiedDateUtc": "2026-03-01T02:00:00Z",
        }  # fmt: skip
        journal = {**payment, "TransactionId": 9, "Reference": "NETO-PAY-1-OVER"}
        days.saasu("items", FIRST, item("A-1", 1))
        days.saasu("stock", FIRST, item("A-1", 1))
        days.saasu("contacts", FIRST, contact)
        days.saasu("invoices", FIRST, invoice(5, "N1"))
        days.saasu("payments", FIRST, payment)
        days.saasu("journals", FIRST, journal)
        before = days.mirror().books()
        assert [len(some) for some in (before.items, before.stock, before.contacts, before.invoices)] == [
            1
        ] * 4
        gone = [("Item", 1), ("Contact", 7), ("Sale", 5), ("SalePayment", 8), ("Journal", 9)]
        days.saasu("deleted", SECOND, *(deletion(kind, identity) for kind, identity in gone))
        after = days.mirror().books()
        left = (after.items, after.stock, after.contacts, after.invoices, after.payments, after.journals)
        assert [list(some) for some in left] == [[]] * 6
        assert (after.invoice_by_id, after.invoices_by_number, after.payments_by_reference) == ({}, {}, {})
        assert after.deleted == {(kind, str(identity)) for kind, identity in gone}
        assert after.deleted_codes == {"A-1"}

    def test_a_number_that_a_sale_and_an_item_share_deletes_only_one(self, days: Days) -> None:
        days.saasu("items", FIRST, item("A-1", 5))
        days.saasu("invoices", FIRST, invoice(5, "N1"))
        days.saasu("deleted", SECOND, deletion("Sale", 5))
        books = days.mirror().books()
        assert [one.code for one in books.items] == ["A-1"] and list(books.invoices) == []

    def test_what_changed_after_its_deletion_is_there(self, days: Days) -> None:
        days.saasu("items", FIRST, item("A-1", 1, "2026-03-02T02:00:01Z"))
        days.saasu("deleted", SECOND, deletion("Item", 1))
        books = days.mirror().books()
        assert [one.code for one in books.items] == ["A-1"]
        assert (books.deleted, books.deleted_codes) == (frozenset(), frozenset())

    def test_a_deletion_whose_time_cannot_be_read_ends_nothing_and_is_one(self, days: Days) -> None:
        """It names its record; when it was matters only where that was changed again."""
        days.saasu("items", FIRST, item("A-1", 1), item("B-2", 2))
        days.saasu("deleted", SECOND, deletion("Item", 1, "soon"), deletion("Item", 9))
        books = days.mirror().books()
        assert [one.code for one in books.items] == ["B-2"]
        assert books.deleted == {("Item", "1"), ("Item", "9")}

    def test_a_code_that_another_item_has_now_is_not_a_deleted_one(self, days: Days) -> None:
        days.saasu("items", FIRST, item("A-1", 1), item("A-1", 2))
        days.saasu("deleted", SECOND, deletion("Item", 1))
        assert days.mirror().books().deleted_codes == frozenset()

    def test_a_list_that_could_not_be_read_does_not_hide_the_one_before(self, days: Days) -> None:
        code = {"Id": 7, "Code": "G1", "Name": "GST", "Rate": Decimal("0.1"), "IsSale": True}
        days.saasu("tax_codes", FIRST, code)
        days.lost("tax_codes", SECOND)
        assert [one.rate for one in days.mirror().books().tax_codes] == [Decimal("0.1")]

    def test_a_list_that_became_shorter_is_shorter(self, days: Days) -> None:
        days.saasu("stock", FIRST, item("A-1", 1), item("B-2", 2))
        days.saasu("stock", SECOND, item("B-2", 2))
        assert [one.code for one in days.mirror().books().stock] == ["B-2"]

    def test_it_is_read_again_only_when_a_file_was_replaced(self, days: Days) -> None:
        mirror = days.mirror()
        days.saasu("items", FIRST, item("A-1", 1))
        books = mirror.books()
        assert mirror.books() is books
        days.saasu("items", FIRST, item("B-1", 1))
        assert [one.code for one in mirror.books().items] == ["B-1"]
        days.saasu("items", SECOND)
        assert mirror.books() is not books

    def test_stock_is_as_old_as_the_beginning_of_its_reading(self, days: Days) -> None:
        began = datetime(2026, 3, 1, 1, 30, tzinfo=UTC)
        days.saasu("stock", FIRST, item("A-1", 1), read_until=began)
        assert days.mirror().books().stock_read_at == began

    def test_the_oldest_reading_is_what_the_books_are_as_of(self, days: Days) -> None:
        old = datetime(2026, 2, 1, tzinfo=UTC)
        days.saasu("invoices", FIRST, read_until=old)
        assert days.mirror().books().read_at == old

    def test_lists_that_are_read_once_a_day_do_not_age_the_books(self, days: Days) -> None:
        old, new = datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)
        days.saasu("accounts", FIRST, read_until=old)
        for name in ("invoices", "payments"):
            days.saasu(name, FIRST, read_until=new)
        assert days.mirror().books().read_at == new

    def test_accounts_that_are_read_once_a_day_do_not_make_the_books_old(self, days: Days) -> None:
        """The rest of a part payment waited for the books until the accounts were read anew, a day later."""
        fresh = days.mirror().books().read_at
        for name in ("accounts", "tax_codes"):
            days.saasu(name, FIRST, read_until=datetime(2026, 2, 1, tzinfo=UTC))
        assert days.mirror().books().read_at == fresh

    @pytest.mark.parametrize("entity", ["items", "contacts", "invoices", "payments", "accounts", "tax_codes"])
    def test_a_snapshot_that_is_missing_is_named_with_the_initial_sync(
        self, tmp_path: Path, entity: str
    ) -> None:
        days = Days(tmp_path)
        days.empty(FIRST)
        for file in days.books.folder(entity).glob("*/*"):
            file.unlink()
        with pytest.raises(DataError, match=f"books/{entity}.*initial sync"):
            days.mirror().books()

    def test_lists_that_nobody_needs_may_be_missing(self, tmp_path: Path) -> None:
        days = Days(tmp_path)
        days.empty(FIRST)
        for entity in ("journals", "deleted", "stock", "companies"):
            for file in days.books.folder(entity).glob("*/*"):
                file.unlink()
        books = days.mirror().books()
        assert (list(books.journals), books.stock, books.stock_read_at) == ([], (), None)

    def test_looking_one_up_decodes_no_other(self, days: Days) -> None:
        days.saasu("invoices", FIRST, invoice(5, "N1"), invoice(6, "N2", TransactionDate=None))
        books = days.mirror().books()
        assert [one.id for one in books.invoices_by_number["n1"]] == ["5"]
        assert books.invoice_by_id["5"].number == "N1"
        with pytest.raises(DataError, match="N2"):
            books.invoices_by_number["n2"]

    def test_indexes_by_column_are_those_by_record(self, days: Days) -> None:
        sales = [
            invoice(12, " n1 ", PurchaseOrderNumber="PO-1"),
            invoice(7, "N1", PurchaseOrderNumber=None),
            invoice(9, "", PurchaseOrderNumber="po-1"),
            invoice(8, "N2", PurchaseOrderNumber=77),
        ]
        days.saasu("invoices", FIRST, *sales)
        books = days.mirror().books()
        decoded = replace(books, invoices=tuple(books.invoices))
        assert [one.id for one in books.invoices_by_number["n1"]] == ["7", "12"]
        assert dict(books.invoices_by_number) == dict(decoded.invoices_by_number)
        assert dict(books.invoices_by_purchase_order) == dict(decoded.invoices_by_purchase_order)
        assert dict(books.invoice_by_id) == dict(decoded.invoice_by_id)
        assert dict(several(books.invoices_by_purchase_order)) == dict(
            several(decoded.invoices_by_purchase_order)
        )
        assert [name for name, _ in several(books.invoices_by_number)] == ["n1"]

    def test_the_items_of_a_day_are_as_they_are_now_and_without_deleted_ones(self, days: Days) -> None:
        days.saasu("items", FIRST, item("A-1", 1), item("B-2", 2))
        days.saasu("items", SECOND, item("A-9", 1, "2026-03-02T02:00:00Z"))
        days.saasu("deleted", THIRD, deletion("Item", 2))
        mirror = days.mirror()
        assert [one.code for one in mirror.saasu_items_of(FIRST)] == ["A-9"]
        assert [one.code for one in mirror.saasu_items_of(SECOND)] == ["A-9"]
        assert mirror.saasu_items_of(THIRD) == ()


class TestShop:
    def test_an_order_is_planned_under_each_of_its_days_as_it_is_now(self, days: Days) -> None:
        days.neto("orders", FIRST, order("N1"), order("N2"))
        days.neto("orders", SECOND, order("N1", LATER, OrderStatus="Cancelled"))
        mirror = days.mirror()
        assert [(one.number, one.status) for one in mirror.orders_of(FIRST)] == [
            ("N1", "Cancelled"),
            ("N2", "Pick"),
        ]
        assert [(one.number, one.status) for one in mirror.orders_of(SECOND)] == [("N1", "Cancelled")]
        assert mirror.orders_of(THIRD) == ()
        assert mirror.changed("orders", FIRST) == ("N1", "N2")

    def test_orders_bring_all_that_are_related_however_far(self, days: Days) -> None:
        days.neto(
            "orders", FIRST, order("N1"), order("N2", RelatedOrderID="N1"), order("N3", RelatedOrderID="N2"), order("N4"),
            order("N5", RelatedOrderID="N9"),
        )  # fmt: skip
        mirror = days.mirror()
        assert list(mirror.shop(["N3"]).orders) == ["N3", "N2", "N1"]
        assert list(mirror.shop(["N1"]).orders) == ["N1", "N2", "N3"]
        assert list(mirror.shop(["N4", "N5"]).orders) == ["N4", "N5"]
        assert "N4" not in mirror.shop(["N3"]).orders and len(mirror.shop().orders) == 5

    def test_payments_and_returns_are_those_of_the_orders(self, days: Days) -> None:
        pay = {
            "PaymentID": "1",
            "OrderID": "N1",
            "AmountPaid": "5.00",
            "DatePaidUTC": "2026-03-01 02:00:00",
            "PaymentMethod": "3",
        }
        days.neto("orders", FIRST, order("N1"), order("N2"))
        days.neto("payments", FIRST, pay, {**pay, "PaymentID": "2", "OrderID": "N2"})
        rma = {"RmaID": "77", "OrderID": "N2", "RmaStatus": "Open", "RefundTotal": "5.00", "TaxInclusive": "True",
               "DateIssued": "2026-03-01 02:00:00", "DateUpdated": "2026-03-01 02:00:00"}  # fmt: skip
        days.neto("rmas", FIRST, rma)
        mirror = days.mirror()
        one, other = mirror.shop(["N1"]), mirror.shop(["N2"])
        assert (list(one.payments), list(one.returns)) == (["1"], [])
        assert (list(other.payments), list(other.returns)) == (["2"], ["77"])
        assert [mirror.order_of("payments", key) for key in mirror.changed("payments", FIRST)] == ["N1", "N2"]
        assert [document.key for document in mirror.returns_of(FIRST)] == ["77"]

    def test_products_go_by_sku_also_when_it_was_changed(self, days: Days) -> None:
        days.neto("products", FIRST, product("OLD", "1"), product("B-2", "2"))
        days.neto("products", SECOND, product("NEW", "1", LATER))
        mirror = days.mirror()
        assert sorted(mirror.shop().items) == ["B-2", "NEW"]
        assert [one.key for one in mirror.products_of(FIRST)] == ["NEW", "B-2"]

    def test_of_two_products_with_one_sku_the_one_changed_last_counts(self, days: Days) -> None:
        days.neto("products", FIRST, product("A-1", "9", LATER, Name="New"), product("A-1", "1", Name="Old"))
        days.neto("products", SECOND, product("B-1", "1", LATER, Name="New"), product("B-1", "2", Name="Old"))
        items = days.mirror().shop().items
        assert (items["A-1"].name, items["B-1"].name) == ("New", "New")

    def test_customers_go_by_user_name_whatever_its_case(self, days: Days) -> None:
        days.neto(
            "customers", FIRST, {"Username": "Priya", "EmailAddress": "p@x.example", "DateUpdatedUTC": LATER}
        )
        shop = days.mirror().shop()
        assert shop.customers["priya"].key == "Priya"

    def test_stock_warehouses_and_methods_are_as_last_listed(self, days: Days) -> None:
        level = {"WarehouseID": "1", "Quantity": "4"}
        days.neto("stock", FIRST, {"InventoryID": "1", "SKU": "A-1", "WarehouseQuantity": level})
        days.neto("warehouses", FIRST, {"WarehouseID": "1", "WarehouseReference": "MAIN", "WarehouseName": "Main",
                                        "IsActive": "True", "IsPrimary": "True"})  # fmt: skip
        days.neto("payment_methods", FIRST, {"id": "3", "name": "Card", "active": "y"})
        days.lost("stock", SECOND)
        shop = days.mirror().shop()
        assert [(one.item, one.on_hand) for one in shop.stock if one.place == "1"] == [("A-1", Decimal(4))]
        assert tuple(shop.warehouses) == (Warehouse("1", "MAIN", "Main", active=True, primary=True),)
        assert shop.method_names == {"3": "Card"}
        assert shop.stock_read_at is not None

    def test_only_what_is_looked_at_is_decoded(self, days: Days, monkeypatch: pytest.MonkeyPatch) -> None:
        seen: list[str] = []
        real = documents.order

        def counting(record: documents.Record, *more: object) -> object:
            seen.append(str(record["OrderID"]))
            return real(record, *more)  # type: ignore[arg-type]

        monkeypatch.setattr(documents, "order", counting)
        days.neto("orders", FIRST, *(order(f"N{n}") for n in range(20)))
        shop = days.mirror().shop(["N7"])
        assert shop.orders["N7"].number == shop.orders["N7"].number == "N7"
        assert seen == ["N7"]

    def test_customers_are_found_by_their_address_without_reading_them(
        self, days: Days, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def unread(record: documents.Record) -> object:
            raise AssertionError(record)

        told = (("Zoe", "shared@example.com"), ("amy", "SHARED@example.com"), ("bo", ""))
        people = [
            {"Username": name, "EmailAddress": email, "DateUpdatedUTC": "2026-03-01 02:00:00"}
            for name, email in told
        ]
        days.neto("customers", FIRST, *people)
        monkeypatch.setattr(documents, "party", unread)
        assert days.mirror().shop().usernames_by_email == {"shared@example.com": ("amy", "zoe")}

    @pytest.mark.parametrize("entity", ["orders", "products"])
    def test_a_snapshot_that_is_missing_is_named_with_the_initial_sync(
        self, tmp_path: Path, entity: str
    ) -> None:
        days = Days(tmp_path)
        days.empty(FIRST)
        for file in days.shop.folder(entity).glob("*/*"):
            file.unlink()
        with pytest.raises(DataError, match=f"shop/{entity}.*initial sync"):
            days.mirror().shop()


class TestTokens:
    def test_they_change_with_the_files_of_the_day_and_no_other(self, days: Days) -> None:
        mirror = days.mirror()
        before = mirror.tokens(FIRST)
        assert before.keys() == {"neto/orders", "neto/rmas", "neto/payments", "neto/products", "saasu/items"}
        days.neto("orders", SECOND, order("N1"))
        assert mirror.tokens(FIRST) == before
        days.neto("orders", FIRST, order("N1"))
        after = mirror.tokens(FIRST)
        assert {name for name in before if before[name] != after[name]} == {"neto/orders"}

    def test_a_day_that_was_never_fetched_is_empty_text(self, days: Days) -> None:
        assert set(days.mirror().tokens(THIRD).values()) == {""}
