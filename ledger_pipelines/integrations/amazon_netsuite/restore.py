"""The store of settlements made again from the landed files alone.

Belongs here: which landed files are read again, in which order, and what came of each. Does not belong here: reading and
recognising one (`arrival`), where files lie (`storage.landing`).

A landed file is never moved or changed. What the store holds already, whole, is left as it is; repeating is safe.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ledger_pipelines.errors import DataError
from ledger_pipelines.integrations.amazon_netsuite.arrival import Arrival, ArrivalOutcome, recognise
from ledger_pipelines.storage.landing import Came, Landed, Landing
from ledger_pipelines.storage.settlements import SettlementStore
from ledger_pipelines.systems.amazon.settlement.findings import SettlementRefusedError
from ledger_pipelines.systems.amazon.settlement.options import ReadOptions
from ledger_pipelines.systems.amazon.settlement.reader import read_settlement


def restore_settlements(
    connection: str, store: SettlementStore, options: ReadOptions
) -> Iterator[ArrivalOutcome]:
    """Read every landed file whose settlement the store does not hold whole, oldest first; an outcome each.

    A file that cannot be read any more, or is not what its name says, is told as refused; the others go on.

    Args:
        connection: Whose files.
        store: Where settlements are kept; the landing folder lies under the same root.
        options: As the connection's files are read.

    Raises:
        OSError: The disk.
    """
    with store.locked(connection):
        store.forget_hollow(connection)
    known = {sha256 for manifest in store.all(connection) for sha256 in manifest.contents()}
    landing = Landing(store.root)
    for path in landing.files(connection):
        if path.name not in known:
            yield _restored(path, landing.came(connection, path.name), connection, store, options)


def _restored(
    path: Path, came: Came | None, connection: str, store: SettlementStore, options: ReadOptions
) -> ArrivalOutcome:
    first, *others = came.names if came is not None else (path.name,)
    try:
        landed = _unharmed(path)
        chosen = replace(options, charset=(came.charset or None) if came is not None else None)
        with store.staging(connection) as work:
            rows = work / "rows.parquet"
            read = read_settlement(path, rows, work, chosen)
            with store.locked(connection):
                charset = came.charset if came is not None else ""
                outcome = recognise(read, landed, rows, connection, store, first, charset)
                for name in others if outcome.manifest is not None else ():
                    store.note(store.get(connection, read.summary.settlement_id), name=name)
            return outcome
    except SettlementRefusedError as refusal:
        text = f"Landed file {path.name[:12]} ({first}) cannot be taken up again: {refusal}"
        settlement_id = refusal.partial.settlement_id
        return ArrivalOutcome(Arrival.REFUSED, settlement_id, None, path.name, text, refusal.findings)
    except DataError as error:
        return ArrivalOutcome(Arrival.REFUSED, None, None, path.name, str(error))


def _unharmed(path: Path) -> Landed:
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    if sha256 != path.name:
        raise DataError(
            f"Landed file {path} is damaged: its content is not what its name says.",
            remedy="Take it from a backup, or drop the settlement's file again.",
            code="landing-damaged",
        )
    return Landed(path, sha256, path.stat().st_size, new=False)
