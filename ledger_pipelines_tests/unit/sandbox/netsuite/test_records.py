import pytest

from ledger_pipelines.sandbox.netsuite import FieldDefinition, RecordDefinition
from ledger_pipelines_tests.unit.sandbox.netsuite.desk import AMAZON_US, ITEM, Desk, error_of, invoice_body

STRICT = {"X_NetSuite_PropertyNameValidation": "error"}


def test_a_create_answers_204_with_the_new_address_and_no_body(desk: Desk) -> None:
    answer = desk.post("invoice", invoice_body())
    assert (answer.status_code, answer.content) == (204, b"")
    assert "/services/rest/record/v1/invoice/" in answer.headers["Location"]


def test_names_of_records_and_fields_match_in_any_letter_case(desk: Desk) -> None:
    made = desk.made("INVOICE", {**invoice_body(), "TRANDATE": "2026-09-11", "tranDate": "2026-09-11"})
    assert desk.get(f"Invoice/{made}")["tranDate"] == "2026-09-11"


def test_a_record_looks_as_the_reference_shows_it(desk: Desk) -> None:
    made = desk.invoice("144.10", externalId="SPX-1", custbody_azs_order_id="114-1")
    shown = desk.get(f"invoice/{made}")
    assert shown["id"] == made
    assert shown["entity"]["id"] == AMAZON_US
    assert shown["entity"]["refName"] == "Amazon US"
    assert shown["entity"]["links"][0]["href"].endswith("/customer/101")
    assert shown["status"] == {"id": "A", "refName": "Open"}
    assert shown["item"]["links"][0]["href"].endswith(f"/invoice/{made}/item")
    assert "items" not in shown["item"]
    assert "otherRefNum" not in shown
    assert (shown["externalId"], shown["custbody_azs_order_id"]) == ("SPX-1", "114-1")
    assert shown["createdDate"] == "2026-09-20T19:00:00Z"


def test_numbers_carry_no_binary_noise(desk: Desk) -> None:
    lines = [{"item": {"id": ITEM}, "quantity": 1, "amount": 48.03} for _ in range(3)]
    made = desk.made("invoice", {**invoice_body(), "item": {"items": lines}})
    raw = desk.call("GET", f"invoice/{made}").text
    assert '"total":144.09' in raw
    assert "144.0899" not in raw


def test_expanded_sublists_and_chosen_fields(desk: Desk) -> None:
    made = desk.invoice()
    expanded = desk.get(f"invoice/{made}", expandSubResources="true")
    assert expanded["item"]["totalResults"] == 1
    assert expanded["item"]["items"][0]["amount"] == 100.0
    chosen = desk.get(f"invoice/{made}", fields="total,item")
    assert set(chosen) == {"links", "id", "total", "item"}
    assert desk.get(f"invoice/{made}", simpleEnumFormat="true")["status"] == "A"


def test_an_unknown_field_is_dropped_with_a_warning_unless_errors_are_asked_for(desk: Desk) -> None:
    body = {**invoice_body(), "trandat": "2026-09-01"}
    dropped = desk.post("invoice", body)
    assert dropped.status_code == 204
    assert "trandat" in dropped.headers["Warning"]
    refused = desk.post("invoice", body, **STRICT)
    assert error_of(refused)[:2] == (400, "INVALID_CONTENT")
    ignored = desk.post("invoice", body, X_NetSuite_PropertyNameValidation="ignore")
    assert "Warning" not in ignored.headers


def test_read_only_fields_in_a_body_are_ignored(desk: Desk) -> None:
    made = desk.invoice(total=5, status={"id": "B"})
    assert desk.get(f"invoice/{made}")["total"] == 100.0


@pytest.mark.parametrize(
    "change",
    [
        {"entity": {"id": "99999"}},
        {"tranDate": "09/01/2026"},
        {"item": {"items": [{"item": {"id": "9999"}, "amount": 1}]}},
        {"currency": {"id": "2"}},
        {"account": {"id": "221"}},
        {"exchangeRate": "many"},
    ],
)
def test_bad_values_and_references_are_invalid_content(desk: Desk, change: dict[str, object]) -> None:
    answer = desk.post("invoice", {**invoice_body(), **change})
    assert error_of(answer)[:2] == (400, "INVALID_CONTENT")
    assert "o:errorPath" in answer.json()["o:errorDetails"][0]


def test_a_missing_entity_is_a_user_error(desk: Desk) -> None:
    body = invoice_body()
    del body["entity"]
    assert error_of(desk.post("invoice", body))[:2] == (400, "USER_ERROR")


def test_malformed_json_is_an_invalid_request(desk: Desk) -> None:
    answer = desk.call("POST", "invoice", content=b'{"entity":', headers={"Content-Type": "application/json"})
    assert error_of(answer)[:2] == (400, "INVALID_REQUEST")


def test_missing_records_and_types_are_404_and_other_verbs_405(desk: Desk) -> None:
    assert error_of(desk.call("GET", "invoice/999999"))[:2] == (404, "NONEXISTENT_ID")
    assert desk.call("GET", "customrecord_never_deployed").status_code == 404
    assert error_of(desk.call("PATCH", "invoice", json={}))[:2] == (405, "METHOD_NOT_ALLOWED")


def test_another_transaction_type_behind_an_id_is_named(desk: Desk) -> None:
    made = desk.invoice()
    assert "Transaction type specified is incorrect" in error_of(desk.call("GET", f"creditMemo/{made}"))[2]


def test_external_ids_are_unique_within_a_family_and_free_across_families(desk: Desk) -> None:
    desk.invoice(externalId="X-1")
    clash = desk.post("salesOrder", {**invoice_body(), "externalId": "X-1"})
    assert error_of(clash)[:2] == (400, "USER_ERROR")
    assert "already exists" in error_of(clash)[2]
    customer = {"companyName": "Fern", "subsidiary": {"id": "1"}, "externalId": "X-1"}
    assert desk.post("customer", customer).status_code == 204


def test_put_by_external_id_creates_then_updates_the_same_record(desk: Desk) -> None:
    body = {"companyName": "Blue Fern Ltd", "subsidiary": {"id": "1"}}
    first = desk.call("PUT", "customer/eid:SPX-CUST-88", json=body)
    second = desk.call("PUT", "customer/eid:SPX-CUST-88", json={**body, "comments": "again"})
    assert first.status_code == second.status_code == 204
    assert first.headers["Location"] == second.headers["Location"]
    assert desk.get("customer/eid:SPX-CUST-88")["comments"] == "again"
    assert desk.call("PUT", "customer/311", json=body).status_code == 400


def test_put_twice_without_replace_doubles_the_lines(desk: Desk) -> None:
    body = {**invoice_body("10.00")}
    for _ in range(2):
        assert desk.call("PUT", "invoice/eid:I-1", json=body).status_code == 204
    assert desk.get("invoice/eid:I-1")["total"] == 20.0
    assert desk.call("PUT", "invoice/eid:I-1", params={"replace": "item"}, json=body).status_code == 204
    assert desk.get("invoice/eid:I-1")["total"] == 10.0


def test_patch_edits_the_named_line_adds_unnamed_ones_and_replace_drops_the_rest(desk: Desk) -> None:
    made = desk.invoice("10.00")
    path = f"invoice/{made}"
    assert desk.call("PATCH", path, json={"item": {"items": [{"line": 1, "amount": 12}]}}).status_code == 204
    assert desk.get(path)["total"] == 12.0
    added = {"items": [{"item": {"id": "2"}, "amount": 5}]}
    desk.call("PATCH", path, json={"item": added})
    assert desk.get(path)["total"] == 17.0
    desk.call(
        "PATCH", path, params={"replace": "item"}, json={"item": {"items": [{"line": 1, "amount": 11}]}}
    )
    shown = desk.get(path, expandSubResources="true")
    assert (shown["total"], shown["item"]["totalResults"]) == (11.0, 1)


def test_patch_leaves_absent_fields_and_null_clears(desk: Desk) -> None:
    made = desk.invoice(memo="keep", otherRefNum="114-9")
    desk.call("PATCH", f"invoice/{made}", json={"otherRefNum": None})
    shown = desk.get(f"invoice/{made}")
    assert shown["memo"] == "keep"
    assert "otherRefNum" not in shown


def test_emptying_a_mandatory_sublist_is_refused(desk: Desk) -> None:
    made = desk.invoice()
    assert desk.call("PATCH", f"invoice/{made}", json={"item": None}).status_code == 400
    assert desk.get(f"invoice/{made}")["total"] == 100.0


def test_a_reference_may_be_an_object_an_external_id_or_a_bare_id(desk: Desk) -> None:
    desk.made("customer", {"companyName": "Fern", "subsidiary": {"id": "1"}, "externalId": "C-1"})
    for entity in ({"externalId": "C-1"}, {"id": "101"}, "101", 101):
        assert desk.post("invoice", {**invoice_body(), "entity": entity}).status_code == 204


def test_a_duplicate_entity_name_already_exists(desk: Desk) -> None:
    body = {"companyName": "Fern", "entityId": "SPX-88 Fern", "subsidiary": {"id": "1"}}
    desk.made("customer", body)
    answer = desk.post("customer", body)
    assert error_of(answer) == (
        400,
        "USER_ERROR",
        "Error while accessing a resource. This entity already exists.",
    )


def test_custom_settlement_records_take_ids_and_refuse_list_texts(desk: Desk) -> None:
    summary = desk.made(
        "customrecord_azs_summary",
        {
            "name": "18834420011",
            "externalId": "AZS-18834420011",
            "custrecord_azs_sum_settlement_id": "18834420011",
            "custrecord_azs_sum_deposit_amt": 5310.22,
            "custrecord_azs_sum_start": "2026-08-31",
            "custrecord_azs_sum_currency": {"id": "1"},
            "custrecord_azs_sum_status": {"id": "1"},
        },
    )
    shown = desk.get(f"customrecord_azs_summary/{summary}")
    assert shown["custrecord_azs_sum_deposit_amt"] == 5310.22
    assert shown["custrecord_azs_sum_status"]["refName"] == "Loaded"
    row = {"name": "Order|1", "custrecord_azs_txn_summary": {"id": summary}}
    assert (
        desk.post("customrecord_azs_txn", {**row, "custrecord_azs_txn_type": {"id": "2"}}).status_code == 204
    )
    refused = desk.post("customrecord_azs_txn", {**row, "custrecord_azs_txn_type": "Refund"})
    assert error_of(refused)[:2] == (400, "INVALID_CONTENT")
    listed = desk.get("customrecord_azs_txn", q=f"custrecord_azs_txn_summary EQUAL {summary}")
    assert listed["totalResults"] == 1
    assert desk.call("DELETE", f"customrecord_azs_summary/{summary}").status_code == 400


def test_a_mandatory_custom_field_is_demanded(desk: Desk) -> None:
    answer = desk.post("customrecord_azs_summary", {"name": "x"})
    assert error_of(answer)[:2] == (400, "USER_ERROR")


def test_types_deployed_later_are_there_at_once(desk: Desk) -> None:
    desk.vendor.define_record_type(
        RecordDefinition(
            scriptid="customrecord_probe",
            recordname="Probe",
            fields=(FieldDefinition(scriptid="custrecord_probe_amount", fieldtype="CURRENCY"),),
        )
    )
    desk.vendor.define_field(FieldDefinition(scriptid="custbody_probe", fieldtype="TEXT"))
    desk.made("customrecord_probe", {"name": "a", "custrecord_probe_amount": 1.10})
    desk.invoice(custbody_probe="here")
    assert desk.rows("SELECT custrecord_probe_amount AS amount FROM customrecord_probe") == [
        {"amount": "1.1"}
    ]
    assert len(desk.rows("SELECT id FROM transaction WHERE custbody_probe = 'here'")) == 1


def test_the_filter_grammar_of_collections(desk: Desk) -> None:
    one = desk.invoice("10.00", otherRefNum="A|B", memo="first")
    two = desk.invoice("20.00", otherRefNum="C", tranDate="2026-09-12")
    for q, expected in (
        ('otherRefNum IS "A|B"', [one]),
        ("otherRefNum is C", [two]),
        ("otherRefNum CONTAIN_NOT C", [one]),
        ("total GREATER 15", [two]),
        ("total BETWEEN [5, 15]", [one]),
        (f"id ANY_OF [{one}, {two}]", [one, two]),
        ('tranDate ON_OR_AFTER "9/11/2026"', [two]),
        ('tranDate BEFORE "9/11/2026" OR otherRefNum IS C', [one, two]),
        ('memo EMPTY AND (otherRefNum IS C OR otherRefNum IS "A|B")', [two]),
        ("memo EMPTY_NOT", [one]),
    ):
        found = desk.get("invoice", q=q)
        assert [item["id"] for item in found["items"]] == expected, q
        assert set(found["items"][0]) == {"links", "id"}
    for q in ("nofield IS x", "total IS 5", 'tranDate ON "2026-09-10"', 'memo IS "open'):
        assert (
            desk.call("GET", "invoice", params={"q": q}).json()["o:errorDetails"][0]["o:errorQueryParam"]
            == "q"
        )


def test_collections_page_with_links_and_refuse_a_crooked_offset(desk: Desk) -> None:
    for _ in range(5):
        desk.invoice()
    page = desk.get("invoice", limit="2", offset="2")
    assert (page["count"], page["hasMore"], page["totalResults"], page["offset"]) == (2, True, 5, 2)
    assert {link["rel"] for link in page["links"]} == {"first", "prev", "next", "last", "self"}
    last = next(link["href"] for link in page["links"] if link["rel"] == "last")
    assert last.endswith("limit=2&offset=4")
    assert (
        error_of(desk.call("GET", "invoice", params={"limit": "10", "offset": "15"}))[1]
        == "INVALID_PARAMETER"
    )
    assert desk.call("GET", "invoice", params={"limit": "1001"}).status_code == 400


def test_deleting_what_others_use_is_refused_and_names_it(desk: Desk) -> None:
    made = desk.invoice()
    assert "dependent" in error_of(desk.call("DELETE", "customer/101"))[2]
    paid = desk.pay(made, "40.00")
    assert paid.status_code == 204
    assert "PYMT" in error_of(desk.call("DELETE", f"invoice/{made}"))[2]
    payment = paid.headers["Location"].rsplit("/", 1)[1]
    assert desk.call("DELETE", f"customerPayment/{payment}").status_code == 204
    assert desk.call("DELETE", f"invoice/{made}").status_code == 204
    assert desk.call("GET", f"invoice/{made}").status_code == 404


def test_form_simulation_saves_nothing(desk: Desk) -> None:
    made = desk.invoice()
    form = {"Accept": "application/vnd.oracle.resource+json; type=create-form"}
    answer = desk.call("POST", f"invoice/{made}/!transform/customerPayment", headers=form, json={})
    assert answer.status_code == 200
    assert answer.json()["apply"]["items"][0]["amount"] == 100.0
    assert desk.get("customerPayment")["totalResults"] == 0


def test_metadata_tells_fields_and_what_can_be_filtered(desk: Desk) -> None:
    schema = desk.get("metadata-catalog/invoice")
    assert schema["properties"]["custbody_azs_order_id"]["x-ns-filterable"] is True
    assert "paymentMethod" not in desk.get("metadata-catalog/customerPayment")["properties"]
    names = {item["name"] for item in desk.get("metadata-catalog")["items"]}
    assert {"invoice", "customrecord_azs_txn", "subsidiary"} <= names
    document = desk.get("metadata-catalog", select="customer,salesOrder")
    assert set(document["components"]["schemas"]) == {"customer", "salesOrder"}


def test_system_endpoints(desk: Desk) -> None:
    assert desk.get("/services/rest/system/v1/serverTime") == {"serverTime": "2026-09-20T19:00:00Z"}
    assert desk.get("/services/rest/system/v1/governanceLimits")["accountConcurrencyLimit"] == 5
