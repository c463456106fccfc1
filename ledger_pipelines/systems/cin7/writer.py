"""Writing to a Cin7 Omni account: the `Writer` of a connection, class B (search by our reference).

Belongs here: which call carries which effects, what is sent. Does not belong here: what an answer means (`endings`), looking up
(`probe`), when to send again (`sync`). Facts: cin7-omni.md 1, 3, 6.3, 6.4, 7.

Cin7 knows no idempotency key (cin7-omni.md 7): every record carries our reference where it can be searched by, and a lost answer
is looked for after the settle window. Up to `records_a_call` records go in one call, one kind and one way of writing each;
orders that are dispatched go `dispatches_a_call` at a time, for Cin7 was seen to answer 500 to a dispatch it had made. A
request that is refused whole is never sent again record by record from here: one search tells which of its records are there
already; the rest are given back as not sent. Where that tells nothing, they are sent one a call next time, so that the one
Cin7 does not like stops itself only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

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
from ledger_pipelines.documents.keys import Json, canonical
from ledger_pipelines.errors import CredentialError, LedgerError, TransientError, UnknownOutcomeError
from ledger_pipelines.faultpoints import reached
from ledger_pipelines.systems.cin7 import endings
from ledger_pipelines.systems.cin7.client import Cin7Client, text_of
from ledger_pipelines.systems.cin7.kinds import KINDS, VOIDABLE, searched_by, shaped, too_long
from ledger_pipelines.systems.cin7.probe import Probe, body_of
from ledger_pipelines.systems.http import Answer, classify

_METHODS = {Action.CREATE: "POST", Action.UPDATE: "PUT", Action.VOID: "PUT"}


@dataclass(frozen=True, slots=True)
class _Ready:
    """One record that can be sent. target: its id, "" for a creation."""

    place: int
    prepared: Prepared
    target: str
    record: Mapping[str, Json]

    @property
    def effect(self) -> Effect:
        """What is wanted."""
        return self.prepared.effect


class Cin7Writer:
    """Implements `documents.effects.Writer`."""

    def __init__(self, client: Cin7Client) -> None:
        self._client = client
        self._probe = Probe(client)
        self._alone: set[str] = set()

    @property
    def connection(self) -> str:
        """Name of the connection."""
        return self._client.connection.name

    @property
    def write_class(self) -> WriteClass:
        """B: an order's reference is unique, a payment's is not, all of them can be searched by (cin7-omni.md 1.9, 10)."""
        return WriteClass.SEARCH

    @property
    def settle_window(self) -> timedelta:
        """From the connection: Cin7 does not say how long it may work on a request."""
        return self._client.connection.settle_window

    @property
    def batch_size(self) -> int:
        """From the connection."""
        return self._client.connection.records_a_call

    @property
    def workers(self) -> int:
        """One: calls are to be made one at a time (cin7-omni.md 9)."""
        return 1

    def batch_key(self, effect: Effect) -> str | None:
        """Creations of a kind, changes of a kind, voids, dispatches; None = one call each."""
        if effect.kind not in KINDS or effect.action not in _METHODS or effect.key in self._alone:
            return None
        dispatch = dispatches(effect)
        return None if dispatch and self._most(dispatch=True) == 1 else _label(effect, dispatch=dispatch)

    def send(self, batch: Sequence[Prepared]) -> Sequence[Ending]:
        """Write; one ending for each, in order. Never raises for anything Cin7 or the network does."""
        found: dict[int, Ending] = {}
        named = self._targets(batch)
        ready: list[_Ready] = []
        for place, prepared in enumerate(batch):
            one = self._ready(place, prepared, named)
            if isinstance(one, _Ready):
                ready.append(one)
            else:
                found[place] = one
        stopped: Ending | None = None
        for call in self._calls(ready):
            told = [stopped] * len(call) if stopped is not None else self._call(call)
            found |= {one.place: ending for one, ending in zip(call, told, strict=True)}
            if stopped is None and self._stops(call, told):
                stopped = told[0]
        return [found[place] for place in range(len(batch))]

    def probe(self, effects: Sequence[Effect]) -> Mapping[str, Remote]:
        """What the account holds; see `Probe.find`.

        Raises:
            TransientError, CredentialError: Cin7 was not reached, or refuses us.
            UnknownOutcomeError: it answered, and nothing is learnt from it.
        """
        try:
            return self._probe.find(effects)
        except (TransientError, CredentialError, UnknownOutcomeError):
            raise
        except (LedgerError, ArithmeticError, ValueError) as error:
            raise UnknownOutcomeError(f"Looking records up in Cin7 taught nothing: {error}") from error

    # --- what is sent ------------------------------------------------------------------------------------------------

    def _targets(self, batch: Sequence[Prepared]) -> dict[str, str] | Ending:
        """Ids by effect key of changes that name their record by our reference only. Nothing is written yet: a failure is a
        definite no."""
        found: dict[str, str] = {}
        wanted: dict[str, list[Effect]] = defaultdict(list)
        for prepared in batch:
            effect = prepared.effect
            if effect.kind in KINDS and effect.action is not Action.CREATE and not prepared.target_id:
                wanted[effect.kind].append(effect)
        try:
            for kind, effects in wanted.items():
                ids = self._probe.ids(kind, [effect.external_id for effect in effects])
                found |= {effect.key: ids.get(effect.external_id.strip(), "") for effect in effects}
        except CredentialError as error:
            return CredentialsRefused(str(error))
        except LedgerError as error:
            return NotSent(str(error), error.retry_after if isinstance(error, TransientError) else None)
        return found

    def _ready(self, place: int, prepared: Prepared, named: Mapping[str, str] | Ending) -> _Ready | Ending:
        effect = prepared.effect
        if effect.kind not in KINDS:
            return Refused("unknown-kind", f"Nothing is known of {effect.kind!r} in Cin7.")
        if effect.action not in _METHODS:
            return Refused("unknown-action", f"{effect.action} writes nothing.")
        record = shaped(effect.kind, prepared.body)
        long = too_long(record)
        if long is not None:
            return long
        if effect.action is Action.CREATE:
            if not searched_by(effect.kind, record, effect.external_id):
                text = f"Its body does not hold our reference {effect.external_id!r}: it could not be found again."
                return Refused("reference-missing", text)
            return _Ready(place, prepared, "", record)
        if effect.action is Action.VOID and effect.kind not in VOIDABLE:
            return Refused("void-not-supported", f"A {effect.kind} of Cin7 cannot be voided.")
        target = prepared.target_id
        if not target:
            if not isinstance(named, Mapping):
                return named
            target = named.get(effect.key, "")
        if not target.isdecimal():
            return Refused(endings.GONE, f"{effect.number}: its {effect.kind} is not in Cin7.")
        void: dict[str, Json] = {"isVoid": True, "isApproved": False} if effect.action is Action.VOID else {}
        return _Ready(place, prepared, target, {"id": int(target), **record, **void})

    def _most(self, *, dispatch: bool) -> int:
        connection = self._client.connection
        return min(connection.records_a_call, connection.dispatches_a_call) if dispatch else self.batch_size

    def _calls(self, ready: Sequence[_Ready]) -> Iterator[list[_Ready]]:
        """What goes in one call each: alike, not too many, and no record twice."""
        groups: dict[str, list[_Ready]] = {}
        for one in ready:
            alone = one.effect.key if one.effect.key in self._alone else ""
            groups.setdefault(_label(one.effect, dispatch=dispatches(one.effect)) + alone, []).append(one)
        for group in groups.values():
            most = self._most(dispatch=dispatches(group[0].effect))
            call: list[_Ready] = []
            for one in group:
                twice = one.target and any(one.target == other.target for other in call)
                if call and (len(call) == most or twice):
                    yield call
                    call = []
                call.append(one)
            yield call

    def _stops(self, call: Sequence[_Ready], told: Sequence[Ending]) -> bool:
        """Whether nothing more is to be called now: Cin7 refuses us, asks to wait, or cannot be reached."""
        if any(isinstance(one, CredentialsRefused) for one in told):
            return True
        split = any(one.effect.key in self._alone for one in call)
        return not split and all(isinstance(one, NotSent) for one in told)

    # --- one call ----------------------------------------------------------------------------------------------------

    def _call(self, call: Sequence[_Ready]) -> list[Ending]:
        effect = call[0].effect
        method, path = _METHODS[effect.action], KINDS[effect.kind].entity.path
        try:
            answer = self._client.write(method, path, [dict(one.record) for one in call])
        except LedgerError as error:
            return [classify(error) or Unknown(str(error))] * len(call)
        reached("cin7.answered")
        if answer.is_html or not answer.ok:
            return self._refused(answer, method, path, call)
        told = endings.results(answer, len(call), self._client.redactor)
        if told is None:
            return [Unknown(f"HTTP {answer.status} without results of Cin7's.")] * len(call)
        found = [
            endings.ending_of(result, one.prepared, one.target)
            for result, one in zip(told, call, strict=True)
        ]
        if effect.action is Action.VOID:
            return self._voided(call, found)
        return self._wordless(call, endings.apart(found)) if effect.action is Action.CREATE else found

    def _refused(self, answer: Answer, method: str, path: str, call: Sequence[_Ready]) -> list[Ending]:
        """The endings of a request that was refused, or failed, as a whole."""
        error = self._client.refusal(answer, method, path)
        ending: Ending | None
        if isinstance(error, CredentialError):
            ending = CredentialsRefused(str(error))
        elif answer.status == 429:
            ending = classify(error)
        elif answer.status == 408:
            ending = Unknown(str(error))
        else:
            ending = classify(answer)
        if ending is not None:
            return [ending] * len(call)
        text = self._client.redactor.clean(text_of(answer))
        if len(call) == 1:
            return [endings.refused_words(text, call[0].effect.action)]
        if call[0].effect.action is Action.CREATE and endings.is_duplicate(text):
            return self._which_exist(text, call)
        return self._one_by_one(text, call)

    def _which_exist(self, text: str, call: Sequence[_Ready]) -> list[Ending]:
        """Nothing of the request was made, for there is one of its records already: which of them are there?"""
        try:
            there = self._probe.find([_filled(one.prepared) for one in call])
        except LedgerError as error:
            wait = error.retry_after if isinstance(error, TransientError) else None
            return [NotSent(f"{text} Which of the records it is could not be asked: {error}", wait)] * len(
                call
            )
        if not there:
            return self._one_by_one(text, call)
        rest = NotSent(f"Cin7 refused the whole request for another of its records: {text}")
        return [Exists(text) if one.effect.key in there else rest for one in call]

    def _one_by_one(self, text: str, call: Sequence[_Ready]) -> list[Ending]:
        self._alone.update(one.effect.key for one in call)
        return [NotSent(f"Cin7 refused the whole request; its records are sent one by one: {text}")] * len(
            call
        )

    def _wordless(self, call: Sequence[_Ready], found: list[Ending]) -> list[Ending]:
        """A creation refused without a word (`errors` is absent in some answers) may be of a record that is there."""
        silent = [
            one
            for one, ending in zip(call, found, strict=True)
            if isinstance(ending, Refused) and ending.code == endings.NO_WORDS
        ]
        if not silent:
            return found
        asked = {one.effect.key for one in silent}
        try:
            there = self._probe.find([_filled(one.prepared) for one in silent])
        except LedgerError as error:
            wait = error.retry_after if isinstance(error, TransientError) else None
            unsure: Ending = NotSent(
                f"Cin7 refused it without a word, and could not be asked why: {error}", wait
            )
            return [
                unsure if one.effect.key in asked else ending for one, ending in zip(call, found, strict=True)
            ]
        return [
            Exists("Cin7 refused it without a word, and there is such a record.")
            if one.effect.key in there
            else ending
            for one, ending in zip(call, found, strict=True)
        ]

    def _voided(self, call: Sequence[_Ready], found: list[Ending]) -> list[Ending]:
        """A void that was refused is looked at once: an order that is void already, or gone, is what was wanted, and what
        Cin7 says to that is not known (cin7-omni.md 6.4, 14)."""
        refused = [one.effect for one, ending in zip(call, found, strict=True) if isinstance(ending, Refused)]
        if not refused:
            return found
        targets = {one.effect.key: one.target for one in call}
        try:
            there = self._probe.find([replace(one, target_id=targets[one.key]) for one in refused])
        except LedgerError:
            return found  # the refusal stands: it is a definite no either way
        return [
            Confirmed(there[one.effect.key]) if one.effect.key in there else ending
            for one, ending in zip(call, found, strict=True)
        ]


def dispatches(effect: Effect) -> bool:
    """Whether a change ships an order: its body sets `dispatchedDate`."""
    return effect.action is Action.UPDATE and bool(body_of(effect).get("dispatchedDate"))


def _label(effect: Effect, *, dispatch: bool) -> str:
    return f"{effect.kind}:{effect.action}" + (":dispatch" if dispatch else "")


def _filled(prepared: Prepared) -> Effect:
    """The effect with its links filled in."""
    return replace(prepared.effect, body=canonical(prepared.body))
