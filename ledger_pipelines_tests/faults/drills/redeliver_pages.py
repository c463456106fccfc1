"""Records that change while they are read page by page: nothing lost, nothing doubled in the snapshot.

Belongs here: changes of a target between two pages of a sweep, and the snapshot compared with the sandbox's dump; by
target. Does not belong here: files that come again (`redeliver`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from ledger_pipelines.documents.dates import Window, business_date
from ledger_pipelines.storage.snapshots import SnapshotStore
from ledger_pipelines.sync.sweep import Sweep, sweep
from ledger_pipelines.systems.netsuite.entities import Entity, entities
from ledger_pipelines.systems.netsuite.reader import Reader, Rows
from ledger_pipelines_tests.stage import Stage

PAGE, MADE = 3, 14
"""Rows of a page; records made for the drill, which nothing else refers to."""
KINDS = {"customers": "customer", "items": "nonInventorySaleItem"}
_DUMPED = {
    "customers": ("customer",),
    "items": ("nonInventorySaleItem", "otherChargeSaleItem", "inventoryItem", "discountItem", "salesTaxItem"),
}
_FIELD = {"customers": "phone", "items": "displayName"}


@dataclass(frozen=True, slots=True)
class Drift:
    """What happens between two pages. pick: of the ids given so far and the ids to come, the one it happens to."""

    name: str
    pick: Callable[[list[str], list[str]], str]
    happens: Callable[[Stage, str, str], None]


def _change(stage: Stage, entity: str, record: str) -> None:
    kind = next(kind for kind in _DUMPED[entity] if record in _ids(stage, (kind,)))
    stage.change(kind, record, {_FIELD[entity]: "555-0199"})


def _delete(stage: Stage, entity: str, record: str) -> None:
    kind = next(kind for kind in _DUMPED[entity] if record in _ids(stage, (kind,)))
    answer = stage.service.client.write("DELETE", f"/services/rest/record/v1/{kind}/{record}")
    assert answer.status == 204, answer.body


def _insert(stage: Stage, entity: str, record: str) -> None:
    if entity == "customers":
        stage.make("customer", {"companyName": f"New {record}", "subsidiary": {"id": "1"}})
    else:
        template = next(r for r in stage.books().records(KINDS[entity]))
        body = {k: template[k] for k in ("incomeAccount", "subsidiary", "taxSchedule") if k in template}
        stage.make(KINDS[entity], {"itemId": f"NEW-{record}", **body})


def _first(given: list[str], rest: list[str]) -> str:
    return (given or rest)[0]


def _next(given: list[str], rest: list[str]) -> str:
    return (rest or given)[0]


DRIFTS: Mapping[str, Drift] = {
    one.name: one
    for one in (
        Drift("none", _first, lambda *_: None),
        Drift("read-one-changes", _first, _change),
        Drift("coming-one-changes", _next, _change),
        Drift("read-one-goes", _first, _delete),
        Drift("coming-one-goes", _next, _delete),
        Drift("one-is-made", _first, _insert),
    )
}


def cases() -> list[str]:
    """`drift:ENTITY:DRIFT:PAGE`: what happens after which page."""
    return [f"drift:{entity}:{name}:{page}" for entity in KINDS for name in DRIFTS for page in (1, 2)]


class _Drifting:
    """A reader that lets something happen after a page."""

    def __init__(self, stage: Stage, entity: str, drift: Drift, after: int, ids: list[str]) -> None:
        self._reader = Reader(stage.service.client, page=PAGE)
        self._reader._workers = 1  # the next page is asked for once something has happened after this one
        self._stage, self._entity, self._drift, self._after = stage, entity, drift, after
        self._ids = ids
        self.pages = 0
        self.touched = ""

    def read_changes(self, entity: Entity, start: datetime, end: datetime) -> Iterator[Rows]:
        """As the reader's."""
        place = [c.name for c in entity.columns].index("id")
        given: list[str] = []
        for page in self._reader.read_changes(entity, start, end):
            yield page
            self.pages += 1
            given += [str(cells[place]) for cells in page.cells]
            if self.pages == self._after:
                mine = [one for one in given if one in self._ids]
                rest = [one for one in self._ids if one not in given]
                self.touched = self._drift.pick(mine, rest)
                self._drift.happens(self._stage, self._entity, self.touched)


def _ids(stage: Stage, kinds: tuple[str, ...]) -> list[str]:
    books = stage.books()
    return [str(record["id"]) for kind in kinds for record in books.records(kind)]


def _made(stage: Stage, entity: str) -> list[str]:
    """Records of our own: they can be deleted, and there are enough of them for several pages."""
    before = set(_ids(stage, _DUMPED[entity]))
    for number in range(MADE):
        _insert(stage, entity, f"drift {number:02d}")
    return sorted(set(_ids(stage, _DUMPED[entity])) - before, key=int)


def carry_out(stage: Stage, case: str) -> tuple[list[str], dict[str, int]]:
    """Sweep one entity while something happens; compare the snapshot with the dump."""
    _, entity, name, after = case.split(":")
    mine = _made(stage, entity)
    before = set(_ids(stage, _DUMPED[entity]))
    drift = DRIFTS[name]
    reader = _Drifting(stage, entity, drift, int(after), mine)
    zone = ZoneInfo("America/Los_Angeles")
    now = stage.clock.now() + timedelta(days=1)
    last = business_date(now, zone)
    asked = Sweep(Window(last - timedelta(days=2), last, zone), last - timedelta(days=2), last, "drill")
    store = SnapshotStore(str(stage.folder / "drift"), "netsuite")
    known = entities(stage.service.client.connection)
    done = list(sweep(reader, store, known[entity], asked))
    kept: Counter[str] = Counter()
    for day in done:
        kept.update(str(one) for one in store.read(entity, [day.manifest.day]).column("id").to_pylist())
    now_there = set(_ids(stage, _DUMPED[entity]))
    lost = (before & now_there) - set(kept)
    doubled = [one for one, count in kept.items() if count > 1]
    strange = set(kept) - before - now_there
    problems = [f"{entity} {one} is lost" for one in sorted(lost)]
    problems += [f"{entity} {one} is there {kept[one]} times" for one in sorted(doubled)]
    problems += [f"{entity} {one} is of nowhere" for one in sorted(strange)]
    if reader.pages <= int(after):
        problems.append(f"only {reader.pages} pages: nothing could drift")
    figures = {"lost": len(lost), "doubled": len(doubled), "pages": reader.pages}
    return problems, figures
