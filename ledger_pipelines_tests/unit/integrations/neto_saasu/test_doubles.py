"""What counts as there twice: records of one reference, of one sign, where the journal made one; and nothing else."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from ledger_pipelines.documents.effects import Action, EffectState
from ledger_pipelines.documents.keys import canonical
from ledger_pipelines.documents.money import Money
from ledger_pipelines.integrations.by_day.context import Known
from ledger_pipelines.integrations.neto_saasu.books import Books
from ledger_pipelines.integrations.neto_saasu.doubles import CODE, doubles, open_item
from ledger_pipelines.reports.shop_view import Twice
from ledger_pipelines.systems.saasu.records import SaasuJournal, SaasuPayment
from ledger_pipelines_tests.unit.integrations.neto_saasu.building import (
    DAY,
    aud,
    books,
    context,
    d,
    saasu_contact,
    saasu_invoice,
)

PAY = "NETO-PAY-5501"


def known(kind: str, reference: str, remote_id: str, **more: Any) -> Known:
    fact = Known("K" * 20, kind, Action.CREATE, EffectState.CONFIRMED, "{}", "", reference, remote_id)
    return replace(fact, **more)


def invoice(id_: str, number: str = "", total: str = "50.00", **more: Any) -> Any:
    return saasu_invoice(id_, number or f"INV-{id_}", total, purchase_order="N1", **more)


def paid(id_: str, amount: str = "20.00", reference: str = PAY) -> SaasuPayment:
    return SaasuPayment(id_, reference, DAY, "9001", Decimal(amount), Decimal(0), "AUD", "", None)


OURS = known("invoice", "N1", "57")
WITH_PAYMENT = replace(OURS, body=canonical({"QuickPayment": {"Reference": PAY, "Amount": d("20.00")}}))
JOURNALS = (SaasuJournal("81", f"{PAY}-OVER", DAY, ""), SaasuJournal("82", f"{PAY}-OVER", DAY, ""))


def found(file: Books, *knowns: Known, **more: Any) -> tuple[Twice, ...]:
    return doubles(context(file=file, known=knowns, **more))


def test_an_invoice_that_is_there_twice_is_told_with_both_ids_their_amounts_and_what_to_do() -> None:
    (one,) = found(books(invoices=(invoice("58", total="50.00"), invoice("57"))), OURS)
    assert (one.what, one.reference, [copy.id for copy in one.copies]) == ("Invoice", "N1", ["57", "58"])
    assert one.text == (
        "Saasu has 2 records of N1: 57 (INV-57, 2025-03-03, 50.00 AUD, ours by the journal) and 58 (INV-58, 2025-03-03, "
        "50.00 AUD)."
    )
    assert "delete 58" in one.remedy
    assert "ignore" in one.remedy
    item = open_item(one)
    assert (item.key, item.code, item.number, item.amount) == (one.key, CODE, "N1", aud("50.00"))


@pytest.mark.parametrize(
    "state", [EffectState.CONFIRMED, EffectState.UNKNOWN, EffectState.SENT, EffectState.HELD]
)
def test_one_that_may_be_ours_counts_whatever_became_of_the_call(state: EffectState) -> None:
    twice = books(invoices=(invoice("57"), invoice("58")))
    (one,) = found(twice, replace(OURS, state=state, remote_id=""))
    assert "does not tell which" in one.text


def test_adjustment_notes_payments_journals_and_contacts_are_looked_at() -> None:
    file = books(
        invoices=(invoice("61", total="-9.00"), invoice("62", total="-9.00")),
        payments=(paid("71"), paid("72")),
        journals=JOURNALS,
        contacts=(saasu_contact("501", "pat_rivers", given="Pat"), saasu_contact("502", "Pat_Rivers")),
    )
    note, payment, journal, contact = found(
        file,
        replace(OURS, remote_id="61", key="1"),
        known("payment", PAY, "72", key="2"),
        known("journal", f"{PAY}-OVER", "82", key="3", amount=Money(d("5.00"), "AUD")),
        known("contactAggregate", "pat_rivers", "501", key="4"),
    )
    assert (note.what, note.copies[0].amount) == ("Adjustment note", d("-9.00"))
    assert (payment.what, [copy.id for copy in payment.copies]) == ("Payment", ["72", "71"])
    assert [(copy.id, copy.amount) for copy in journal.copies] == [("82", d("5.00")), ("81", None)]
    assert (contact.what, contact.copies[0].number) == ("Contact", "Pat")
    assert "make it inactive" in contact.remedy


def test_a_payment_that_came_inside_an_invoice_is_one_of_ours() -> None:
    file = books(invoices=(invoice("57"), invoice("58")), payments=(paid("71"), paid("72")))
    assert [one.what for one in found(file, WITH_PAYMENT)] == ["Invoice", "Payment"]
    assert [one.what for one in found(file, OURS)] == ["Invoice"]


def test_three_are_all_told() -> None:
    (one,) = found(books(payments=(paid("71"), paid("72"), paid("73"))), known("payment", PAY, "71"))
    assert "72 and 73" in one.remedy


@pytest.mark.parametrize(
    "file",
    [
        books(invoices=(invoice("57"), invoice("58", total="-50.00"))),  # credited by hand
        books(invoices=(invoice("57"), invoice("58", status="Q"))),  # a quote of the order
        books(invoices=(invoice("57"), saasu_invoice("58", "N1-R1", "50.00"))),
        books(payments=(paid("71"), paid("72"), paid("73", "-20.00"))),  # taken back by a third
        books(contacts=(saasu_contact("501", "pat"), saasu_contact("502", "pat", active=False))),
        books(contacts=(saasu_contact("501"), saasu_contact("502"))),  # without a Contact ID
    ],
)
def test_what_is_no_double(file: Books) -> None:
    knowns = (OURS, known("payment", PAY, "71", key="2"), known("contact", "pat", "501", key="3"))
    assert found(file, *knowns) == ()


@pytest.mark.parametrize(
    "ours",
    [
        known("invoice", "N2", "57"),
        replace(OURS, state=EffectState.REFUSED),  # the number was taken: both are somebody else's
        replace(OURS, action=Action.UPDATE),
        known("payment", "N1", "57"),
    ],
)
def test_records_of_others_are_none_of_ours(ours: Known) -> None:
    assert found(books(invoices=(invoice("57"), invoice("58"))), ours) == ()


def test_one_that_was_ignored_is_told_no_more_until_there_is_another() -> None:
    file = books(invoices=(invoice("57"), invoice("58")))
    (one,) = found(file, OURS)
    assert found(file, OURS, ignored=[one.key]) == ()
    more = replace(file, invoices=(*file.invoices, invoice("59")))
    assert len(found(more, OURS, ignored=[one.key])) == 1
