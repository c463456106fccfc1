"""A file arrives: accepted, recognised, or refused and put aside."""

from __future__ import annotations

import gzip
import json
import os
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ledger_pipelines.config.connections import AmazonConnectionConfig, DropFolder
from ledger_pipelines.errors import DataError, TransientError
from ledger_pipelines.integrations.amazon_netsuite.arrival import Arrival, ArrivalOutcome, receive_file
from ledger_pipelines.integrations.amazon_netsuite.inspection import inspect_file
from ledger_pipelines.integrations.amazon_netsuite.intake import Arrivals
from ledger_pipelines.storage.settlements import SettlementStore
from ledger_pipelines_tests.unit.systems.amazon.files import (
    ORDER,
    V1,
    V2,
    detail,
    example,
    put,
    text,
    v1_example,
)


class Setup:
    def __init__(self, folder: Path) -> None:
        self.drop = folder / "drop"
        self.drop.mkdir()
        self.store = SettlementStore(folder / "data")

    def arrive(
        self, content: str | bytes, name: str = "a.txt", currencies: tuple[str, ...] = ()
    ) -> ArrivalOutcome:
        path = put(self.drop, content, name)
        return receive_file(
            path, connection="amz", store=self.store, currencies=currencies, drop_folder=self.drop
        )


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    return Setup(tmp_path)


def test_a_good_file_is_accepted_and_stays_in_the_drop_folder(setup: Setup) -> None:
    outcome = setup.arrive(text(example()))
    assert outcome.status is Arrival.ACCEPTED
    assert outcome.manifest is not None
    assert outcome.manifest.total == Decimal("15.14")
    assert outcome.manifest.sha256 == outcome.sha256
    assert (setup.drop / "a.txt").exists()
    assert (setup.store.root / "landing" / "amz" / outcome.sha256[:2] / outcome.sha256).exists()


def test_the_same_content_under_another_name_is_recognised(setup: Setup) -> None:
    setup.arrive(text(example()))
    outcome = setup.arrive(text(example()), "b.txt")
    assert outcome.status is Arrival.SAME_CONTENT
    assert outcome.manifest is not None
    assert outcome.manifest.names == ("a.txt", "b.txt")


def test_the_same_content_is_recognised_without_reading_its_rows_or_copying_it(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup.arrive(text(example()))

    def never(*_: object) -> None:
        raise AssertionError("the rows were read again")

    monkeypatch.setattr("ledger_pipelines.integrations.amazon_netsuite.arrival.read_settlement", never)
    assert setup.arrive(text(example()), "b.txt").status is Arrival.SAME_CONTENT


def test_the_same_content_whose_landed_copy_is_gone_is_landed_again(setup: Setup) -> None:
    first = setup.arrive(text(example()))
    landed = setup.store.root / "landing" / "amz" / first.sha256[:2] / first.sha256
    landed.unlink()
    assert setup.arrive(text(example()), "b.txt").status is Arrival.SAME_CONTENT
    assert landed.exists()


def test_a_file_as_long_as_one_accepted_but_other_is_read_in_full(setup: Setup) -> None:
    setup.arrive(text(example()))
    other = text(example()).replace("MUG", "CUP")
    assert len(other) == len(text(example()))
    assert setup.arrive(other, "b.txt").status is not Arrival.SAME_CONTENT


@pytest.mark.parametrize(
    "content",
    [
        text(example(), end="\r\n"), text(example(), cut=True), text(example(), list(reversed(V2))),
        gzip.compress(text(example()).encode()), text([example()[0], *reversed(example()[1:])]),
        b"\xef\xbb\xbf" + text(example()).encode(),
    ],
    ids=["CR LF", "cut", "permuted", "gzip", "reordered", "BOM"],
)  # fmt: skip
def test_the_same_rows_in_other_bytes_are_recognised(setup: Setup, content: str | bytes) -> None:
    setup.arrive(text(example()))
    outcome = setup.arrive(content, "b.txt")
    assert outcome.status is Arrival.SAME_ROWS
    assert setup.arrive(content, "c.txt").status is Arrival.SAME_CONTENT
    assert len(setup.store.all("amz")) == 1


def test_a_settlement_that_came_with_other_content_is_refused_and_the_difference_shown(setup: Setup) -> None:
    setup.arrive(text(example()))
    rows = example()
    rows[1]["amount"], rows[4]["amount"] = "31.00", "-5.50"
    outcome = setup.arrive(text(rows), "b.txt")
    assert outcome.status is Arrival.REFUSED
    assert [error.code for error in outcome.errors] == ["content-conflict"]
    assert (
        "Order/ItemPrice/Principal: 1 row(s) 30.00 USD stored, 1 row(s) 31.00 USD"
        in outcome.errors[0].message
    )
    assert not (setup.drop / "b.txt").exists()
    assert (setup.drop / "refused" / "b.txt").exists()
    stored = setup.store.get("amz", "26111111111")
    assert stored.names == ("a.txt",)


def test_rows_that_differ_in_text_only_are_a_conflict_too(setup: Setup) -> None:
    setup.arrive(text(example()))
    rows = example()
    rows[1]["sku"] = "MUG-RED"
    outcome = setup.arrive(text(rows), "b.txt")
    assert [error.code for error in outcome.errors] == ["content-conflict"]


def test_the_other_variant_of_a_settlement_is_a_cross_check(setup: Setup) -> None:
    first = setup.arrive(text(v1_example(), V1))
    item = {
        **ORDER, "order_id": "701-0000001-0000001", "sku": "TEA-30", "marketplace_name": "Amazon.ca",
        "merchant_order_id": "", "shipment_id": "BbbBBbb2B", "order_item_code": "100000000000001",
    }  # fmt: skip
    rows = [
        example()[0], detail("Order", "ItemPrice", "Principal", "25.00", **item),
        detail("Order", "ItemFees", "Commission", "-3.75", **item),
        detail("ServiceFee", "Cost of Advertising", "TransactionTotalAmount", "-8.91"),
        detail("other-transaction", "other-transaction", "Successful charge", "0.00"),
    ]  # fmt: skip
    for row in rows:
        row["settlement-id"] = "27222222222"
    rows[0] |= {
        "settlement-start-date": "2026-03-01 10:00:00 UTC", "settlement-end-date": "2026-03-15 10:00:00 UTC",
        "deposit-date": "2026-03-17 10:00:00 UTC", "total-amount": "12.34", "currency": "CAD",
    }  # fmt: skip
    outcome = setup.arrive(text(rows), "v2.txt")
    assert outcome.status is Arrival.CROSS_CHECK
    assert not outcome.differences
    assert outcome.manifest is not None
    assert outcome.manifest.variant == "v1-flat" == (first.manifest and first.manifest.variant)
    rows[0]["total-amount"], rows[4]["amount"] = "13.34", "1.00"
    assert [e.code for e in setup.arrive(text(rows), "v2b.txt").errors] == ["content-conflict"]


def test_a_refused_file_is_moved_with_its_reason_and_nothing_is_kept_elsewhere(setup: Setup) -> None:
    rows = example()
    rows[0]["total-amount"] = "15.15"
    outcome = setup.arrive(text(rows))
    assert outcome.status is Arrival.REFUSED
    assert outcome.settlement_id == "26111111111"
    moved = setup.drop / "refused" / "a.txt"
    assert outcome.moved_to == moved
    assert moved.read_text() == text(rows)
    reason = (setup.drop / "refused" / "a.txt.reason.txt").read_text()
    assert "0.01 is missing" in reason
    assert [p for p in setup.store.root.rglob("*") if p.is_file() and p.name != ".lock"] == []


def test_a_file_in_the_wrong_currency_is_refused(setup: Setup) -> None:
    assert [e.code for e in setup.arrive(text(example()), currencies=("EUR", "GBP")).errors] == [
        "wrong-currency"
    ]


def test_a_link_is_refused_and_what_it_points_to_stays(setup: Setup, tmp_path: Path) -> None:
    secret = put(tmp_path, text(example()), "secret.txt")
    link = setup.drop / "link.txt"
    link.symlink_to(secret)
    outcome = receive_file(link, connection="amz", store=setup.store, drop_folder=setup.drop)
    assert [error.code for error in outcome.errors] == ["not-a-file"]
    assert secret.exists()
    assert setup.store.all("amz") == []


def test_a_path_out_of_the_drop_folder_is_left_alone(setup: Setup, tmp_path: Path) -> None:
    path = put(tmp_path, text(example()), "elsewhere.txt")
    with pytest.raises(DataError) as caught:
        receive_file(path, connection="amz", store=setup.store, drop_folder=setup.drop)
    assert caught.value.code == "outside-folder"
    assert path.exists()


def test_unknown_kinds_are_counted_in_the_manifest(setup: Setup) -> None:
    rows = [example()[0], detail("New", "Newer", "Newest", "15.14")]
    outcome = setup.arrive(text(rows))
    assert outcome.manifest is not None
    assert [(k.triple, k.rows, k.amount) for k in outcome.manifest.unknown_kinds] == [
        ("New/Newer/Newest", 1, Decimal("15.14"))
    ]


def test_inspection_prints_the_object_of_the_command(tmp_path: Path) -> None:
    found = inspect_file(put(tmp_path, text(example())))
    shown = json.loads(json.dumps(found.as_json()))
    groups = shown.pop("groups")
    kinds = shown.pop("by_kind")
    assert shown == {
        "settlement_id": "26111111111", "variant": "v2-flat", "encoding": "utf-8", "currency": "USD",
        "start": "2026-05-01T14:00:11Z", "end": "2026-05-15T14:00:11Z", "deposit_date": "2026-05-17T14:00:11Z",
        "total_amount": "15.14", "rows": 8, "sum_amount": "15.14", "foots": True, "errors": [],
    }  # fmt: skip
    assert groups[0]["amounts"] == {
        "product": "30.00", "shipping": "0.00", "giftwrap": "0.00", "promotion": "-3.00", "tax": "2.40",
        "withheld_tax": "-2.40", "fees": "-11.86", "other": "0.00",
    }  # fmt: skip
    assert (groups[0]["net"], groups[0]["rows"], groups[0]["channel"]) == ("15.14", 6, "AFN")
    assert kinds["Order/ItemFees/Commission"] == {"rows": 1, "amount": "-4.50"}
    assert found.acceptable


def test_inspection_of_a_refused_file_says_what_could_be_read(tmp_path: Path) -> None:
    rows = example()
    rows[0]["total-amount"] = "15.15"
    found = inspect_file(put(tmp_path, text(rows)))
    shown = found.as_json()
    assert not found.acceptable
    assert (shown["foots"], shown["total_amount"], shown["sum_amount"]) == (False, "15.15", "15.14")
    assert len(shown["groups"]) == 2  # type: ignore[arg-type]
    error = shown["errors"][0]  # type: ignore[index]
    assert (error["code"], error["line"], error["column"]) == ("not-footing", 2, "total-amount")


def test_yen_have_no_decimals_and_more_digits_are_kept(tmp_path: Path) -> None:
    rows = [
        {**example()[0], "total-amount": "100.5", "currency": "JPY"},
        detail("Order", "ItemPrice", "Principal", "100.5"),
    ]
    shown = inspect_file(put(tmp_path, text(rows))).as_json()
    assert shown["total_amount"] == "100.5"
    rows = [
        {**example()[0], "total-amount": "100", "currency": "JPY"},
        detail("Order", "ItemPrice", "Principal", "100"),
    ]
    assert inspect_file(put(tmp_path, text(rows))).as_json()["total_amount"] == "100"


def test_a_file_whose_name_is_no_text_is_accepted_under_a_name_that_is(setup: Setup) -> None:
    outcome = setup.arrive(text(example()), os.fsdecode(b"m\xff\n.txt"))
    assert outcome.manifest is not None
    assert outcome.manifest.names == ("m\\xff\\n.txt",)
    assert json.loads(outcome.manifest.model_dump_json())["names"] == ["m\\xff\\n.txt"]


def of_folder(folder: Path) -> Arrivals:
    (folder / "drop").mkdir()
    drop = DropFolder(path=str(folder / "drop"))
    configured = AmazonConnectionConfig(
        system="amazon", region="na", seller="A", start_date=date(2026, 1, 1), currencies=["USD"], drop=drop
    )
    return Arrivals("amz", configured, folder / "data")


def test_a_file_that_another_process_takes_meanwhile_is_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrivals = of_folder(tmp_path)
    path = put(tmp_path / "drop", text(example()))
    genuine = arrivals.receive

    def while_the_other_one(taken: Path, **more: Any) -> ArrivalOutcome:
        outcome = genuine(taken, **more)
        taken.rename(tmp_path / "taken")
        return outcome

    monkeypatch.setattr(arrivals, "receive", while_the_other_one)
    assert arrivals.take(path).status is Arrival.ACCEPTED
    with pytest.raises(TransientError) as caught:
        arrivals.take(path)
    assert caught.value.code == "file-gone"


def test_a_new_file_of_the_same_name_is_not_put_away_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrivals = of_folder(tmp_path)
    path = put(tmp_path / "drop", text(example()))
    genuine = arrivals.receive

    def while_it_is_replaced(taken: Path, **more: Any) -> ArrivalOutcome:
        outcome = genuine(taken, **more)
        taken.unlink()
        taken.write_bytes(b"another")
        return outcome

    monkeypatch.setattr(arrivals, "receive", while_it_is_replaced)
    arrivals.take(path)
    assert path.read_bytes() == b"another"
