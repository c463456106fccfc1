"""The planted bugs themselves: each makes of the product what it would be with that bug.

Belongs here: patches of production code, in force until the process ends. Does not belong here: which drill must notice
(`mutants`). The product knows nothing of this.
"""

from __future__ import annotations

import io
import sys
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Context, Decimal
from pathlib import Path
from typing import Any

import httpx
import pyarrow.parquet as pq
from sqlalchemy import select, update
from upath import UPath

from ledger_pipelines.documents import keys, money
from ledger_pipelines.documents.effects import EffectState
from ledger_pipelines.faultpoints import reached
from ledger_pipelines.storage import atomic, settlement_rows, settlements, snapshots
from ledger_pipelines.storage.journal.effects import Change, Effects
from ledger_pipelines.storage.journal.models import effects
from ledger_pipelines.storage.manifests import FILE, METADATA_KEY, Manifest
from ledger_pipelines.storage.settlements import SettlementManifest, SettlementStore
from ledger_pipelines.sync import gates, recover
from ledger_pipelines.systems.http import Answer, Http
from ledger_pipelines.systems.secrets import Redactor

_PRODUCT = ("ledger_pipelines.", "ledger_pipelines_tests.")


def _everywhere(original: object, instead: object) -> None:
    """Put something else in the place of a function, under every name by which a module knows it."""
    for name, module in list(sys.modules.items()):
        if module is not None and name.startswith(_PRODUCT):
            for attribute, value in list(vars(module).items()):
                if value is original:
                    setattr(module, attribute, instead)


def _set(connection: Any, key: str, values: Mapping[str, object], *states: EffectState) -> bool:
    """Change a row by its key, if it is in one of those states; no fence, no attempt."""
    wanted = update(effects).where(
        effects.c.key == key, effects.c.state.in_([state.value for state in states])
    )
    return bool(connection.execute(wanted.values(dict(values))).rowcount)


# --- when it is written down ---------------------------------------------------------------------------------------


def post_then_record() -> None:
    """The journal learns of a call when its answer is there: claims and "sent" are kept in memory only."""

    def claim(
        self: Effects, wanted: Sequence[str], *, fence: int, owner: str, now: datetime, lease_until: datetime
    ) -> list[str]:
        states = self.states(wanted)
        return [key for key in wanted if states.get(key) is EffectState.APPROVED]

    def mark_sent(
        self: Effects, wanted: Sequence[str], *, fence: int, now: datetime, lease_until: datetime
    ) -> dict[str, int]:
        return dict.fromkeys(wanted, 1)

    def record(self: Effects, change: Change, *, fence: int, attempt: int) -> bool:
        if change.values.get("state") != EffectState.CONFIRMED.value:
            return True  # an error: nothing was written, so it will be tried again
        return _set(self._connection, change.key, change.values, EffectState.APPROVED)

    Effects.claim, Effects.mark_sent, Effects.record = claim, mark_sent, record  # type: ignore[method-assign]


def mark_first() -> None:
    """What is about to be sent is noted as done, and what is done is never sent again."""
    honest = Effects.mark_sent

    def mark_sent(
        self: Effects, wanted: Sequence[str], *, fence: int, now: datetime, lease_until: datetime
    ) -> dict[str, int]:
        marked = honest(self, wanted, fence=fence, now=now, lease_until=lease_until)
        done = {"state": EffectState.CONFIRMED.value, "remote_id": "", "lease_owner": None}
        for key in marked:
            _set(self._connection, key, done, EffectState.SENT)
        return marked

    def record(self: Effects, change: Change, *, fence: int, attempt: int) -> bool:
        if change.values.get("state") == EffectState.CONFIRMED.value:
            _set(self._connection, change.key, change.values, EffectState.CONFIRMED)
        return True

    Effects.mark_sent, Effects.record = mark_sent, record  # type: ignore[method-assign]


def short_settle_window() -> None:
    """Five seconds after the call "not there" counts, whatever the writer declares."""

    def settles_at(entry: Any, session: object) -> datetime | None:
        start = entry.settle_from or entry.sent_at
        return None if start is None else start + timedelta(seconds=5)

    _everywhere(recover.settles_at, settles_at)


def claim_not_atomic() -> None:
    """Read, then write: a claim does not ask whether the row is still as it was read, nor whose it is."""

    def claim(
        self: Effects, wanted: Sequence[str], *, fence: int, owner: str, now: datetime, lease_until: datetime
    ) -> list[str]:
        for key in wanted:
            values = {"state": EffectState.CLAIMED.value, "fence": fence, "lease_owner": owner}
            times = {"lease_until": lease_until, "updated_at": now}
            _set(self._connection, key, values | times, *EffectState)
        return list(wanted)

    def mark_sent(
        self: Effects, wanted: Sequence[str], *, fence: int, now: datetime, lease_until: datetime
    ) -> dict[str, int]:
        marked = {}
        query = select(effects.c.key, effects.c.attempt).where(effects.c.key.in_(list(wanted)))
        for key, attempt in self._connection.execute(query).all():
            marked[key] = int(attempt) + 1
            values = {"state": EffectState.SENT.value, "fence": fence, "attempt": marked[key]}
            times = {"sent_at": now, "settle_from": now, "lease_until": lease_until, "updated_at": now}
            _set(self._connection, key, values | times, *EffectState)
        return marked

    Effects.claim, Effects.mark_sent = claim, mark_sent  # type: ignore[method-assign]


# --- what is sent --------------------------------------------------------------------------------------------------


def retrying_client() -> None:
    """The HTTP client sends a write again when the answer is lost or a 5xx, as many libraries do."""
    once = Http.write

    def write(self: Http, method: str, url: str, **more: Any) -> Answer:
        for _ in range(2):
            try:
                answer: Answer = self._call(
                    self._writes, method, url, **{"headers": None, "body": None} | more
                )
            except httpx.TransportError:
                continue
            if answer.status < 500:
                return answer
        return once(self, method, url, **more)

    Http.write = write  # type: ignore[method-assign]


def plan_not_rechecked() -> None:
    """A plan is applied as it is given: neither its seal nor its inputs are looked at."""
    _everywhere(gates.refuse_altered, lambda _plan: None)
    _everywhere(gates.refuse_stale, lambda _plan, _recompute: None)


def random_key() -> None:
    """Keys and external ids carry something made up: each time one is asked for, it is another."""
    key, external = keys.effect_key, keys.external_id

    def effect_key(**parts: Any) -> str:
        return key(**parts)[:-6] + uuid.uuid4().hex[:6].upper()

    def external_id(*parts: str) -> str:
        return f"{external(*parts)}-{uuid.uuid4().hex[:6]}"

    _everywhere(key, effect_key)
    _everywhere(external, external_id)


# --- what is stored ------------------------------------------------------------------------------------------------


def bookmark_before_data() -> None:
    """The note that a day or a settlement is complete is on disk before its rows are, and is what counts."""
    put = atomic.write_atomically

    def note_first(path: UPath | Path, data: bytes, **how: Any) -> None:
        if path.name == snapshots.PART:
            metadata = pq.read_schema(io.BytesIO(data)).metadata
            put(path.parent / FILE, metadata[METADATA_KEY], **how)
        put(path, data, **how)

    def manifest(self: snapshots.SnapshotStore, entity: str, day: Any) -> Manifest | None:
        note = self.path(entity, day).parent / FILE
        return Manifest.decoded(note.read_bytes()) if note.exists() else None

    def accept(self: SettlementStore, found: SettlementManifest, staged_rows: Path) -> SettlementManifest:
        folder = self.folder(found.connection, found.settlement_id)
        atomic.make_folder(folder)
        before = self.before(found)
        accepted = found.model_copy(update={"previous": before.settlement_id if before else None})
        put(folder / settlements.MANIFEST, accepted.model_dump_json(indent=1).encode())
        reached("settlement.after_manifest")
        staged_rows.replace(folder / settlements.ROWS)
        reached("settlement.after_rows")
        return accepted

    snapshots.write_atomically = note_first
    snapshots.SnapshotStore.manifest = manifest  # type: ignore[method-assign]
    SettlementStore.accept = accept  # type: ignore[method-assign]


def float_sum() -> None:
    """Amounts are added as binary floats."""

    class Binary(Context):
        """Arithmetic whose sums go by way of a float."""

        def add(self, one: Decimal, other: Decimal) -> Decimal:  # type: ignore[override]  # amounts only
            """As a float does."""
            return Decimal(repr(float(one) + float(other)))

    for module in (money, settlement_rows):
        module._EXACT = Binary(prec=60)


def distinct_lines() -> None:
    """Lines of a settlement that say the same are taken for one."""
    accept = SettlementStore.accept

    def accept_distinct(
        self: SettlementStore, manifest: SettlementManifest, staged_rows: Path
    ) -> SettlementManifest:
        table = pq.read_table(staged_rows)
        said = [name for name in table.column_names if name not in settlements._POSITION]
        seen: set[tuple[object, ...]] = set()
        kept = []
        for place, row in enumerate(zip(*(table.column(name).to_pylist() for name in said), strict=True)):
            if row not in seen:
                seen.add(row)
                kept.append(place)
        pq.write_table(table.take(kept), staged_rows)
        return accept(self, manifest, staged_rows)

    SettlementStore.accept = accept_distinct  # type: ignore[method-assign]


# --- what nobody may read -------------------------------------------------------------------------------------------


def no_redactor() -> None:
    """Texts of other programs are shown as they come."""

    def clean(self: Redactor, text: str) -> str:
        return text

    Redactor.clean = clean  # type: ignore[method-assign]
