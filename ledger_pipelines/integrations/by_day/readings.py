"""Reading both sides into snapshots: which entities, when again, whole or only what changed.

Belongs here: the order of sweeps and what they cost. Does not belong here: how a vendor is read (`systems`), how a day is
split and stored (`sync.sweep`).

A list of changes costs one call when nothing changed. Lists without a time of change are read again when they are old:
stock as often as the settings say, accounts and the like once a day.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final

from ledger_pipelines.documents.dates import Window, business_date
from ledger_pipelines.errors import RefusedError
from ledger_pipelines.integrations.by_day.setup import DaySetup
from ledger_pipelines.integrations.by_day.whole import WholeNotes
from ledger_pipelines.storage.snapshots import SnapshotStore
from ledger_pipelines.sync.sweep import Sweep, read_in_part, refresh, sweep
from ledger_pipelines.systems.entities import ChangesReader, EntityLike
from ledger_pipelines.telling import Progress

DAILY: Final = timedelta(hours=20)
"""Lists without a time of change, but stock, are read again when the last reading is older."""


@dataclass(frozen=True, slots=True)
class Side:
    """One connection, and what of it is wanted.

    Args:
        open: Opens it for reading.
        opening: The first day it is read of.
        wanted: Entities to read, in order.
    """

    name: str
    open: Callable[[], ChangesReader]
    entities: Mapping[str, EntityLike]
    opening: date
    wanted: Sequence[str]


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a reading brought: days with rows of orders and the like, by entity (`connection/entity`), and how many rows."""

    rows: Mapping[str, int]
    days: frozenset[date]


class Readings:
    """Brings the snapshots of one integration up to date.

    Args:
        reach: How far before the first day a whole reading begins.
        young: How old lists without a time of change may get, by entity; those not named: `DAILY`.
    """

    def __init__(
        self, setup: DaySetup, now: datetime, run_id: str, reach: timedelta, young: Mapping[str, timedelta]
    ) -> None:
        self._setup, self._now, self._run_id = setup, now, run_id
        self._reach, self._young = reach, young
        self._today = business_date(now, setup.zone)

    def all_of(self, side: Side, progress: Progress | None) -> Refreshed:
        """The initial sync: every day from the connection's start, whole; days of an attempt that was cut short stay. Of lists
        that another integration has read whole, as far back, only what changed since is asked for.
        """
        return self._run(side, progress, reach=self._reach, whole=True)

    def latest(self, side: Side, progress: Progress | None) -> Refreshed:
        """Only what changed since the last reading, up to now."""
        return self._run(side, progress, reach=timedelta(), whole=False)

    def missing(self, side: Side) -> Mapping[str, Sequence[date]]:
        """Days from the connection's first on of which a list of changes was never read, or the first that was read only in part
        before later ones were, by list; only lists that miss some. The last that must be there is yesterday: of today nothing may be
        stored yet, when midnight has just passed."""
        return self._holes(side, self._today - timedelta(days=1))

    def stepped_over(self, side: Side) -> Mapping[str, Sequence[date]]:
        """As `missing`, but only days before one that was read: of days after it nobody has claimed anything yet."""
        return self._holes(side, side.opening)

    def _holes(self, side: Side, least: date) -> Mapping[str, Sequence[date]]:
        """Days not read up to the newest stored one, at least up to `least`."""
        store = SnapshotStore(self._setup.data, side.name)
        found: dict[str, Sequence[date]] = {}
        for entity in (side.entities[one] for one in side.wanted):
            if entity.changed_column:
                newest = max(store.days(entity.name), default=side.opening)
                days = set(store.missing_days(entity.name, side.opening, max(newest, least)))
                part = read_in_part(store, entity, self._asked(entity, side.opening, timedelta()))
                found[entity.name] = sorted(days if part is None else {*days, part})
        return {name: days for name, days in found.items() if days}

    def refuse_gaps(self, side: Side) -> None:
        """Raise RefusedError when a list of changes was not read of every day from the connection's first on: what changed last on
        a day that is missing would be taken for what is not there."""
        for entity, days in self.missing(side).items():
            raise RefusedError(
                f"{entity} of {side.name} were not read of {len(days):,} days, the first of them {days[0]}: what "
                "changed last on one of them would be taken for what is not there, and made twice.",
                remedy=f"Read all days from {side.opening} on: the initial sync, all days as one run.",
                code="initial-sync-incomplete",
            )

    def refuse_stepped_over(self, side: Side, read: Collection[tuple[str, str]]) -> None:
        """Raise RefusedError when one of these lists, (connection, entity), was read of a day, but not of all days before it: what
        changed last on one of them is not known, and nothing says so."""
        for entity, days in self.stepped_over(side).items():
            if (side.name, entity) in read:
                raise RefusedError(
                    f"{entity} of {side.name} were not read to the end of {len(days):,} days before the newest that was read, the "
                    f"first of them {days[0]}: what changed last on one of them is not known, and would be made twice, or "
                    "written as it was before.",
                    remedy=f"Run all days from {days[0]} to today, as one run: what is missing is read then.",
                    code="days-stepped-over",
                )

    def _run(self, side: Side, progress: Progress | None, *, reach: timedelta, whole: bool) -> Refreshed:
        store = SnapshotStore(self._setup.data, side.name)
        notes = WholeNotes(self._setup.data / "state" / f"{side.name}-whole.json")
        name = self._setup.name
        rows: dict[str, int] = {}
        days: set[date] = set()
        reader = side.open()
        for place, entity in enumerate(side.entities[one] for one in side.wanted):
            if progress is not None:
                progress(f"reading {side.name} {entity.name}", place, len(side.wanted))
            asked = self._asked(entity, side.opening, reach)
            anew = whole and not notes.spare(entity.name, name, side.opening, reach)
            if not anew and not entity.changed_column and self._fresh(store, entity):
                continue
            count = 0
            for done in (sweep if anew else refresh)(reader, store, entity, asked):
                count += done.manifest.rows if done.new else 0
                if entity.changed_column and done.new and done.manifest.rows:
                    days.add(done.manifest.day)
            rows[f"{side.name}/{entity.name}"] = count
            if anew:
                notes.read(entity.name, name, side.opening, reach)
        if progress is not None:
            progress(f"reading {side.name}", len(side.wanted), len(side.wanted))
        return Refreshed(rows, frozenset(days))

    def _asked(self, entity: EntityLike, first: date, reach: timedelta) -> Sweep:
        """The window: from the first day that is not stored, or the newest that is."""
        zone = self._setup.zone
        asked = Sweep(
            window=Window(first, self._today, zone),
            opening=first,
            today=self._today,
            run_id=self._run_id,
            done_by=frozenset({self._run_id}),
            now=self._now,
            reach=reach,
        )
        if not entity.changed_column:
            return replace(asked, window=Window(self._today, self._today, zone))
        return asked

    def _fresh(self, store: SnapshotStore, entity: EntityLike) -> bool:
        age = self._young.get(entity.name, DAILY)
        manifest = store.manifest(entity.name, self._today)
        if manifest is None and (days := store.days(entity.name)):
            manifest = store.manifest(entity.name, days[-1])
        # By the clock that rules the reading, not by the file system's.
        return (
            manifest is not None and manifest.read_until is not None and self._now - manifest.read_until < age
        )
