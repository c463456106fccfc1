"""The sensor on a drop folder: whole files are taken in, accepted settlements get a partition and a run.

Belongs here: one tick. Does not belong here: looking (`folder`), what follows from an outcome (`announcing`).

A tick is bounded: files up to `SMALL` bytes, together up to `TICK_BYTES`, are taken in by the tick itself (a second or
so each); a larger one by a run of its own, which the tick asks for. Accepted files are moved to accepted/, refused ones
to refused/ beside their reason; so an empty folder means that everything was taken.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

from ledger_pipelines.config.connections import DropFolder
from ledger_pipelines.errors import LedgerError
from ledger_pipelines.orchestration import names, partitions
from ledger_pipelines.orchestration.sensors import announcing, folder
from ledger_pipelines.orchestration.services import Runtime
from ledger_pipelines.storage.atomic import make_folder

if TYPE_CHECKING:
    from ledger_pipelines.integrations.amazon_netsuite.intake import Arrivals

SMALL = 64 * 2**20
TICK_BYTES = 128 * 2**20


@dataclass
class _Tick:
    events: list[dg.AssetObservation] = field(default_factory=list)
    requests: list[dg.RunRequest] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    bytes_left: int = TICK_BYTES


def build_drop_sensor(
    runtime: Runtime,
    connection: str,
    drop: DropFolder,
    integrations: Mapping[str, date],
    jobs: Sequence[dg.UnresolvedAssetJobDefinition | dg.JobDefinition],
) -> dg.SensorDefinition:
    """The sensor of one connection. RUNNING by default: it only reads files that somebody put there.

    Args:
        integrations: Those that take the settlements, with the first day each books.
        jobs: What it may ask for: the settlement jobs and the arrival job.
    """

    @dg.sensor(
        name=f"{connection}_drop_folder",
        jobs=list(jobs),
        minimum_interval_seconds=drop.poll_seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Takes settlement files from {drop.path}; each accepted settlement gets a partition and a run.",
    )
    def drop_folder(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        from ledger_pipelines.integrations.amazon_netsuite.intake import Arrivals  # noqa: PLC0415 (load time)

        arrivals = Arrivals.of(runtime.loaded, connection)
        place = Path(drop.path)
        make_folder(place)
        found = folder.look(
            place,
            folder.decode(context.cursor),
            now=time.time(),
            stable_seconds=drop.stable_seconds,
            most_files=drop.max_files_per_look,
        )
        waiting = dict(found.waiting)
        done = _Tick()
        for path in found.ready:
            seen = waiting[path.name]
            if SMALL < seen.size <= drop.max_bytes:
                done.requests.append(_large(connection, path.name, seen))
                done.said.append(f"{path.name} is large: a run of its own takes it in.")
            elif done.bytes_left > 0 and _take(arrivals, connection, path, done):
                done.bytes_left -= seen.size
                waiting.pop(path.name)
        existing = context.instance.get_dynamic_partitions(partitions.settlements_name(connection))
        fresh, requests = announcing.announce(connection, integrations, arrivals.known(), existing)
        if found.waiting.keys() - {path.name for path in found.ready}:
            names_waiting = sorted(found.waiting.keys() - {path.name for path in found.ready})
            done.said.append(f"Not whole yet, or later: {', '.join(names_waiting[:10])}.")
        for line in done.said:
            context.log.info(line)
        return announcing.result(
            connection,
            fresh,
            [*done.requests, *requests],
            done.events,
            done.said,
            cursor=folder.encode(waiting),
            idle=f"Nothing new in {place}.",
        )

    return drop_folder


def _take(arrivals: Arrivals, connection: str, path: Path, done: _Tick) -> bool:
    try:
        outcome = arrivals.take(path)
    except LedgerError as error:
        done.said.append(f"{path.name}: {error}")
        return False
    done.events.append(announcing.event(connection, outcome, path.name))
    done.said.append(outcome.message)
    return True


def _large(connection: str, name: str, seen: folder.Seen) -> dg.RunRequest:
    return dg.RunRequest(
        run_key=f"file:{name}:{seen.size}:{seen.modified_ns}",
        job_name=names.arrival_job(connection),
        run_config={"ops": {names.arrival_op(connection): {"config": {"file": name}}}},
        tags={names.CONNECTION_TAG: connection, names.REASON_TAG: "large file"},
    )
