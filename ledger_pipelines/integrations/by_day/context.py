"""What every flow module of an integration by days is given: who we are, the journal, and how keys and rows are made.

Belongs here: keys, effects and rows in one way for all flows. Does not belong here: what both sides hold, settings (each
integration's own `context`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import ClassVar, Final
from zoneinfo import ZoneInfo

from ledger_pipelines.documents.effects import LINK, Action, Effect, EffectState, Expected, Mode
from ledger_pipelines.documents.keys import Json, canonical, decode, digest, effect_key
from ledger_pipelines.documents.money import Money
from ledger_pipelines.integrations.by_day.unreadable import ITSELF, UNREADABLE, UnreadableError
from ledger_pipelines.sync.plan import PlanRow, Reason

_MAY_BE_THERE: Final = frozenset(
    {EffectState.CONFIRMED, EffectState.SENT, EffectState.UNKNOWN, EffectState.HELD, EffectState.CLAIMED}
)


@dataclass(frozen=True, slots=True)
class Known:
    """What the journal knows of one effect. body: as it was last meant, canonical JSON; adopted: found, not written by us; source: what
    it was made from (`Effect.source`)."""

    key: str
    kind: str
    action: Action
    state: EffectState
    body: str
    body_hash: str
    external_id: str = ""
    remote_id: str = ""
    number: str = ""
    amount: Money | None = None
    day: date | None = None
    adopted: bool = False
    confirmed_at: datetime | None = None
    code: str = ""
    text: str = ""
    remedy: str = ""
    source: str = ""

    @property
    def may_be_there(self) -> bool:
        """Whether the target has, or may have, what the effect writes."""
        return self.state in _MAY_BE_THERE

    def fields(self) -> Mapping[str, Json]:
        """The body, read."""
        body = decode(self.body)
        return body if isinstance(body, dict) else {}


@dataclass(frozen=True)
class JournalView:
    """The journal's knowledge of this integration, by effect key, and the keys a user told us to ignore."""

    known: Mapping[str, Known]
    ignored: frozenset[str] = frozenset()

    def confirmed(self, key: str, before: datetime | None = None) -> Known | None:
        """The effect, when it is in the target; with an instant (UTC): when that was known before it."""
        known = self.known.get(key)
        if known is None or known.state is not EffectState.CONFIRMED:
            return None
        late = before is not None and known.confirmed_at is not None and known.confirmed_at >= before
        return None if late else known

    def may_be_there(self, key: str) -> bool:
        """Whether the target has, or may have, what the effect writes; False where there is none."""
        known = self.known.get(key)
        return known is not None and known.may_be_there

    def is_ignored(self, key: str) -> bool:
        """Whether a person said to leave the effect."""
        known = self.known.get(key)
        return key in self.ignored or (known is not None and known.state is EffectState.IGNORED)


@dataclass(frozen=True, slots=True)
class Changes:
    """Changes of one document that the journal knows.

    Args:
        confirmed: Those in the target, in the order they came there.
        ignored: Those that a person said to leave.
        following: Number of the next one.
    """

    confirmed: tuple[Known, ...]
    ignored: tuple[Known, ...]
    following: int

    def key(self, body: Mapping[str, Json], next_key: str) -> str:
        """Key of a change with this content: of the one that was ignored with it, else the next one. Who ignored a change ignored
        that one, and none that comes later."""
        text = canonical(dict(body))
        return next((one.key for one in self.ignored if one.body == text), next_key)


def changes_of(journal: JournalView, key_of: Callable[[int], str], before: datetime | None = None) -> Changes:
    """Changes of a document by the keys they have, 1, 2 and so on; with an instant (UTC): those that were known before it. The plan
    that is being carried out hides its own one."""
    confirmed: list[Known] = []
    ignored: list[Known] = []
    number = following = missing = 0
    while missing < _HIDDEN + 1:
        number += 1
        known = journal.known.get(key_of(number))
        missing = missing + 1 if known is None else 0
        if known is not None and journal.confirmed(known.key, before) is not None:
            confirmed.append(known)
        elif known is not None and journal.is_ignored(known.key):
            ignored.append(known)
        elif not following:
            following = number
    # One that was ignored and taken up again comes after those that followed it.
    confirmed.sort(key=lambda one: (one.confirmed_at is not None, one.confirmed_at or _NEVER))
    return Changes(tuple(confirmed), tuple(ignored), following)


_HIDDEN: Final = 2
"""Changes of one document that a plan has at most."""
_NEVER: Final = datetime.min.replace(tzinfo=UTC)

IGNORED: Final = "ignored-by-user"
"""Code of a row that a person has said to ignore."""


@dataclass(frozen=True)
class DayContext:
    """An integration at work on one day. source, target: names of the connections.

    account: which account is behind the target, part of every key; store: the same of the source. zone: of the books;
    store_zone: of the source. day: the partition. today: the books' date now. first_day: the integration date.
    """

    source_system: ClassVar[str]
    target_system: ClassVar[str]
    """Systems of both, part of every key."""

    integration: str
    source: str
    target: str
    account: str
    store: str
    zone: ZoneInfo
    store_zone: ZoneInfo
    mode: Mode
    day: date
    today: date
    first_day: date
    journal: JournalView

    def key(self, kind: str, source_id: str, purpose: str, revision: int = 0) -> str:
        """Deterministic key of an effect in the target. source_id: the source's own id of what it comes from."""
        return effect_key(
            connection=self.target, account=self.account, kind=kind, source_system=f"{self.source_system}/{self.store}",
            source_id=source_id, purpose=purpose, revision=revision,
        )  # fmt: skip

    def store_key(self, kind: str, source_id: str, purpose: str, revision: int = 0) -> str:
        """Deterministic key of an effect in the source. source_id: the target's own id of what it comes from."""
        return effect_key(
            connection=self.source, account=self.store, kind=kind, source_system=f"{self.target_system}/{self.account}",
            source_id=source_id, purpose=purpose, revision=revision,
        )  # fmt: skip

    def shown_key(self, kind: str, document: str, reason: Reason, leave_out: Iterable[str] = ()) -> str:
        """Key of a row that waits for a person, of a document that is in the target: of what it says, so that who ignores it ignores that.

        Args:
            document: The source's own id of what the document comes from.
            leave_out: What does not count of the text, in this order: a number that is known only once the document was read.
        """
        text = reason.text
        for one in filter(None, leave_out):
            text = text.replace(one, "")
        return self.key(kind, document, f"shown {digest(reason.code, text)}")

    def effect(
        self,
        flow: str,
        kind: str,
        key: str,
        *,
        external_id: str,
        number: str,
        title: str,
        body: Mapping[str, Json],
        action: Action = Action.CREATE,
        expected: Expected | None = None,
        target_id: str = "",
        depends_on: tuple[str, ...] = (),
        source: str = "",
        to_source: bool = False,
    ) -> Effect:
        """An intended write: to the target, or with `to_source` to the source."""
        return Effect(
            key=key,
            connection=self.source if to_source else self.target,
            integration=self.integration,
            flow=flow,
            partition=self.day.isoformat(),
            kind=kind,
            action=action,
            external_id=external_id,
            number=number,
            title=title,
            body=canonical(dict(body)),
            expected=expected or Expected(),
            target_id=target_id,
            depends_on=depends_on,
            source=source,
        )

    def row(self, effect: Effect, reason: Reason, *, state: str = "") -> PlanRow:
        """The row of an effect, or of what the journal already knows of it: confirmed ones and those a person ignored are
        skipped; those in doubt are skipped too, for only the engine may take them up."""
        known = self.journal.known.get(effect.key)
        action = effect.action
        sent: Effect | None = effect
        if self.journal.is_ignored(effect.key):
            action, sent = Action.SKIP, None
            reason = Reason(IGNORED, "Ignored by a user.", "`ledger-pipelines retry` takes it up again.")
        elif known is not None and known.state is EffectState.CONFIRMED:
            name = known.number or known.remote_id
            action, sent = Action.SKIP, None
            reason = Reason(
                "already-there", f"In the target already as {name}." if name else "In the target already."
            )
        elif known is not None and known.state in (EffectState.HELD, EffectState.UNKNOWN, EffectState.SENT):
            action, sent = Action.BLOCKED if known.state is EffectState.HELD else Action.SKIP, None
            reason = Reason(
                known.code or known.state.value, known.text or "The outcome of an earlier call is not known yet.",
                known.remedy or "It is looked for by the next run; nothing to do.",
            )  # fmt: skip
        return PlanRow(
            action=action, reason=reason, key=effect.key, number=effect.number, title=effect.title, kind=effect.kind,
            amount=effect.expected.amount, effect=sent, state=state,
        )  # fmt: skip

    def skip(
        self, key: str, number: str, title: str, reason: Reason, amount: Money | None = None, kind: str = ""
    ) -> PlanRow:
        """A row that writes nothing and needs nobody."""
        return PlanRow(Action.SKIP, reason, key, number, title, kind, amount)

    def blocked(
        self, key: str, number: str, title: str, reason: Reason, amount: Money | None = None, kind: str = ""
    ) -> PlanRow:
        """A row that waits for a person, unless one has said to ignore it."""
        if key in self.journal.ignored:
            return self.skip(key, number, title, Reason(IGNORED, "Ignored by a user."), amount, kind)
        return PlanRow(Action.BLOCKED, reason, key, number, title, kind, amount)

    def unreadable(
        self, error: UnreadableError, number: str, title: str, *, of: str = "", until: str = ""
    ) -> PlanRow:
        """A row that waits for a record which cannot be read. The key is of the record as it is stored: who ignores it ignores
        that, not what the record says once it was mended.

        Args:
            number, title: Of what waits, for people.
            of: What rests on the record, where it is not the record itself that waits.
            until: What is so until the record is mended.
        """
        key = self.key(UNREADABLE, f"{error.what}:{error.key}:{error.digest}", of)
        text = f"{of} cannot go on: {error.message}" if of else error.message
        remedy = f"{error.remedy} {ITSELF}".strip()
        return self.blocked(key, number, title, Reason(UNREADABLE, f"{text} {until}".strip(), remedy))


def link(key: str) -> dict[str, Json]:
    """In a body: the target's id of that effect, filled in before sending."""
    return {LINK: key}
