"""Effects in the journal: reading, entering, claiming, and moving from state to state.

Belongs here: the SQL, each change conditional on what the row must be. Does not belong here: which change is right
(`sync`). Every method runs inside the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import islice
from typing import Any

import msgspec
from sqlalchemy import (
    BindParameter,
    Connection,
    Row,
    Select,
    Update,
    and_,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from ledger_pipelines.documents.effects import Action, Effect, EffectState, Expected
from ledger_pipelines.documents.keys import canonical, digest
from ledger_pipelines.documents.money import Money
from ledger_pipelines.storage.journal.models import effects, links
from ledger_pipelines.storage.journal.records import Entry, Problem, Search
from ledger_pipelines.storage.journal.types import Instant

_KEYS = msgspec.json.Decoder(list[str])
CHUNK = 500
"""Keys of one IN list."""


def fingerprint(effect: Effect) -> str:
    """Digest of all that makes an intent what it is in the target; titles and sources are not part of it."""
    expected = effect.expected
    return digest(
        canonical(
            [
                effect.connection,
                effect.kind,
                effect.action.value,
                effect.external_id,
                effect.origin,
                effect.target_id,
                None if expected.amount is None else str(expected.amount),
                None if expected.day is None else expected.day.isoformat(),
                expected.lines,
            ]
        ),
        effect.body,
    )


@dataclass(frozen=True, slots=True)
class Change:
    """New values for a row; a field left out stays."""

    key: str
    values: Mapping[str, Any]


def chunks(keys: Iterable[str]) -> Iterator[list[str]]:
    """The keys in lists short enough for one statement."""
    iterator = iter(keys)
    while part := list(islice(iterator, CHUNK)):
        yield part


def intent_values(effect: Effect) -> dict[str, Any]:
    """The columns an effect fills."""
    expected = effect.expected
    return {
        "key": effect.key,
        "connection": effect.connection,
        "integration": effect.integration,
        "flow": effect.flow,
        "partition": effect.partition,
        "kind": effect.kind,
        "action": effect.action.value,
        "external_id": effect.external_id,
        "number": effect.number,
        "title": effect.title,
        "body": effect.body,
        "body_hash": fingerprint(effect),
        "expected_amount": None if expected.amount is None else expected.amount.amount,
        "expected_currency": None if expected.amount is None else expected.amount.currency,
        "expected_day": expected.day,
        "expected_lines": expected.lines,
        "origin": effect.origin,
        "target_id": effect.target_id,
        "depends_on": canonical(list(effect.depends_on)),
        "source": effect.source,
    }


class Effects:
    """The effects, inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # --- reading -------------------------------------------------------------------------------------------------

    def get(self, keys: Iterable[str], states: Sequence[EffectState] = ()) -> dict[str, Entry]:
        """The known ones among the keys; only those in `states`, when given."""
        found: dict[str, Entry] = {}
        for part in chunks(dict.fromkeys(keys)):
            given: dict[str, Any] = {"keys": part}
            if states:
                given["states"] = [state.value for state in states]
            for row in self._connection.execute(_GET_STANDING if states else _GET, given):
                found[row.key] = entry(row)
        return found

    def states(self, keys: Iterable[str]) -> dict[str, EffectState]:
        """Where the known ones among the keys stand."""
        found: dict[str, EffectState] = {}
        for part in chunks(dict.fromkeys(keys)):
            rows = self._connection.execute(_STATES, {"keys": part})
            found.update((key, EffectState(state)) for key, state in rows)
        return found

    def find(self, search: Search) -> list[Entry]:
        """What fits, in the order of plan and entry."""
        rows = self._connection.execute(_found((), _shape(search)), _wanted(search))
        return [entry(row) for row in rows]

    def columns(self, names: Sequence[str], search: Search) -> Iterator[Sequence[Any]]:
        """Some columns of what `find` gives, by position: a whole history is read without making records of it."""
        yield from self._connection.execute(_found(tuple(names), _shape(search)), _wanted(search))

    def in_states(
        self, connection: str, states: Sequence[EffectState], search: Search | None = None
    ) -> list[Entry]:
        """All effects of a connection in those states, in the order of plan and entry."""
        search = search or Search()
        given = _wanted(search) | {
            "our_connection": connection,
            "our_states": [state.value for state in states],
        }
        return [entry(row) for row in self._connection.execute(_standing(_shape(search)), given)]

    def counts(self, search: Search) -> dict[EffectState, int]:
        """How many stand where."""
        rows = self._connection.execute(_counted(_shape(search)), _wanted(search))
        return {EffectState(state): int(count) for state, count in rows}

    def remote_ids(self, keys: Iterable[str]) -> dict[str, str]:
        """Target ids of the confirmed ones among the keys."""
        found: dict[str, str] = {}
        for part in chunks(dict.fromkeys(keys)):
            rows = self._connection.execute(_REMOTE_IDS, {"keys": part})
            found.update({key: remote or "" for key, remote in rows})
        return found

    def confirmed_until(self, connection: str, kind: str, instant: datetime, limit: int = 3) -> list[Entry]:
        """Creations the target itself confirmed to us no later than `instant`, and that still stand; latest first. kind "" = any."""
        query = _answered(connection, kind).where(effects.c.confirmed_at <= instant)
        query = query.order_by(effects.c.confirmed_at.desc(), effects.c.key).limit(limit)
        return [entry(row) for row in self._connection.execute(query)]

    def confirmed_after(self, connection: str, kind: str, instant: datetime, limit: int = 1) -> list[Entry]:
        """Those confirmed later than `instant`; earliest first. kind "" = any."""
        query = _answered(connection, kind).where(effects.c.confirmed_at > instant)
        query = query.order_by(effects.c.confirmed_at, effects.c.key).limit(limit)
        return [entry(row) for row in self._connection.execute(query)]

    # --- changing ------------------------------------------------------------------------------------------------

    def enter(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add new effects (`intent_values` and the columns of their state)."""
        if rows:
            self._connection.execute(insert(effects), list(rows))

    def withdraw(self, keys: Iterable[str], states: Sequence[EffectState]) -> list[str]:
        """Take out effects that stand in one of those states; the keys that went. The log keeps what they were."""
        gone: list[str] = []
        for part in chunks(keys):
            given = {"keys": part, "states": [state.value for state in states]}
            gone += self._connection.execute(_WITHDRAW, given).scalars()
        return gone

    def claim(
        self, keys: Sequence[str], *, fence: int, owner: str, now: datetime, lease_until: datetime
    ) -> list[str]:
        """Take approved effects, atomically; returns those obtained.

        Not obtained: taken or finished by someone else, not due yet, or already under a newer fence.
        """
        taken: set[str] = set()
        for part in chunks(keys):
            given = {"keys": part, "our": fence, "holder": owner, "now": now, "until": lease_until}
            taken.update(self._connection.execute(_CLAIM, given).scalars())
        return [key for key in keys if key in taken]

    def mark_sent(
        self, keys: Sequence[str], *, fence: int, now: datetime, lease_until: datetime
    ) -> dict[str, int]:
        """From claimed to sent, only under our own unexpired claim; returns key -> number of this attempt."""
        marked: dict[str, int] = {}
        for part in chunks(keys):
            given = {"keys": part, "our": fence, "now": now, "until": lease_until}
            marked.update((row.key, row.attempt) for row in self._connection.execute(_MARK_SENT, given))
        return marked

    def release(self, keys: Sequence[str], *, fence: int, now: datetime) -> None:
        """Give back claims that were never sent."""
        for part in chunks(keys):
            self._connection.execute(
                update(effects)
                .where(
                    effects.c.key.in_(part),
                    effects.c.state == EffectState.CLAIMED.value,
                    effects.c.fence == fence,
                )
                .values(state=EffectState.APPROVED.value, lease_owner=None, lease_until=None, updated_at=now)
            )

    def record(self, change: Change, *, fence: int, attempt: int) -> bool:
        """Record the ending of a call, only if the row is still ours: sent, our fence, this attempt."""
        return self._changed(change, EffectState.SENT, fence, attempt)

    def move(self, change: Change, *, seen: Entry) -> bool:
        """Change a row, only if it still is as it was seen (state, fence, attempt)."""
        return self._changed(change, seen.state, seen.fence, seen.attempt)

    def _changed(self, change: Change, state: EffectState, fence: int, attempt: int) -> bool:
        given = {"the_key": change.key, "the_state": state.value, "the_fence": fence, "the_attempt": attempt}
        given |= {f"new_{name}": value for name, value in change.values.items()}
        result = self._connection.execute(_change_statement(frozenset(change.values)), given)
        return result.rowcount == 1


# Built once: making a statement costs more than running it.

_GET = select(effects).where(effects.c.key.in_(bindparam("keys", expanding=True)))
_GET_STANDING = _GET.where(effects.c.state.in_(bindparam("states", expanding=True)))
_STATES = select(effects.c.key, effects.c.state).where(effects.c.key.in_(bindparam("keys", expanding=True)))
_REMOTE_IDS = select(effects.c.key, effects.c.remote_id).where(
    effects.c.key.in_(bindparam("keys", expanding=True)), effects.c.state == EffectState.CONFIRMED.value
)
_WITHDRAW = (
    delete(effects)
    .where(
        effects.c.key.in_(bindparam("keys", expanding=True)),
        effects.c.state.in_(bindparam("states", expanding=True)),
    )
    .returning(effects.c.key)
)

_CLAIM = (
    update(effects)
    .where(
        effects.c.key.in_(bindparam("keys", expanding=True)),
        effects.c.state == EffectState.APPROVED.value,
        effects.c.fence <= bindparam("our"),
        or_(
            effects.c.not_before.is_(None),
            effects.c.not_before <= bindparam("now", type_=Instant),
            effects.c.updated_at > bindparam("now", type_=Instant),  # noted by a clock that was ahead
        ),
    )
    .values(
        state=EffectState.CLAIMED.value,
        fence=bindparam("our"),
        lease_owner=bindparam("holder"),
        lease_until=bindparam("until", type_=Instant),
        updated_at=bindparam("now", type_=Instant),
    )
    .returning(effects.c.key)
)

_MARK_SENT = (
    update(effects)
    .where(
        effects.c.key.in_(bindparam("keys", expanding=True)),
        effects.c.state == EffectState.CLAIMED.value,
        effects.c.fence == bindparam("our"),
        effects.c.lease_until > bindparam("now", type_=Instant),
    )
    .values(
        state=EffectState.SENT.value,
        attempt=effects.c.attempt + 1,
        sent_at=bindparam("now", type_=Instant),
        settle_from=bindparam("now", type_=Instant),
        lease_until=bindparam("until", type_=Instant),
        updated_at=bindparam("now", type_=Instant),
    )
    .returning(effects.c.key, effects.c.attempt)
)


@lru_cache(maxsize=64)
def _change_statement(columns: frozenset[str]) -> Update:
    return (
        update(effects)
        .where(
            effects.c.key == bindparam("the_key"),
            effects.c.state == bindparam("the_state"),
            effects.c.fence == bindparam("the_fence"),
            effects.c.attempt == bindparam("the_attempt"),
        )
        .values({name: bindparam(f"new_{name}", type_=effects.c[name].type) for name in sorted(columns)})
    )


def _answered(connection: str, kind: str) -> Select[Any]:
    query = (
        select(effects)
        .join(links, and_(links.c.effect_key == effects.c.key, links.c.voided.is_(False)))
        .where(
            effects.c.connection == connection,
            effects.c.state == EffectState.CONFIRMED.value,
            effects.c.action == Action.CREATE.value,
            effects.c.adopted.is_(False),
        )
    )
    return query.where(effects.c.kind == kind) if kind else query


# What a search asks for has few shapes, and each is made into a statement once. Its values are given when it is carried out.

_EXACT = ("connection", "integration", "flow", "partition", "kind", "plan_digest")
_Shape = frozenset[str]
"""Names of the fields of a search that are given."""


def _shape(search: Search) -> _Shape:
    return frozenset(name for name in (*_EXACT, "states", "text") if getattr(search, name))


def _wanted(search: Search) -> dict[str, Any]:
    """The values of what is given; limit and offset are there for `_found`."""
    values: dict[str, Any] = {
        f"its_{name}": getattr(search, name) for name in _EXACT if getattr(search, name)
    }
    if search.states:
        values["its_states"] = [state.value for state in search.states]
    if search.text:
        values |= {
            "its_text": search.text,
            "its_last": search.text[:-1] + chr(ord(search.text[-1]) + 1),
        }
    return values | {"most": search.limit, "after": search.offset}


def _narrowed(query: Select[Any], shape: _Shape) -> Select[Any]:
    for name in _EXACT:
        if name in shape:
            query = query.where(effects.c[name] == bindparam(f"its_{name}"))
    if "states" in shape:
        query = query.where(effects.c.state.in_(bindparam("its_states", expanding=True)))
    if "text" in shape:
        # A range instead of LIKE: it uses the index on both databases, and % and _ mean themselves.
        text: BindParameter[str] = bindparam("its_text")
        query = query.where(
            or_(
                and_(effects.c.number >= text, effects.c.number < bindparam("its_last")),
                effects.c.external_id == text,
                effects.c.remote_id == text,
                effects.c.key == text,
            )
        )
    return query


@lru_cache(maxsize=128)
def _found(columns: tuple[str, ...], shape: _Shape) -> Select[Any]:
    """What fits, in the order of plan and entry: some columns of it, or all."""
    query = select(*(effects.c[name] for name in columns)) if columns else select(effects)
    ordered = _narrowed(query, shape).order_by(effects.c.created_at, effects.c.sequence, effects.c.key)
    return ordered.limit(bindparam("most")).offset(bindparam("after"))


@lru_cache(maxsize=128)
def _counted(shape: _Shape) -> Select[Any]:
    return _narrowed(select(effects.c.state, func.count()), shape).group_by(effects.c.state)


@lru_cache(maxsize=128)
def _standing(shape: _Shape) -> Select[Any]:
    """Those of a connection in some states, and what else is asked for, in the order of plan and entry."""
    query = select(effects).where(
        effects.c.connection == bindparam("our_connection"),
        effects.c.state.in_(bindparam("our_states", expanding=True)),
    )
    return _narrowed(query, shape).order_by(effects.c.created_at, effects.c.sequence, effects.c.key)


def entry(row: Row[Any]) -> Entry:
    """A row as a record."""
    amount = None
    if row.expected_amount is not None:
        amount = Money(row.expected_amount, row.expected_currency)
    return Entry(
        effect=Effect(
            key=row.key,
            connection=row.connection,
            integration=row.integration,
            flow=row.flow,
            partition=row.partition,
            kind=row.kind,
            action=Action(row.action),
            external_id=row.external_id,
            number=row.number,
            title=row.title,
            body=row.body,
            expected=Expected(amount, row.expected_day, row.expected_lines),
            origin=row.origin,
            target_id=row.target_id,
            depends_on=() if row.depends_on == "[]" else tuple(_KEYS.decode(row.depends_on)),
            source=row.source,
        ),
        body_hash=row.body_hash,
        sequence=row.sequence,
        plan_digest=row.plan_digest,
        mode=row.mode,
        state=EffectState(row.state),
        attempt=row.attempt,
        fence=row.fence,
        lease_owner=row.lease_owner,
        lease_until=row.lease_until,
        not_before=row.not_before,
        sent_at=row.sent_at,
        settle_from=row.settle_from,
        problem=None
        if row.error_code is None
        else Problem(row.error_code, row.error_text or "", row.error_remedy or ""),
        remote_id=row.remote_id,
        remote_number=row.remote_number,
        adopted=bool(row.adopted),
        held_from=None if row.held_from is None else EffectState(row.held_from),
        conflict=row.conflict,
        acted_by=row.acted_by,
        acted_why=row.acted_why,
        created_at=row.created_at,
        updated_at=row.updated_at,
        confirmed_at=row.confirmed_at,
    )
