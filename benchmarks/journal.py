"""What the journal costs a confirmed write: the engine on a target that answers at once, against fdatasync alone.

    python -m benchmarks journal [--quick]

Baseline: a record of the same body appended to a file on the same disk, and one `fdatasync`, per document. The engine writes
intents of the plan in one transaction, claims up to 64 ahead, and then one commit a call (docs/engine.md). In turn, round
after round, each in a process of its own, imports done; verdict: each document is confirmed in the journal once and was sent once.

Postgres is measured when LEDGER_TEST_POSTGRES (default `postgresql://root@127.0.0.1:5432/test`) answers.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from benchmarks.instant import InstantWriter, effect, plan_of
from benchmarks.report import Goal, Section, Tabular, ratio
from benchmarks.running import Run, as_data, child, interleaved, measured, tell
from ledger_pipelines.documents.effects import Effect, EffectState, Mode
from ledger_pipelines.storage.journal import Journal
from ledger_pipelines.storage.journal.database import journal_url
from ledger_pipelines.sync.apply import apply

POSTGRES = os.environ.get("LEDGER_TEST_POSTGRES", "postgresql://root@127.0.0.1:5432/test")
DOCUMENTS, QUICK = 1_000, 100
REPEATS = 5
BARE, SQLITE, POSTGRESQL = "fdatasync", "SQLite", "PostgreSQL"


def synced(path: Path, effects: Sequence[Effect]) -> Run:
    """The baseline: append, fdatasync, once a document."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:

        def work() -> dict[str, object]:
            for one in effects:
                os.write(handle, one.body.encode() + b"\n")
                os.fdatasync(handle)
            return {}

        run = measured(work)
    finally:
        os.close(handle)
    if len(path.read_bytes().splitlines()) != len(effects):
        raise SystemExit("the baseline lost a record")
    return run


def applied(place: str, effects: Sequence[Effect]) -> Run:
    """One apply of a plan of them, into a new journal."""
    plan, writer = plan_of(effects), InstantWriter()
    with Journal.open(place) as journal:
        run = measured(
            lambda: {"exit": apply(plan, journal=journal, writer=writer, mode=Mode.LIVE).exit_code}
        )
        counts = {state: count for state, count in journal.counts().items() if count}
    if run.facts["exit"] or counts != {EffectState.CONFIRMED: len(effects)}:
        raise SystemExit(f"the engine ended with {run.facts} and {counts}")
    if sorted(writer.sent) != sorted(one.key for one in effects):
        raise SystemExit(f"{len(writer.sent)} calls for {len(effects)} documents")
    return run


@contextmanager
def postgres() -> Iterator[str]:
    """An address in a schema of its own, dropped at the end. Raises OperationalError when there is no server."""
    engine = create_engine(journal_url(POSTGRES))
    schema = f"ledger_bench_{uuid.uuid4().hex[:12]}"
    try:
        with engine.begin() as connection:
            connection.execute(text(f"CREATE SCHEMA {schema}"))
        try:
            yield f"{POSTGRES}?options=-csearch_path%3D{schema}"
        finally:
            with engine.begin() as connection:
                connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
    finally:
        engine.dispose()


def unreachable() -> str:
    """Why Postgres is not measured; "" when it answers."""
    try:
        with postgres():
            return ""
    except OperationalError as error:
        return f"PostgreSQL is not measured: {str(error.orig).splitlines()[0]}."


def run(kind: str, folder: Path, documents: int) -> Run:
    """One measured run."""
    effects = [effect(f"{number:06d}") for number in range(documents)]
    if kind == BARE:
        return synced(folder / "log", effects)
    if kind == SQLITE:
        return applied(str(folder / "journal.db"), effects)
    with postgres() as place:
        return applied(place, effects)


def once(kind: str, documents: int) -> Run:
    """One run in a process of its own, in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="journal-bench-") as folder:
        return child("benchmarks.journal", "--child", kind, "--folder", folder, "--documents", str(documents))


def section(quick: bool) -> Section:
    """SQLite, Postgres when there is one, and the baseline, in turn."""
    count = QUICK if quick else DOCUMENTS
    missing = unreachable()
    kinds = [BARE, SQLITE] if missing else [BARE, SQLITE, POSTGRESQL]
    runs = interleaved(kinds, REPEATS, lambda kind: once(kind, count))
    table, goals = [], []
    for kind, found in runs.items():
        compared = ratio([run.seconds for run in found], [run.seconds for run in runs[BARE]])
        each = sorted(run.seconds / count * 1000 for run in found)
        cpu = min(run.cpu_seconds / count * 1000 for run in found)
        table.append([
            kind, f"{each[len(each) // 2]:.3f}", f"{each[0]:.3f}", f"{cpu:.3f}", f"{compared.median:.2f}",
            f"{compared.minimum:.2f}", str(len(found)), f"{max(run.peak_mib for run in found):.0f}",
        ])  # fmt: skip
    goals.append(Goal(f"{count:,} documents: each confirmed once and sent once, in every run.", met=True))
    return Section(
        "What the journal costs a confirmed write, over one fdatasync",
        "python -m benchmarks journal",
        [Tabular(
            ["", "ms a document, median", "best", "CPU ms", "ratio to fdatasync, median", "minimum", "repeats", "peak MiB"],
            table,
        )],
        {kind: as_data(found) for kind, found in runs.items()} | {"documents": count},
        goals,
        [text for text in (missing, NOTE) if text],
    )  # fmt: skip


NOTE = (
    "A document costs the engine one commit; the rest is CPU of ours: the intent, its body's digest, three lines of the "
    "hash-chained log. At a target's 100 ms a call it is about one part in a hundred."
)


def main() -> None:
    """One measured run, for `child`."""
    parser = argparse.ArgumentParser(description="one run; `python -m benchmarks journal` makes them all")
    parser.add_argument("--child", choices=(BARE, SQLITE, POSTGRESQL), required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--documents", type=int, required=True)
    asked = parser.parse_args()
    tell(run(asked.child, asked.folder, asked.documents))


if __name__ == "__main__":
    main()
