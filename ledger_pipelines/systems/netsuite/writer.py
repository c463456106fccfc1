"""Writing to NetSuite: the `Writer` of a connection, class A (native key: external id).

Belongs here: which call carries which effects, and what came of each. Does not belong here: when to send again
(`sync`). Facts: netsuite.md 4, 5, 8; reliability.md 1.3, 1.4.

Calls: 1 for a single record; for n records of one kind 1 each 100 to submit and 1 SuiteQL each 1000 that both waits
and confirms (more while NetSuite is still at work); refused records cost one more each to read their
reason, refused transforms one to see whether they were made before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import msgspec

from ledger_pipelines.documents.effects import (
    Action,
    Confirmed,
    CredentialsRefused,
    Effect,
    Ending,
    Exists,
    NotSent,
    Prepared,
    Refused,
    Remote,
    Unknown,
    WriteClass,
)
from ledger_pipelines.documents.keys import Json, canonical, decode
from ledger_pipelines.errors import CredentialError, LedgerError, TransientError, UnknownOutcomeError
from ledger_pipelines.faultpoints import reached
from ledger_pipelines.systems.http import classify
from ledger_pipelines.systems.netsuite.batch import MOST, Batches, idempotency_key
from ledger_pipelines.systems.netsuite.client import NetSuiteClient
from ledger_pipelines.systems.netsuite.endings import ending_of, named_id, problem_ending
from ledger_pipelines.systems.netsuite.errors import Category, read_problem
from ledger_pipelines.systems.netsuite.probe import MOST_IN, Probe, agrees
from ledger_pipelines.systems.netsuite.records import Records
from ledger_pipelines.systems.netsuite.suiteql import SuiteQL

FEW = 5
"""So many missing records are cheaper asked one by one than waited for."""


class NetSuiteWriter:
    """Implements `documents.effects.Writer`. Safe to share between threads."""

    def __init__(self, client: NetSuiteClient) -> None:
        self._client = client
        self._connection = client.connection
        self._records = Records(client)
        self._batches = Batches(client)
        self._probe = Probe(client.connection, SuiteQL(client))
        self._pace = 0.003  # not money: seconds

    @property
    def connection(self) -> str:
        """Name of the connection."""
        return self._connection.name

    @property
    def write_class(self) -> WriteClass:
        """A: external ids are unique and searchable (netsuite.md 4.6, 9.6)."""
        return WriteClass.NATIVE_KEY

    @property
    def settle_window(self) -> timedelta:
        """From the connection; NetSuite may work on a request for 15 minutes."""
        return self._connection.settle_window

    @property
    def batch_size(self) -> int:
        """Ten batches of 100 records (netsuite.md 4.10): as many as one question confirms."""
        return MOST_IN

    @property
    def workers(self) -> int:
        """From the connection's concurrency."""
        return self._connection.concurrency

    def batch_key(self, effect: Effect) -> str | None:
        """Creations of one kind go together, and changes of one kind's plain fields; transforms go alone."""
        if effect.action is Action.CREATE and not effect.origin:
            return f"create:{effect.kind}"
        if effect.action is Action.UPDATE:
            body = decode(effect.body) if effect.body else {}
            has_lists = isinstance(body, dict) and any(_is_list(v) for v in body.values())
            return None if has_lists else f"update:{effect.kind}"
        return None

    def send(self, batch: Sequence[Prepared]) -> Sequence[Ending]:
        """Write; one ending for each, in order. Never raises for anything NetSuite or the network does."""
        if not batch:
            return []
        keys = {self.batch_key(p.effect) for p in batch}
        if len(batch) == 1 or None in keys or len(keys) > 1:
            return [self._single(p) for p in batch]
        return self._batches_of(batch)

    def probe(self, effects: Sequence[Effect]) -> Mapping[str, Remote]:
        """What NetSuite holds; see `Probe.find`.

        Raises:
            TransientError, CredentialError: NetSuite was not reached, or refuses us.
            UnknownOutcomeError: it answered, and nothing is learnt from it.
        """
        try:
            return self._probe.find(effects)
        except (TransientError, CredentialError):
            raise
        except (LedgerError, ArithmeticError, ValueError) as error:
            raise UnknownOutcomeError(f"Looking records up in NetSuite taught nothing: {error}") from error

    # one record, one call

    def _single(self, prepared: Prepared) -> Ending:
        effect = prepared.effect
        try:
            if effect.action is Action.CREATE:
                body = prepared.body | {"externalId": effect.external_id}
                if prepared.origin:
                    answer = self._records.transform(prepared.origin, effect.kind, body)
                else:
                    answer = self._records.post(effect.kind, body)
            elif effect.action is Action.UPDATE:
                answer = self._records.patch(effect.kind, named_id(prepared), prepared.body)
            else:
                if not self._deletable(effect.kind):
                    return Refused(
                        "VOID_NOT_SUPPORTED",
                        f"NetSuite's REST service does not void a {effect.kind}; void or reverse it in NetSuite.",
                    )
                answer = self._records.delete(effect.kind, named_id(prepared))
        except LedgerError as error:
            return classify(error) or Unknown(str(error))
        reached("netsuite.answered")
        ending = ending_of(answer, effect.external_id, named_id(prepared))
        if isinstance(ending, Refused) and prepared.origin:
            return self._transformed_before(prepared, ending)
        return ending

    def _transformed_before(self, prepared: Prepared, refused: Refused) -> Ending:
        """A source used up is refused before external ids are compared: perhaps our own record used it up."""
        try:
            found = self.probe([_resolved(prepared)])
        except LedgerError as error:
            return Unknown(f"{refused.text} ({refused.code}); whether an earlier request did it: {error}")
        return self._endings([prepared], found, "", {prepared.effect.key: refused})[0]

    def _deletable(self, kind: str) -> bool:
        return kind.lower().startswith("customrecord") or kind in self._connection.deletable

    # many records, one call

    def _batches_of(self, batch: Sequence[Prepared]) -> list[Ending]:
        """Submit all, then wait for all at once."""
        endings: dict[str, Ending] = {}
        jobs: list[tuple[str, Sequence[Prepared]]] = []
        stopped: Ending | None = None
        for start in range(0, len(batch), MOST):
            part = batch[start : start + MOST]
            if stopped is not None:
                endings |= {p.effect.key: stopped for p in part}
                continue
            job, told = self._submit(part)
            if job:
                jobs.append((job, part))
                continue
            endings |= {p.effect.key: ending for p, ending in zip(part, told, strict=True)}
            stopped = _after(told)
        if jobs:
            endings |= self._await(jobs)
        return [endings[p.effect.key] for p in batch]

    def _submit(self, batch: Sequence[Prepared]) -> tuple[str, list[Ending]]:
        """The job's path; or "" and what became of each record."""
        first = batch[0].effect
        if len(batch) == 1:
            return "", [self._single(batch[0])]
        creates = first.action is Action.CREATE
        items: list[Json] = []
        for prepared in batch:
            item = dict(prepared.body)
            if creates or not prepared.target_id:
                item["externalId"] = prepared.effect.external_id
            else:
                item["id"] = prepared.target_id
            items.append(item)
        method = "POST" if creates else "PATCH"
        try:
            job, answer = self._batches.submit(method, first.kind, items, idempotency_key(batch))
        except LedgerError as error:
            return "", [classify(error) or Unknown(str(error))] * len(batch)
        reached("netsuite.submitted")
        if job:
            return job, []
        general = classify(answer)
        if general is None and not answer.ok:
            problem = read_problem(answer)
            if problem.category in {Category.VALIDATION, Category.DUPLICATE, Category.PERIOD}:
                # the whole batch was refused before any record: each gets its own verdict
                return "", [self._single(p) for p in batch]
            ending = problem_ending(problem, answer.retry_after)
        else:
            ending = general or Unknown(f"HTTP {answer.status} to a batch, without its job.")
        return "", [ending] * len(batch)

    def _await(self, jobs: Sequence[tuple[str, Sequence[Prepared]]]) -> dict[str, Ending]:
        """Look until every record of the jobs is there, all jobs are done, or the time is over."""
        batch = [prepared for _, part in jobs for prepared in part]
        clock = self._client.clock
        started = clock.now()
        deadline = started + timedelta(seconds=self._connection.batch_wait)
        found: dict[str, Remote] = {}
        pause = min(60.0, max(0.2, self._pace * len(batch)))  # not money: seconds
        looks = 0
        try:
            while len(found) < len(batch):
                clock.sleep(pause)
                before = len(found)
                found |= self._missing(batch, found)
                looks += 1
                spent = max(0.001, (clock.now() - started).total_seconds())  # not money: seconds
                if len(found) == len(batch):
                    self._learn(looks, spent, len(batch))
                    break
                if len(found) == before:
                    open_jobs = [
                        (j, part) for j, part in jobs if any(p.effect.key not in found for p in part)
                    ]
                    if all(self._batches.completed(job) for job, _ in open_jobs):
                        if len(batch) - len(found) > FEW:
                            found |= self._missing(batch, found)
                        return self._settle_all(jobs, found)
                if clock.now() >= deadline:
                    break
                each = spent / len(found) if found else 0  # not money: seconds
                remaining = each * (len(batch) - len(found)) if found else spent * 2
                pause = min(60.0, max(0.5, remaining * 1.1))  # not money: seconds
        except LedgerError as error:
            return self._by_key(batch, found, f"The batch was accepted; then: {error}")
        except msgspec.DecodeError:
            return self._by_key(batch, found, "The batch was accepted; its state cannot be read.")
        return self._by_key(batch, found, "The batch was accepted; this record did not appear in time.")

    def _settle_all(
        self, jobs: Sequence[tuple[str, Sequence[Prepared]]], found: dict[str, Remote]
    ) -> dict[str, Ending]:
        endings: dict[str, Ending] = {}
        for job, part in jobs:
            own = {p.effect.key: found[p.effect.key] for p in part if p.effect.key in found}
            settled = self._settle(job, part, own)
            endings |= {p.effect.key: ending for p, ending in zip(part, settled, strict=True)}
        return endings

    def _by_key(
        self, batch: Sequence[Prepared], found: Mapping[str, Remote], words: str
    ) -> dict[str, Ending]:
        told = self._endings(batch, found, words)
        return {p.effect.key: ending for p, ending in zip(batch, told, strict=True)}

    def _learn(self, looks: int, spent: float, count: int) -> None:  # not money: seconds
        """Seconds a record takes, for the first wait of the next batch: shorter when one look was enough."""
        self._pace = max(0.003, self._pace / 2 if looks == 1 else (spent - 1) / count)  # not money: seconds

    def _settle(self, job: str, batch: Sequence[Prepared], found: dict[str, Remote]) -> list[Ending]:
        """The job is done: read what became of the records not found."""
        told: dict[str, Ending] = {}
        words = "The batch is done, and does not tell what became of this record."
        if len(found) < len(batch):
            tasks = self._batches.tasks(job)
            by_key = (
                {p.effect.key: t for p, t in zip(batch, tasks, strict=False)}
                if len(tasks) == len(batch)
                else {}
            )
            for pause in (2.0, 5.0):  # not money: seconds
                hidden = [p for p in batch if p.effect.key not in found]
                if sum(1 for p in hidden if not _failed(by_key.get(p.effect.key))) <= FEW:
                    break
                self._client.clock.sleep(pause)
                found |= self._missing(batch, found)
            hidden = [p for p in batch if p.effect.key not in found and p.effect.key in by_key]
            told = self._batches.results(job, [(p, by_key[p.effect.key]) for p in hidden])
        return self._endings(batch, found, words, told)

    def _missing(self, batch: Sequence[Prepared], found: Mapping[str, Remote]) -> Mapping[str, Remote]:
        return self.probe([_resolved(p) for p in batch if p.effect.key not in found])

    @staticmethod
    def _endings(
        batch: Sequence[Prepared],
        found: Mapping[str, Remote],
        words: str,
        told: Mapping[str, Ending] | None = None,
    ) -> list[Ending]:
        endings: list[Ending] = []
        for prepared in batch:
            effect = prepared.effect
            remote = found.get(effect.key)
            if remote is None:
                endings.append((told or {}).get(effect.key) or Unknown(words))
            elif agrees(effect.expected, remote):
                endings.append(Confirmed(remote))
            else:
                endings.append(
                    Exists(f"{effect.external_id} is in NetSuite with another amount, date or lines.")
                )
        return endings


def _after(endings: Sequence[Ending]) -> Ending | None:
    """What becomes of the batches behind one that came to this: None = they are tried, too."""
    last = endings[-1]
    if isinstance(last, NotSent | CredentialsRefused):
        return last
    return None


def _failed(task: object) -> bool:
    return getattr(task, "failed", None) is True


def _resolved(prepared: Prepared) -> Effect:
    return replace(prepared.effect, body=canonical(prepared.body), target_id=prepared.target_id)


def _is_list(value: Json) -> bool:
    return isinstance(value, list) or (isinstance(value, dict) and "items" in value)
