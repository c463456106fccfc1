"""A shop and its books as Dagster tests see them: a service that keeps its books in memory, and readers of made-up records.

Belongs here: the fakes and questions to a run. Does not belong here: assertions.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import dagster as dg

from ledger_pipelines.config.load import LoadedConfig
from ledger_pipelines.documents.effects import Action
from ledger_pipelines.documents.money import ZERO, Money
from ledger_pipelines.errors import DataError, PermanentError, RefusedError, TransientError
from ledger_pipelines.integrations.neto_saasu.pairing import ItemPair, NearMiss, Pairing
from ledger_pipelines.integrations.open_items import Unfinished
from ledger_pipelines.orchestration.build import Overrides, build_definitions
from ledger_pipelines.orchestration.schedules import RANGE_END, RANGE_START
from ledger_pipelines.reports.shop_view import DayLine, Reading, ShopHeading, ShopReconciliation
from ledger_pipelines.sync.plan import Plan, PlanRow, Reason
from ledger_pipelines.sync.result import ApplyResult, Outcome, RowResult
from ledger_pipelines.systems.cin7.entities import ENTITIES as CIN7
from ledger_pipelines.systems.entities import Cell, EntityLike, Kind, PlainRows
from ledger_pipelines.systems.neto.entities import ENTITIES as NETO
from ledger_pipelines.systems.saasu.entities import ENTITIES as SAASU
from ledger_pipelines_tests.dagster.kit import configuration

NAME, STORE, FILE = "neto_saasu", "shop", "saasu"
TO_OMNI, OMNI = "neto_cin7", "omni"
START = date(2025, 1, 1)
AMOUNT = Money(Decimal("110.00"), "AUD")
NOW = datetime(2025, 3, 20, 1, tzinfo=UTC)
"""Noon of the 20th in Sydney."""


@dataclass
class FakeShop:
    """Books in memory. orders: numbers by day; one that begins with B is blocked.

    Args:
        broken: (flow, day) whose export fails; unplannable: whose plan does.
        stale: (flow, day) whose plan is stale until it is made again.
    """

    flows: tuple[str, ...] = ("invoices", "payments", "stock_from_saasu")
    orders: dict[date, list[str]] = field(default_factory=dict)
    paired: bool = True
    broken: set[tuple[str, date]] = field(default_factory=set)
    unplannable: set[tuple[str, date]] = field(default_factory=set)
    stale: set[tuple[str, date]] = field(default_factory=set)
    due: list[date] = field(default_factory=list)
    unread: dict[tuple[str, str], date] = field(default_factory=dict)
    open: list[Unfinished] = field(default_factory=list)
    plans: dict[tuple[str, date], Plan] = field(default_factory=dict)
    written: dict[str, date] = field(default_factory=dict)
    done: list[tuple[str, str, date]] = field(default_factory=list)
    """("plan" or "export", flow, day), in order."""
    stepped_over: frozenset[tuple[str, str]] = frozenset()
    """Lists, (connection, entity), that miss days before the newest that was read."""
    sends: int = 0
    together: frozenset[str] = frozenset()
    closed: int = 0
    name: str = NAME

    def build(self, _loaded: LoadedConfig, integration: str, _run_id: str) -> FakeShop:
        """The service of an integration."""
        assert integration == self.name
        return self

    def ready(self) -> None:
        """Whether exports may write."""
        if not self.paired:
            raise RefusedError(
                "The initial sync of shop and saasu was not done.",
                remedy="Do it once: ledger-pipelines initial-sync neto_saasu.",
                code="initial-sync-missing",
            )

    def refuse_stepped_over(self, read: Collection[tuple[str, str]]) -> None:
        """Whether a list misses days before the newest that was read."""
        if self.stepped_over & frozenset(read):
            raise RefusedError("Days were stepped over.", remedy="Read them.", code="days-stepped-over")

    def plan(self, flow: str, day: date) -> Plan:
        """A row for each order of the day."""
        self.done.append(("plan", flow, day))
        if (flow, day) in self.unplannable:
            raise DataError(f"Nothing was read of {day}.", remedy="Read it.", code="no-snapshot")
        self.stale.discard((flow, day))
        rows = tuple(self._row(flow, number) for number in self.orders.get(day, []))
        made = Plan(NAME, flow, day.isoformat(), FILE, NOW, (), rows).sealed()
        self.plans[flow, day] = made
        return made

    def _row(self, flow: str, number: str) -> PlanRow:
        if number.startswith("B"):
            reason = Reason("unknown-sku", f"Order {number} has an unknown SKU.", "Make the item.")
            action = Action.BLOCKED
        elif f"{flow}:{number}" in self.written:
            action, reason = Action.SKIP, Reason("already-there", "In the target already.")
        else:
            action, reason = Action.CREATE, Reason("new", "It is not there yet.")
        return PlanRow(action, reason, f"{flow}:{number}", number, f"{flow} of {number}", "invoice", AMOUNT)

    def export(self, flow: str, day: date, progress: object = None, *, who: str = "") -> ApplyResult:
        """Write what is not written."""
        self.ready()
        assert who.startswith("Dagster run ")
        plan = self.plans.get((flow, day))
        if plan is None:
            raise DataError(f"There is no plan of {flow} for {day}.", remedy="Make one.", code="no-plan")
        if (flow, day) in self.stale:
            raise RefusedError(
                f"The plan of {flow} for {day} is stale.", remedy="Plan again.", code="plan-stale"
            )
        self.done.append(("export", flow, day))
        if (flow, day) in self.broken:
            raise TransientError("Saasu went away.", remedy="Run it again later.")
        return ApplyResult(
            NAME, flow, day.isoformat(), FILE, plan.digest, "live", 1, NOW, NOW,
            tuple(self._written(row, day) for row in plan.rows), sends=self.sends,
        )  # fmt: skip

    def export_together(
        self, flow: str, days: Sequence[date], progress: object = None, *, who: str = ""
    ) -> dict[date, ApplyResult]:
        """Write what is not written of several days; one stale plan keeps all of them from it."""
        if flow not in self.together:
            return {}
        self.done += [("together", flow, day) for day in days]
        if any((flow, day) in self.stale for day in days):
            raise RefusedError("A plan is stale.", remedy="Plan again.", code="plan-stale")
        return {day: self.export(flow, day, progress, who=who) for day in days}

    def _written(self, row: PlanRow, day: date) -> RowResult:
        outcome = Outcome.BLOCKED if row.action is Action.BLOCKED else Outcome.ALREADY
        if row.action is Action.CREATE and row.key not in self.written:
            self.written[row.key] = day
            self.sends += 1
            outcome = Outcome.WRITTEN
        return RowResult(
            row.key, row.number, row.title, row.kind, row.action.value, outcome, "", row.reason, row.amount,
            needs_person=outcome is Outcome.BLOCKED,
        )  # fmt: skip

    def pair(self, progress: object = None) -> Pairing:
        """Pair."""
        self.paired = True
        self.done.append(("pair", "", START))
        return Pairing(
            items=(ItemPair("TEE", "TEE", "7"),), near_misses=(NearMiss("spelling", "TEE-red", ("tee-RED",)),)
        )

    def reconcile(self, first: date, last: date) -> ShopReconciliation:
        """By day: an order is paid in the store on its day, received if its payment was written."""
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        heading = ShopHeading(
            NAME, STORE, FILE, "store", "file", "AUD", first, last, "Australia/Sydney", "live", NOW
        )
        return ShopReconciliation(
            heading,
            tuple(self._line(day) for day in days),
            readings=(Reading("orders", NOW, timedelta(days=1)),),
        )

    def _line(self, day: date) -> DayLine:
        numbers = self.orders.get(day, [])
        paid = [number for number in numbers if f"payments:{number}" in self.written]
        taken, received = (sum((AMOUNT.amount for _ in some), ZERO) for some in (numbers, paid))
        return DayLine(day, taken, received, len(numbers), len(paid))

    def report(self, first: date, last: date) -> Path:
        """The page."""
        return Path(f"/reports/{first}_{last}.html")

    def spent(self) -> tuple[int, int | None]:
        """Calls of the day."""
        return self.sends, 4000 - self.sends

    def calls(self) -> int:
        """Calls so far."""
        return self.sends

    def unfinished(self) -> list[Unfinished]:
        """Open writes."""
        return self.open

    def days_due(self) -> list[date]:
        """Days with something open."""
        return self.due

    def first_unread(self, read: Collection[tuple[str, str]]) -> date | None:
        """The first day that is missing of the lists a run reads."""
        return min((day for one, day in self.unread.items() if one in read), default=None)

    def close(self) -> None:
        """Count it."""
        self.closed += 1


@dataclass
class FakeReadings:
    """Both accounts. records: (connection, entity, key, instant of change); lists hold two records, always."""

    records: list[tuple[str, str, str, datetime]] = field(default_factory=list)
    asked: list[tuple[str, str, datetime, datetime]] = field(default_factory=list)
    failing: set[tuple[str, str]] = field(default_factory=set)

    @contextmanager
    def open(self, _loaded: LoadedConfig, connection: str, _run_id: str) -> Iterator[FakeReading]:
        """An account."""
        yield FakeReading(self, connection)

    def entities_asked(self) -> list[str]:
        """What was asked for, in order."""
        return [f"{connection}/{entity}" for connection, entity, _, _ in self.asked]


@dataclass
class FakeReading:
    """One account."""

    all: FakeReadings
    connection: str

    @property
    def reader(self) -> FakeReading:
        """Itself."""
        return self

    def entity(self, name: str) -> EntityLike:
        """The real one."""
        return {STORE: NETO, FILE: SAASU, OMNI: CIN7}[self.connection][name]

    def calls(self) -> int:
        """Calls of everybody."""
        return len(self.all.asked)

    def read_changes(self, entity: EntityLike, start: datetime, end: datetime) -> Iterator[PlainRows]:
        """Records changed in the window, or the whole list."""
        self.all.asked.append((self.connection, entity.name, start, end))
        if (self.connection, entity.name) in self.all.failing:
            raise PermanentError(f"{entity.name} cannot be read.", remedy="Ask them.")
        if not entity.changed_column:
            yield PlainRows((_cells(entity, "1", NOW), _cells(entity, "2", NOW)))
            return
        mine = [
            (changed, key) for connection, name, key, changed in self.all.records
            if (connection, name) == (self.connection, entity.name) and start <= changed < end
        ]  # fmt: skip
        yield PlainRows(tuple(_cells(entity, key, changed) for changed, key in sorted(mine)))


def _cells(entity: EntityLike, key: str, changed: datetime) -> tuple[Cell, ...]:
    def cell(name: str, kind: Kind) -> Cell:
        if name == entity.changed_column:
            return changed
        if name == entity.key[0] and kind is Kind.TEXT:
            return key
        return "{}" if name == "record" else None

    return tuple(cell(column.name, column.kind) for column in entity.columns)


def shop_configuration(folder: Path, **changes: str) -> LoadedConfig:
    """The shipped configuration with the shop beginning on `START`."""
    wanted = {"start_date: 2026-08-01": f"start_date: {START.isoformat()}", **changes}
    return configuration(folder, None, **wanted)


def definitions(loaded: LoadedConfig, shop: FakeShop, readings: FakeReadings | None = None) -> dg.Definitions:
    """The whole location on the fakes."""
    return build_definitions(
        loaded, Overrides(open_reader=(readings or FakeReadings()).open, build_shop=shop.build)
    )


def run(
    defs: dg.Definitions,
    instance: dg.DagsterInstance,
    first: date,
    last: date,
    *,
    job: str = f"{NAME}_sync",
    keys: Sequence[dg.AssetKey] | None = None,
    tags: Mapping[str, str] | None = None,
) -> dg.ExecuteInProcessResult:
    """A run over a range of days."""
    wanted = {RANGE_START: first.isoformat(), RANGE_END: last.isoformat(), **(tags or {})}
    return defs.resolve_job_def(job).execute_in_process(
        instance=instance,
        tags=wanted,
        raise_on_error=False,
        asset_selection=None if keys is None else list(keys),
    )


def shown(instance: dg.DagsterInstance, *path: str) -> dict[str, dict[str, object]]:
    """Metadata of the newest event of each day of an asset."""
    found: dict[str, dict[str, object]] = {}
    for record in instance.fetch_materializations(dg.AssetKey(list(path)), limit=5000).records:
        event = record.asset_materialization
        assert event is not None
        found.setdefault(str(record.partition_key), {k: v.value for k, v in event.metadata.items()})
    return found


def said(result: dg.ExecuteInProcessResult) -> str:
    """What failed, in words."""
    words = []
    for event in result.all_events:
        if event.event_type_value == "STEP_FAILURE":
            data = event.step_failure_data
            words.append(str(data.user_failure_data.description if data.user_failure_data else data.error))
    return "\n".join(words)


def checks(result: dg.ExecuteInProcessResult) -> dict[str, dg.AssetCheckEvaluation]:
    """Checks of a run, by `asset:check`."""
    return {
        f"{one.asset_key.to_user_string()}:{one.check_name}": one
        for one in result.get_asset_check_evaluations()
    }
