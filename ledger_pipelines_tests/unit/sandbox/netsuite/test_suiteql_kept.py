"""An answer that is kept is the answer the books would give now."""

from ledger_pipelines.sandbox.faults import FaultSpec
from ledger_pipelines_tests.unit.sandbox.netsuite.desk import Desk

ALL = "SELECT id FROM transaction ORDER BY id"


def ids(desk: Desk, q: str = ALL) -> list[str]:
    return [row["id"] for row in desk.rows(q)]


def test_a_record_written_since_is_in_the_answer(desk: Desk) -> None:
    first = desk.invoice()
    assert ids(desk) == ids(desk) == [first]
    second = desk.invoice()
    assert ids(desk) == [first, second]


def test_the_time_is_never_kept(desk: Desk) -> None:
    q = "SELECT TO_CHAR(CURRENT_DATE, 'YYYY-MM-DD HH24:MI:SS') AS id FROM DUAL"
    first = ids(desk, q)
    desk.clock.advance(60)
    assert ids(desk, q) != first


def test_later_pages_and_their_total_are_those_of_the_books(desk: Desk) -> None:
    made = [desk.invoice() for _ in range(5)]
    for _ in range(2):
        found: list[str] = []
        for offset in (0, 2, 4):
            body = desk.ask(ALL, limit=2, offset=offset).json()
            assert body["totalResults"] == len(made)
            assert body["hasMore"] == (offset + 2 < len(made))
            found += [row["id"] for row in body["items"]]
        assert found == made
        made.append(desk.invoice())


def test_rows_are_counted_whatever_makes_them(desk: Desk) -> None:
    for amount in ("1.00", "2.00", "2.00"):
        desk.invoice(amount)
    for q, total in (
        ("SELECT DISTINCT foreigntotal FROM transaction ORDER BY 1", 2),
        (
            "SELECT foreigntotal, COUNT(*) AS n FROM transaction GROUP BY foreigntotal ORDER BY foreigntotal",
            2,
        ),
        ("SELECT SUM(foreigntotal) AS s FROM transaction", 1),
        (ALL, 3),
    ):
        body = desk.ask(q, limit=1).json()
        assert body["totalResults"] == total, q


def test_a_record_that_shows_late_is_not_hidden_by_an_answer_kept_before(desk: Desk) -> None:
    first = desk.invoice()
    desk.faults.add(FaultSpec(vendor="netsuite", kind="search_lag", seconds=60))
    second = desk.invoice()
    assert ids(desk) == [first]
    desk.clock.advance(61)
    assert ids(desk) == [first, second]
