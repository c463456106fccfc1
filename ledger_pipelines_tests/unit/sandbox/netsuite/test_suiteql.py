import time

import pytest

from ledger_pipelines.sandbox.faults import FaultSpec
from ledger_pipelines.sandbox.netsuite.engine import Engine, require_type
from ledger_pipelines.sandbox.netsuite.normalise import Options
from ledger_pipelines_tests.unit.sandbox.netsuite.desk import (
    ITEM,
    RECORD,
    SUITEQL,
    Desk,
    error_of,
    invoice_body,
)


def refusal(desk: Desk, q: str, *params: object) -> str:
    answer = desk.ask(q, *params)
    status, code, text = error_of(answer)
    assert (status, code) == (400, "INVALID_PARAMETER"), answer.text
    assert answer.json()["o:errorDetails"][0]["o:errorQueryParam"] == "q"
    return text


def test_the_prefer_header_is_required(desk: Desk) -> None:
    answer = desk.call("POST", SUITEQL, json={"q": "SELECT id FROM currency"})
    assert answer.status_code == 400


def test_values_are_strings_nulls_absent_and_keys_lower_case(desk: Desk) -> None:
    made = desk.invoice("100.00", externalId="INV-1")
    answer = desk.ask("SELECT T.ID, t.TranId, t.memo, t.foreignamountunpaid, t.voided FROM Transaction t")
    body = answer.json()
    assert body["items"] == [
        {"links": [], "id": made, "tranid": "INV00001", "foreignamountunpaid": "100", "voided": "F"}
    ]
    assert (body["count"], body["hasMore"], body["offset"], body["totalResults"]) == (1, False, 0, 1)


def test_raw_dates_are_in_the_account_format_and_to_char_gives_iso(desk: Desk) -> None:
    desk.invoice(tranDate="2026-09-05")
    assert desk.rows("SELECT trandate, TO_CHAR(trandate, 'YYYY-MM-DD') AS iso FROM transaction") == [
        {"trandate": "9/5/2026", "iso": "2026-09-05"}
    ]


def test_timestamps_are_on_the_accounts_own_clock(desk: Desk) -> None:
    desk.invoice()
    row = desk.rows(
        "SELECT createddate, TO_CHAR(lastmodifieddate, 'YYYY-MM-DD HH24:MI:SS') AS at, "
        "TO_CHAR(CURRENT_DATE, 'YYYY-MM-DD HH24:MI:SS') AS now FROM transaction"
    )
    assert row == [{"createddate": "9/20/2026", "at": "2026-09-20 12:00:00", "now": "2026-09-20 12:00:00"}]
    later = "SELECT id FROM transaction WHERE lastmodifieddate >= TO_DATE(?, 'YYYY-MM-DD HH24:MI:SS')"
    assert len(desk.rows(later, "2026-09-20 12:00:00")) == 1
    assert desk.rows(later, "2026-09-20 12:00:01") == []


def test_the_recipes_of_the_reference_run(desk: Desk) -> None:
    made = desk.invoice("100.00", custbody_azs_order_id="111-1")
    order = desk.made("salesOrder", {**invoice_body(), "otherRefNum": "111-2"})
    payment = desk.pay(made, "40.00").headers["Location"].rsplit("/", 1)[1]
    open_invoices = desk.rows(
        "SELECT t.id, t.tranid, t.entity, t.currency, t.custbody_azs_order_id AS order_id, "
        "TO_CHAR(t.trandate,'YYYY-MM-DD') AS trandate, t.foreigntotal, t.foreignamountunpaid, t.status "
        "FROM transaction t WHERE t.type = 'CustInvc' AND t.foreignamountunpaid > 0 "
        "AND t.custbody_azs_order_id IN (?,?,?) ORDER BY t.id",
        "111-1",
        "111-9",
        "111-8",
    )
    assert open_invoices[0]["id"] == made
    assert (open_invoices[0]["foreignamountunpaid"], open_invoices[0]["status"]) == ("60", "A")
    orders = desk.rows(
        "SELECT t.id, t.tranid, t.otherrefnum, BUILTIN.DF(t.status) AS status FROM transaction t "
        "WHERE t.type='SalesOrd' AND t.status IN ('B','D','E','F') AND t.otherrefnum IN (?,?) ORDER BY t.id",
        "111-2",
        "x",
    )
    assert [(row["id"], row["status"]) for row in orders] == [(order, "Sales Order : Pending Billing")]
    applied = desk.rows(
        "SELECT l.nextdoc AS payment, l.previousdoc AS invoice, l.foreignamount AS applied "
        "FROM previoustransactionlinelink l WHERE l.nextdoc = ? AND l.linktype = 'Payment'",
        payment,
    )
    assert applied == [{"payment": payment, "invoice": made, "applied": "40"}]
    period = desk.rows(
        "SELECT id, periodname, TO_CHAR(startdate,'YYYY-MM-DD') AS startdate FROM accountingperiod "
        "WHERE isquarter='F' AND isyear='F' AND closed='F' AND arlocked='F' "
        "AND enddate >= TO_DATE(?,'YYYY-MM-DD') ORDER BY startdate FETCH FIRST 1 ROWS ONLY",
        "2026-09-20",
    )
    assert (period[0]["periodname"], period[0]["startdate"]) == ("Sep 2026", "2026-09-01")
    used = desk.rows(
        "SELECT foreignpaymentamountused u, foreignpaymentamountunused n FROM transaction WHERE id = ?",
        payment,
    )
    assert used == [{"u": "40", "n": "0"}]


def test_sales_lines_are_credit_signed_and_the_ledger_is_debit_positive(desk: Desk) -> None:
    made = desk.invoice("100.00")
    lines = desk.rows(
        "SELECT tl.mainline, tl.foreignamount, tl.quantity, tal.amount, tal.debit, tal.credit, "
        "BUILTIN.DF(tal.account) AS account FROM transactionline tl JOIN transactionaccountingline tal "
        "ON tal.transaction = tl.transaction AND tal.transactionline = tl.id WHERE tl.transaction = ? ORDER BY tl.id",
        made,
    )
    assert lines == [
        {"mainline": "T", "foreignamount": "100", "amount": "100", "debit": "100", "account": "1100 Accounts Receivable"},
        {
            "mainline": "F",
            "foreignamount": "-100",
            "quantity": "-1",
            "amount": "-100",
            "credit": "100",
            "account": "4000 Sales",
        },
    ]  # fmt: skip


def test_sums_of_money_are_exact(desk: Desk) -> None:
    for amount in ("0.10", "0.20", "1234567.89"):
        desk.invoice(amount)
    row = desk.rows(
        "SELECT SUM(foreigntotal) AS total, COUNT(*) AS n, MAX(foreigntotal) AS top, MIN(foreigntotal) AS low, "
        "SUM(foreigntotal) - 0.3 AS less FROM transaction WHERE type = 'CustInvc'"
    )
    assert row == [{"total": "1234568.19", "n": "3", "top": "1234567.89", "low": "0.1", "less": "1234567.89"}]
    having = (
        "SELECT entity, SUM(foreigntotal) s FROM transaction GROUP BY entity HAVING SUM(foreigntotal) > {0}"
    )
    assert len(desk.rows(having.format("99.5"))) == 1
    assert desk.rows(having.format("9999999")) == []


def test_money_sorts_and_compares_as_numbers(desk: Desk) -> None:
    for amount in ("9.00", "10.00", "100.00"):
        desk.invoice(amount)
    ask = "SELECT foreigntotal AS f FROM transaction WHERE foreigntotal {0} ORDER BY f DESC"
    assert [row["f"] for row in desk.rows(ask.format(">= 9.5"))] == ["100", "10"]
    assert [row["f"] for row in desk.rows(ask.format("BETWEEN 9 AND 10"))] == ["10", "9"]
    assert [
        row["f"] for row in desk.rows("SELECT foreigntotal f FROM transaction WHERE foreigntotal = ?", "9.00")
    ] == ["9"]
    doubled = (
        "SELECT foreigntotal * 2 AS d FROM transaction WHERE foreigntotal * 2 > 19 ORDER BY foreigntotal * 2"
    )
    assert [row["d"] for row in desk.rows(doubled)] == ["20", "200"]


def test_oracle_functions(desk: Desk) -> None:
    row = desk.rows(
        "SELECT NVL(NULL, 'x') AS a, COALESCE(NULL, 'y') AS b, DECODE('F', 'T', 'yes', 'F', 'no') AS c, "
        "CASE WHEN 1 = 1 THEN 'case' END AS d, TO_CHAR(TRUNC(SYSDATE, 'MM'), 'YYYY-MM-DD') AS e, UPPER('q') || '-' || SUBSTR('abc', 2, 1) AS f, "
        "TO_NUMBER('1.50') + 1 AS g, ROUND(2.345, 2) AS h, TO_CHAR(SYSDATE - 1, 'MM/DD/YYYY') AS i, CONCAT('a', 'b') AS j, "
        "TO_DATE('2026-09-01', 'YYYY-MM-DD') AS k, ABS(-2.50) AS l, EXTRACT(YEAR FROM SYSDATE) AS m, "
        "TO_CHAR(ADD_MONTHS(SYSDATE, -7), 'YYYY-MM-DD') AS n, NULLIF('a', 'a') AS o FROM DUAL"
    )
    assert row == [
        {
            "a": "x", "b": "y", "c": "no", "d": "case", "e": "2026-09-01", "f": "Q-b", "g": "2.5", "h": "2.35",
            "i": "09/19/2026", "j": "ab", "k": "9/1/2026", "l": "2.5", "m": "2026", "n": "2026-02-20",
        }
    ]  # fmt: skip


def test_row_limits_in_every_dialect_form(desk: Desk) -> None:
    for _ in range(4):
        desk.invoice()
    for q in (
        "SELECT id FROM transaction WHERE ROWNUM <= 2",
        "SELECT id FROM transaction WHERE type = 'CustInvc' AND ROWNUM < 3",
        "SELECT * FROM (SELECT id FROM transaction ORDER BY id) WHERE ROWNUM <= 2",
        "SELECT id FROM transaction ORDER BY id FETCH FIRST 2 ROWS ONLY",
        "SELECT TOP 2 id FROM transaction ORDER BY id",
    ):
        assert len(desk.rows(q)) == 2, q


def test_joins_subqueries_and_display_texts(desk: Desk) -> None:
    made = desk.invoice("100.00")
    row = desk.rows(
        "SELECT BUILTIN.DF(t.entity) AS customer, c.symbol, e.email, i.itemid, s.name AS unit FROM transaction t "
        "INNER JOIN transactionline tl ON tl.transaction = t.id AND tl.mainline = 'F' "
        "LEFT JOIN item i ON i.id = tl.item LEFT JOIN currency c ON c.id = t.currency "
        "LEFT JOIN customer e ON e.id = t.entity JOIN subsidiary s ON s.id = tl.subsidiary "
        "WHERE t.id IN (SELECT transaction FROM transactionline WHERE item = ?) AND EXISTS "
        "(SELECT 1 FROM transactionaccountingline a WHERE a.transaction = t.id)",
        ITEM,
    )
    assert row == [
        {"customer": "Amazon US", "symbol": "USD", "itemid": "AMZ-ITEM", "unit": "Demo Retail Inc."}
    ]
    assert desk.rows("SELECT id FROM transaction UNION ALL SELECT id FROM transaction") == [{"id": made}] * 2
    assert desk.rows("SELECT COUNT(*) FROM transaction") == [{"expr1": "1"}]


def test_listagg_reserved_aliases_windows_and_derived_tables(desk: Desk) -> None:
    first, second = desk.invoice("10.00"), desk.invoice("20.50")
    assert desk.rows(
        "SELECT LISTAGG(tranid, ',') WITHIN GROUP (ORDER BY tranid) AS names FROM transaction GROUP BY type"
    ) == [{"names": "INV00001,INV00002"}]
    assert desk.rows(
        "SELECT t.id AS transaction FROM transaction t WHERE BUILTIN.DF(t.postingperiod) = 'Sep 2026'"
    ) == [
        {"transaction": first},
        {"transaction": second},
    ]
    assert desk.rows(
        "SELECT x.s FROM (SELECT SUM(foreigntotal) s, type FROM transaction GROUP BY type) x WHERE x.s > 30.25"
    ) == [{"s": "30.5"}]
    assert desk.rows("SELECT id FROM transaction WHERE NVL(foreignamountunpaid, 0) - 0.5 > 9.9") == [
        {"id": second}
    ]
    assert desk.rows("SELECT DISTINCT COUNT(*) OVER (PARTITION BY type) AS n FROM transaction") == [
        {"n": "2"}
    ]


def test_reference_tables(desk: Desk) -> None:
    assert desk.rows("SELECT acctnumber, accttype, fullname FROM account WHERE id = 221") == [
        {"acctnumber": "1051", "accttype": "Bank", "fullname": "Amazon Clearing USD"}
    ]
    assert desk.rows("SELECT id FROM account WHERE acctnumber LIKE '105%' AND isinactive = 'F'") == [
        {"id": str(at)} for at in range(221, 226)
    ]
    assert desk.rows("SELECT symbol, currencyprecision, isbasecurrency FROM currency WHERE id = 5") == [
        {"symbol": "JPY", "currencyprecision": "0", "isbasecurrency": "F"}
    ]
    assert desk.rows("SELECT id FROM item WHERE itemid = 'AMZ-SHIPPING'") == [{"id": "2"}]
    assert desk.rows("SELECT subsidiary FROM customersubsidiaryrelationship WHERE entity = 104") == [
        {"subsidiary": "2"}
    ]
    assert desk.rows("SELECT name, daysuntilnetdue FROM term WHERE id = 2") == [
        {"name": "Net 30", "daysuntilnetdue": "30"}
    ]
    assert desk.rows("SELECT id FROM customlist_azs_txn_status WHERE name = 'Matched'") == [{"id": "2"}]
    assert desk.rows("SELECT DISTINCT isinactive FROM customer ORDER BY isinactive") == [
        {"isinactive": "F"},
        {"isinactive": "T"},
    ]


@pytest.mark.parametrize(
    "q",
    [
        "WITH a AS (SELECT id FROM currency) SELECT id FROM a",
        "SELECT id FROM currency LIMIT 5",
        "SELECT id FROM transaction WHERE trandate > DATE '2026-01-01'",
        "DELETE FROM currency",
        "UPDATE currency SET name = 'x'",
        "SELECT [id] FROM currency",
        "SELECT t.id FROM transaction t, customer c WHERE t.entity = c.id(+)",
        "SELECT id FROM WHERE",
        "DROP TABLE ns_record",
        "SELECT id FROM currency WHERE id IN (" + ",".join(["1"] * 1001) + ")",
    ],
)
def test_what_the_service_does_not_have_is_refused(desk: Desk, q: str) -> None:
    assert "Search error occurred" in refusal(desk, q)


def test_unknown_tables_and_columns_are_named(desk: Desk) -> None:
    assert "Record 'foo' was not found." in refusal(desk, "SELECT id FROM foo")
    assert "Record 'ns_record' was not found." in refusal(desk, "SELECT id FROM ns_record")
    text = refusal(desk, "SELECT nonsense FROM transaction")
    assert "Unknown identifier 'nonsense'. Available identifiers are: {transaction=transaction}." in text
    assert "Unknown identifier" in refusal(desk, "SELECT id FROM transaction t WHERE t.nope = 1")
    assert "Unknown function" in refusal(desk, "SELECT load_extension('x') FROM dual")


def test_subsidiary_is_no_transaction_column_without_oneworld(desk: Desk) -> None:
    assert desk.ask("SELECT subsidiary FROM transaction").status_code == 200
    desk.vendor.set_features(oneWorld=False)
    assert "Unknown identifier 'subsidiary'" in refusal(desk, "SELECT subsidiary FROM transaction")
    assert desk.call("GET", "subsidiary").status_code == 404


def test_the_number_of_parameters_must_fit(desk: Desk) -> None:
    refusal(desk, "SELECT id FROM currency WHERE id = ?")


def test_paging_follows_limit_offset_and_refuses_a_crooked_one(desk: Desk) -> None:
    for _ in range(5):
        desk.invoice()
    first = desk.ask("SELECT id FROM transaction ORDER BY id", limit=2).json()
    assert (first["hasMore"], first["totalResults"], first["count"]) == (True, 5, 2)
    last = desk.ask("SELECT id FROM transaction ORDER BY id", limit=2, offset=4).json()
    assert (last["hasMore"], last["count"], last["offset"]) == (False, 1, 4)
    assert error_of(desk.ask("SELECT id FROM transaction", limit=10, offset=15))[1] == "INVALID_PARAMETER"
    assert desk.ask("SELECT id FROM transaction", limit=1001).status_code == 400
    assert desk.ask("SELECT id FROM transaction", limit=1000, offset=100000).status_code == 400


def test_search_lag_hides_new_records_from_searches_but_not_from_reads(desk: Desk) -> None:
    desk.faults.add(FaultSpec(vendor="netsuite", kind="search_lag", seconds=30))
    made = desk.invoice("10.00", externalId="LAG-1")
    found = "SELECT t.id FROM transaction t JOIN transactionline l ON l.transaction = t.id WHERE t.externalid = 'LAG-1'"
    assert desk.rows(found) == []
    assert desk.get("invoice", q="externalId IS LAG-1")["totalResults"] == 0
    assert desk.call("GET", f"{RECORD}/invoice/eid:LAG-1").status_code == 200
    assert desk.post("invoice", invoice_body(externalId="LAG-1")).status_code == 400
    desk.clock.advance(31)
    assert desk.rows(found)[0] == {"id": made}
    assert desk.get("invoice", q="externalId IS LAG-1")["totalResults"] == 1


def test_five_thousand_transactions_are_searched_quickly(desk: Desk) -> None:
    company = desk.vendor.company
    engine, invoice = Engine(company), require_type(company, "invoice")
    with company.store.transaction():
        for at in range(2000):
            engine.create(invoice, {**invoice_body(), "custbody_azs_order_id": f"111-{at}"}, Options(), 1000)
    started = time.perf_counter()
    answer = desk.ask(
        "SELECT t.id, t.custbody_azs_order_id, t.foreignamountunpaid, SUM(tl.foreignamount) AS s FROM transaction t "
        "JOIN transactionline tl ON tl.transaction = t.id WHERE t.type = 'CustInvc' AND t.foreignamountunpaid > 0 "
        "GROUP BY t.id, t.custbody_azs_order_id, t.foreignamountunpaid ORDER BY t.id"
    )
    assert answer.json()["totalResults"] == 2000
    assert time.perf_counter() - started < 1.0
