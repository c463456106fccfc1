"""The commands about the work, over a service that answers from memory."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from ledger_pipelines.cli import main, work
from ledger_pipelines.documents.effects import Action, Effect, Expected
from ledger_pipelines.documents.money import Money
from ledger_pipelines.documents.settlement import Settlement
from ledger_pipelines.errors import (
    ConfigurationError,
    CredentialError,
    DataError,
    LedgerError,
    TransientError,
)
from ledger_pipelines.integrations.amazon_netsuite.results import FlowRun, RunResult, SettlementStatus
from ledger_pipelines.integrations.amazon_netsuite.verify import Reconciliation
from ledger_pipelines.integrations.open_items import OpenItem
from ledger_pipelines.sync.plan import Plan, PlanRow, Reason
from ledger_pipelines.sync.result import ApplyResult, Outcome, RowResult

CONFIG = """
books: {time_zone: UTC}
connections:
  shop: {system: amazon, seller: Acme, region: na, currencies: [USD], start_date: 2026-01-01, drop: {path: drop}}
  books:
    system: netsuite
    account: 9123456_SB2
    start_date: 2026-01-01
    auth: {client_id_env: NS_CLIENT, certificate_id_env: NS_CERT, private_key_env: NS_PEM}
integrations:
  settlements: {kind: amazon_netsuite, source: shop, target: books}
"""
NOW = datetime(2026, 9, 20, 12, tzinfo=UTC)
PAYMENT = Effect(
    key="K1", connection="books", integration="settlements", flow="payments", partition="1",
    kind="customerPayment", action=Action.CREATE, external_id="AZS-1", number="111-1", title="Payment",
    body='{"payment":105.00}', expected=Expected(Money.of("105.00", "USD"), date(2026, 9, 20), None),
)  # fmt: skip


def a_plan(sid: str, *, blocked: bool = False) -> Plan:
    write = PlanRow(
        Action.CREATE, Reason("pay", "Invoice INV1 is open."), "K1", "111-1", "Payment of 111-1", "customerPayment",
        Money.of("105.00", "USD"), PAYMENT,
    )  # fmt: skip
    wait = PlanRow(
        Action.BLOCKED, Reason("no-invoice", "Order 111-2 has no invoice.", "Bill the order."), "K2", "111-2",
        "Order 111-2", "customerPayment", Money.of("54.00", "USD"), state="No invoice",
    )  # fmt: skip
    rows = (write, wait) if blocked else (write,)
    return Plan("settlements", "payments", sid, "books", NOW, (("settlement", "x"),), rows).sealed()


def a_run(sid: str, *, clean: bool = True) -> RunResult:
    row = RowResult(
        "K1", "111-1", "Payment", "customerPayment", "create", Outcome.WRITTEN if clean else Outcome.HELD, "confirmed",
        Reason("x", "Held: the amount differs.", "Look at it."), needs_person=not clean,
    )  # fmt: skip
    result = ApplyResult("settlements", "payments", sid, "books", "d", "live", 1, NOW, NOW, (row,), sends=1)
    zero = Decimal("0.00")
    difference = zero if clean else Decimal("54.00")
    figures = Reconciliation(
        "USD", Decimal("64.50"), Decimal(159), Decimal(50), Decimal(109), Decimal("64.50") - difference, difference,
        difference, 5, 5 if clean else 4, 0 if clean else 1,
    )  # fmt: skip
    return RunResult(sid, (FlowRun("payments", a_plan(sid), result),), figures)


@dataclass
class FakeService:
    name: str = "settlements"
    clean: frozenset[str] = frozenset({"1", "2"})
    broken: dict[str, LedgerError] = field(default_factory=dict)
    items: list[OpenItem] = field(default_factory=list)
    acted: list[tuple[str, tuple[str, ...], str, str]] = field(default_factory=list)
    ran: list[str] = field(default_factory=list)
    done: frozenset[str] = frozenset()
    cut_short: frozenset[str] = frozenset()
    closed: bool = False

    def settlements(self) -> list[str]:
        return ["1", "2"]

    def plans(self, flow: str | None, settlement_id: str, progress: object = None) -> list[Plan]:
        if settlement_id in self.broken:
            raise self.broken[settlement_id]
        return [a_plan(settlement_id, blocked=settlement_id not in self.clean)]

    def expected_clearing(self, settlement_id: str) -> Money:
        return Money.of("0.00" if settlement_id in self.clean else "-54.00", "USD")

    def run(self, flow: str | None, settlement_id: str, progress: object = None) -> RunResult:
        self.ran.append(settlement_id)
        if settlement_id in self.broken:
            raise self.broken[settlement_id]
        return a_run(settlement_id, clean=settlement_id in self.clean)

    def resume(self, progress: object = None) -> ApplyResult:
        return a_run("1").flows[0].result

    def status(self) -> list[SettlementStatus]:
        found = []
        for sid in self.settlements():
            money = Money.of("64.50", "USD")
            settlement = Settlement(
                "shop", sid, "v2-flat", "utf-8", "USD", NOW, NOW, NOW, money, 15, money, "h", "r"
            )
            done = sid in self.done
            found.append(
                SettlementStatus(
                    settlement,
                    done,
                    a_run(sid).reconciliation if done else None,
                    len(self.items),
                    "Received",
                    sid not in self.cut_short,
                )
            )
        return found

    def errors(self, settlement_id: str | None = None) -> list[OpenItem]:
        return self.items

    def retry(self, names: Sequence[str], who: str, why: str) -> list[str]:
        return self._act("retry", names, who, why)

    def ignore(self, names: Sequence[str], who: str, why: str) -> list[str]:
        return self._act("ignore", names, who, why)

    def _act(self, what: str, names: Sequence[str], who: str, why: str) -> list[str]:
        if "111-2" not in names:
            raise DataError(f"Nothing open is called {names[0]}.")
        self.acted.append((what, tuple(names), who, why))
        return ["K2"]

    def close(self) -> None:
        self.closed = True


ITEM = OpenItem("K2", "payments", "1", "111-2", "Order 111-2", "No invoice", "no-invoice", "Order 111-2 has no invoice.",
                "Bill the order.", Money.of("54.00", "USD"))  # fmt: skip


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeService:
    (tmp_path / "ledger.yaml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LEDGER_CONFIG", raising=False)
    fake = FakeService()
    for opened in ("open_service", "open_worklist"):
        monkeypatch.setattr(work, opened, lambda _loaded, _name: fake)
    return fake


def test_plan_prints_totals_rows_and_ends_with_zero(
    service: FakeService, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", "settlements", "--partition", "1"]) == 0
    shown = capsys.readouterr().out
    assert "settlements / payments / 1" in shown
    assert "105.00 USD" in shown
    assert "Invoice INV1 is open." in shown
    assert service.closed


def test_a_blocked_row_ends_with_one_and_says_what_to_do(
    service: FakeService, capsys: pytest.CaptureFixture[str]
) -> None:
    service.clean = frozenset()
    assert main(["plan", "settlements", "--partition", "1"]) == 1
    shown = capsys.readouterr().out
    assert "no-invoice" in shown
    assert "Bill the order." in shown


def test_a_plan_of_all_flows_says_what_clearing_will_hold(
    service: FakeService, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", "settlements", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["expected_clearing"] == {"1": "0.00 USD", "2": "0.00 USD"}
    service.clean = frozenset()
    main(["plan", "settlements"])
    assert "Settlement 1 leaves -54.00 USD on the clearing account." in capsys.readouterr().out


def test_plan_as_json_is_pure_with_exact_amounts_and_payloads(
    service: FakeService, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", "settlements", "payments", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert [one["partition"] for one in printed["plans"]] == ["1", "2"]
    assert printed["expected_clearing"] == {}
    first = printed["plans"][0]
    assert first["counts"]["create"] == 1
    assert first["digest"] == a_plan("1").digest
    assert first["rows"][0]["amount"] == {"amount": "105.00", "currency": "USD"}
    assert first["rows"][0]["payload"] == {"payment": "105.00"}
    assert first["totals"] == [
        {
            "action": "create",
            "kind": "customerPayment",
            "count": 1,
            "amount": {"amount": "105.00", "currency": "USD"},
        }
    ]


def test_run_takes_every_settlement_that_is_not_reconciled(
    service: FakeService, capsys: pytest.CaptureFixture[str]
) -> None:
    service.done = frozenset({"1"})
    assert main(["run", "settlements"]) == 0
    assert service.ran == ["2"]
    shown = capsys.readouterr().out
    assert "deposit = booked, clearing 0.00; 5 of 5 groups resolved" in shown
    assert "1 written" in shown


def test_a_settlement_whose_last_run_was_cut_short_after_the_books_agreed_is_run_again(
    service: FakeService, capsys: pytest.CaptureFixture[str]
) -> None:
    service.done, service.cut_short = frozenset({"1", "2"}), frozenset({"2"})
    assert main(["run", "settlements"]) == 0
    assert service.ran == ["2"]


def test_one_settlement_in_error_leaves_the_other_its_turn(
    service: FakeService, capsys: pytest.CaptureFixture[str]
) -> None:
    service.broken = {"1": TransientError("NetSuite was not reached.", remedy="Try later.")}
    assert main(["run", "settlements", "--json"]) == 1
    printed = json.loads(capsys.readouterr().out)
    assert service.ran == ["1", "2"]
    assert [one["settlement_id"] for one in printed["runs"]] == ["2"]
    assert printed["runs"][0]["reconciliation"]["clearing"] == "0.00"
    assert printed["failures"] == [
        {
            "settlement_id": "1",
            "code": "transient",
            "message": "NetSuite was not reached.",
            "remedy": "Try later.",
        }
    ]


def test_refused_credentials_end_the_command_at_once(
    service: FakeService, capsys: pytest.CaptureFixture[str]
) -> None:
    service.broken = {"1": CredentialError("NetSuite refused the credentials.", remedy="Renew them.")}
    assert main(["run", "settlements"]) == 1
    assert service.ran == ["1"]
    assert "error: NetSuite refused the credentials." in capsys.readouterr().err


def test_a_run_that_leaves_a_difference_ends_with_one(
    service: FakeService, capsys: pytest.CaptureFixture[str]
) -> None:
    service.clean = frozenset()
    assert main(["run", "settlements", "--partition", "2"]) == 1
    shown = capsys.readouterr().out
    assert "NOT reconciled" in shown
    assert "Held: the amount differs. Look at it." in shown


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["plan", "nothing"], "There is no integration nothing."),
        (["run", "settlements", "--partition", "9"], "There is no settlement 9 in settlements."),
    ],
)
def test_wrong_names_end_with_two_and_list_what_there_is(
    service: FakeService, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert words in said
    assert "There are: " in said


def test_status_shows_a_line_a_settlement_and_json_has_the_same(
    service: FakeService, capsys: pytest.CaptureFixture[str]
) -> None:
    service.done = frozenset({"1"})
    assert main(["status"]) == 0
    assert "64.50 USD" in capsys.readouterr().out
    assert main(["status", "--json"]) == 0
    first, second = json.loads(capsys.readouterr().out)["integrations"]["settlements"]
    assert first["reconciliation"]["booked"] == "64.50"
    assert second["reconciliation"] is None
    service.items = [ITEM]
    assert main(["status"]) == 1


def test_errors_lists_what_waits_grouped_with_the_one_action_and_is_searchable_by_number(
    service: FakeService, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["errors"]) == 0
    assert "Nothing waits for a person." in capsys.readouterr().out
    service.items = [ITEM]
    assert main(["errors", "111-"]) == 1
    shown = capsys.readouterr().out
    assert "Bill the order." in shown
    assert "54.00 USD" in shown
    assert main(["errors", "999", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []
    assert main(["errors", "111-2", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)[0]["amount"] == {"amount": "54.00", "currency": "USD"}


def test_retry_and_ignore_name_the_person_and_the_reason(
    service: FakeService, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["retry", "111-2", "--who", "Ada"]) == 0
    assert main(["ignore", "111-2", "--who", "Ada", "--why", "paid by cheque"]) == 0
    assert service.acted == [
        ("retry", ("111-2",), "Ada", "asked for on the command line"),
        ("ignore", ("111-2",), "Ada", "paid by cheque"),
    ]
    assert main(["ignore", "111-2"]) == 2, "why is required"
    assert main(["retry", "999"]) == 1
    assert "Nothing open is called 999." in capsys.readouterr().err


def test_resume_reports_like_a_run(service: FakeService, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["resume"]) == 0
    assert "1 written" in capsys.readouterr().out
    assert main(["resume", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["counts"] == {"written": 1}


def test_a_configuration_error_of_the_service_ends_with_two(
    service: FakeService, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_loaded: object, _name: str) -> FakeService:
        raise ConfigurationError("NS_CLIENT is not set.", remedy="Set it.")

    monkeypatch.setattr(work, "open_service", refuse)
    assert main(["status"]) == 2
    assert capsys.readouterr().err.split("\n")[:2] == ["error: NS_CLIENT is not set.", "       Set it."]
