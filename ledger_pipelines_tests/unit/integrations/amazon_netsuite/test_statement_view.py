"""The worked example of celigo-amazon-netsuite.md 8.7 as a statement: before, half-way and after it is booked."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from ledger_pipelines.config.connections import NetSuiteConnectionConfig
from ledger_pipelines.documents.effects import Effect
from ledger_pipelines.documents.settlement import TransactionClass
from ledger_pipelines.integrations.amazon_netsuite.books import BookDocument, OurDocument
from ledger_pipelines.integrations.amazon_netsuite.context import Context
from ledger_pipelines.integrations.amazon_netsuite.decide import decide
from ledger_pipelines.integrations.amazon_netsuite.flows import plan_flow
from ledger_pipelines.integrations.amazon_netsuite.readback import JOURNAL, AccountSum, ReadBack
from ledger_pipelines.integrations.amazon_netsuite.statement_view import (
    document_link,
    statement_data,
    write_statement,
)
from ledger_pipelines.reports.statement import render
from ledger_pipelines.reports.view import StatementData
from ledger_pipelines.sync.plan import Plan
from ledger_pipelines_tests.unit.integrations.amazon_netsuite.building import (
    SID,
    books,
    confirmed,
    context,
    group,
    invoice,
)
from ledger_pipelines_tests.unit.reports.page import Page, check_totals, columns

ORDER, REFUND = TransactionClass.ORDER, TransactionClass.REFUND
NOW = datetime(2026, 9, 18, 8, 30, tzinfo=UTC)
GROUPS = [
    group(ORDER, {"Principal": "100.00", "Shipping": "5.00", "Tax": "8.40",
          "MarketplaceFacilitatorTax-Principal": "-8.40", "Commission": "-15.00", "FBAPerUnitFulfillmentFee": "-4.20"}, order="A"),
    group(ORDER, {"Principal": "60.00", "Promotion": "-6.00", "Commission": "-9.00"}, order="B"),
    group(REFUND, {"Principal": "-50.00", "Commission": "7.50", "RefundCommission": "-1.50"}, order="A", adjustment="adj"),
    group(TransactionClass.FEE, {"Storage Fee": "-12.30"}),
    group(TransactionClass.RESERVE, {"Previous Reserve Amount Balance": "20.00", "Current Reserve Amount": "-30.00"}),
]  # fmt: skip
A = invoice("A", "105.00", internal_id="501")
B = replace(invoice("B", "54.00", internal_id="502"), day=date(2026, 9, 6))
FLOWS = ("order_invoices", "payments", "refunds", "settlement_journal")


def plans(ctx: Context) -> list[Plan]:
    decided = decide(ctx, GROUPS)
    return [plan_flow(ctx, flow, decided, NOW) for flow in FLOWS]


def effects(of: list[Plan]) -> list[Effect]:
    return [effect for plan in of for effect in plan.effects()]


def planned(*documents: BookDocument) -> tuple[Context, list[Plan], StatementData]:
    ctx = context(GROUPS, books(*documents))
    made = plans(ctx)
    data = statement_data(
        ctx,
        decide(ctx, GROUPS).decisions,
        after=None,
        plans=made,
        journals=effects(made),
        made_at=NOW,
        mode="plan",
    )
    return ctx, made, data


def booked() -> StatementData:
    """The same with every effect confirmed and read back from NetSuite's ledger."""
    _, made, _ = planned(A, B)
    rows = [row for plan in made for row in plan.rows]
    after_ctx = context(
        GROUPS, books(replace(A, unpaid=Decimal(0)), replace(B, unpaid=Decimal(0))), known=confirmed(rows)
    )
    documents = tuple(
        OurDocument(str(9001 + at), e.kind, e.external_id, f"N{9001 + at}",
                    Decimal(0) if e.expected.amount is None else e.expected.amount.amount, "USD", e.expected.day)
        for at, e in enumerate(effects(made))
    )  # fmt: skip
    accounts = (
        AccountSum(
            JOURNAL,
            "A-bank",
            "1001",
            "Bank",
            "Amount deposited by Amazon",
            Decimal("64.50"),
            Decimal("64.50"),
        ),
        AccountSum(
            JOURNAL,
            "A-fees",
            "6100",
            "Fees",
            "Fee charged by Amazon: all",
            Decimal("44.50"),
            Decimal("44.50"),
        ),
        AccountSum(
            JOURNAL,
            "A-clearing",
            "1051",
            "Clearing",
            "Total transaction amount",
            Decimal("-109.00"),
            Decimal("-109.00"),
        ),
        AccountSum("", "A-clearing", "1051", "Clearing", "", Decimal("109.00"), Decimal("109.00")),
    )
    after = ReadBack("netsuite", SID, NOW, documents, accounts)
    return statement_data(
        after_ctx, decide(after_ctx, GROUPS).decisions, after=after, plans=made, journals=effects(made), made_at=NOW,
        mode="live", links={"document": "https://example.invalid/{id}", "order": "https://example.invalid/o/{order_id}"},
    )  # fmt: skip


def test_the_worked_example_before_it_is_booked() -> None:
    _, _, data = planned(A, B)
    page = Page(render(data))
    assert check_totals(page) >= 6
    assert data.heading.status == "Planned"
    assert (data.figures.groups, data.figures.resolved, data.open) == (5, 5, ())
    assert columns(page.table("payments").foot[0])[-1] == "109.00"
    (journal,) = [table for table in page.tables if table.name == "journal"]
    assert columns(journal.foot[0])[-2:] == ["109.00", "109.00"]
    assert columns(page.table("amounts").foot[0])[-1] == "64.50"


def test_the_worked_example_when_it_is_booked() -> None:
    data = booked()
    page = Page(render(data))
    check_totals(page)
    assert data.figures.clean
    assert data.open == ()
    assert data.heading.status == "Reconciled"
    assert columns(page.table("figures").foot[0])[-1] == "64.50"
    rows = [columns(row) for row in page.table("payments").body]
    assert [(row[0], row[1], row[-1]) for row in rows][:2] == [
        ("A", "Payment", "105.00"),
        ("B", "Payment", "54.00"),
    ]
    assert rows[2][1].startswith("Refund of credit memo N")
    assert rows[2][-1] == "-50.00"
    assert {d.state for d in data.documents} == {"Verified"}
    assert "https://example.invalid/o/A" in page.links
    assert data.entries[0].number.startswith("N")


def test_an_order_that_netsuite_does_not_know_stands_on_the_page_with_what_to_do() -> None:
    _, _, data = planned(A)
    (line,) = data.open
    assert (line.order_id, line.state, line.amount) == ("B", "No order", Decimal("54.00"))
    assert line.remedy
    assert data.figures.resolved == 4
    page = Page(render(data))
    check_totals(page)
    assert line.remedy in page.text


def test_the_page_is_written_whole_into_its_folder(tmp_path: Path) -> None:
    data = booked()
    path = write_statement(tmp_path / "reports", data)
    assert path.read_text(encoding="utf-8") == render(data)
    assert {document.what.split(" ")[0] for document in data.documents} == {"Payment", "Refund"}


def test_the_sandbox_has_no_pages_to_link_to() -> None:
    raw = {"system": "netsuite", "account": "9123456_SB1", "start_date": "2026-01-01",
           "auth": {"client_id_env": "NS_CLIENT", "certificate_id_env": "NS_CERTIFICATE", "private_key_env": "NS_KEY"}}  # fmt: skip
    real = NetSuiteConnectionConfig.model_validate(raw)
    sandbox = NetSuiteConnectionConfig.model_validate(
        {**raw, "sandbox": True, "base_url": "http://127.0.0.1:1"}
    )
    assert document_link(real).startswith("https://9123456-sb1.app.netsuite.com/")
    assert document_link(sandbox) == ""
