"""Keys of rows that wait for a person: of what they say, and the same ones for ever."""

from __future__ import annotations

import pytest

from ledger_pipelines.integrations.neto_cin7 import orders
from ledger_pipelines.integrations.neto_saasu import invoices
from ledger_pipelines.sync.plan import Reason
from ledger_pipelines_tests.unit.integrations.neto_cin7 import building as omni
from ledger_pipelines_tests.unit.integrations.neto_saasu import building as saasu

EDITED = Reason("edited-in-saasu", "Invoice INV-7 of order N10234 was edited.", "Look.")


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("INV-7", "VX5QKZKZLSD44GEFWZ2F"),
        ("", "5VJHW6FHU3M5I5MAZ6JY"),
        ("N10234", "5VJHW6FHU3M5I5MAZ6JY"),
        ("INV-7 of order N", "E6B572BG3D7KUWQ2H7N2"),
    ],
)
def test_who_ignored_a_row_of_an_invoice_has_ignored_it_still(name: str, key: str) -> None:
    assert saasu.context().shown_key("invoice", "N10234", EDITED, (name, "N10234")) == key


def test_who_ignored_a_row_of_a_sales_order_has_ignored_it_still() -> None:
    assert omni.context().shown_key("sales_order", "N10234", EDITED) == "TATLLDQMUCLD7YB3HWIO"


def test_a_number_that_was_given_since_makes_no_other_row_and_another_text_does() -> None:
    ctx = saasu.context()
    later = Reason(EDITED.code, EDITED.text.replace("INV-7", "INV-000007"))
    other = Reason(EDITED.code, "Invoice INV-7 of order N10234 was deleted.")
    key = ctx.shown_key("invoice", "N10234", EDITED, ("INV-7",))
    assert ctx.shown_key("invoice", "N10234", later, ("INV-000007",)) == key
    assert ctx.shown_key("invoice", "N10234", other, ("INV-7",)) != key


def test_the_row_of_an_invoice_leaves_out_its_number_and_the_orders() -> None:
    before, after = saasu.order("N1"), saasu.order("N1", saasu.line(quantity="2"))
    effect = invoices.decide(saasu.context([before]), before).rows[0].effect
    assert effect is not None
    file = saasu.books(invoices=(saasu.saasu_invoice("70", "INV-7", "16.50"),))
    ctx = saasu.context([after], known=[saasu.known(effect, remote_id="70")], file=file)
    (row,) = invoices.decide(ctx, after).rows
    assert "INV-7" in row.reason.text and "N1" in row.reason.text
    assert row.key == ctx.shown_key("invoice", "N1", row.reason, ("INV-7", "N1"))


def test_the_row_of_a_sales_order_is_of_all_it_says() -> None:
    before, after = omni.order("N1"), omni.order("N1", cancelled=True, status="Cancelled")
    effect = omni.effect_of(omni.context([before]), before)
    held = omni.omni(orders=(omni.booked(effect),))
    ctx = omni.context([after], account=held, known=(omni.known(effect),))
    (row,) = orders.decide(ctx, after).rows
    assert row.key == ctx.shown_key("sales_order", "N1", row.reason)
