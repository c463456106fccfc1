"""`log` and `adopt`: the journal's rows of one document, their history, and a person's word that a record is ours.

Belongs here: finding rows by number and showing them. Does not belong here: the journal (`storage.journal`), what an act
means (`sync.acts`).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime

from ledger_pipelines.cli.context import load
from ledger_pipelines.cli.output import FINE, NEEDS_A_PERSON, out, print_json, say
from ledger_pipelines.cli.tables import cell, plain_table
from ledger_pipelines.errors import DataError
from ledger_pipelines.storage.journal import Entry, Journal, LoggedEvent, Search
from ledger_pipelines.sync import acts


def show(number: str, *, as_json: bool) -> int:
    """Rows of a document number (or its beginning), external id, target id or key, each with its history."""
    with closing(_journal()) as journal:
        entries = journal.find(Search(text=number))
        history = {entry.key: journal.history(entry.key) for entry in entries}
    if as_json:
        print_json([_shape(entry, history[entry.key]) for entry in entries])
    else:
        _tables(number, entries, history)
    return FINE


def verify() -> int:
    """Walk the hash chain of the log. 1 when a line was changed, removed or added by hand."""
    with closing(_journal()) as journal:
        broken = journal.verify()
    if broken is None:
        out().print("The log is whole: every line follows from the one before.")
        return FINE
    out().print(f"The log is broken at line {broken.seq}: {broken.text}", style="bold red")
    return NEEDS_A_PERSON


def adopt(key: str, remote_id: str, who: str, why: str) -> int:
    """Take the target's record for ours. Raises DataError: nothing is called that; RefusedError, ConfigurationError."""
    with closing(_journal()) as journal:
        found = journal.find(Search(text=key))
        if len(found) != 1:
            raise DataError(
                f"{len(found)} rows are called {key}.",
                remedy="Give the key of one: `ledger-pipelines log NUMBER`.",
            )
        entry = acts.adopt(journal, found[0].key, remote_id=remote_id, who=who, why=why)
    say(f"{entry.effect.title} is {entry.remote_id} of {entry.effect.connection} now.")
    return FINE


def _journal() -> Journal:
    return Journal.open(load(quiet=True).config.journal_address(os.environ))


def _tables(number: str, entries: Sequence[Entry], history: dict[str, list[LoggedEvent]]) -> None:
    if not entries:
        out().print(f"The journal has nothing under {number}.")
    for entry in entries:
        effect = entry.effect
        amount = "" if effect.expected.amount is None else f", {effect.expected.amount}"
        out().print(f"\n{effect.title}{amount}", style="bold", markup=False)
        out().print(
            f"{effect.kind} {entry.remote_number or entry.remote_id or '-'} in {effect.connection}: {entry.state.value}"
            f"{' (adopted)' if entry.adopted else ''}; {effect.integration} / {effect.flow} / {effect.partition};"
            f" key {entry.key}, external id {effect.external_id}",
            markup=False,
            soft_wrap=True,
        )
        if entry.problem is not None:
            out().print(
                f"{entry.problem.text} {entry.problem.remedy}", style="yellow", markup=False, soft_wrap=True
            )
        table = plain_table("", ["when (UTC)", "who", "what", "from", "to", "why"])
        for line in history[entry.key]:
            event = line.event
            table.add_row(
                *map(cell, (line.at, event.who, event.what, event.from_state, event.to_state, event.why))
            )
        out().print(table)


def _shape(entry: Entry, history: Sequence[LoggedEvent]) -> dict[str, object]:
    effect, problem = entry.effect, entry.problem
    return {
        "key": entry.key,
        "number": effect.number,
        "title": effect.title,
        "kind": effect.kind,
        "connection": effect.connection,
        "integration": effect.integration,
        "flow": effect.flow,
        "partition": effect.partition,
        "external_id": effect.external_id,
        "state": entry.state.value,
        "amount": None if effect.expected.amount is None else effect.expected.amount.text,
        "currency": None if effect.expected.amount is None else effect.expected.amount.currency,
        "remote_id": entry.remote_id,
        "remote_number": entry.remote_number,
        "adopted": entry.adopted,
        "attempt": entry.attempt,
        "source": effect.source,
        "plan": entry.plan_digest,
        "problem": None if problem is None else {"code": problem.code, "text": problem.text, "remedy": problem.remedy},
        "created_at": _instant(entry.created_at),
        "confirmed_at": _instant(entry.confirmed_at),
        "history": [
            {"seq": line.seq, "at": line.at, "who": line.event.who, "what": line.event.what,
             "from": line.event.from_state, "to": line.event.to_state, "why": line.event.why}
            for line in history
        ],
    }  # fmt: skip


def _instant(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
