"""The SDF project deploys exactly what the product writes: fields, types, lists, the order of their values."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

import pytest

from ledger_pipelines.documents.keys import Json, decode
from ledger_pipelines.integrations.amazon_netsuite import settlement_records, summary_update
from ledger_pipelines.integrations.amazon_netsuite.decide import decide
from ledger_pipelines.integrations.amazon_netsuite.decisions import Decision
from ledger_pipelines.integrations.amazon_netsuite.record_fields import LISTS, SUMMARY, TXN
from ledger_pipelines.integrations.amazon_netsuite.settings import General, Records
from ledger_pipelines.integrations.amazon_netsuite.verify import Reconciliation
from ledger_pipelines_tests.unit.integrations.amazon_netsuite.building import books, confirmed, context
from ledger_pipelines_tests.unit.integrations.amazon_netsuite.test_statement_view import GROUPS, A, B, plans

PROJECT = Path(__file__).parents[4] / "sdf" / "src"
OBJECTS = {path.stem: ET.parse(path).getroot() for path in sorted((PROJECT / "Objects").glob("*.xml"))}
FIELD_TAGS = ("customrecordcustomfield", "transactionbodycustomfield", "transactioncolumncustomfield")
FIELDS = {
    field.get("scriptid"): field
    for root in OBJECTS.values()
    for field in root.iter()
    if field.tag in FIELD_TAGS
}
STOCK = {"externalId", "name"}
LIST_FIELDS = {
    "custrecord_azs_sum_status": "sum_status",
    "custrecord_azs_txn_type": "txn_type",
    "custrecord_azs_txn_channel": "txn_channel",
    "custrecord_azs_txn_status": "txn_status",
}


def kind(value: Json) -> set[str]:
    """Field types that take a value."""
    if isinstance(value, dict):
        return {"SELECT"}
    if isinstance(value, Decimal):
        return {"CURRENCY"}
    if isinstance(value, int):
        return {"INTEGER", "CURRENCY"}
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", str(value)):
        return {"DATE"}
    return {"TEXT", "TEXTAREA"}


def written() -> Iterable[tuple[str, str, Json]]:
    """(record type, field, value) of everything the product writes for the worked example, first and last state."""
    ctx = context(GROUPS, books(A, B))
    records = settlement_records.rows(ctx, decide(ctx, GROUPS).decisions)
    rows = [*records, *(row for plan in plans(ctx) for row in plan.rows)]
    after = context(GROUPS, books(A, B), known=confirmed(rows))
    decisions: list[Decision] = list(decide(after, GROUPS).decisions)
    zero = Decimal("0.00")
    figures = Reconciliation("USD", zero, zero, zero, zero, zero, zero, zero, 1, 0, 1)
    made = [*settlement_records.rows(ctx, decisions), *summary_update.rows(after, decisions, figures)]
    for row in made:
        assert row.effect is not None
        body = decode(row.effect.body)
        assert isinstance(body, dict)
        for name, value in body.items():
            if name not in STOCK:
                yield row.effect.kind, name, value


WRITTEN = list(written())


def test_every_field_the_product_writes_is_deployed_with_a_type_that_takes_its_value() -> None:
    assert {name for _, name, _ in WRITTEN} >= {
        f"{SUMMARY}paid",
        f"{SUMMARY}diff",
        f"{TXN}payment",
        f"{TXN}rows",
    }
    for record, name, value in WRITTEN:
        owner = OBJECTS[record]
        field = next((f for f in owner.iter("customrecordcustomfield") if f.get("scriptid") == name), None)
        assert field is not None, f"{record} has no {name}"
        assert field.findtext("fieldtype") in kind(value), (name, value)


def test_every_deployed_record_field_is_written_by_the_product() -> None:
    deployed = {f.get("scriptid") for r in OBJECTS.values() for f in r.iter("customrecordcustomfield")}
    # a sales order is linked only where one is billed; ids that a group does not have are left out
    rare = {f"{TXN}sales_order", f"{TXN}shipment_id"}
    assert deployed - {name for _, name, _ in WRITTEN} <= rare


def test_the_lists_have_the_values_in_the_order_whose_ids_the_product_writes() -> None:
    for name, values in LISTS.items():
        root = OBJECTS[f"customlist_azs_{name}"]
        assert [v.findtext("value") for v in root.iter("customvalue")] == [str(value) for value in values]
        assert root.findtext("isordered") == "T"


def test_each_list_field_points_at_the_list_the_product_means() -> None:
    selects = {
        name: f.findtext("selectrecordtype")
        for name, f in FIELDS.items()
        if f.findtext("fieldtype") == "SELECT"
    }
    for field, name in LIST_FIELDS.items():
        assert selects.pop(field) == f"[scriptid=customlist_azs_{name}]"
    assert selects.pop(f"{TXN}summary") == "[scriptid=customrecord_azs_summary]"
    assert selects.pop(f"{SUMMARY}currency") == "-122"
    assert set(selects.values()) == {"-30"}


def test_the_fields_the_default_settings_name_on_documents_are_deployed() -> None:
    general = General()
    for name in (general.order_id_field_on_documents, general.settlement_id_field_on_documents):
        root = OBJECTS[name]
        assert (root.tag, root.findtext("fieldtype")) == ("transactionbodycustomfield", "TEXT")
        assert {"bodysale", "bodycustomerpayment", "bodyjournal"} <= {child.tag for child in root}
    assert general.order_id_fields[0] in OBJECTS
    records = Records()
    assert {records.summary_record, records.transaction_record} <= OBJECTS.keys()


@pytest.mark.parametrize("name", [*OBJECTS, *FIELDS])
def test_script_ids_are_lower_case_and_at_most_40_characters(name: str) -> None:
    assert re.fullmatch(r"cust[a-z]+_azs_[a-z0-9_]+", name)
    assert len(name) <= 40


def test_every_object_is_in_a_file_of_its_own_name_and_the_project_deploys_them_all() -> None:
    assert {name: root.get("scriptid") for name, root in OBJECTS.items()} == {name: name for name in OBJECTS}
    assert ET.parse(PROJECT / "deploy.xml").getroot().findtext("objects/path") == "~/Objects/*"
    assert ET.parse(PROJECT / "manifest.xml").getroot().get("projecttype") == "ACCOUNTCUSTOMIZATION"


def test_no_text_the_product_writes_is_longer_than_its_field() -> None:
    longest = {"TEXT": 300, "TEXTAREA": 4000}
    for _, name, value in WRITTEN:
        if isinstance(value, str):
            assert len(value) <= longest.get(FIELDS[name].findtext("fieldtype") or "", 10)
    assert longest["TEXTAREA"] > settlement_records.ROWS_LENGTH
    assert longest["TEXTAREA"] > summary_update.MESSAGE_LENGTH
