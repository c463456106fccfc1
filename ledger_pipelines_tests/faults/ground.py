"""Where a drill's cases stand: books seeded once for a piece of business, and a fresh installation on them for each case.

Belongs here: seeding, keeping aside, putting back, what arrived at the target meanwhile. Does not belong here: verdicts.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import httpx

from ledger_pipelines.documents.keys import Json, canonical, decode, digest
from ledger_pipelines.sandbox.netsuite.service import Answer, Call, RecordService
from ledger_pipelines.sandbox.netsuite.users import Identity
from ledger_pipelines.sandbox.server import RunningSandbox
from ledger_pipelines_tests.faults.entries import Entry, Scene
from ledger_pipelines_tests.stage import Stage

_WRITING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_RECORDS = "/record/v1/"


class Ground:
    """One integration on a sandbox in this process."""

    def __init__(self, entry: Entry[Stage], sandbox: RunningSandbox, folder: Path) -> None:
        self.entry, self._sandbox, self._folder = entry, sandbox, folder
        self._seeded: set[str] = set()
        self._number = 0

    @contextlib.contextmanager
    def on(
        self, scene: Scene, *, leave_out: int = 0, settings: Mapping[str, object] | None = None
    ) -> Iterator[Stage]:
        """A fresh installation, the scene's file taken in, the target's books as they were before anything was done.

        Args:
            scene: What arrives. Its name is its identity: the same name has the same books.
            leave_out: How many of its orders the target does not know.
            settings: Changes of the integration's settings, by dotted name.
        """
        name = f"{scene.name}-{leave_out}"
        httpx.post(
            f"{self._sandbox.control_url}/clock", json={"offset_seconds": 0}, trust_env=False
        ).raise_for_status()
        if name not in self._seeded:
            with self._stage() as stage:
                stage.control.post("/reset", json={"seed": "demo"}).raise_for_status()
                sid = stage.arrive(scene.content, seed=False)
                stage.seed(sid, leave_out=leave_out)
                stage.control.post("/snapshot", json={"name": name}).raise_for_status()
            self._seeded.add(name)
        with self._stage() as stage:
            stage.control.delete("/faults").raise_for_status()
            stage.control.post("/restore", json={"name": name}).raise_for_status()
            if settings:
                stage.again(**{key.replace(".", "__"): value for key, value in settings.items()})
            stage.arrive(scene.content, seed=False)
            stage.forget_calls()
            yield stage

    @contextlib.contextmanager
    def _stage(self) -> Iterator[Stage]:
        self._number += 1
        folder = self._folder / f"{self.entry.name}-{self._number:03d}"
        folder.mkdir(parents=True)
        stage = self.entry.open(self._sandbox, folder)
        try:
            yield stage
        finally:
            stage.close()


@dataclass(frozen=True, slots=True)
class Arrived:
    """One record in one request, as the target got it.

    Args:
        method: POST creates, PATCH and PUT change, DELETE removes.
        kind: The record type; of a transform the one that is made.
        key: The record it names: an internal id, `eid:...`; "" for a creation.
        origin: `salesOrder/7`, of a transform.
        body: Canonical text.
        status: The target's answer.
    """

    method: str
    kind: str
    key: str
    origin: str
    body: str
    status: int

    @property
    def external_id(self) -> str:
        """The external id in the body, or in the address."""
        body = decode(self.body)
        told = body.get("externalId", "") if isinstance(body, dict) else ""
        return str(told) or self.key.removeprefix("eid:")

    def content_hash(self) -> str:
        """Hash of the body, without what only names the record."""
        return content_hash(decode(self.body))


def content_hash(body: Json) -> str:
    """Hash of a body, without what only names the record."""
    if isinstance(body, dict):
        body = {name: value for name, value in body.items() if name not in ("externalId", "id")}
    return digest(canonical(body))


@contextlib.contextmanager
def arriving() -> Iterator[list[Arrived]]:
    """Every record that a request brings to the sandbox's NetSuite in the block, each of a batch on its own.

    Taken where the sandbox carries it out, so that what the product says of itself plays no part.
    """
    seen: list[Arrived] = []
    real = RecordService.handle

    def handle(self: RecordService, call: Call, identity: Identity) -> Answer:
        answer = real(self, call, identity)
        if call.method in _WRITING:
            seen.append(_arrived(call, answer.status))
        return answer

    with mock.patch.object(RecordService, "handle", handle):
        yield seen


def _arrived(call: Call, status: int) -> Arrived:
    kind, *rest = call.path.partition(_RECORDS)[2].strip("/").split("/")
    body = canonical(decode(call.body)) if call.body.strip() else "{}"
    if len(rest) == 3 and rest[1] == "!transform":
        return Arrived(call.method, rest[2], "", f"{kind}/{rest[0]}", body, status)
    return Arrived(call.method, kind, rest[0] if rest else "", "", body, status)
