"""Extraction of 100,000 records from the sandbox, against dlt's rest_api source and airbyte-cdk's declarative source.

    python -m benchmarks extraction [--quick]

Belongs here: the contenders' runs in turn, their checks, the table. Does not belong here: the books (`many_orders`), the
contenders (`extraction_ours`, `peers_scripts`), the peers' environment (`peers`).

Each contender runs in a process of its own, which has run once before anything is counted, over the same answers of the same
sandbox, which gives them out of its memory: all wait alike, and little. Every amount of every run is compared with the sandbox's
dump.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import httpx
import msgspec
import pyarrow.parquet as pq

from benchmarks import peers
from benchmarks.extraction_ours import CONNECTION, ENTITY, account, days
from benchmarks.many_orders import Amounts, Served, make_state, served
from benchmarks.report import Goal, Section, Tabular
from ledger_pipelines.systems.netsuite.auth import TOKEN_PATH, assertion
from ledger_pipelines.systems.netsuite.client import NetSuiteClient
from ledger_pipelines.systems.netsuite.entities import entities
from ledger_pipelines.systems.netsuite.reader import local_window
from ledger_pipelines.systems.netsuite.settings import MachineCredentials, NetSuiteConnection
from ledger_pipelines.systems.netsuite.stretches import Stretch, Stretches
from ledger_pipelines.systems.netsuite.suiteql import SuiteQL

OURS, DLT, AIRBYTE = "ours", "dlt", "airbyte-cdk"
LEFT = (
    "Without latency airbyte-cdk only copies the text of an answer into a file; ours types every cell, splits the rows by day and "
    "writes a synced Parquet file with a manifest for each day."
)
WORKERS = 4
"""Calls at once of ours; a standard account allows five to all its programs."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What is measured. latency: seconds before each answer."""

    records: int
    page: int
    latency: float
    repeats: int


FULL = (
    Setting(5_000, 100, 0.0, 5), Setting(5_000, 100, 0.05, 5),
    Setting(5_000, 250, 0.0, 5), Setting(5_000, 250, 0.05, 5),
    Setting(100_000, 1000, 0.0, 3), Setting(100_000, 1000, 0.05, 3),
)  # fmt: skip
QUICK = (Setting(5_000, 1000, 0.0, 1), Setting(5_000, 100, 0.05, 1))


@dataclass(frozen=True, slots=True)
class Cost:
    """One run: seconds of wall and CPU after imports; peak memory of the process in MiB; amounts that are not exact."""

    seconds: float
    cpu: float
    peak: float
    wrong: int


@dataclass(frozen=True, slots=True)
class Measured:
    """All runs of one setting, by contender."""

    setting: Setting
    runs: Mapping[str, Sequence[Cost]]

    def ratio(self, pick: str) -> tuple[float, float]:
        """Median and lowest of ours to the better peer, run by run."""
        peers_runs = [self.runs[name] for name in self.runs if name != OURS]
        pairs = [
            getattr(mine, pick) / min(getattr(runs[i], pick) for runs in peers_runs)
            for i, mine in enumerate(self.runs[OURS])
        ]
        return statistics.median(pairs), min(pairs)


@dataclass(frozen=True, slots=True)
class Contender:
    """A process that waits for jobs, and where it writes what goes wrong."""

    process: subprocess.Popen[str]
    said: Path


Contenders = Mapping[str, Contender]


@contextmanager
def contenders(found: peers.Peers) -> Iterator[Contenders]:
    """Ours, and the peers where they could be installed."""
    scripts = Path(__file__).parent / "peers_scripts"
    commands = {OURS: [sys.executable, "-m", "benchmarks.extraction_ours"]}
    if found.python is not None:
        commands[DLT] = [str(found.python), str(scripts / "dlt_rest_api.py")]
        commands[AIRBYTE] = [str(found.python), str(scripts / "airbyte_declarative.py")]
    started: dict[str, Contender] = {}
    with ExitStack() as ends:
        for name, command in commands.items():
            folder = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="ledger-contender-")))
            errors = ends.enter_context((folder / "said").open("w"))
            process = ends.enter_context(subprocess.Popen(
                command, cwd=Path(__file__).parents[1] if name == OURS else folder, env=peers.environment(folder),
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True,
            ))  # fmt: skip
            ends.callback(process.kill)
            started[name] = Contender(process, folder / "said")
        yield started


def measure(
    setting: Setting, sandbox: Served, truth: Mapping[str, Amounts], running: Contenders, *, first: bool
) -> Measured:
    """Contenders in turn, `repeats` times. first: with these records and pages; each runs once uncounted before."""
    runs: dict[str, list[Cost]] = {name: [] for name in running}
    if first:
        sandbox.feature(latencySeconds=0.0)
        for name in running:
            _run(name, setting, sandbox, truth, running)
    sandbox.feature(latencySeconds=setting.latency)
    for _ in range(setting.repeats):
        for name in running:
            runs[name].append(_run(name, setting, sandbox, truth, running))
    return Measured(setting, runs)


def _job(setting: Setting, sandbox: Served, folder: Path) -> dict[str, object]:
    given = {
        "m2m": json.dumps(sandbox.credentials["auth"]["m2m"]),
        "account": sandbox.credentials["account"],
        "base_url": sandbox.base_url,
        "workers": WORKERS,
        "page": setting.page,
        "folder": str(folder),
    }
    with NetSuiteClient(account(given, None)) as client:
        token = _token(client.connection)
        entity = entities(client.connection)[ENTITY]
        window = days()
        low, high = local_window(window.start, window.end, window.zone)
        q, params = Stretches(SuiteQL(client), entity, setting.page, 1).question(Stretch(low, high))
    return given | {"token": token, "q": q, "params": params}


def _token(connection: NetSuiteConnection) -> str:
    """A token for the peers: their sources are given one."""
    credentials = connection.credentials
    assert isinstance(credentials, MachineCredentials)
    url = connection.base + TOKEN_PATH
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": assertion(credentials, url, datetime.now(UTC), connection.name),
    }
    answer = httpx.post(url, data=form, trust_env=False).raise_for_status()
    return str(answer.json()["access_token"])


def _run(
    name: str, setting: Setting, sandbox: Served, truth: Mapping[str, Amounts], running: Contenders
) -> Cost:
    process = running[name].process
    assert process.stdin is not None
    assert process.stdout is not None
    with tempfile.TemporaryDirectory(prefix="ledger-extraction-") as work:
        folder = Path(work)
        job = folder / "job.json"
        job.write_text(json.dumps(_job(setting, sandbox, folder)))
        print(job, file=process.stdin, flush=True)
        told = next((line for line in process.stdout if line.startswith("COST ")), None)
        if told is None:
            raise SystemExit(f"{name} failed ({process.wait()}):\n{running[name].said.read_text()[-4000:]}")
        cost = json.loads(told.removeprefix("COST "))
        landed = _landed(name, folder)
    if landed.keys() != truth.keys():
        raise SystemExit(f"{name} landed {len(landed)} records of {len(truth)}.")
    wrong = sum(landed[key] != truth[key] for key in truth)
    if name == OURS and wrong:
        raise SystemExit(f"{wrong} amounts of ours are not the sandbox's.")
    return Cost(cost["seconds"], cost["cpu"], cost["peak"], wrong)


def _landed(name: str, folder: Path) -> dict[str, Amounts]:
    """What a contender stored: amounts by id."""
    if name == AIRBYTE:
        found = {}
        with (folder / "records.jsonl").open("rb") as lines:
            for line in lines:
                record = msgspec.json.decode(line)["record"]["data"]
                found[record["id"]] = _amounts(record["foreigntotal"], record["exchangerate"])
        return found
    place = (
        folder / "snapshots" / CONNECTION / ENTITY if name == OURS else folder / "landed/netsuite" / ENTITY
    )
    found = {}
    for path in sorted(place.rglob("*.parquet")):
        table = pq.read_table(path, columns=["id", "foreigntotal", "exchangerate"], partitioning=None)
        for key, total, rate in zip(*(column.to_pylist() for column in table.columns), strict=True):
            found[key] = _amounts(total, rate)
    return found


def _amounts(total: object, rate: object) -> Amounts:
    """As stored, whatever the type: text and Decimals are exact, a float is what it is."""
    return Amounts(Decimal(str(total)), Decimal(str(rate)))


def section(quick: bool) -> Section:
    """All settings."""
    found = peers.ready()
    measured: list[Measured] = []
    settings = QUICK if quick else FULL
    with tempfile.TemporaryDirectory(prefix="ledger-orders-") as work, contenders(found) as running:
        known: set[tuple[int, int]] = set()
        for records in dict.fromkeys(setting.records for setting in settings):
            state = Path(work) / f"{records}.sqlite"
            make_state(state, records)
            with served(state) as sandbox:
                truth = sandbox.truth()
                for setting in settings:
                    if setting.records == records:
                        first = (records, setting.page) not in known
                        known.add((records, setting.page))
                        measured.append(measure(setting, sandbox, truth, running, first=first))
    return _section(measured, found)


def _section(measured: Sequence[Measured], found: peers.Peers) -> Section:
    rows, goals = [], []
    for one in measured:
        setting = one.setting
        where = [f"{setting.records:,}", str(setting.page), f"{setting.latency * 1000:.0f} ms"]
        for name, runs in one.runs.items():
            seconds = statistics.median(run.seconds for run in runs)
            cpu = statistics.median(run.cpu for run in runs)
            rows.append([
                *where, name, f"{seconds:.2f}", f"{min(run.seconds for run in runs):.2f}", f"{cpu:.2f}",
                f"{max(run.peak for run in runs):.0f}", str(max(run.wrong for run in runs)), str(len(runs)),
            ])  # fmt: skip
        if found.python:
            median, lowest = one.ratio("seconds")
            on_cpu, _ = one.ratio("cpu")
            goals.append(
                Goal(
                    f"{setting.records:,} records, pages of {setting.page}, {setting.latency * 1000:.0f} ms: "
                    f"{median:.3f} of the better peer's time (lowest {lowest:.3f}), {on_cpu:.3f} of its CPU "
                    "(goal 0.500), all amounts exact",
                    median <= 0.5,
                    "" if median <= 0.5 else LEFT,
                )
            )
    heading = ["records", "page", "latency", "contender", "seconds (median)", "lowest", "CPU s", "peak MiB", "amounts not exact", "runs"]  # fmt: skip
    notes = [
        (
            f"Ours: the product's sweep, up to {WORKERS} calls at once, typed cells, a Parquet snapshot with manifest for each day, "
            "each written durably. dlt: rest_api source, one POST resource with its offset paginator, Parquet files; one page after "
            "the other, everything kept as the text that came. airbyte-cdk: declarative source through its entrypoint, one page "
            "after the other, records written as JSON lines, as they came. Each process has run once before: imports are not counted for anyone."
        ),
        (
            "NetSuite's SuiteQL answers with text for every value, so peers that keep text keep amounts exact; what they land is "
            "not typed, ours is DECIMAL. Pages of 250 and 100 are measured on fewer records: the peers' time is linear in pages; ours has "
            "the 30 days' durable files besides, which are as many for 5,000 records as for 100,000."
        ),
    ]
    if found.made_in:
        notes.append(
            f"The section's time holds {found.made_in:.0f} s in which the peers' packages were installed; they are kept."
        )
    data = [
        {
            "setting": asdict(one.setting),
            "runs": {n: [asdict(r) for r in runs] for n, runs in one.runs.items()},
        }
        for one in measured
    ]
    return Section(
        "Extraction from the NetSuite sandbox, against dlt and airbyte-cdk",
        "python -m benchmarks extraction",
        (Tabular(heading, rows),),
        data,
        goals,
        notes,
        found.versions,
        "" if found.python else f"The peers: {found.why}",
    )
