"""What the initial sync takes for the same, and what it leaves to a person."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from ledger_pipelines.documents.money import ZERO, Money
from ledger_pipelines.documents.sales import DocumentKind, Party, SalesDocument
from ledger_pipelines.errors import DataError
from ledger_pipelines.integrations.by_day.initial import InitialSync, decoded
from ledger_pipelines.integrations.neto_saasu.pairing import ContactPair, Pairing, pair
from ledger_pipelines.systems.saasu.records import SaasuContact, SaasuInvoice
from ledger_pipelines_tests.unit.integrations.neto_saasu.building_stock import books, item, product

DAY = date(2026, 3, 1)


def contact(
    identity: str, reference: str = "", email: str = "", family: str = "Nair", *, active: bool = True
) -> SaasuContact:
    return SaasuContact(identity, reference, "Priya", family, email, "", active, customer=True)


def customer(key: str, email: str = "", family: str = "Nair") -> Party:
    return Party(key, "Priya", family, email=email)


def order(
    number: str, total: str = "111.90", currency: str = "AUD", kind: DocumentKind = DocumentKind.ORDER
) -> SalesDocument:
    return SalesDocument(
        kind, number, number, "Dispatched", DAY, customer("priya"), has_tax=True, grand_total=Money(Decimal(total), currency),
        tax=ZERO, lines=(),
    )  # fmt: skip


def invoice(
    identity: str,
    number: str = "",
    purchase_order: str = "",
    total: str = "111.90",
    status: str = "I",
    currency: str = "AUD",
) -> SaasuInvoice:
    return SaasuInvoice(
        identity, "Tax Invoice", status, number, purchase_order, DAY, "1", currency, Decimal(total), ZERO, ZERO, Decimal(total),
        "", None,
    )  # fmt: skip


class TestItems:
    def test_only_the_same_to_the_letter_is_a_pair(self) -> None:
        found = pair([product("A-1"), product("b-2")], [], [], books([item("A-1", "1"), item("B-2", "2")]))
        assert [(one.sku, one.id) for one in found.items] == [("A-1", "1")]
        assert [(one.kind, one.here, one.there) for one in found.near_misses] == [
            ("spelling", "b-2", ("B-2",))
        ]
        assert (found.only_in_store, found.only_in_books) == (("b-2",), ("B-2",))

    def test_codes_that_can_be_no_sku_are_named_unless_they_are_paired(self) -> None:
        found = pair([product("X" * 25)], [], [], books([item("X" * 25, "1"), item("TEA EB", "2")]))
        assert [(one.kind, one.there) for one in found.near_misses] == [("illegal-sku", ("TEA EB",))]

    def test_parents_and_utilities_are_no_items(self) -> None:
        found = pair([product("P", is_parent=True), product("U", internal=True)], [], [], books())
        assert found.only_in_store == ()


class TestContacts:
    def test_the_user_name_goes_before_the_address(self) -> None:
        there = books(contacts=(contact("1", "PRIYA"), contact("2", "", "p@x.example")))
        found = pair([], [customer("priya", "p@x.example")], [], there)
        assert found.contacts == (ContactPair("priya", "1", "contact-id"),)
        assert found.contact_ids() == {"priya": "1"}

    def test_an_address_needs_the_same_family_name(self) -> None:
        there = books(contacts=(contact("2", "", "P@X.example", "NAIR"),))
        ours = [customer("priya", "p@x.example"), customer("dev", "p@x.example", "Rao")]
        found = pair([], ours, [], there)
        assert found.contacts == (ContactPair("priya", "2", "e-mail"),)
        assert found.customers_unpaired == 1

    def test_two_contacts_with_one_address_clash_and_the_lowest_active_counts(self) -> None:
        there = books(
            contacts=(
                contact("30", "", "p@x.example"),
                contact("4", "", "p@x.example", active=False),
                contact("20", "", "p@x.example"),
            )
        )
        found = pair([], [customer("priya", "p@x.example")], [], there)
        assert found.contacts == (ContactPair("priya", "20", "e-mail"),)
        assert [(one.kind, one.ids, one.taken) for one in found.clashes] == [
            ("e-mail", ("4", "20", "30"), "20")
        ]

    def test_an_inactive_contact_is_reported_and_not_taken(self) -> None:
        found = pair([], [customer("priya")], [], books(contacts=(contact("1", "priya", active=False),)))
        assert found.contacts == () and [one.kind for one in found.clashes] == ["inactive"]

    def test_two_customers_on_one_contact_clash(self) -> None:
        there = books(contacts=(contact("1", "", "p@x.example"),))
        found = pair([], [customer("a", "p@x.example"), customer("b", "p@x.example")], [], there)
        assert [(one.kind, one.ids) for one in found.clashes] == [("customers", ("a", "b"))]

    def test_customers_without_address_are_not_one(self) -> None:
        found = pair([], [customer("a"), customer("b")], [], books(contacts=(contact("1", ""),)))
        assert found.contacts == () and found.clashes == ()


class TestOrders:
    @pytest.mark.parametrize(
        ("there", "by"),
        [
            (invoice("5", "W-N1"), "number"),
            (invoice("5", "w-n1"), "number"),
            (invoice("5", "N1"), "number"),
            (invoice("5", "INV-7", "W-N1"), "purchase-order"),
            (invoice("5", "INV-7", "N1"), "purchase-order"),
        ],
    )
    def test_an_order_is_found_by_either_number_with_and_without_prefix(
        self, there: SaasuInvoice, by: str
    ) -> None:
        found = pair([], [], [order("N1")], books(invoices=(there,)), "W-")
        assert [(one.order, one.id, one.by, one.same) for one in found.orders] == [("N1", "5", by, True)]
        assert found.invoice_ids() == {"N1": "5"}

    def test_totals_that_differ_by_amount_or_currency_are_told(self) -> None:
        cent = pair([], [], [order("N1")], books(invoices=(invoice("5", "N1", total="111.91"),)))
        dollar = pair([], [], [order("N1", currency="NZD")], books(invoices=(invoice("5", "N1"),)))
        assert [one.same for one in (*cent.orders, *dollar.orders)] == [False, False]
        assert cent.counts()["orders_with_other_total"] == 1

    def test_quotes_and_credits_are_no_invoices(self) -> None:
        there = books(invoices=(invoice("5", "N1", status="Q"), invoice("6", "N2", total="-5")))
        found = pair([], [], [order("N1"), order("N2"), order("Q1", kind=DocumentKind.QUOTE)], there)
        assert found.orders == () and found.orders_unpaired == 2

    def test_of_two_invoices_the_one_with_the_total_counts_and_both_are_named(self) -> None:
        there = books(invoices=(invoice("5", "", "N1", "50"), invoice("6", "", "N1")))
        found = pair([], [], [order("N1")], there)
        assert found.orders[0].id == "6"
        assert [(one.kind, one.ids, one.taken) for one in found.clashes] == [("invoices", ("5", "6"), "6")]


class TestReport:
    def report(self) -> InitialSync[Pairing]:
        there = books(
            [item("B-2", "2"), item("TEA EB", "3")],
            contacts=(contact("1", "", "p@x.example"), contact("2", "", "p@x.example"), contact("9", "z", active=False)),
            invoices=(invoice("5", "N1", total="100"), invoice("6", "", "N2"), invoice("7", "", "N2")),
        )  # fmt: skip
        ours = [customer("a", "p@x.example"), customer("b", "p@x.example"), customer("z")]
        pairing = pair([product("b-2")], ours, [order("N1"), order("N2")], there)
        at = datetime(2026, 3, 10, tzinfo=UTC)
        return InitialSync(done_at=at, store="mystore", file="5150", days_back=90, pairing=pairing)

    def test_it_comes_back_as_it_was_stored(self) -> None:
        assert decoded(self.report().encoded(), Pairing) == self.report()

    def test_it_counts_only_for_the_accounts_it_was_made_of(self) -> None:
        report = self.report()
        assert report.is_of("mystore", "5150")
        assert not report.is_of("mystore", "5151") and not report.is_of("other", "5150")

    def test_a_report_that_cannot_be_read_is_said_with_what_to_do(self) -> None:
        for raw in (b"{", b"{}", b"[]"):
            with pytest.raises(DataError, match="Run the initial sync again"):
                decoded(raw, Pairing)

    def test_people_see_everything_that_is_not_a_plain_pair(self) -> None:
        rows = self.report().pairing.report_rows()
        assert {row.section for row in rows} == {
            "spelling", "illegal SKU", "clash", "total", "only in the store", "only in Saasu",
        }  # fmt: skip
        texts = "\n".join(row.text for row in rows)
        for word in (
            "111.90 AUD",
            "100.00 AUD",
            "'b-2'",
            "p@x.example",
            "is inactive",
            "a, b",
            "of order N2",
        ):
            assert word in texts

    def test_nothing_is_no_rows(self) -> None:
        assert Pairing().report_rows() == []


def test_references_of_ours_that_the_journal_does_not_know_come_first_and_say_what_to_do() -> None:
    found = pair([], [], [], books(), written_before=[f"NETO-PAY-{n}" for n in range(5501, 5513)])
    (clash,) = found.clashes
    assert (clash.kind, len(clash.ids)) == ("written-before", 5)
    (row,) = (one for one in found.report_rows() if one.section == "clash")
    assert "12 references of ours (NETO-PAY-5501, " in row.text
    assert "rebuild" in row.text
