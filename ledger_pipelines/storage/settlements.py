"""Settlements that have been accepted: their rows as Parquet, their manifest beside them.

Belongs here: where they lie, accepting one durably, recognising content that came before, comparing two sets of rows,
neighbours in time. Does not belong here: reading a vendor's file (`systems`), meanings of kinds (given by the caller),
the sums per group and kind (`settlement_rows`).

`<root>/settlements/<connection>/<settlement id>/rows.parquet` is written before `manifest.json`; a folder without a
manifest is a settlement that was not accepted, and is simply written again. Facts: amazon-settlement.md 11, 12.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Literal

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict

from ledger_pipelines.documents.money import Money
from ledger_pipelines.documents.settlement import Settlement
from ledger_pipelines.errors import DataError
from ledger_pipelines.faultpoints import reached
from ledger_pipelines.storage.atomic import make_folder, sync_folder, write_atomically
from ledger_pipelines.storage.landing import safe_name
from ledger_pipelines.storage.warehouse import warehouse

ROWS, MANIFEST = "rows.parquet", "manifest.json"
_STAGING = ".staging-"
# Where a row stands in the file says nothing about what it states.
_POSITION = ("ordinal", "part", "line")


class UnknownKind(BaseModel):
    """A triple outside the vocabulary, with what it sums to."""

    model_config = ConfigDict(frozen=True)

    triple: str
    rows: int
    amount: Decimal


class Sighting(BaseModel):
    """Another file that turned out to hold this settlement.

    level: `same-rows` (other bytes, the same rows) or `cross-check` (another variant of the same settlement).
    differences: sums per order, SKU and description that differ between the two variants; 0 is agreement.
    """

    model_config = ConfigDict(frozen=True)

    sha256: str
    level: Literal["same-rows", "cross-check"]
    variant: str
    differences: int = 0


class SettlementManifest(BaseModel):
    """What is known of an accepted settlement. Instants are UTC; amounts exact decimals, as JSON text.

    sha256: of the file as it came (compressed, if it was). rows: detail rows; amounts: stored rows.
    """

    model_config = ConfigDict(frozen=True)

    format: Literal[1] = 1
    connection: str
    settlement_id: str
    variant: str
    encoding: str
    currency: str
    start: datetime
    end: datetime
    deposit: datetime
    total: Decimal
    rows: int
    amounts: int
    sum: Decimal
    sha256: str
    size: int
    rows_hash: str
    number_style: str
    date_style: str
    columns: tuple[str, ...]
    unknown_columns: tuple[str, ...]
    short_rows: int
    unknown_kinds: tuple[UnknownKind, ...]
    warnings: tuple[str, ...]
    names: tuple[str, ...]
    sightings: tuple[Sighting, ...] = ()
    previous: str | None = None
    recorded_at: datetime

    def contents(self) -> frozenset[str]:
        """Hashes of every file known to hold this settlement."""
        return frozenset({self.sha256, *(sighting.sha256 for sighting in self.sightings)})

    def settlement(self) -> Settlement:
        """The summary in the common language."""
        return Settlement(
            connection=self.connection,
            settlement_id=self.settlement_id,
            variant=self.variant,
            encoding=self.encoding,
            currency=self.currency,
            start=self.start,
            end=self.end,
            deposit=self.deposit,
            total=Money(self.total, self.currency),
            rows=self.rows,
            sum=Money(self.sum, self.currency),
            content_hash=self.sha256,
            rows_hash=self.rows_hash,
            unknown_kinds=tuple((kind.triple, kind.amount) for kind in self.unknown_kinds),
        )


@dataclass(frozen=True, slots=True)
class KindDifference:
    """A kind whose rows or sum differ between what is stored and what came."""

    triple: str
    stored_rows: int
    stored_amount: Decimal
    other_rows: int
    other_amount: Decimal


@dataclass(frozen=True, slots=True)
class RowDifference:
    """A row that only one side has. side: `stored` or `new`. times: how often more it occurs there."""

    side: Literal["stored", "new"]
    triple: str
    order_id: str
    sku: str
    amount: Decimal
    times: int


@dataclass(frozen=True, slots=True)
class Difference:
    """How two sets of rows differ; falsy when they do not. At most twenty rows are listed, all are counted."""

    kinds: tuple[KindDifference, ...]
    rows: tuple[RowDifference, ...]
    count: int

    def __bool__(self) -> bool:
        return self.count > 0


@dataclass(frozen=True, slots=True)
class ChainLink:
    """A settlement and the one before it.

    previous: the one of the same connection and currency that ends the second this one starts; None if there is none.
    gap_after: the latest one that ends before this one starts, when `previous` is None: between them one is missing.
    """

    settlement_id: str
    start: datetime
    end: datetime
    previous: str | None
    gap_after: str | None


class SettlementStore:
    """Accepted settlements under a data root."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._folder = root / "settlements"

    def folder(self, connection: str, settlement_id: str) -> Path:
        """Where a settlement lies, or would."""
        return self._folder / safe_name(connection) / safe_name(settlement_id)

    def rows_path(self, connection: str, settlement_id: str) -> Path:
        """Its rows."""
        return self.folder(connection, settlement_id) / ROWS

    @contextlib.contextmanager
    def staging(self, connection: str) -> Iterator[Path]:
        """A folder for files in the making, on the same disk as the store; removed at the end of the block."""
        parent = self._folder / safe_name(connection)
        make_folder(parent)
        folder = Path(tempfile.mkdtemp(prefix=_STAGING, dir=parent))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @contextlib.contextmanager
    def locked(self, connection: str) -> Iterator[None]:
        """Recognising and accepting happen one at a time per connection, over all processes of this machine."""
        parent = self._folder / safe_name(connection)
        make_folder(parent)
        descriptor = os.open(parent / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def find(self, connection: str, settlement_id: str) -> SettlementManifest | None:
        """The accepted settlement of that id."""
        path = self.folder(connection, settlement_id) / MANIFEST
        try:
            return SettlementManifest.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return None

    def get(self, connection: str, settlement_id: str) -> SettlementManifest:
        """The accepted settlement of that id. Raises DataError `unknown-settlement`."""
        found = self.find(connection, settlement_id)
        if found is None:
            raise DataError(
                f"Settlement {settlement_id} of {connection} has not been accepted.",
                remedy="Drop its file first.",
                code="unknown-settlement",
            )
        return found

    def all(self, connection: str) -> list[SettlementManifest]:
        """Every accepted settlement of a connection, by start."""
        folder = self._folder / safe_name(connection)
        found = [
            SettlementManifest.model_validate_json(path.read_bytes())
            for path in sorted(folder.glob(f"[0-9A-Za-z]*/{MANIFEST}"))
        ]
        return sorted(found, key=lambda m: (m.start, m.settlement_id))

    def by_content(self, connection: str, sha256: str) -> SettlementManifest | None:
        """The settlement that a file with this hash is known to hold."""
        return next((m for m in self.all(connection) if sha256 in m.contents()), None)

    def accept(self, manifest: SettlementManifest, staged_rows: Path) -> SettlementManifest:
        """Put a settlement in its place: rows first, then the manifest that makes it count.

        Call under `locked`. Safe to repeat after a crash at any point. Raises DataError if it is there already.
        """
        folder = self.folder(manifest.connection, manifest.settlement_id)
        if (folder / MANIFEST).exists():
            raise DataError(f"Settlement {manifest.settlement_id} is there already.", code="content-conflict")
        make_folder(folder)
        descriptor = os.open(staged_rows, os.O_RDONLY)
        try:
            os.fchmod(descriptor, 0o600)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        staged_rows.replace(folder / ROWS)
        sync_folder(folder)
        reached("settlement.after_rows")
        before = self.before(manifest)
        accepted = manifest.model_copy(update={"previous": before.settlement_id if before else None})
        write_atomically(folder / MANIFEST, accepted.model_dump_json(indent=1).encode())
        sync_folder(folder.parent)
        reached("settlement.after_manifest")
        return accepted

    def forget_hollow(self, connection: str) -> list[str]:
        """Forget settlements whose rows are missing or are not those accepted, so that they can be accepted again.

        Call under `locked`. Returns their ids.
        """
        hollow = [m for m in self.all(connection) if not self._is_whole(m)]
        for manifest in hollow:
            folder = self.folder(connection, manifest.settlement_id)
            (folder / MANIFEST).unlink()
            sync_folder(folder)
        return [manifest.settlement_id for manifest in hollow]

    def _is_whole(self, manifest: SettlementManifest) -> bool:
        rows = self.rows_path(manifest.connection, manifest.settlement_id)
        try:
            return rows.exists() and rows_hash(rows) == manifest.rows_hash
        except (OSError, pa.ArrowException, duckdb.Error, DataError):
            return False

    def note(
        self, manifest: SettlementManifest, *, name: str | None = None, sighting: Sighting | None = None
    ) -> SettlementManifest:
        """Remember another name or another file of a settlement. Idempotent; call under `locked`."""
        names, sightings = manifest.names, manifest.sightings
        if name is not None and name not in names:
            names = (*names, name)
        if sighting is not None and sighting.sha256 not in manifest.contents():
            sightings = (*sightings, sighting)
        if names == manifest.names and sightings == manifest.sightings:
            return manifest
        noted = manifest.model_copy(update={"names": names, "sightings": sightings})
        folder = self.folder(manifest.connection, manifest.settlement_id)
        write_atomically(folder / MANIFEST, noted.model_dump_json(indent=1).encode())
        reached("settlement.after_note")
        return noted

    def before(self, manifest: SettlementManifest) -> SettlementManifest | None:
        """The settlement that ends the second this one starts, of the same currency."""
        return next(
            (
                other
                for other in self.all(manifest.connection)
                if other.currency == manifest.currency
                and other.end == manifest.start
                and other.settlement_id != manifest.settlement_id
            ),
            None,
        )

    def chain(self, connection: str, currency: str) -> list[ChainLink]:
        """Every settlement of one currency by start, each with the one before it, or after which one is missing.

        Accounts that run side by side (marketplaces, invoiced orders) have chains of their own in one list: an exact
        predecessor is found whichever chain it is in; only without one is a gap reported.
        """
        found = [m for m in self.all(connection) if m.currency == currency]
        links = []
        for manifest in found:
            earlier = [
                m for m in found if m.end <= manifest.start and m.settlement_id != manifest.settlement_id
            ]
            latest = max(earlier, key=lambda m: m.end, default=None)
            joins = latest is not None and latest.end == manifest.start
            links.append(
                ChainLink(
                    manifest.settlement_id,
                    manifest.start,
                    manifest.end,
                    latest.settlement_id if latest is not None and joins else None,
                    latest.settlement_id if latest is not None and not joins else None,
                )
            )
        return links


def rows_hash(rows: Path) -> str:
    """A hash of the rows as a multiset: their order and their place in the file do not matter.

    The sum, modulo 2^128, of the MD5 of each row (not a defence against an adversary: `compare` is exact).
    """
    with warehouse({"r": [rows]}, folders=[rows.parent]) as db:
        names = [n for n in pq.read_schema(rows).names if n not in _POSITION]
        text = ", ".join(f"coalesce(CAST({name} AS VARCHAR), chr(1))" for name in names)
        lower, upper, count = db.one(
            f"SELECT sum(md5_number_lower(t)), sum(md5_number_upper(t)), count(*)"  # noqa: S608 (own column names)
            f" FROM (SELECT concat_ws(chr(31), {text}) AS t FROM r)"
        )
    mask = (1 << 64) - 1
    return f"{count}-{int(upper or 0) & mask:016x}{int(lower or 0) & mask:016x}"


def compare(stored: Path, other: Path, *, most: int = 20) -> Difference:
    """Compare two files of rows exactly, as multisets, whatever the order of their rows.

    Raises:
        DataError: The files are not rows of settlements.
    """
    names = [n for n in pq.read_schema(stored).names if n not in _POSITION]
    listed = ", ".join(names)
    triple = "transaction_type || '/' || amount_type || '/' || amount_description"
    with_counts = f"""
        WITH x AS (SELECT {listed}, 1 AS n FROM a UNION ALL SELECT {listed}, -1 FROM b),
        d AS (SELECT {listed}, sum(n) AS n FROM x GROUP BY {listed} HAVING sum(n) <> 0)
    """  # noqa: S608 (column names of our own schema)
    counted = f"{with_counts} SELECT coalesce(sum(abs(n)), 0) FROM d"  # noqa: S608 (as above)
    sampled = f"{with_counts} SELECT {triple}, order_id, sku, amount, n FROM d ORDER BY ALL LIMIT {int(most)}"  # noqa: S608 (as above)
    kinds_query = f"""
        SELECT t, sum(an), sum(aa), sum(bn), sum(ba) FROM (
            SELECT {triple} AS t, count(*) AS an, sum(amount) AS aa, 0 AS bn, 0::DECIMAL(38,6) AS ba FROM a GROUP BY t
            UNION ALL
            SELECT {triple} AS t, 0, 0::DECIMAL(38,6), count(*), sum(amount) FROM b GROUP BY t
        ) GROUP BY t HAVING sum(an) <> sum(bn) OR sum(aa) <> sum(ba) ORDER BY t
    """  # noqa: S608 (column names of our own schema)
    with warehouse({"a": [stored], "b": [other]}) as db:
        (count,) = db.one(counted)
        if not count:
            return Difference((), (), 0)
        rows = db.rows(sampled)
        kinds = db.rows(kinds_query)
    return Difference(
        tuple(KindDifference(k[0], int(k[1]), k[2], int(k[3]), k[4]) for k in kinds),
        tuple(RowDifference("stored" if n > 0 else "new", t, o, s, a, abs(int(n))) for t, o, s, a, n in rows),
        int(count),
    )


def cross_check(stored: Path, other: Path, *, most: int = 20) -> Difference:
    """Compare two variants of one settlement: only sums per order, SKU and description can agree (section 3.4)."""
    keys = "order_id, trim(sku) AS sku, lower(amount_description) AS description"
    query = (
        f"SELECT order_id, sku, description, sum(a) AS a, sum(b) AS b FROM ("  # noqa: S608 (own names)
        f"SELECT {keys}, amount AS a, 0::DECIMAL(18,6) AS b FROM a"
        f" UNION ALL SELECT {keys}, 0::DECIMAL(18,6), amount FROM b)"
        f" GROUP BY order_id, sku, description HAVING sum(a) <> sum(b) ORDER BY ALL"
    )
    with warehouse({"a": [stored], "b": [other]}) as db:
        found = db.rows(query)
    rows = []
    for order_id, sku, description, mine, theirs in found[:most]:
        rows.append(RowDifference("stored", description, order_id, sku, mine, 1))
        rows.append(RowDifference("new", description, order_id, sku, theirs, 1))
    return Difference((), tuple(rows[:most]), len(found))
