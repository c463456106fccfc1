"""Asynchronous calls and batches: jobs, tasks, results, idempotency keys.

Belongs here: `Prefer: respond-async`, collections of up to 100 records, and the worker that carries jobs out (kept
jobs are taken up again after a restart). Does not belong here: the records themselves. Source: netsuite.md 4.10.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

import anyio.to_thread

from ledger_pipelines.sandbox import codec
from ledger_pipelines.sandbox.codec import Document
from ledger_pipelines.sandbox.netsuite.clock import parse_instant, utc_text
from ledger_pipelines.sandbox.netsuite.company import Company, Fault
from ledger_pipelines.sandbox.netsuite.errors import (
    NetSuiteError,
    injected,
    invalid_parameter,
    invalid_request,
    method_not_allowed,
    nonexistent,
)
from ledger_pipelines.sandbox.netsuite.representation import RECORD_PATH
from ledger_pipelines.sandbox.netsuite.service import (
    COLLECTION,
    Answer,
    Call,
    RecordService,
    body_of,
    error_answer,
    json_answer,
)
from ledger_pipelines.sandbox.netsuite.users import ROLES, Identity

JOB_PATH = "/services/rest/async/v1/job"
MAX_RECORDS = 100
TASK_FAILED = "task_failed"
"""Fault: a record of a batch that was accepted fails with `status` (500: an unexpected error; 400: a script refuses it, with
`message`), after it was carried out if `applied`."""
JOB_FAILED = "job_failed"
"""Fault: the same of every record of a batch."""
JOB_STOPPED = "job_stopped"
"""Fault: a job ends in the middle: the records of its second half are never begun, and it says `failed`."""
JOB_LOST = "job_lost"
"""Fault: the job of a batch is not known afterwards (404), and was never carried out, or was if `applied`."""
JOB_LATE = "job_late"
"""Fault: a job is at work for `seconds` of the sandbox's clock: carried out at their end, or at their beginning if `applied`."""
FAULTS = frozenset({TASK_FAILED, JOB_FAILED, JOB_STOPPED, JOB_LOST, JOB_LATE})


def wants_async(call: Call) -> bool:
    """Whether the call asks to be answered later."""
    return "respond-async" in call.headers.get("prefer", "").lower()


def is_collection(call: Call) -> bool:
    """Whether the call is a batch of records."""
    content_type = call.headers.get("content-type", "").replace(" ", "").replace('"', "").lower()
    params = call.params
    one_segment = "/" not in call.path.removeprefix(RECORD_PATH).strip("/")
    return "type=collection" in content_type or (
        one_segment and "ids" in params and (call.method == "DELETE" or params.get("expandRecords") == "true")
    )


class Jobs:
    """The job service of one company."""

    def __init__(self, company: Company, records: RecordService):
        self.company = company
        self.records = records
        self._worker: asyncio.Task[None] | None = None
        self.has_open = False

    def submit(self, call: Call, identity: Identity) -> Answer:
        """Keep the call as a job: 202 with the job's address. Raises NetSuiteError 400."""
        parts = _split(call) if is_collection(call) else [call]
        key = call.headers.get("x-netsuite-idempotency-key") or None
        store = self.company.store
        with store.transaction():
            if key is not None:
                known = store.db.execute("SELECT id FROM ns_job WHERE idempotency_key = ?", (key,)).fetchone()
                if known is not None:
                    raise NetSuiteError(
                        400,
                        "IDEMPOTENCY_ERROR",
                        "A request with the same idempotency key was already submitted.",
                        "X-NetSuite-Idempotency-Key",
                        "o:errorHeader",
                        "Conflict",
                        {"Location": f"{call.base}{JOB_PATH}/{known[0]}"},
                    )
            job = store.next_id("job")
            parallel = 'batch-processing="parallel"' in call.headers.get("prefer", "").replace(" ", "")
            store.insert(
                "ns_job",
                {
                    "id": job,
                    "idempotency_key": key,
                    "method": call.method,
                    "path": call.path,
                    "role": str(identity.role.id),
                    "parallel": int(parallel),
                    "submitted": utc_text(self.company.now()),
                    "completed": 0,
                },
            )
            for at, part in enumerate(parts, 1):
                request = codec.keep({**asdict(part), "identity": identity.name})
                store.insert("ns_task", {"job": job, "id": at, "request": request, "progress": "pending"})
            self._befall(job, call)
        headers = {"Location": f"{call.base}{JOB_PATH}/{job}", "Preference-Applied": "respond-async"}
        return Answer(202, b"", headers)

    def _befall(self, job: int, call: Call) -> None:
        """Note what will be odd about a job."""
        store, now = self.company.store, self.company.clock.now().timestamp()
        lost = self.company.faults.on_part(JOB_LOST, call.method, call.path)
        late = self.company.faults.on_part(JOB_LATE, call.method, call.path)
        if lost is None and late is None:
            return
        until = now + late.seconds if late is not None else 0.0
        starts = 0.0 if late is None or late.applied else until
        noted = {"job": job, "lost": int(lost is not None), "starts": starts, "shows": until}
        store.insert("ns_job_fault", noted)
        if lost is not None and not lost.applied:
            store.db.execute("UPDATE ns_job SET completed = 1 WHERE id = ?", (job,))

    def wake(self) -> None:
        """Make sure that a worker runs while jobs are open (call from the event loop)."""
        gone = self._worker is None or self._worker.done() or self._worker.get_loop().is_closed()
        if gone and self.has_open:
            self._worker = asyncio.get_running_loop().create_task(self._work(), name="netsuite jobs")

    def look(self) -> None:
        """Note whether jobs are open. Under the state's lock only: another thread that touches the database while a
        long search calls Python functions waits for the search, and keeps it from calling them.
        """
        self.has_open = self._next() is not None

    def _next(self) -> tuple[int, str, int] | None:
        """The oldest job that is open and has begun: its id, role, and whether it is parallel."""
        found: tuple[int, str, int] | None = self.company.store.db.execute(
            "SELECT id, role, parallel FROM ns_job LEFT JOIN ns_job_fault ON job = id "
            "WHERE completed = 0 AND coalesce(starts, 0) <= ? ORDER BY id LIMIT 1",
            (self.company.clock.now().timestamp(),),
        ).fetchone()
        return found

    def catch_up(self) -> None:
        """Carry out the late jobs that have begun by now."""
        with self.company.store.state.lock:
            is_late = "SELECT 1 FROM ns_job_fault WHERE starts > 0 LIMIT 1"
            if self.company.store.db.execute(is_late).fetchone() is None:
                return
        while self.run_next():
            pass

    async def _work(self) -> None:
        while True:
            await asyncio.sleep(self.company.features.asyncDelaySeconds)
            if not await anyio.to_thread.run_sync(self.run_next):
                return

    def run_next(self) -> bool:
        """Carry out the oldest open job, all tasks in one commit; False when none is left."""
        store = self.company.store
        with store.transaction():
            found = self._next()
            if found is None:
                return False
            job, role, parallel = found
            order = "id DESC" if parallel else "id"
            tasks = store.db.execute(
                f"SELECT id, request FROM ns_task WHERE job = ? AND progress = 'pending' ORDER BY {order}",  # noqa: S608
                (job,),
            ).fetchall()
            path, method = store.db.execute("SELECT path, method FROM ns_job WHERE id = ?", (job,)).fetchone()
            whole = self.company.faults.on_part(JOB_FAILED, method, path)
            if self.company.faults.on_part(JOB_STOPPED, method, path) is not None:
                tasks = tasks[: len(tasks) // 2]
            for task, request in tasks:
                self._run_task(job, task, request, int(role), whole)
            store.db.execute("UPDATE ns_job SET completed = 1 WHERE id = ?", (job,))
        return True

    def _run_task(self, job: int, task: int, request: str, role: int, whole: Fault | None) -> None:
        kept: Document = codec.loads(request)
        identity = Identity(ROLES[role], str(kept.pop("identity")))
        started = utc_text(self.company.now())
        call = Call(**kept)
        fault = whole or self.company.faults.on_part(TASK_FAILED, call.method, call.path)
        if fault is None or fault.applied:
            answer = self.records.handle(call, identity)
        if fault is not None:
            answer = error_answer(injected(fault.status, fault.message or ""))
        progress = "succeeded" if answer.status < 400 else "failed"
        self.company.store.db.execute(
            "UPDATE ns_task SET progress = ?, started = ?, ended = ?, status = ?, headers = ?, body = ? "
            "WHERE job = ? AND id = ?",
            (
                progress, started, utc_text(self.company.now()), answer.status, codec.keep(answer.headers),
                answer.body.decode(), job, task,
            ),
        )  # fmt: skip

    def read(self, call: Call) -> Answer:
        """GET of a job, its tasks, one task, or a task's result. Raises NetSuiteError."""
        if call.method != "GET":
            raise method_not_allowed(call.method)
        parts = call.path.removeprefix(JOB_PATH).strip("/").split("/")
        if not (parts[0].isascii() and parts[0].isdigit() and len(parts[0]) <= 15):
            raise nonexistent()
        job = self.company.store.db.execute(
            "SELECT id, completed, submitted FROM ns_job WHERE id = ?", (int(parts[0]),)
        ).fetchone()
        lost, shows = self.company.store.db.execute(
            "SELECT lost, shows FROM ns_job_fault WHERE job = ?", (int(parts[0]),)
        ).fetchone() or (0, 0.0)
        if job is None or lost or (len(parts) > 1 and parts[1] != "task") or len(parts) > 4:
            raise nonexistent()
        at_work = self.company.clock.now().timestamp() < shows
        if len(parts) == 1:
            return json_answer(self._job(call, job[0], bool(job[1]), at_work))
        tasks = self.company.store.db.execute(
            "SELECT id, progress, started, ended, status, headers, body FROM ns_task WHERE job = ? ORDER BY id",
            (job[0],),
        ).fetchall()
        if at_work:
            tasks = [(found[0], "processing", None, None, None, None, None) for found in tasks]
        if len(parts) == 2:
            items = [self._task(call, job[0], found) for found in tasks]
            url = f"{call.base}{JOB_PATH}/{job[0]}/task"
            body = {
                "links": [{"rel": "self", "href": url}],
                "items": items,
                "count": len(items),
                "offset": 0,
                "hasMore": False,
                "totalResults": len(items),
            }
            return json_answer(body, content_type=COLLECTION)
        task = next((found for found in tasks if str(found[0]) == parts[2]), None)
        if task is None:
            raise nonexistent()
        if len(parts) == 3:
            return json_answer(self._task(call, job[0], task))
        if parts[3] != "result":
            raise nonexistent()
        if task[4] is None:
            raise invalid_request("The task has not been completed yet, its result is not available.")
        return Answer(int(task[4]), str(task[6]).encode(), codec.loads(task[5]))

    def _job(self, call: Call, job: int, completed: bool, at_work: bool) -> Document:
        url = f"{call.base}{JOB_PATH}/{job}"
        states = {
            found[0]
            for found in self.company.store.db.execute("SELECT progress FROM ns_task WHERE job = ?", (job,))
        }
        if at_work:
            completed, progress = False, "processing"
        elif not completed:
            progress = "pending"
        else:
            progress = "failed" if states == {"failed"} or "pending" in states else "succeeded"
        return {
            "links": [{"rel": "self", "href": url}, {"rel": "related", "href": f"{url}/task"}],
            "id": str(job),
            "completed": completed,
            "progress": progress,
        }

    def _task(self, call: Call, job: int, found: tuple[Any, ...]) -> Document:
        url = f"{call.base}{JOB_PATH}/{job}/task/{found[0]}"
        links = [{"rel": "self", "href": url}]
        shown: Document = {
            "links": links,
            "id": str(found[0]),
            "completed": found[4] is not None,
            "progress": found[1],
        }
        if found[4] is not None:
            links.append({"rel": "related", "href": f"{url}/result"})
            shown |= {"startTime": found[2], "endTime": found[3]}
        return shown

    def expire(self, older_than: timedelta) -> None:
        """Forget finished jobs submitted before now minus `older_than`."""
        limit = self.company.now() - older_than
        with self.company.store.transaction():
            for job, submitted in self.company.store.db.execute(
                "SELECT id, submitted FROM ns_job WHERE completed = 1"
            ).fetchall():
                if parse_instant(submitted) < limit:
                    self.company.store.db.execute("DELETE FROM ns_task WHERE job = ?", (job,))
                    self.company.store.db.execute("DELETE FROM ns_job_fault WHERE job = ?", (job,))
                    self.company.store.db.execute("DELETE FROM ns_job WHERE id = ?", (job,))


def _split(call: Call) -> list[Call]:
    """One synchronous call for each record of a batch. Raises NetSuiteError 400."""
    if call.method in {"GET", "DELETE"}:
        keys = [
            part.strip().replace("eid:'", "eid:").rstrip("'")
            for part in call.params.get("ids", "").split(",")
        ]
        keys = [key for key in keys if key]
        if not keys:
            raise invalid_parameter("The parameter ids is missing.", "ids")
        _check_size(len(keys))
        query = "expandSubResources=true" if "expand" in call.params else ""
        return [replace(call, path=f"{call.path}/{key}", query=query, headers=_plain(call)) for key in keys]
    body = body_of(call)
    items = body.get("items") if isinstance(body, dict) else None
    if not isinstance(items, list) or not items:
        raise invalid_request("A batch needs a body with items.")
    _check_size(len(items))
    return [_one(call, item, at) for at, item in enumerate(items)]


def _check_size(count: int) -> None:
    if count > MAX_RECORDS:
        raise NetSuiteError(
            400,
            "INVALID_REQUEST",
            f"The batch has {count} records. The maximum number of records in one request is {MAX_RECORDS}.",
        )


def _plain(call: Call) -> dict[str, str]:
    kept = {name: value for name, value in call.headers.items() if name.startswith("x-netsuite-property")}
    return kept | {"content-type": "application/json"}


def _one(call: Call, item: object, at: int) -> Call:
    if not isinstance(item, dict):
        raise invalid_request(f"Item {at} of the batch is not a record.")
    path = call.path
    if call.method in {"PATCH", "PUT"}:
        record_id, external_id = item.get("id"), item.get("externalId")
        if call.method == "PATCH" and record_id:
            path = f"{call.path}/{record_id}"
        elif external_id:
            path = f"{call.path}/eid:{external_id}"
        else:
            raise invalid_request(f"Item {at} of the batch needs an externalId.")
    return replace(call, path=path, headers=_plain(call), body=codec.dumps(item).decode())
