"""Whether a target that does not show a record can be believed.

Belongs here: the control records of a search, and what they prove. Does not belong here: asking (`recover`).

A settle window is a declaration. A search that is further behind than declared says "not there" of records that are,
and believing it once is a document twice. So a search is not believed on its word where we know better: we hold records
that the target itself confirmed to us. They are asked for in the same call, before the doubtful ones, and

* one confirmed after the doubtful call began is shown: the search has come past that instant; "not there" counts;
* one that must be shown by now is not: the search is behind, nothing counts, the row is held;
* one is not shown, but need not be yet: too early, the row stays open;
* nothing was ever confirmed to us: only the declaration is left, and it counts.

They are of the doubtful record's kind; where there are none of it, of any kind.

Only targets of write class B need this: A refuses or overwrites a second one, C is never believed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from ledger_pipelines.documents.effects import Action, EffectState, WriteClass
from ledger_pipelines.storage.journal import Entry, Unit
from ledger_pipelines.sync.session import Session
from ledger_pipelines.sync.states import SEARCH_BEHIND


class Word(StrEnum):
    """What "not there" is worth."""

    COUNTS = "counts"
    TOO_EARLY = "too-early"
    BEHIND = "behind"


@dataclass(frozen=True, slots=True)
class Controls:
    """Records which the target confirmed to us, for the doubtful ones of one kind.

    Args:
        due: The latest of those the search must show by now, latest first.
        young: The first of those it need not show yet.
    """

    due: tuple[Entry, ...] = ()
    young: tuple[Entry, ...] = ()

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All."""
        return (*self.due, *self.young)

    def word(
        self, since: datetime, found: Collection[str], unasked: Collection[str]
    ) -> tuple[Word, Entry | None]:
        """What it is worth that a record is not shown whose call may have begun as late as `since`.

        Args:
            since: That instant.
            found: Keys of controls that were shown.
            unasked: Keys that could not be asked about.

        Returns:
            The worth, and the control it rests on.
        """
        if any(entry.key in unasked for entry in self.entries):
            return Word.TOO_EARLY, None
        later = [entry for entry in self.entries if _confirmed(entry) >= since]
        for entry in later:
            if entry.key in found:
                return Word.COUNTS, entry
        for entry in later:
            return (Word.TOO_EARLY if entry in self.young else Word.BEHIND), entry
        for entry in self.due:
            return (Word.COUNTS if entry.key in found else Word.BEHIND), entry
        return Word.COUNTS, None


def controls(
    session: Session, unit: Unit, entries: Sequence[Entry], asked_at: datetime
) -> Mapping[str, Controls]:
    """The control records for those entries whose absence could count at `asked_at`, by kind."""
    if session.writer.write_class is not WriteClass.SEARCH:
        return {}
    kinds = {entry.effect.kind for entry in entries if entry.effect.action is Action.CREATE}
    shown_by = asked_at - session.writer.settle_window

    def of(kind: str) -> Controls:
        return Controls(
            tuple(unit.effects.confirmed_until(session.connection, kind, shown_by)),
            tuple(unit.effects.confirmed_after(session.connection, kind, shown_by)),
        )

    own = {kind: of(kind) for kind in sorted(kinds)}
    if all(control.entries for control in own.values()):
        return own
    any_kind = of("")
    return {kind: control if control.entries else any_kind for kind, control in own.items()}


def waits_for_the_search(entry: Entry) -> bool:
    """Whether a row is held only because the search was behind: every run asks again."""
    return (
        entry.state is EffectState.HELD and entry.problem is not None and entry.problem.code == SEARCH_BEHIND
    )


def behind_text(entry: Entry, control: Entry, window: timedelta) -> str:
    """Why the row is held, in words."""
    shown = control.remote_number or control.remote_id
    return (
        f"{entry.effect.number}: the answer was lost, and the target's search cannot be believed: it does not show "
        f"{control.effect.number} either ({shown}), which the target confirmed at "
        f"{_confirmed(control):%Y-%m-%d %H:%M:%S} UTC, longer ago than the settle window of {window}."
    )


def _confirmed(entry: Entry) -> datetime:
    return entry.confirmed_at or entry.created_at
