"""Sending approved effects: dependencies first, then plan order; claimed, marked as sent, called, recorded.

Belongs here: order, batches, claims, workers, back-off, breakers. Does not belong here: what an ending means (`record`),
what to do about lost answers (`recover`).

All books are kept by the calling thread; worker threads do nothing but call the writer.
"""

from __future__ import annotations

import heapq
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import msgspec

from ledger_pipelines import faultpoints
from ledger_pipelines.documents.effects import (
    Confirmed,
    CredentialsRefused,
    EffectState,
    Ending,
    Exists,
    NotSent,
    Prepared,
    Refused,
    Unknown,
)
from ledger_pipelines.errors import DataError
from ledger_pipelines.storage.journal import Change, Entry, Event, Unit
from ledger_pipelines.sync.links import needs, prepare
from ledger_pipelines.sync.plan import Reason
from ledger_pipelines.sync.record import Ended, record
from ledger_pipelines.sync.recover import resolve
from ledger_pipelines.sync.session import Session

_ENDINGS = (Confirmed, Refused, NotSent, Unknown, Exists, CredentialsRefused)
_LEASE_OVER = "The lease ran out before the call began; nothing was sent."


@dataclass(slots=True)
class _Call:
    """One call of the writer: its effects, its instant of no return, its endings."""

    entries: list[Entry]
    prepared: list[Prepared]
    lease_until: datetime
    endings: list[Ending] = field(default_factory=list)


class Sender:
    """Sends what is ready until nothing is, or until the run must stop.

    Args:
        session: The run.
        entries: Approved effects, in plan order.
        confirmed: Keys among their dependencies that are confirmed already.
        progress: Told (done, total) after each round.
        stop: Asked before each round; True ends the run in good order.
    """

    def __init__(
        self,
        session: Session,
        entries: Sequence[Entry],
        confirmed: Mapping[str, str],
        progress: Callable[[int, int], None] | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> None:
        self._session = session
        self._entries = {entry.key: entry for entry in entries}
        self._place = {entry.key: index for index, entry in enumerate(entries)}
        self._progress = progress
        self._stop = stop
        self._open_needs: dict[str, int] = {}
        self._dependants: dict[str, list[str]] = defaultdict(list)
        self._ready: list[tuple[int, str]] = []
        self._claimed: deque[str] = deque()
        self._tries: dict[str, int] = defaultdict(int)
        self._hold_until: datetime | None = None
        self._calls_not_sent = 0
        self._calls_unknown = 0
        self._done = 0
        for entry in entries:
            missing = [key for key in needs(entry.effect) if key not in confirmed]
            self._open_needs[entry.key] = len(missing)
            for key in missing:
                self._dependants[key].append(entry.key)
            if not missing:
                heapq.heappush(self._ready, (self._place[entry.key], entry.key))

    def run(self) -> None:
        """Send. Returns when nothing more can be sent in this run."""
        workers = max(1, self._session.writer.workers)
        if workers == 1:
            self._loop(1, None)
            return
        with ThreadPoolExecutor(workers, thread_name_prefix="ledger-writer") as pool:
            self._loop(workers, pool)

    def _loop(self, workers: int, pool: ThreadPoolExecutor | None) -> None:
        flying: dict[Future[None], _Call] = {}
        finished: list[_Call] = []
        while True:
            calls = self._turn(finished, workers - len(flying))
            finished = []
            if pool is None:
                for call in calls:
                    self._make(call)
                finished = calls
                if not calls and not self._wait_or_end():
                    break
                continue
            for call in calls:
                flying[pool.submit(self._make, call)] = call
            if flying:
                done, _ = wait(flying, return_when=FIRST_COMPLETED)
                for future in done:
                    future.result()  # a drill's stop comes through here
                finished = [flying.pop(future) for future in done]
            elif not calls and not self._wait_or_end():
                break
        self._release()

    def _stopping(self) -> bool:
        session = self._session
        if session.stopped is None and self._stop is not None and self._stop():
            session.stopped = Reason("stopped", "The run was asked to stop.", "Run it again to go on.")
        return session.parked is not None or session.stopped is not None

    def _wait_or_end(self) -> bool:
        """Wait out a back-off when rows remain; False when the run is over."""
        if self._stopping() or not (self._ready or self._claimed):
            return False
        if self._hold_until is not None:
            clock = self._session.clock
            while (seconds := (self._hold_until - clock.now()).total_seconds()) > 0:
                clock.sleep(seconds)
            self._hold_until = None
        return True

    # --- choosing and claiming -----------------------------------------------------------------------------------

    def _turn(self, finished: Sequence[_Call], room: int) -> list[_Call]:
        """Record what ended and mark what goes next, in one transaction; returns the calls to make."""
        session = self._session
        ended = self._close(finished)
        groups = self._next_groups(room)
        if not groups and not ended:
            return []
        if ended:
            faultpoints.reached("apply.before_confirm")
        if groups:
            faultpoints.reached("apply.before_sent")
        to_fetch: list[str] = []
        calls: list[_Call] = []
        now = session.clock.now()
        with session.journal.write() as unit:
            if ended:
                to_fetch = record(session, unit, ended, now)
            if groups and session.parked is None:
                calls = self._mark(unit, groups, now)
        if ended:
            faultpoints.reached("apply.confirmed")
        if groups and not calls and session.parked is not None:
            self._claimed.extendleft(key for group in groups for key in group)
        if calls:
            faultpoints.reached("apply.marked_sent")
        if to_fetch and session.parked is None:
            entries = session.journal.entries(to_fetch)
            resolve(session, [entry for entry in entries.values() if entry.state is EffectState.UNKNOWN])
        if ended:
            for key in (item.entry.key for item in ended):
                if key in session.written or key in session.adopted:
                    self._unlock(key)
            if self._progress is not None:
                self._progress(self._done, len(self._entries))
        return calls

    def _next_groups(self, room: int) -> list[list[str]]:
        """Claimed effects for the next calls, one list a call."""
        session = self._session
        if session.trial:
            room = min(room, 1)
        if room < 1 or self._stopping():
            return []
        if self._hold_until is not None and self._hold_until > session.clock.now():
            return []
        if not self._claimed:
            self._claim_ahead()
        groups: list[list[str]] = []
        while self._claimed and len(groups) < room:
            groups.append(self._take_group())
        return groups

    def _claim_ahead(self) -> None:
        """Claim the next effects in one transaction: whole batches, as many as one round of workers can use."""
        session = self._session
        size = max(session.policy.claim_ahead, 2 * session.writer.batch_size)
        wanted: list[str] = []
        while self._ready and len(wanted) < size:
            wanted.append(heapq.heappop(self._ready)[1])
        if not wanted:
            return
        faultpoints.reached("apply.before_claim")
        now = session.clock.now()
        with session.journal.write() as unit:
            taken = unit.effects.claim(
                wanted,
                fence=session.fence,
                owner=session.owner,
                now=now,
                lease_until=now + session.policy.lease,
            )
        session.touched.update(wanted)
        faultpoints.reached("apply.claimed")
        self._claimed.extend(taken)

    def _take_group(self) -> list[str]:
        """The next claimed effect, and those claimed that may go in the same call."""
        writer = self._session.writer
        first = self._claimed.popleft()
        group_key = writer.batch_key(self._entries[first].effect)
        group = [first]
        if group_key is None or writer.batch_size < 2:
            return group
        rest: deque[str] = deque()
        while self._claimed:
            key = self._claimed.popleft()
            if len(group) < writer.batch_size and writer.batch_key(self._entries[key].effect) == group_key:
                group.append(key)
            else:
                rest.append(key)
        self._claimed = rest
        return group

    def _mark(self, unit: Unit, groups: Sequence[Sequence[str]], now: datetime) -> list[_Call]:
        """Mark as sent what is about to be sent."""
        session = self._session
        lease_until = now + session.policy.lease
        keys = [key for group in groups for key in group]
        ids = unit.effects.remote_ids(need for key in keys for need in needs(self._entries[key].effect))
        ready: dict[str, Prepared] = {}
        events: list[Event] = []
        for key in keys:
            try:
                ready[key] = prepare(self._entries[key].effect, ids)
            except (DataError, msgspec.DecodeError) as error:
                events.extend(self._unreadable(unit, key, str(error), now))
        marked = unit.effects.mark_sent(list(ready), fence=session.fence, now=now, lease_until=lease_until)
        events.extend(
            session.event(key, "sent", "claimed", "sent", f"Attempt {attempt}, fence {session.fence}.")
            for key, attempt in marked.items()
        )
        unit.events.append(events, now)
        calls: list[_Call] = []
        for group in groups:
            own = [key for key in group if key in marked]
            if own:
                prepared = [replace(ready[key], attempt=marked[key]) for key in own]
                calls.append(_Call([self._entries[key] for key in own], prepared, lease_until))
        return calls

    def _unreadable(self, unit: Unit, key: str, text: str, now: datetime) -> list[Event]:
        """A body of ours that cannot be made into a request is refused by ourselves."""
        current = unit.effects.get([key])[key]
        values = {
            "state": EffectState.REFUSED.value,
            "error_code": "unreadable-body",
            "error_text": f"{current.effect.number}: {text}",
            "error_remedy": "Make the plan again.",
            "lease_owner": None,
            "lease_until": None,
            "updated_at": now,
        }
        if current.state is not EffectState.CLAIMED or current.fence != self._session.fence:
            return []
        unit.effects.move(Change(key, values), seen=current)
        return [self._session.event(key, "refused", "claimed", "refused", text)]

    # --- calling -------------------------------------------------------------------------------------------------

    def _make(self, call: _Call) -> None:
        """The one place where bytes leave. Runs in a worker thread."""
        faultpoints.reached("apply.before_send")
        if self._session.clock.now() >= call.lease_until:
            call.endings = [NotSent(_LEASE_OVER) for _ in call.prepared]
            return
        try:
            answers = list(self._session.writer.send(call.prepared))
        except Exception as error:  # noqa: BLE001 - after "sent" anything a writer raises is an unknown outcome
            answers = [Unknown(f"The writer failed: {type(error).__name__}: {error}")] * len(call.prepared)
        if len(answers) != len(call.prepared):
            text = f"The writer gave {len(answers)} endings for {len(call.prepared)} records."
            answers = [Unknown(text)] * len(call.prepared)
        call.endings = [
            answer if isinstance(answer, _ENDINGS) else Unknown(f"The writer answered {answer!r}.")
            for answer in answers
        ]
        faultpoints.reached("apply.after_send")

    # --- after the call ------------------------------------------------------------------------------------------

    def _close(self, calls: Sequence[_Call]) -> list[Ended]:
        """The endings of finished calls; those to be tried again are queued."""
        ended: list[Ended] = []
        for call in calls:
            self._session.calls.append(call.entries[0].key)
            self._judge(call)
            for entry, prepared, ending in zip(call.entries, call.prepared, call.endings, strict=True):
                not_before = None
                if isinstance(ending, NotSent):
                    not_before, again = self._back_off(entry.key, ending)
                    if again:
                        heapq.heappush(self._ready, (self._place[entry.key], entry.key))
                else:
                    self._done += 1
                ended.append(Ended(entry, prepared, ending, not_before))
        return ended

    def _unlock(self, key: str) -> None:
        for dependant in self._dependants.pop(key, ()):
            self._open_needs[dependant] -= 1
            if self._open_needs[dependant] == 0:
                heapq.heappush(self._ready, (self._place[dependant], dependant))

    def _judge(self, call: _Call) -> None:
        """Stop the run when the target, and not a record, is what fails."""
        policy, session = self._session.policy, self._session
        nothing = all(isinstance(ending, NotSent) for ending in call.endings)
        unclear = all(isinstance(ending, Unknown) for ending in call.endings)
        self._calls_not_sent = self._calls_not_sent + 1 if nothing else 0
        self._calls_unknown = self._calls_unknown + 1 if unclear else 0
        if session.stopped is not None:
            return
        if self._calls_not_sent >= policy.not_sent_breaker or self._calls_unknown >= policy.unknown_breaker:
            count = max(self._calls_not_sent, self._calls_unknown)
            last = call.endings[-1]
            text = last.text if isinstance(last, NotSent | Unknown) else ""
            session.stopped = Reason(
                "target-unavailable",
                f"{session.connection} failed {count} calls in a row: {text}",
                "Nothing is lost; run again once the target answers.",
            )

    def _back_off(self, key: str, ending: NotSent) -> tuple[datetime, bool]:
        """From when on, and whether this run tries again. Full jitter; the target's own wish is honoured."""
        policy = self._session.policy
        self._tries[key] += 1
        ceiling = min(policy.longest_delay, policy.base_delay * 2 ** (self._tries[key] - 1))
        delay = self._session.random.uniform(0, ceiling)
        if ending.retry_after is not None:
            delay += max(0, ending.retry_after)
        until = self._session.clock.now() + timedelta(seconds=delay)
        if delay > policy.longest_delay and ending.retry_after is not None:
            if self._session.stopped is None:
                self._session.stopped = Reason(
                    "asked-to-wait",
                    f"{self._session.connection} asks us to wait {ending.retry_after:.0f} seconds: {ending.text}",
                    "The rest is left for the next run.",
                )
            return until, False
        self._hold_until = until if self._hold_until is None else max(until, self._hold_until)
        return until, self._tries[key] < policy.tries

    def _release(self) -> None:
        if not self._claimed:
            return
        with self._session.journal.write() as unit:
            unit.effects.release(
                list(self._claimed), fence=self._session.fence, now=self._session.clock.now()
            )
        self._claimed.clear()
