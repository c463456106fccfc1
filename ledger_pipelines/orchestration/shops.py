"""What assets, schedules and sensors of an integration by days call, and what they look at of its answers.

Belongs here: the contract with the integration's service. Does not belong here: doing anything
(`integrations/by_day/service.py`), settlements (`services`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Protocol

from ledger_pipelines.config.load import LoadedConfig
from ledger_pipelines.sync.plan import Plan
from ledger_pipelines.sync.result import ApplyResult
from ledger_pipelines.telling import Progress


class OpenRows(Protocol):
    """A partition with writes that are not finished."""

    @property
    def partition(self) -> str:
        """The day, as a partition key."""
        ...

    @property
    def rows(self) -> int:
        """How many."""
        ...

    @property
    def resolvable_at(self) -> datetime:
        """From when on another run can settle all of them, UTC."""
        ...


class DayFigures(Protocol):
    """One day of both sides."""

    @property
    def day(self) -> date:
        """Which."""
        ...

    @property
    def taken(self) -> Decimal:
        """Money taken in the store, refunds off."""
        ...

    @property
    def received(self) -> Decimal:
        """Money received in the books."""
        ...

    @property
    def difference(self) -> Decimal:
        """Taken less received."""
        ...

    @property
    def orders(self) -> int:
        """Orders of the day."""
        ...

    @property
    def invoices(self) -> int:
        """Invoices of the day."""
        ...


class Drift(Protocol):
    """An item whose stock differs."""

    @property
    def item(self) -> str:
        """SKU."""
        ...

    @property
    def name(self) -> str:
        """For people."""
        ...

    @property
    def books(self) -> Decimal:
        """What the books give."""
        ...

    @property
    def store(self) -> Decimal:
        """What the store has."""
        ...


class Twice(Protocol):
    """A document of ours that the file has more than once."""

    @property
    def key(self) -> str:
        """What `ignore` takes."""
        ...

    @property
    def what(self) -> str:
        """Kind of document."""
        ...

    @property
    def reference(self) -> str:
        """Ours."""
        ...

    @property
    def text(self) -> str:
        """Which records, in a sentence."""
        ...

    @property
    def remedy(self) -> str:
        """What to do."""
        ...


class Difference(Protocol):
    """What one record adds to a difference, why, and the one thing to do."""

    @property
    def day(self) -> date:
        """Business day it falls on."""
        ...

    @property
    def order(self) -> str:
        """Order number."""
        ...

    @property
    def what(self) -> str:
        """The record."""
        ...

    @property
    def difference(self) -> Decimal:
        """Store less books."""
        ...

    @property
    def text(self) -> str:
        """Why, in a sentence."""
        ...

    @property
    def remedy(self) -> str:
        """What to do."""
        ...

    @property
    def open(self) -> bool:
        """Whether it still counts against agreement."""
        ...


class Heading(Protocol):
    """Whose reconciliation it is."""

    @property
    def currency(self) -> str:
        """Of its amounts."""
        ...


class ShopCheck(Protocol):
    """One check. waits: it failed only by what a later run ends by itself."""

    @property
    def name(self) -> str:
        """Of the check."""
        ...

    @property
    def passed(self) -> bool:
        """Whether it holds."""
        ...

    @property
    def text(self) -> str:
        """A sentence."""
        ...

    @property
    def waits(self) -> bool:
        """Whether nobody has to act."""
        ...


class ShopFigures(Protocol):
    """The reconciliation of some days (`reports.shop_view.ShopReconciliation`)."""

    @property
    def heading(self) -> Heading:
        """Whose it is."""
        ...

    @property
    def days(self) -> Sequence[DayFigures]:
        """By day."""
        ...

    @property
    def differences(self) -> Sequence[Difference]:
        """Of money."""
        ...

    @property
    def documents(self) -> Sequence[Difference]:
        """Orders without invoice, invoices without order, totals that differ."""
        ...

    @property
    def doubles(self) -> Sequence[Twice]:
        """Documents of ours that the file has more than once."""
        ...

    @property
    def drift(self) -> Sequence[Drift]:
        """Stock that differs."""
        ...

    @property
    def summary(self) -> str:
        """One line in words."""
        ...

    def checks(self) -> Sequence[ShopCheck]:
        """One for each of the kind's checks (`assets.shops.Chain`)."""
        ...


class NearMiss(Protocol):
    """Records that may be meant to be the same, and are not."""

    @property
    def kind(self) -> str:
        """Why not."""
        ...

    @property
    def here(self) -> str:
        """The store's."""
        ...

    @property
    def there(self) -> Sequence[str]:
        """The file's."""
        ...


class Clash(Protocol):
    """Several records that claim one partner."""

    @property
    def kind(self) -> str:
        """What they claim it by."""
        ...

    @property
    def name(self) -> str:
        """What they claim."""
        ...

    @property
    def ids(self) -> Sequence[str]:
        """They."""
        ...

    @property
    def taken(self) -> str:
        """The one that counts, "" = none."""
        ...


class PairingRow(Protocol):
    """One line of the pairing's report."""

    @property
    def section(self) -> str:
        """What it is about."""
        ...

    @property
    def text(self) -> str:
        """A sentence."""
        ...


class Pairing(Protocol):
    """What both sides have in common already."""

    @property
    def near_misses(self) -> Sequence[NearMiss]:
        """Records that a person would call the same."""
        ...

    @property
    def clashes(self) -> Sequence[Clash]:
        """Records that cannot all be pairs."""
        ...

    def counts(self) -> Mapping[str, int]:
        """How many of what."""
        ...

    def report_rows(self) -> Sequence[PairingRow]:
        """What a person should look at, in sentences."""
        ...


class ShopService(Protocol):
    """One integration of a store and a file. Errors: see ledger_pipelines.errors."""

    @property
    def flows(self) -> tuple[str, ...]:
        """Flows that are on, in order."""
        ...

    def ready(self) -> None:
        """Whether exports may write. Raises RefusedError (initial-sync-missing)."""
        ...

    def refuse_stepped_over(self, read: Collection[tuple[str, str]]) -> None:
        """Raises RefusedError (days-stepped-over) when one of these lists, (connection, entity), misses days before the newest that
        was read. No call."""
        ...

    def plan(self, flow: str, day: date) -> Plan:
        """Decide about a day, and store the decision. No call."""
        ...

    def export(self, flow: str, day: date, progress: Progress | None = None, *, who: str = "") -> ApplyResult:
        """Carry the stored plan of a day out, in the configured mode."""
        ...

    def export_together(
        self, flow: str, days: Sequence[date], progress: Progress | None = None, *, who: str = ""
    ) -> Mapping[date, ApplyResult]:
        """Carry the stored plans of those days out that may share calls; the others are left to `export`."""
        ...

    def pair(self, progress: Progress | None = None) -> Pairing:
        """Pair what the snapshots hold, and note that the initial sync was done. No call."""
        ...

    def reconcile(self, first: date, last: date) -> ShopFigures:
        """The figures of some days, from snapshots and journal. No call."""
        ...

    def report(self, first: date, last: date) -> Path:
        """The page an accountant reads."""
        ...

    def spent(self) -> tuple[int, int | None]:
        """Calls of the target's day spent, and left; None = unknown."""
        ...

    def calls(self) -> int:
        """Calls made to both sides so far."""
        ...

    def unfinished(self) -> Sequence[OpenRows]:
        """Days with writes whose outcome is not known, or that were meant and not sent."""
        ...

    def days_due(self) -> Sequence[date]:
        """Days with something open."""
        ...

    def first_unread(self, read: Collection[tuple[str, str]]) -> date | None:
        """The first day of which one of these lists of changes, (connection, entity), was never read. No call."""
        ...

    def close(self) -> None:
        """Close what was opened."""
        ...


BuildShop = Callable[[LoadedConfig, str, str], ShopService]
"""(configuration, integration, run id) -> its service."""
