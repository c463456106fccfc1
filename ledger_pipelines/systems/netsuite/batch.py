"""Asynchronous batches: submit up to 100 records of one type in one call, then read how it went.

Belongs here: the batch protocol of netsuite.md 4.10. Does not belong here: which records (`writer`).
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from ledger_pipelines.documents.effects import Ending, Prepared, Unknown
from ledger_pipelines.documents.keys import Json, canonical, digest
from ledger_pipelines.errors import LedgerError
from ledger_pipelines.systems.http import Answer
from ledger_pipelines.systems.netsuite.client import JOB, NetSuiteClient
from ledger_pipelines.systems.netsuite.endings import ending_of
from ledger_pipelines.systems.netsuite.errors import Category, read_problem
from ledger_pipelines.systems.netsuite.records import location, record_path

MOST = 100
_NAMESPACE = uuid.UUID("8f3f1a3e-6c0e-5b57-9a3c-3c0d9a1f2b77")
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
    """One record of a job. failed: it says so itself; None = it does not tell."""

    task_id: str
    completed: bool
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
            tasks.append(Task(task_id, item.get("completed") is True or failed is not None, failed))
        return sorted(tasks, key=lambda t: (len(t.task_id), t.task_id))

    def result(self, job: str, task: Task, external_id: str, known_id: str = "") -> Ending:
        """How one record fared: NetSuite replays its own answer. One call; never raises for what it says."""
        try:
            answer = self._client.probe_status(f"{job}/task/{task.task_id}/result")
        except LedgerError as error:
            return Unknown(f"The result of this record in its batch cannot be read: {error}")
        if answer.status in {401, 403, 404} and not read_problem(answer).own:
            return Unknown(f"The result of this record in its batch cannot be read: HTTP {answer.status}.")
        return ending_of(answer, external_id, known_id)


def _last_segment(item: dict[str, Json]) -> str:
    links = item.get("links")
    for link in links if isinstance(links, list) else []:
        if isinstance(link, dict) and isinstance(link.get("href"), str):
            return str(link["href"]).rstrip("/").rsplit("/", 1)[-1]
    return ""
