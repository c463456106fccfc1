"""An answer of the corpus between two good ones, what is stored afterwards; or in answer to a write, and what became of it.

Belongs here: one item through the product's own reader or writer, sweep and store, the verdict read from the disk and from
the wire. Does not belong here: the answers (`malformed_bodies`), what is asked (`malformed_scenes`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from ledger_pipelines import errors
from ledger_pipelines.documents.dates import Window
from ledger_pipelines.documents.effects import Confirmed, Ending, Refused
from ledger_pipelines.documents.keys import decode
from ledger_pipelines.errors import DataError, LedgerError
from ledger_pipelines.storage.snapshots import SnapshotStore
from ledger_pipelines.sync.links import prepare
from ledger_pipelines.sync.sweep import Sweep, sweep
from ledger_pipelines.systems.entities import RECORD
from ledger_pipelines_tests.faults.drills.malformed_bodies import (
    Ask,
    BodyItem,
    EndsAs,
    ReadAs,
    RefusedAs,
    Sent,
    Vendor,
)
from ledger_pipelines_tests.faults.drills.malformed_scenes import (
    BAD_DAY,
    CANARY,
    NOW,
    RECORD_ID,
    TOTAL,
    Opened,
    Scene,
    Wire,
    good_id,
)
from ledger_pipelines_tests.faults.drills.malformed_scenes_books import NetSuiteScene, SaasuScene
from ledger_pipelines_tests.faults.drills.malformed_scenes_shops import Cin7Scene, NetoScene

DAY = BAD_DAY
BEFORE, AFTER = DAY - timedelta(days=1), DAY + timedelta(days=1)
_FEWEST_WORDS = 3
"""Of a remedy."""
_SHORTEST = 16
"""Characters of what is told of a record that was not written."""
_TOTALS = ("foreigntotal", "grand_total", "total")

SCENES: Mapping[Vendor, Scene] = {
    scene.vendor: scene for scene in (NetSuiteScene(), NetoScene(), SaasuScene(), Cin7Scene())
}

Carried = tuple[list[str], dict[str, int]]


@dataclass(frozen=True, slots=True)
class Came:
    """What came of a call: nothing wrong, one of the product's errors, or anything else (a traceback, for a person)."""

    error: LedgerError | None = None
    traceback: str = ""


def carry_out(item: BodyItem, folder: Path) -> Carried:
    """The item, and what does not hold."""
    scene = SCENES[item.vendor]
    if isinstance(item.verdict, EndsAs):
        return _written(item, item.verdict, scene, folder)
    if item.ask is Ask.RECORD:
        return _one_record(item, scene, folder)
    return _between_good_days(item, scene, folder)


# --- reading ---------------------------------------------------------------------------------------------------------


def _between_good_days(item: BodyItem, scene: Scene, folder: Path) -> Carried:
    """The day of the item was stored before, with other rows; refused, it must stay so."""
    store = SnapshotStore(folder / "data", scene.vendor.lower())
    problems: list[str] = []
    refused = 0
    for day in (BEFORE, DAY):
        _, came = _day(scene, item.ask, store, folder / f"good-{day}", day)
        problems += _broken(came, f"the good list of {day}")
    wire, came = _day(scene, item.ask, store, folder / "bad", DAY, item.sent)
    _, after = _day(scene, item.ask, store, folder / f"good-{AFTER}", AFTER)
    problems += _broken(after, f"the good list of {AFTER}")
    problems += _of_the_wire(wire, scene)
    for day in (BEFORE, AFTER):
        problems += _held(store, scene, day, ReadAs((good_id(day),), (TOTAL,)))
    if isinstance(item.verdict, RefusedAs):
        problems += _refusal(item, item.verdict, came)
        problems += [
            f"a refused list: {one}" for one in _held(store, scene, DAY, ReadAs((good_id(DAY),), (TOTAL,)))
        ]
    elif isinstance(item.verdict, ReadAs):
        problems += _broken(came, "the answer") or [
            *_held(store, scene, DAY, item.verdict),
            *_unread(store, scene, item.verdict.unread),
        ]
    refused = 0 if came.error is None else 1
    accepted = sum(1 for one in (came, after) if one.error is None and not one.traceback) + 1
    if accepted + refused != 3:
        problems.append(f"3 answers received, {accepted} accepted and {refused} refused")
    unfinished = [
        path.name for path in (folder / "data").rglob("*") if path.is_file() and path.name not in _WHOLE
    ]
    problems += [f"something unfinished was left in the store: {unfinished}"] if unfinished else []
    return problems, {"received": 3, "accepted": accepted, "refused": refused}


_WHOLE = frozenset({"part.parquet", "manifest.json"})


def _day(
    scene: Scene, ask: Ask, store: SnapshotStore, folder: Path, day: date, bad: Sent | None = None
) -> tuple[Wire, Came]:
    """Read a day and store it, by the product's own sweep."""
    window = Window(day, day, ZoneInfo("UTC"))
    asked = Sweep(window, BEFORE - timedelta(days=30), NOW.date(), "drill", now=NOW)
    wire = scene.wire(ask, day, bad)
    with _open(scene, ask, folder, wire) as opened:
        try:
            for _ in sweep(opened.reader, store, scene.entity, asked):
                pass
        except Exception as error:  # noqa: BLE001 - whatever escapes is the finding
            return wire, _came(error)
    return wire, Came()


def _one_record(item: BodyItem, scene: Scene, folder: Path) -> Carried:
    wire = scene.wire(item.ask, DAY, item.sent)
    problems: list[str] = []
    with _open(scene, item.ask, folder, wire) as opened:
        assert opened.record is not None, f"{scene.vendor} reads lists alone: {item} asks for one record"
        try:
            found, came = opened.record(), Came()
        except Exception as error:  # noqa: BLE001 - whatever escapes is the finding
            found, came = "", _came(error)
    problems += _of_the_wire(wire, scene)
    if isinstance(item.verdict, RefusedAs):
        problems += _refusal(item, item.verdict, came)
    elif isinstance(item.verdict, ReadAs):
        problems += _broken(came, "the answer")
        if not problems and (found,) != item.verdict.ids:
            problems.append(f"record {RECORD_ID} was read as {found}, not as {item.verdict.ids}")
    accepted = int(came == Came())
    refused = int(came.error is not None)
    if accepted + refused != 1:
        problems.append("one answer received, neither accepted nor refused")
    return problems, {"received": 1, "accepted": accepted, "refused": refused}


def _held(store: SnapshotStore, scene: Scene, day: date, want: ReadAs) -> list[str]:
    """Whether a stored day holds these records, with these totals."""
    if day not in store.days(scene.entity.name):
        return [f"{day} is not stored"]
    table = store.read(scene.entity.name, [day])
    ids = tuple(str(one) for one in table.column(scene.entity.key[0]).to_pylist())
    name = next(name for name in _TOTALS if name in table.column_names)
    totals = tuple(table.column(name).to_pylist())
    if ids != want.ids:
        return [f"{day} holds the records {ids}, not {want.ids}"]
    wanted = tuple(Decimal(one) if one else None for one in want.totals)
    return [f"{day} holds the totals {totals}, not {wanted}"] if want.totals and totals != wanted else []


def _unread(store: SnapshotStore, scene: Scene, word: str) -> list[str]:
    """Whether records of the day are refused by name when they are read, each on its own."""
    if not word:
        return []
    decoded = scene.decoder()
    assert decoded is not None, f"{scene.vendor} keeps no records beside its columns: {word!r} cannot be told"
    problems = []
    for text in store.read(scene.entity.name, [DAY]).column(RECORD).to_pylist():
        record = decode(str(text))
        assert isinstance(record, dict)
        try:
            decoded(record)
        except DataError as error:
            if word not in error.message or len(error.remedy.split()) < _FEWEST_WORDS:
                problems.append(f"the record is refused without {word!r}, or without a remedy: {error}")
        else:
            problems.append("a record that nobody can read is read")
    return problems


# --- writing ---------------------------------------------------------------------------------------------------------


def _written(item: BodyItem, want: EndsAs, scene: Scene, folder: Path) -> Carried:
    wire = scene.wire(item.ask, DAY, item.sent)
    problems: list[str] = []
    endings: Sequence[Ending] = ()
    with _open(scene, item.ask, folder, wire) as opened:
        batch = [prepare(effect, {}, 1) for effect in scene.effects(item.ask)]
        try:
            endings = opened.writer.send(batch)
        except Exception as error:  # noqa: BLE001 - a writer never raises for an answer
            problems.append(f"the writer raises {type(error).__name__}: {error}")
    problems += _of_the_wire(wire, scene)
    got = tuple(type(one) for one in endings)
    if not problems and got != want.endings:
        names = [one.__name__ for one in want.endings]
        problems.append(f"ended as {[str(one) for one in endings]}, not as {names}")
    if wire.writes != want.calls:
        problems.append(f"{wire.writes} writing calls were made, not {want.calls}")
    told = [_told(one) for one in endings]
    short = [text for text in told if len(text) < _SHORTEST]
    problems += [f"what is told of a record is only {text!r}" for text in short if text]
    if want.word.casefold() not in " ".join(told).casefold():
        problems.append(f"what is told does not say {want.word!r}: {told}")
    problems += ["a secret is told"] if CANARY in " ".join(told) else []
    named = {type(one).__name__ for one in endings}
    return problems, {"received": 1, "written answers": 1, **{f"ended {name}": 1 for name in sorted(named)}}


def _told(ending: Ending) -> str:
    if isinstance(ending, Confirmed):
        return ""
    return f"{ending.code}: {ending.text}" if isinstance(ending, Refused) else ending.text


# --- both ------------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _open(scene: Scene, ask: Ask, folder: Path, wire: Wire) -> Iterator[Opened]:
    folder.mkdir(parents=True, exist_ok=True)
    opened = scene.open(ask, folder, wire)
    try:
        yield opened
    finally:
        opened.close()


def _came(error: Exception) -> Came:
    if isinstance(error, LedgerError):
        return Came(error)
    return Came(traceback=f"{type(error).__name__}: {error}")


def _broken(came: Came, what: str) -> list[str]:
    """What is wrong where nothing should be."""
    if came.traceback:
        return [f"{what} ends in a traceback: {came.traceback}"]
    return [] if came.error is None else [f"{what} is refused: {came.error}"]


def _refusal(item: BodyItem, want: RefusedAs, came: Came) -> list[str]:
    """Whether the refusal is of the right kind, names whose answer it was, and says what to do."""
    if came.traceback:
        return [f"a traceback: {came.traceback}"]
    if came.error is None:
        return [f"taken, where {want.error.__name__} was due"]
    kind = next(one for one in type(came.error).__mro__ if one.__module__ == errors.__name__)
    said = str(came.error)
    problems = (
        []
        if kind is want.error
        else [f"refused as {kind.__name__}, where {want.error.__name__} was due: {said}"]
    )
    if want.word.casefold() not in said.casefold():
        problems.append(f"the sentence does not say {want.word!r}: {said}")
    if item.vendor.casefold() not in came.error.message.casefold():
        problems.append(f"the sentence does not name {item.vendor}: {said}")
    if len(came.error.remedy.split()) < _FEWEST_WORDS:
        problems.append(f"the sentence has no remedy: {said}")
    if CANARY in said:
        problems.append("the sentence tells a secret")
    return problems


def _of_the_wire(wire: Wire, scene: Scene) -> list[str]:
    """The item was really given, and nobody else was called: credentials go nowhere else."""
    problems = [] if wire.struck else ["the malformed answer was never asked for"]
    elsewhere = wire.hosts() - {scene.host}
    return [*problems, f"{elsewhere} was called"] if elsewhere else problems
