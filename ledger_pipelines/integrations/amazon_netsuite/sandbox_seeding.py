"""`ledger-pipelines seed-books FILE...`: files in, books of the sandbox out.

Belongs here: reading settlement files for this one purpose, and connecting. Does not belong here: which documents
(`sandbox_documents`), writing them (`sandbox_books`). Nothing is landed, stored or journaled: the files still have
to arrive the usual way.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from ledger_pipelines.config.load import LoadedConfig
from ledger_pipelines.documents.money import Money
from ledger_pipelines.documents.settlement import Settlement, SettlementGroup
from ledger_pipelines.integrations.amazon_netsuite.sandbox_books import (
    MadeBooks,
    check_sandbox,
    make_books,
)
from ledger_pipelines.integrations.amazon_netsuite.settings import AmazonNetSuiteSettings
from ledger_pipelines.storage.settlement_rows import SettlementRows
from ledger_pipelines.systems.amazon.settlement.options import ReadOptions
from ledger_pipelines.systems.amazon.settlement.reader import read_settlement
from ledger_pipelines.systems.amazon.vocabulary import classify
from ledger_pipelines.systems.netsuite.connect import connect
from ledger_pipelines.telling import Progress, silent


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A settlement file read in passing."""

    path: Path
    settlement: Settlement
    groups: tuple[SettlementGroup, ...]


def read_file(path: Path, connection: str, zone: ZoneInfo) -> ReadFile:
    """Read one settlement file. Its hashes are left empty: nothing is stored.

    Raises:
        SettlementRefusedError: the file is not accepted. OSError: there is none.
    """
    with tempfile.TemporaryDirectory(prefix="ledger-seed-") as folder:
        work = Path(folder)
        rows = work / "rows.parquet"
        read = read_settlement(path, rows, work, ReadOptions())
        groups = tuple(SettlementRows(rows, classify).groups(zone))
    summary = read.summary
    settlement = Settlement(
        connection=connection,
        settlement_id=summary.settlement_id,
        variant=read.variant,
        encoding=read.encoding,
        currency=summary.currency,
        start=summary.start,
        end=summary.end,
        deposit=summary.deposit,
        total=Money(summary.total, summary.currency),
        rows=read.rows,
        sum=Money(read.sum, summary.currency),
        content_hash="",
        rows_hash="",
    )
    return ReadFile(path, settlement, groups)


def seed_files(
    loaded: LoadedConfig,
    integration_name: str,
    paths: Sequence[Path],
    leave_out: int | Decimal = 0,
    progress: Progress = silent,
    *,
    seed: int = 0,
) -> list[MadeBooks]:
    """Give the sandbox of an integration the books behind these files, the earliest settlement first.

    Args:
        loaded: The configuration.
        integration_name: An `amazon_netsuite` integration whose target is declared `sandbox`.
        paths: Settlement files.
        leave_out: Number of orders of each file (int), or share of them (Decimal below 1), that get no document.
        progress: Told (what, done, total).
        seed: Chooses which are left out.

    Raises:
        RefusedError: the target is not declared `sandbox`; nothing was read or called.
        ConfigurationError: no such integration, or a credential's variable is missing.
        SettlementRefusedError: a file is not accepted; nothing was written.
        DataError, TransientError, CredentialError: as `make_books`.
    """
    config = loaded.config
    integration = config.integration(integration_name)
    settings = integration.settings_as(AmazonNetSuiteSettings)
    target = config.netsuite(integration.target)
    check_sandbox(integration.target, sandbox=target.sandbox)
    zone = config.books.zone
    files = [read_file(path, integration.source, zone) for path in paths]
    files.sort(key=lambda file: (file.settlement.start, file.settlement.settlement_id))
    client = connect(integration.target, target, state_folder=config.data_folder / "state")
    try:
        return [
            make_books(
                file.groups,
                file.settlement,
                client,
                settings,
                zone,
                leave_out=leave_out,
                seed=seed,
                progress=progress,
            )
            for file in files
        ]
    finally:
        client.close()
