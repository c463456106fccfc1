"""Carrying out a plan exactly once; resuming what an earlier run left.

Belongs here: the order of steps, and the result. Does not belong here: any step itself (the modules beside).

Correctness lives in the journal: whatever the caller is told, and whether it is told anything, calling again is right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from random import Random
from typing import Required, TypedDict, Unpack

import msgspec

from ledger_pipelines import faultpoints
from ledger_pipelines.documents.dates import Clock, SystemClock
from ledger_pipelines.documents.effects import Effect, EffectState, Mode, Writer
from ledger_pipelines.errors import ConfigurationError
from ledger_pipelines.storage.journal import Entry, Event, Journal, Search, fingerprint
from ledger_pipelines.sync.gates import StalePlanError, refuse_altered, refuse_stale, staleness
from ledger_pipelines.sync.guards import Guard, GuardInput, Override, judge
from ledger_pipelines.sync.intents import record_intents
from ledger_pipelines.sync.links import needs
from ledger_pipelines.sync.owners import active, new_owner
from ledger_pipelines.sync.plan import Plan, Reason
from ledger_pipelines.sync.recover import expire, resolve, unknown_entries
from ledger_pipelines.sync.report import entry_rows, plan_rows
from ledger_pipelines.sync.result import ApplyResult, GuardVerdict, Outcome, RowResult
from ledger_pipelines.sync.sender import Sender
from ledger_pipelines.sync.session import Session, parked_reason
from ledger_pipelines.sync.states import Policy

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Task:
    """One plan to be carried out.

    Args:
        plan: A sealed plan.
        recompute: Makes the same plan from the inputs as they are now, without calls; None = not checked.
        remote_memory: The target is known to hold records of ours for this partition that the journal does not know:
            keys new to the journal are looked for before they are sent.
    """

    plan: Plan
    recompute: Callable[[], Plan] | None = None
    remote_memory: bool = False


class How(TypedDict, total=False):
    """How plans are carried out.

    Args:
        journal: Where intents and outcomes live.
        writer: The target.
        mode: PLAN (the default) writes nothing, neither to the target nor to the journal; TEST and LIVE write.
        clock: The machine's by default.
        guards: All must pass; one that cannot be evaluated counts as tripped.
        overrides: Guards that a named person lets pass, and why.
        progress: Told (done, total).
        stop: Asked between calls; True ends the run in good order.
        who: For the log.
        policy: Patience.
        random: For jitter.
    """

    journal: Required[Journal]
    writer: Required[Writer]
    mode: Mode
    clock: Clock | None
    guards: Sequence[Guard]
    overrides: Sequence[Override]
    progress: Progress | None
    stop: Callable[[], bool] | None
    who: str
    policy: Policy | None
    random: Random | None


def apply(
    plan: Plan,
    *,
    recompute: Callable[[], Plan] | None = None,
    remote_memory: bool = False,
    **how: Unpack[How],
) -> ApplyResult:
    """Write what the plan says, and nothing else. Arguments: see `Task` and `How`.

    Raises:
        AlteredPlanError: the plan does not fit its digest; nothing was written.
        StalePlanError: the plan would come out differently now; nothing was written (in mode PLAN it is reported). A plan
            all of which is in the target as planned is no matter of staleness: there is nothing left to write.
        ConfigurationError: the writer is of another connection.
    """
    return apply_together([Task(plan, recompute, remote_memory)], **how)[0]


def apply_together(
    tasks: Sequence[Task],
    *,
    journal: Journal,
    writer: Writer,
    mode: Mode = Mode.PLAN,
    clock: Clock | None = None,
    guards: Sequence[Guard] = (),
    overrides: Sequence[Override] = (),
    progress: Progress | None = None,
    stop: Callable[[], bool] | None = None,
    who: str = "ledger-pipelines",
    policy: Policy | None = None,
    random: Random | None = None,
) -> tuple[ApplyResult, ...]:
    """Carry out several plans of one connection in one go: where a call takes several records, they may be of several plans.

    All of them are checked before anything of any is entered. Each has its own guards and its own line in the log. A record that
    two of them want is the first one's; for the later it is there already, and the caller has it planned anew.

    Args:
        tasks: Plans that were made before anything of them was written.
        journal, writer, mode, clock, guards, overrides, progress, stop, who, policy, random: See `How`.

    Returns:
        A result for each, in order. A call is counted on the plan of its first record, a question to the target on the first plan.

    Raises:
        As `apply`; then nothing of any plan was written.
    """
    clock, policy = clock or SystemClock(), policy or Policy()
    for task in tasks:
        refuse_altered(task.plan)
        _same_connection(task.plan, writer)
    started = clock.now()
    if mode is Mode.PLAN:
        return tuple(
            _look(task.plan, journal, writer, guards, overrides, task.recompute, started) for task in tasks
        )
    for task in tasks:
        if task.recompute is not None:
            _refuse_stale(task.plan, task.recompute, journal)
    shares = _shares(tasks)
    with active(new_owner()) as owner:
        session, numbers = _begin(
            journal, writer, clock, policy, random, mode, owner, who, [_of(task.plan) for task in tasks]
        )
        others = _recover(session)
        done: dict[str, Entry] = {}
        to_send: list[str] = []
        if session.parked is None:
            for share in shares:
                share.verdicts = _guard(session, share.task.plan, guards, overrides)
                if not any(verdict.stops for verdict in share.verdicts):
                    done |= _enter(session, share)
                    to_send += [effect.key for effect in share.effects if effect.key not in done]
            _send(session, to_send, progress, stop)
        mine = {effect.key for share in shares for effect in share.effects}
        entries = {**done, **journal.entries(mine - done.keys())}
        other_rows = entry_rows(session, [key for key in others if key not in mine])
        return _end(session, shares, numbers, entries, other_rows, started)


@dataclass(slots=True)
class _Share:
    """What one plan of several brings. effects: those that no plan before it wants."""

    task: Task
    effects: tuple[Effect, ...]
    verdicts: tuple[GuardVerdict, ...] = ()


def _shares(tasks: Sequence[Task]) -> list[_Share]:
    seen: set[str] = set()
    found = []
    for task in tasks:
        effects = tuple(effect for effect in task.plan.effects() if effect.key not in seen)
        seen.update(effect.key for effect in effects)
        found.append(_Share(task, effects))
    return found


def _enter(session: Session, share: _Share) -> dict[str, Entry]:
    """Record what the plan brings; what is confirmed already, as it stands."""
    memory = share.task.remote_memory
    done = record_intents(session, share.task.plan, share.effects, remote_memory=memory)
    if memory:
        known = session.journal.entries([effect.key for effect in share.effects], (EffectState.UNKNOWN,))
        resolve(session, [entry for entry in known.values() if _fresh_unknown(entry, session)])
    return done


def resume(
    *,
    journal: Journal,
    writer: Writer,
    mode: Mode = Mode.LIVE,
    clock: Clock | None = None,
    search: Search | None = None,
    progress: Progress | None = None,
    stop: Callable[[], bool] | None = None,
    who: str = "ledger-pipelines",
    policy: Policy | None = None,
    random: Random | None = None,
) -> ApplyResult:
    """Finish what earlier applies left: settle unknown outcomes, then send what is approved.

    Args:
        journal: Where intents and outcomes live.
        writer: The target; only effects of its connection are dealt with.
        mode: PLAN settles nothing and lists what is left; TEST and LIVE send.
        search: Narrows to an integration, flow, partition or kind.
        clock, progress, stop, who, policy, random: As for `apply`.
    """
    return _finish_earlier(
        journal, writer, mode, clock, search, progress, stop, who, policy, random, send=mode is not Mode.PLAN
    )


def recover(
    *,
    journal: Journal,
    writer: Writer,
    clock: Clock | None = None,
    search: Search | None = None,
    who: str = "ledger-pipelines",
    policy: Policy | None = None,
) -> ApplyResult:
    """Settle unknown outcomes by asking the target; sends nothing."""
    return _finish_earlier(
        journal, writer, Mode.LIVE, clock, search, None, None, who, policy, None, send=False
    )


_LEFT = (EffectState.APPROVED, EffectState.CLAIMED, EffectState.SENT, EffectState.UNKNOWN)


def _finish_earlier(
    journal: Journal,
    writer: Writer,
    mode: Mode,
    clock: Clock | None,
    search: Search | None,
    progress: Progress | None,
    stop: Callable[[], bool] | None,
    who: str,
    policy: Policy | None,
    random: Random | None,
    *,
    send: bool,
) -> ApplyResult:
    clock, policy, search = clock or SystemClock(), policy or Policy(), search or Search()
    started = clock.now()
    nothing = Plan(search.integration, search.flow, search.partition, writer.connection, started, (), ())
    with journal.read() as unit:
        left = [entry.key for entry in unit.effects.in_states(writer.connection, _LEFT, search)]
    if mode is Mode.PLAN:
        session = _reader(journal, writer, clock, policy, mode)
        return _end_unlogged(session, nothing, entry_rows(session, left), started)
    with active(new_owner()) as owner:
        session, numbers = _begin(journal, writer, clock, policy, random, mode, owner, who, [_of(nothing)])
        _recover(session, search)
        if send and session.parked is None:
            _send(session, left, progress, stop)
        result = _end_unlogged(session, nothing, entry_rows(session, left), started)
        return _log_end(session, numbers, [result])[0]


# --- steps -----------------------------------------------------------------------------------------------------------


def _refuse_stale(plan: Plan, recompute: Callable[[], Plan], journal: Journal) -> None:
    try:
        refuse_stale(plan, recompute)
    except StalePlanError:
        if not _is_carried_out(plan, journal):
            raise


def _is_carried_out(plan: Plan, journal: Journal) -> bool:
    """Whether the plan has documents, and each is confirmed with the plan's content."""
    effects = plan.effects()
    done = journal.entries((effect.key for effect in effects), (EffectState.CONFIRMED,))
    return bool(effects) and all(
        effect.key in done and done[effect.key].body_hash == fingerprint(effect) for effect in effects
    )


def _same_connection(plan: Plan, writer: Writer) -> None:
    others = {effect.connection for effect in plan.effects()} | {plan.connection}
    if others != {writer.connection}:
        raise ConfigurationError(
            f"The plan writes to {', '.join(sorted(others))}, the writer to {writer.connection}.",
            remedy="Give the plan's own connection.",
            code="connection-differs",
        )


def _reader(journal: Journal, writer: Writer, clock: Clock, policy: Policy, mode: Mode) -> Session:
    return Session(journal, writer, clock, policy, Random(0), mode, 0, "", "")


_About = tuple[str, str, str, str]
"""Digest, integration, flow and partition of a plan."""


def _of(plan: Plan) -> _About:
    return plan.digest, plan.integration, plan.flow, plan.partition


def _begin(
    journal: Journal,
    writer: Writer,
    clock: Clock,
    policy: Policy,
    random: Random | None,
    mode: Mode,
    owner: str,
    who: str,
    about: Sequence[_About],
) -> tuple[Session, list[int]]:
    """Enter the run, once for each plan; the last number is its fence."""
    now = clock.now()
    with journal.write() as unit:
        numbers = [
            unit.applies.begin(
                connection=writer.connection,
                integration=integration,
                flow=flow,
                partition=partition,
                plan_digest=plan_digest,
                mode=mode.value,
                owner=owner,
                who=who,
                now=now,
            )
            for plan_digest, integration, flow, partition in about
        ]
        begun = zip(numbers, about, strict=True)
        lines = [
            Event(who, f"apply:{number}", "begin", "", mode.value, f"plan {one[0] or 'none: resume'}")
            for number, one in begun
        ]
        unit.events.append(lines, now)
        parked = unit.parking.get(writer.connection)
    fence = numbers[-1]
    session = Session(journal, writer, clock, policy, random or Random(), mode, fence, owner, who)
    if parked is not None:
        # Parked in what is the future now: the clock was ahead then, which may be why. One call is tried.
        if parked.since <= now < parked.try_again_at:
            session.parked = parked_reason(parked.connection, parked.text, parked.try_again_at)
        else:
            session.trial = True
    faultpoints.reached("apply.started")
    return session, numbers


def _recover(session: Session, search: Search | None = None) -> list[str]:
    """Settle what can be settled; returns the keys that were open."""
    expire(session)
    if session.parked is not None:
        return []
    entries = unknown_entries(session, search)
    if session.trial:
        resolve(session, entries[:1])
        if session.parked is None:
            resolve(session, entries[1:])
    else:
        resolve(session, entries)
    return [entry.key for entry in entries]


def _guard(
    session: Session, plan: Plan, guards: Sequence[Guard], overrides: Sequence[Override]
) -> tuple[GuardVerdict, ...]:
    if not guards:
        return ()
    known = session.journal.states(effect.key for effect in plan.effects())
    verdicts = judge(_guard_input(plan, known), guards, overrides)
    told = [verdict for verdict in verdicts if verdict.tripped]
    if told:
        session.journal.log(
            [
                Event(
                    verdict.overridden_by or session.who,
                    f"plan:{plan.digest}",
                    "guard-overridden" if verdict.overridden_by else "guard-tripped",
                    "",
                    "",
                    f"{verdict.guard}: {verdict.reason.text} {verdict.why}".strip(),
                )
                for verdict in told
            ],
            session.clock.now(),
        )
    return verdicts


def _guard_input(plan: Plan, known: Mapping[str, EffectState]) -> GuardInput:
    done = {key for key, state in known.items() if state is EffectState.CONFIRMED}
    return GuardInput(
        plan, tuple(row for row in plan.rows if row.effect is not None and row.effect.key not in done)
    )


def _fresh_unknown(entry: Entry, session: Session) -> bool:
    return entry.state is EffectState.UNKNOWN and entry.attempt == 0 and entry.key not in session.touched


def _send(
    session: Session, keys: Iterable[str], progress: Progress | None, stop: Callable[[], bool] | None
) -> None:
    wanted = list(keys)
    if not wanted or session.parked is not None:
        return
    now = session.clock.now()
    with session.journal.read() as unit:
        known = unit.effects.get(wanted, (EffectState.APPROVED,))
        due = [known[key] for key in wanted if key in known and _may_go(known[key], now)]
        confirmed = unit.effects.remote_ids(key for entry in due for key in needs(entry.effect))
    if not due:
        return
    Sender(session, due, confirmed, progress, stop).run()


def _may_go(entry: Entry, now: datetime) -> bool:
    """Whether the target's wish to wait is over; one noted in what is the future now came of a clock that was ahead."""
    return entry.not_before is None or entry.not_before <= now or entry.updated_at > now


def _look(
    plan: Plan,
    journal: Journal,
    writer: Writer,
    guards: Sequence[Guard],
    overrides: Sequence[Override],
    recompute: Callable[[], Plan] | None,
    started: datetime,
) -> ApplyResult:
    """Mode plan: what would be, without a call and without an entry."""
    known = journal.entries(effect.key for effect in plan.effects())
    session = _reader(journal, writer, SystemClock(), Policy(), Mode.PLAN)
    parked = journal.parked(writer.connection)
    if parked is not None:
        session.parked = parked_reason(parked.connection, parked.text, parked.try_again_at)
    states = {key: entry.state for key, entry in known.items()}
    verdicts = judge(_guard_input(plan, states), guards, overrides)
    rows = plan_rows(plan, known, session, verdicts)
    result = _end_unlogged(session, plan, rows, started)
    stale = None if recompute is None else staleness(plan, recompute)
    return replace(result, guards=verdicts, stale=stale)


def _end_unlogged(
    session: Session, plan: Plan, rows: tuple[RowResult, ...], started: datetime
) -> ApplyResult:
    return ApplyResult(
        integration=plan.integration,
        flow=plan.flow,
        partition=plan.partition,
        connection=plan.connection,
        plan_digest=plan.digest,
        mode=session.mode.value,
        apply_id=session.fence,
        started_at=started,
        ended_at=started,
        rows=rows,
        parked=session.parked,
        stopped=session.stopped,
        sends=session.sends,
        probes=session.probes,
    )


def _end(
    session: Session,
    shares: Sequence[_Share],
    numbers: Sequence[int],
    entries: Mapping[str, Entry],
    others: tuple[RowResult, ...],
    started: datetime,
) -> tuple[ApplyResult, ...]:
    """What became of each plan."""
    results = []
    for place, share in enumerate(shares):
        plan, own = share.task.plan, {effect.key for effect in share.effects}
        rows = tuple(
            row if row.key in own or row.outcome not in _BROUGHT else replace(row, outcome=Outcome.ALREADY, reason=_EARLIER)
            for row in plan_rows(plan, entries, session, share.verdicts)
        )  # fmt: skip
        result = replace(
            _end_unlogged(session, plan, rows, started),
            guards=share.verdicts,
            others=others if not place else (),
        )
        if len(shares) > 1:
            sends = sum(key in own for key in session.calls)
            result = replace(
                result, apply_id=numbers[place], sends=sends, probes=0 if place else session.probes
            )
        results.append(result)
    return tuple(_log_end(session, numbers, results))


_BROUGHT = (Outcome.WRITTEN, Outcome.ADOPTED)
_EARLIER = Reason("already", "Another plan of the same run brought it.")


def _log_end(session: Session, numbers: Sequence[int], results: Sequence[ApplyResult]) -> list[ApplyResult]:
    """Note in the journal how the run ended."""
    faultpoints.reached("apply.before_end")
    now = session.clock.now()
    with session.journal.write() as unit:
        if session.trial and session.parked is None and session.probes and not session.trouble:
            session.unpark(unit, now)
        lines = []
        for number, result in zip(numbers, results, strict=True):
            summary = {outcome.value: count for outcome, count in result.counts().items() if count}
            summary |= {"sends": result.sends, "probes": result.probes}
            text = msgspec.json.encode(summary).decode()
            unit.applies.end(number, text, now)
            lines.append(Event(session.who, f"apply:{number}", "end", "", "", text))
        unit.events.append(lines, now)
        head = unit.events.head()
    return [replace(result, ended_at=now, log_head=head) for result in results]
