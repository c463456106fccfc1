"""A settlement file arrives: landed, read, recognised or stored; or refused and put aside.

Belongs here: the order of these steps and what comes of them. Does not belong here: reading (`systems/amazon`), files
and folders (`storage`), sensors (`orchestration`).

The drop folder, the Reports API and the command line all come through `receive_file`. Repeating it is always safe:
everything is keyed by content.
"""

from __future__ import annotations

import hashlib
import stat
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from pathlib import Path

from ledger_pipelines.documents.money import exponent, plain
from ledger_pipelines.machine import at
from ledger_pipelines.storage.landing import (
    REFUSED,
    Came,
    Identity,
    Landed,
    Landing,
    LandingCopy,
    inside,
    put_aside,
    shown_name,
)
from ledger_pipelines.storage.settlement_rows import SettlementRows
from ledger_pipelines.storage.settlements import (
    Difference,
    SettlementManifest,
    SettlementStore,
    Sighting,
    UnknownKind,
    compare,
    cross_check,
    rows_hash,
)
from ledger_pipelines.systems.amazon.settlement.findings import Finding, SettlementRefusedError
from ledger_pipelines.systems.amazon.settlement.options import ReadOptions, ReadSettlement
from ledger_pipelines.systems.amazon.settlement.reader import read_settlement
from ledger_pipelines.systems.amazon.vocabulary import classify


class Arrival(StrEnum):
    """What came of a file."""

    ACCEPTED = "accepted"
    SAME_CONTENT = "same-content"
    SAME_ROWS = "same-rows"
    CROSS_CHECK = "cross-check"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class ArrivalOutcome:
    """What came of a file.

    Args:
        settlement_id: None when the file was refused before its settlement id was read.
        manifest: The stored settlement the file holds (all but `refused`).
        sha256: Of the file's bytes; "" when it was refused before they were read.
        message: One sentence for people.
        errors: Why it was refused; empty otherwise.
        differences: For `cross-check`: sums that differ between the two variants.
        moved_to: Where a refused file lies now.
    """

    status: Arrival
    settlement_id: str | None
    manifest: SettlementManifest | None
    sha256: str
    message: str
    errors: tuple[Finding, ...] = ()
    differences: Difference | None = None
    moved_to: Path | None = None

    @property
    def accepted(self) -> bool:
        """Whether the store now holds this settlement."""
        return self.status is not Arrival.REFUSED


def receive_file(
    path: Path,
    *,
    connection: str,
    store: SettlementStore,
    currencies: tuple[str, ...] = (),
    drop_folder: Path | None = None,
    refused_folder: Path | None = None,
    options: ReadOptions | None = None,
    name: str | None = None,
) -> ArrivalOutcome:
    """Take in one settlement file.

    Args:
        path: The file; it stays where it is unless it is refused.
        connection: The Amazon connection it came by.
        store: Where accepted settlements are kept; the landing folder lies under the same root.
        currencies: The connection's currencies, or () for any.
        drop_folder: The folder `path` must lie in; links out of it are refused.
        refused_folder: Where a refused file goes; default `refused/` beside it.
        options: Limits, charset, date order; `currencies` above takes precedence.
        name: Name to remember instead of the file's own (a report id).

    Raises:
        TransientError: `file-changing`: it is still being written; nothing was done.
        DataError: `outside-folder`, `unsafe-name`: the file is left alone.
        StorageError: The disk; nothing half-done counts.
    """
    if drop_folder is not None:
        path = inside(path, drop_folder)
    chosen = options or ReadOptions()
    if currencies:
        chosen = replace(chosen, currencies=currencies)
    aside = refused_folder or path.parent / REFUSED
    with at(store.root):
        seen = _came_before(path, connection, store, name or shown_name(path), chosen.charset or "")
    if seen is not None:
        return seen
    with at(store.root), store.staging(connection) as work:
        try:
            with Landing(store.root).copy(path, connection) as copy:
                return _take(path, copy, connection, store, chosen, work, name or shown_name(path))
        except SettlementRefusedError as refusal:
            moved = put_aside(path, aside, [finding.sentence() for finding in refusal.findings])
            return ArrivalOutcome(
                Arrival.REFUSED, refusal.partial.settlement_id, None, "",
                f"{shown_name(path)} was refused: {refusal}", refusal.findings, moved_to=moved,
            )  # fmt: skip


def _came_before(
    path: Path, connection: str, store: SettlementStore, name: str, charset: str
) -> ArrivalOutcome | None:
    """The same bytes again: known by one read of the file, without a copy and without reading its rows.

    Only a file as long as one that was accepted is looked at, so that any other is read once, too, by `_take`.
    """
    before = Identity.of(path)
    known = [manifest for manifest in store.all(connection) if manifest.size == before.size]
    if not known or not stat.S_ISREG(path.lstat().st_mode):
        return None
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    manifest = next((manifest for manifest in known if manifest.sha256 == sha256), None)
    landing = Landing(store.root)
    if manifest is None or Identity.of(path) != before or not landing.path_of(connection, sha256).exists():
        return None
    with store.locked(connection):
        stored = store.get(connection, manifest.settlement_id)
        if not store.rows_path(connection, stored.settlement_id).exists():
            return None
        landing.remember(connection, sha256, name=name, charset=charset)
        return _same_content(store.note(stored, name=name), sha256, name)


def _same_content(stored: SettlementManifest, sha256: str, name: str) -> ArrivalOutcome:
    return ArrivalOutcome(
        Arrival.SAME_CONTENT, stored.settlement_id, stored, sha256,
        f"{name}: settlement {stored.settlement_id} came before with the same content; nothing happens.",
    )  # fmt: skip


def _take(
    path: Path,
    copy: LandingCopy,
    connection: str,
    store: SettlementStore,
    options: ReadOptions,
    work: Path,
    name: str,
) -> ArrivalOutcome:
    rows = work / "rows.parquet"
    try:
        read = read_settlement(path, rows, work, options, copy)
        landed = copy.landed()
        with store.locked(connection):
            return recognise(read, landed, rows, connection, store, name, options.charset or "")
    except SettlementRefusedError:
        copy.check_unchanged()
        copy.forget()
        raise


def recognise(
    read: ReadSettlement,
    landed: Landed,
    rows: Path,
    connection: str,
    store: SettlementStore,
    name: str,
    charset: str = "",
) -> ArrivalOutcome:
    """The levels of amazon-settlement.md 12: same bytes, same rows, another variant, a conflict, or new.

    Call under the store's lock. What counts is noted beside the landed file first: whoever finds the settlement in the
    store can make it again from there.

    Raises:
        SettlementRefusedError: The settlement is there with other content; nothing is changed.
    """
    landing = Landing(store.root)
    settlement_id = read.summary.settlement_id
    stored = store.find(connection, settlement_id)
    if stored is None:
        came = landing.remember(connection, landed.sha256, name=name, charset=charset)
        manifest = store.accept(_manifest(read, landed, rows, connection, came), rows)
        return ArrivalOutcome(
            Arrival.ACCEPTED, settlement_id, manifest, landed.sha256,
            f"{name}: settlement {settlement_id} with {read.rows} rows, {_money(manifest, manifest.total)}, accepted.",
        )  # fmt: skip
    if landed.sha256 in stored.contents():
        landing.remember(connection, landed.sha256, name=name, charset=charset)
        return _same_content(store.note(stored, name=name), landed.sha256, name)
    kept = store.rows_path(connection, settlement_id)
    if read.variant != stored.variant:
        return _other_variant(read, landed, rows, stored, kept, store, name, charset)
    difference = compare(kept, rows)
    if difference or not _same_summary(read, stored):
        raise _conflict(read, stored, difference)
    landing.remember(connection, landed.sha256, name=name, charset=charset)
    sighting = Sighting(sha256=landed.sha256, level="same-rows", variant=read.variant)
    stored = store.note(stored, name=name, sighting=sighting)
    return ArrivalOutcome(
        Arrival.SAME_ROWS, settlement_id, stored, landed.sha256,
        f"{name}: settlement {settlement_id} came before with the same rows in other bytes; nothing happens.",
    )  # fmt: skip


def _other_variant(
    read: ReadSettlement,
    landed: Landed,
    rows: Path,
    stored: SettlementManifest,
    kept: Path,
    store: SettlementStore,
    name: str,
    charset: str,
) -> ArrivalOutcome:
    if not _same_summary(read, stored):
        raise _conflict(read, stored, cross_check(kept, rows))
    Landing(store.root).remember(stored.connection, landed.sha256, name=name, charset=charset)
    difference = cross_check(kept, rows)
    sighting = Sighting(
        sha256=landed.sha256, level="cross-check", variant=read.variant, differences=difference.count
    )
    stored = store.note(stored, name=name, sighting=sighting)
    agrees = (
        "agrees with it"
        if not difference
        else f"differs in {difference.count} sums per order, SKU and description"
    )
    return ArrivalOutcome(
        Arrival.CROSS_CHECK, stored.settlement_id, stored, landed.sha256,
        f"{name}: settlement {stored.settlement_id} is kept from its {stored.variant} file; this {read.variant} "
        f"file {agrees}.",
        differences=difference,
    )  # fmt: skip


def _same_summary(read: ReadSettlement, stored: SettlementManifest) -> bool:
    summary = read.summary
    return (summary.total, summary.currency, summary.start, summary.end, summary.deposit) == (
        stored.total, stored.currency, stored.start, stored.end, stored.deposit
    )  # fmt: skip


def _conflict(
    read: ReadSettlement, stored: SettlementManifest, difference: Difference
) -> SettlementRefusedError:
    """The same settlement with other content: stop and show the difference."""
    parts = [f"total-amount was {_money(stored, stored.total)} and is {_money(stored, read.summary.total)}"]
    parts += [
        f"{k.triple}: {k.stored_rows} row(s) {_money(stored, k.stored_amount)} stored, "
        f"{k.other_rows} row(s) {_money(stored, k.other_amount)} in this file"
        for k in difference.kinds[:20]
    ]
    parts += [
        f"{r.times} row(s) only {'stored' if r.side == 'stored' else 'in this file'}: {r.triple}, "
        f"order {r.order_id or '(none)'}, SKU {r.sku or '(none)'}, {_money(stored, r.amount)}"
        for r in difference.rows
    ]
    finding = Finding(
        "content-conflict",
        f"Settlement {stored.settlement_id} was accepted before with other content "
        f"({difference.count} rows differ): {'; '.join(parts)}.",
        "Amazon does not restate a settlement: find out which file was altered. What was accepted stays as it is.",
        column="settlement-id",
        value=stored.settlement_id,
    )
    refusal = SettlementRefusedError([finding])
    summary = read.summary
    partial = refusal.partial
    partial.settlement_id, partial.variant, partial.encoding = (
        summary.settlement_id,
        read.variant,
        read.encoding,
    )
    partial.currency, partial.start, partial.end = summary.currency, summary.start, summary.end
    partial.deposit, partial.total, partial.rows, partial.sum = (
        summary.deposit,
        summary.total,
        read.rows,
        read.sum,
    )
    return refusal


def _money(manifest: SettlementManifest, amount: Decimal) -> str:
    return f"{plain(amount, exponent(manifest.currency))} {manifest.currency}"


def _manifest(
    read: ReadSettlement, landed: Landed, rows: Path, connection: str, came: Came
) -> SettlementManifest:
    unknown = tuple(
        UnknownKind(triple=known.kind.triple, rows=known.rows, amount=known.amount)
        for known in SettlementRows(rows, classify).by_kind()
        if not known.kind.known
    )
    summary = read.summary
    return SettlementManifest(
        connection=connection, settlement_id=summary.settlement_id, variant=read.variant, encoding=read.encoding,
        currency=summary.currency, start=summary.start, end=summary.end, deposit=summary.deposit,
        total=summary.total, rows=read.rows, amounts=read.amounts, sum=read.sum, sha256=landed.sha256,
        size=landed.size, rows_hash=rows_hash(rows), number_style=read.number_style, date_style=read.date_style,
        columns=read.columns, unknown_columns=read.unknown_columns, short_rows=read.short_rows,
        unknown_kinds=unknown, warnings=tuple(warning.sentence() for warning in read.warnings),
        names=came.names, recorded_at=came.first_at,
    )  # fmt: skip
