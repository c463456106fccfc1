"""Asynchronous batches: submit up to 100 records of one type in one call, then read how it went.

Belongs here: the batch protocol of netsuite.md 4.10. Does not belong here: which records (`writer`).
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ledger_pipelines.documents.effects import Ending, Prepared, Unknown
from ledger_pipelines.documents.keys import Json, canonical, digest
from ledger_pipelines.errors import LedgerError, TransientError
from ledger_pipelines.systems.http import Answer
from ledger_pipelines.systems.netsuite.client import JOB, NetSuiteClient
from ledger_pipelines.systems.netsuite.endings import ending_of, named_id
from ledger_pipelines.systems.netsuite.errors import Category, read_error, read_problem
from ledger_pipelines.systems.netsuite.records import location, record_path

MOST = 100
_NAMESPACE = uuid.UUID("8f3f1a3e-6c0e-5b57-9a3c-3c0d9a1f2b77")
_LATER: Final = frozenset({429, 502, 503, 504})
"""Statuses of a result that are the call's own, and worth another; a 500 may be the record's."""
_COLLECTION = "application/vnd.oracle.resource+json; type=collection"


def idempotency_key(batch: Sequence[Prepared]) -> str:
    """The same for the same effects, bodies and attempts, and for nothing else."""
    parts = sorted(
        digest(p.effect.key, str(p.attempt), p.effect.action, p.effect.kind, p.target_id, canonical(p.body))
        for p in batch
    )
    return str(uuid.uuid5(_NAMESPACE, "|".join(parts)))


@dataclass(frozen=True, slots=True)
class Task:
    """One record of a job. unfinished: it says so itself; failed: likewise, None = it does not tell."""

    task_id: str
    unfinished: bool
    failed: bool | None


def job_path(answer: Answer) -> str:
    """The job's path from a `Location`; "" when there is none."""
    path = location(answer)
    job = path.rsplit("/", 1)[-1]
    return f"{JOB}{job}" if JOB in path + "/" and job.isascii() and job.isalnum() else ""


class Batches:
    """Batch calls of one account."""

    def __init__(self, client: NetSuiteClient) -> None:
        self._client = client

    def submit(self, method: str, kind: str, items: list[Json], key: str) -> tuple[str, Answer]:
        """Submit; returns the job's path ("" = there is none) and the answer.

        A key submitted before (400 IDEMPOTENCY_ERROR) leads to the earlier job.

        Raises:
            TransientError, UnknownOutcomeError, CredentialError: as `Http.write`.
        """
        answer = self._client.write(
            method,
            record_path(kind),
            body={"items": items},
            headers={
                "Prefer": "respond-async",
                "Content-Type": _COLLECTION,
                "X-NetSuite-Idempotency-Key": key,
            },
        )
        repeated = answer.status == 400 and read_problem(answer).category is Category.IDEMPOTENCY
        return (job_path(answer) if answer.status == 202 or repeated else ""), answer

    def completed(self, job: str) -> bool:
        """Whether a job is done. One call."""
        body = self._client.json(job)
        if not isinstance(body, dict):
            return False
        progress = str(body.get("progress") or "").lower()
        return body.get("completed") is True or progress in {"succeeded", "failed", "completed"}

    def tasks(self, job: str) -> list[Task]:
        """The job's tasks in the order of the records submitted. One call."""
        body = self._client.json(f"{job}/task?limit=1000")
        items = body.get("items") if isinstance(body, dict) else None
        tasks = []
        for item in items if isinstance(items, list) else []:
            if not isinstance(item, dict):
                continue
            task_id = str(item.get("id") or _last_segment(item))
            progress = str(item.get("progress") or "").lower()
            failed = {"succeeded": False, "failed": True}.get(progress)
            unfinished = item.get("completed") is False or progress in {"pending", "processing"}
            tasks.append(Task(task_id, unfinished and failed is None, failed))
        return sorted(tasks, key=lambda t: (len(t.task_id), t.task_id))

    def results(self, job: str, records: Sequence[tuple[Prepared, Task]]) -> dict[str, Ending]:
        """How records fared, by the effect's key: NetSuite replays its own answers. One call each, until one cannot be read.

        A task that says it is not completed has no result (its job stopped before it): not asked. Never raises.
        """
        told: dict[str, Ending] = {}
        unread = ""
        for prepared, task in records:
            key = prepared.effect.key
            if not unread and not task.unfinished:
                try:
                    told[key] = self._result(job, task, prepared)
                    continue
                except LedgerError as error:
                    unread = f"The result of this record in its batch cannot be read: {error}"
            told[key] = Unknown(unread or "The batch is done, and this record's part in it is not.")
        return told

    def _result(self, job: str, task: Task, prepared: Prepared) -> Ending:
        path = f"{job}/task/{task.task_id}"
        answer = self._answer(f"{path}/result")
        if self._of_this_call(answer, path):
            raise read_error(answer, self._client.connection.name)
        return ending_of(answer, prepared.effect.external_id, named_id(prepared))

    def _of_this_call(self, answer: Answer, task_path: str) -> bool:
        """Whether a result's answer refuses the asking, and does not replay what was said of the record."""
        match answer.status:
            case 400:
                return read_problem(answer).category is Category.CONCURRENCY
            case 401:
                return True
            case 403 | 404:
                return not (read_problem(answer).own and self._answer(task_path).ok)
            case _:
                return False

    def _answer(self, path: str) -> Answer:
        """Raises LedgerError: none within the budget."""
        try:
            answer = self._client.look_once(path)
        except TransientError:
            return self._client.look(path)
        return self._client.look(path) if answer.status in _LATER else answer


def _last_segment(item: dict[str, Json]) -> str:
    links = item.get("links")
    for link in links if isinstance(links, list) else []:
        if isinstance(link, dict) and isinstance(link.get("href"), str):
            return str(link["href"]).rstrip("/").rsplit("/", 1)[-1]
    return ""
