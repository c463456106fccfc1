"""From accepted settlements to partitions and runs; from outcomes of arrival to events in the UI.

Belongs here: what every way of arrival shares. Does not belong here: where files come from (`drop`, `reports`).

The rule has no memory of its own: an accepted settlement without a partition gets one, and a run through the whole
chain. So nothing is lost when a cursor is, when a tick is cut off, or when the command line took the file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

import dagster as dg

from ledger_pipelines.orchestration import metadata as m
from ledger_pipelines.orchestration import names, partitions

if TYPE_CHECKING:
    from ledger_pipelines.integrations.amazon_netsuite.arrival import ArrivalOutcome
    from ledger_pipelines.storage.settlements import SettlementManifest

MOST_NEW = 50
"""Most settlements announced in one tick."""


def run_request(integration: str, connection: str, sid: str, content: str) -> dg.RunRequest:
    """A run of one settlement through one integration; the same content never asks twice."""
    return dg.RunRequest(
        run_key=f"{integration}:{sid}:{content}",
        job_name=names.settlement_job(integration),
        partition_key=sid,
        tags={names.SETTLEMENT_TAG: sid, names.CONNECTION_TAG: connection, names.REASON_TAG: "arrival"},
    )


def announce(
    connection: str,
    integrations: Mapping[str, date],
    known: Sequence[SettlementManifest],
    existing: Sequence[str],
) -> tuple[list[str], list[dg.RunRequest]]:
    """New partitions, and the runs they ask for: oldest period first.

    Args:
        integrations: Those that take this connection's settlements, with the first day each books.
        known: Accepted settlements.
        existing: Partitions there are.
    """
    there = set(existing)
    fresh = [
        one for one in known if one.settlement_id not in there and names.is_settlement_id(one.settlement_id)
    ]
    chosen = fresh[:MOST_NEW]
    requests = [
        run_request(integration, connection, one.settlement_id, one.sha256[:16])
        for one in chosen
        for integration, first_day in integrations.items()
        if one.deposit.date() >= first_day
    ]
    return [one.settlement_id for one in chosen], requests


def add_partitions(connection: str, ids: Sequence[str]) -> list[dg.AddDynamicPartitionsRequest]:
    """The request for new partitions, if there are any."""
    return [partitions.settlements(connection).build_add_request(list(ids))] if ids else []


def event(connection: str, outcome: ArrivalOutcome, name: str) -> dg.AssetObservation:
    """What came of a file, as an event of the settlements' asset."""
    sid = outcome.settlement_id if outcome.accepted else None
    found: dict[str, dg.MetadataValue | str] = {
        m.FILE: name,
        "arrival": outcome.status.value,
        m.REASON: outcome.message,
    }
    if outcome.sha256:
        found[m.CONTENT_HASH] = outcome.sha256
    if outcome.errors:
        found[m.OPEN_ITEMS] = m.table(
            ("what is wrong", "what to do"), [(error.message, error.remedy) for error in outcome.errors]
        )
    if outcome.moved_to is not None:
        found["moved_to"] = dg.MetadataValue.path(str(outcome.moved_to))
    if outcome.settlement_id:
        found[m.SETTLEMENT] = outcome.settlement_id
    return dg.AssetObservation(
        asset_key=names.settlements_key(connection),
        partition=sid,
        description=outcome.message[:2000],
        metadata=found,
    )


def result(
    connection: str,
    fresh: Sequence[str],
    requests: Sequence[dg.RunRequest],
    events: Sequence[dg.AssetObservation],
    said: Sequence[str],
    *,
    idle: str,
    cursor: str | None = None,
) -> dg.SensorResult:
    """One tick's result; what was said stands in the tick's message where Dagster has room for one."""
    message = " ".join(said)[:4000] or idle
    return dg.SensorResult(
        run_requests=list(requests),
        skip_reason=None if requests else message,
        cursor=cursor,
        dynamic_partitions_requests=add_partitions(connection, fresh),
        asset_events=list(events),
    )
