"""Two pairs of connections and two integrations in one ledger.yaml, in Dagster; one target is dead.

Belongs here: the configuration, the deaths, what must be green. Does not belong here: the cases.
"""

from __future__ import annotations

import copy
import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from unittest import mock
from zoneinfo import ZoneInfo

import dagster as dg
from ruamel.yaml import YAML

from ledger_pipelines.cli.processes import sandbox_environment
from ledger_pipelines.config.load import LoadedConfig, load_config
from ledger_pipelines.documents.dates import SystemClock, business_date
from ledger_pipelines.integrations.amazon_netsuite.intake import Arrivals
from ledger_pipelines.integrations.kinds import KINDS
from ledger_pipelines.orchestration.build import Overrides, build_definitions
from ledger_pipelines.orchestration.schedules import RANGE_END, RANGE_START
from ledger_pipelines.sandbox.amazon.demo_files import demo_settlement_files
from ledger_pipelines.storage.snapshots import SnapshotStore
from ledger_pipelines.systems.netsuite.entities import Column, Entity, Kind
from ledger_pipelines.systems.netsuite.reader import Cell, Rows
from ledger_pipelines_tests.faults.in_dagster import home, materialized, run_job, said, tick
from ledger_pipelines_tests.stage import Stage

SECOND = "second"
"""Prefix of everything of the pair that dies."""
NOWHERE = "no-such-account.suitetalk.api.netsuite.com"
DAYS = ("2026-03-10", "2026-03-11", "2026-03-12")
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Death:
    """How a connection dies.

    Args:
        words: One of these is said.
        change: Of its section in ledger.yaml.
        environment: Variables (without the connection's ending) and what they become; None = not set.
        no_name: Whether names cannot be looked up.
        left_out: Whether the configuration leaves it out, loudly.
    """

    words: tuple[str, ...]
    change: Callable[[Document], None] = lambda section: None
    environment: Mapping[str, str | None] = field(default_factory=dict)
    no_name: bool = False
    left_out: bool = False


def _closed_port(section: Document) -> None:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        section["base_url"] = f"http://127.0.0.1:{one.getsockname()[1]}"


def _nowhere(section: Document) -> None:
    del section["base_url"], section["sandbox"]


def _no_tls(section: Document) -> None:
    section["base_url"] = section["base_url"].replace("http://", "https://")


def _invalid(section: Document) -> None:
    section["auth"]["certificate_id_env"] = "not-a-name"


DEATHS: Mapping[str, Death] = {
    "refused-login": Death(
        ("refuse", "invalid_client", "credentials"), environment={"LEDGER_NETSUITE_CLIENT_ID": "wrong"}
    ),
    "missing-variable": Death(
        ("LEDGER_NETSUITE_CLIENT_ID_SECOND is not set",), environment={"LEDGER_NETSUITE_CLIENT_ID": None}
    ),
    "connection-refused": Death(("Connection refused",), _closed_port),
    "no-such-name": Death(("Name or service not known",), _nowhere, no_name=True),
    "no-tls": Death(("TLS", "SSL"), _no_tls),
    "invalid-configuration": Death(("certificate_id_env",), _invalid, left_out=True),
}


def one_dead(integration: str, stage: Stage, death: Death) -> tuple[int, list[str]]:
    """Run everything of both pairs; how many assets are green, and sentences of what is wrong."""
    stage.close_service()
    with ExitStack() as stack:
        loaded = _configuration(integration, stage, death, stack)
        definitions = build_definitions(loaded)
        dg.Definitions.validate_loadable(definitions)
        accepted: list[str] = []
        for source, file in zip(("amazon_us", f"{SECOND}_amazon"), demo_settlement_files(), strict=False):
            place = stage.folder / f"drop-{source}"
            place.mkdir(exist_ok=True)
            (place / file.name).write_bytes(file.content)
            outcome = Arrivals.of(loaded, source).receive(place / file.name)
            assert outcome.settlement_id is not None, outcome.message
            accepted.append(outcome.settlement_id)
        instance = stack.enter_context(home())
        problems = _sensors(definitions, instance, integration, death)
        green = _living(definitions, instance, stage, integration, accepted[0], problems)
        _dead(definitions, instance, loaded, integration, accepted[1], death, problems)
        green += _snapshots(loaded.config.books.zone, definitions, instance, death, problems)
        if stage.books().ours(PAYMENT, accepted[1]):
            problems.append("something of the dead connection was written")
    return green, problems


PAYMENT = "customerPayment"


def _configuration(integration: str, stage: Stage, death: Death, stack: ExitStack) -> LoadedConfig:
    path = stage.folder / "ledger.yaml"
    yaml = YAML()
    document = yaml.load(path.read_text())
    connections, integrations = document["connections"], document["integrations"]
    connections["netsuite"]["entities"] = ["currencies", "accounts"]
    connections[f"{SECOND}_amazon"] = copy.deepcopy(connections["amazon_us"])
    dying = connections[f"{SECOND}_netsuite"] = copy.deepcopy(connections["netsuite"])
    for source in ("amazon_us", f"{SECOND}_amazon"):
        connections[source]["drop"] = {"path": str(stage.folder / f"drop-{source}"), "stable_seconds": 0}
    for name, value in dying["auth"].items():
        if name.endswith("_env"):
            dying["auth"][name] = f"{value}_{SECOND.upper()}"
    integrations[SECOND] = copy.deepcopy(integrations[integration])
    integrations[SECOND] |= {"source": f"{SECOND}_amazon", "target": f"{SECOND}_netsuite"}
    with path.open("w") as out:
        yaml.dump(document, out)
    environment = sandbox_environment(load_config(path, KINDS).config, stage.credentials)
    death.change(dying)
    with path.open("w") as out:
        yaml.dump(document, out)
    for name, value in death.environment.items():
        environment[f"{name}_{SECOND.upper()}"] = value or ""
    stack.enter_context(mock.patch.dict(os.environ, environment))
    for name, value in death.environment.items():
        if value is None:
            del os.environ[f"{name}_{SECOND.upper()}"]
    stack.enter_context(mock.patch.object(SystemClock, "sleep", _soon))
    if death.no_name:
        stack.enter_context(_no_names())
    return load_config(path, KINDS)


def _soon(clock: SystemClock, seconds: float) -> None:
    """Patience is not what is looked at here."""
    del clock
    time.sleep(min(seconds, 0.05))


@contextmanager
def _no_names() -> Iterator[None]:
    """Names cannot be looked up; nothing leaves this machine."""
    real = socket.getaddrinfo

    def look_up(host: Any, *more: Any, **named: Any) -> Any:
        if host in ("127.0.0.1", "localhost", None):
            return real(host, *more, **named)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with mock.patch.object(socket, "getaddrinfo", look_up):
        yield


def _sensors(
    definitions: dg.Definitions, instance: dg.DagsterInstance, integration: str, death: Death
) -> list[str]:
    """All that there are tick; those of the living pair ask for their run."""
    problems = []
    names = ["amazon_us_drop_folder", f"{integration}_resume"]
    if not death.left_out:
        names += [f"{SECOND}_amazon_drop_folder", f"{SECOND}_resume"]
    asked = []
    for name in names:
        result = tick(definitions, instance, name)
        asked += [request.job_name for request in result.run_requests or []]
    if f"{integration}_settlement" not in asked:
        problems.append(f"the sensors ask for {asked}, not for the run of {integration}")
    return problems


def _living(
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    stage: Stage,
    integration: str,
    sid: str,
    problems: list[str],
) -> int:
    result = run_job(definitions, instance, f"{integration}_settlement", partition=sid)
    done = materialized(result)
    wanted = {key for key in _keys(definitions) if key.startswith(f"{integration}/")} | {
        "amazon_us/settlements"
    }
    if not result.success or wanted - done:
        problems.append(f"of the living pair {sorted(wanted - done)} are not green: {said(result)[:300]}")
    if not stage.books().ours("journalEntry", sid) or stage.books().posted(sid, "1051"):
        problems.append("the settlement of the living pair is not booked to 0.00")
    return len(done)


def _dead(
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    loaded: LoadedConfig,
    integration: str,
    sid: str,
    death: Death,
    problems: list[str],
) -> None:
    if death.left_out:
        left = [key for key in _keys(definitions) if key.startswith((f"{SECOND}/", f"{SECOND}_netsuite/"))]
        shown = definitions.resolve_asset_graph().get(dg.AssetKey("configuration")).description or ""
        words = " ".join([shown, *(str(problem) for problem in loaded.problems)])
        if left or "LEFT OUT" not in shown or not all(word in words for word in death.words):
            problems.append(f"left out, but not loudly: assets {left[:3]}, said {words[:300]}")
        return
    if sid not in instance.get_dynamic_partitions(f"{SECOND}_amazon_settlements"):
        instance.add_dynamic_partitions(f"{SECOND}_amazon_settlements", [sid])
    result = run_job(definitions, instance, f"{SECOND}_settlement", partition=sid)
    words = said(result)
    if result.success or not any(word in words for word in death.words) or "Traceback" in words:
        problems.append(f"the dead pair: success {result.success}, said {words[:300]!r}")
    wrong = {key for key in materialized(result) if key != f"{SECOND}_amazon/settlements"}
    if wrong:
        problems.append(f"green, though the connection is dead: {sorted(wrong)}")
    del integration


def _snapshots(
    zone: ZoneInfo,
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    death: Death,
    problems: list[str],
) -> int:
    """All snapshots of both accounts in one run, as from the graph: those of the living one are green."""
    day = (business_date(datetime.now(UTC), zone) - timedelta(days=1)).isoformat()
    keys = [
        dg.AssetKey(key.split("/"))
        for key in _keys(definitions)
        if "netsuite/currencies" in key or "netsuite/accounts" in key
    ]
    job = dg.define_asset_job("everything", selection=keys, partitions_def=None)
    whole = dg.Definitions.merge(definitions, dg.Definitions(jobs=[job]))
    result = whole.resolve_job_def("everything").execute_in_process(
        instance=instance, tags={RANGE_START: day, RANGE_END: day}, raise_on_error=False
    )
    done = materialized(result)
    living = {"netsuite/currencies", "netsuite/accounts"}
    if (
        not living <= done
        or any(key.startswith(SECOND) for key in done)
        or result.success is not death.left_out
    ):
        problems.append(
            f"snapshots of both accounts in one run: green {sorted(done)}, said {said(result)[:200]}"
        )
    return len(done)


def _keys(definitions: dg.Definitions) -> list[str]:
    return sorted(key.to_user_string() for key in definitions.resolve_asset_graph().get_all_asset_keys())


# --- days ------------------------------------------------------------------------------------------------------------

_ENTITY = Entity(
    "invoices",
    (Column("id", "t.id"), Column("total", "t.total", Kind.NUMBER), Column("lastmodifieddate", "t.lastmodifieddate", Kind.INSTANT)),
    "transaction t", ("id",), "t.id", "", "t.lastmodifieddate",
)  # fmt: skip


@dataclass
class _Account:
    """An account with an invoice a day; the one of the middle day cannot be stored while `bad`."""

    bad: bool = True

    @property
    def reader(self) -> _Account:
        return self

    def entity(self, name: str) -> Entity:
        assert name == "invoices"
        return _ENTITY

    def calls(self) -> int:
        return 0

    def read_changes(self, entity: Entity, start: datetime, end: datetime) -> Iterator[Rows]:
        for number, day in enumerate(DAYS):
            at = datetime.fromisoformat(f"{day}T15:00:00+00:00")
            total: Cell = "not a number" if self.bad and number == 1 else number  # type: ignore[assignment]  # that is the point
            if start <= at < end:
                yield Rows(entity, ((str(number), total, at),))

    @contextmanager
    def open(self, loaded: LoadedConfig, connection: str, run_id: str) -> Iterator[_Account]:
        del loaded, connection, run_id
        yield self


def bad_day(stage: Stage) -> list[str]:
    """Three days, the middle one bad; then each alone; then put right. Sentences of what is wrong."""
    stage.close_service()
    path = stage.folder / "ledger.yaml"
    yaml = YAML()
    document = yaml.load(path.read_text())
    document["connections"]["netsuite"]["entities"] = ["invoices"]
    with path.open("w") as out:
        yaml.dump(document, out)
    account = _Account()
    loaded = load_config(path, KINDS)
    definitions = build_definitions(loaded, Overrides(open_reader=account.open))
    key = dg.AssetKey(["netsuite", "invoices"])
    problems = []

    def run(first: str, last: str) -> bool:
        job = definitions.resolve_job_def("netsuite_snapshots")
        bounds = {RANGE_START: first, RANGE_END: last}
        return job.execute_in_process(instance=instance, tags=bounds, raise_on_error=False).success

    with home() as instance:
        for (first, last), succeeds, green in (
            ((DAYS[0], DAYS[2]), False, {DAYS[0]}),
            ((DAYS[1], DAYS[1]), False, {DAYS[0]}),
            ((DAYS[2], DAYS[2]), True, {DAYS[0], DAYS[2]}),
        ):
            if run(first, last) is not succeeds or instance.get_materialized_partitions(key) != green:
                problems.append(
                    f"{first} to {last}: green are {sorted(instance.get_materialized_partitions(key))}, not {sorted(green)}"
                )
        account.bad = False
        if not run(DAYS[1], DAYS[1]) or instance.get_materialized_partitions(key) != set(DAYS):
            problems.append("put right, the bad day is not green")
    stored = {
        one.day: one.rows for one in SnapshotStore(loaded.config.data_dir, "netsuite").manifests("invoices")
    }
    if stored != {date.fromisoformat(day): 1 for day in DAYS}:
        problems.append(f"stored are {stored}")
    return problems
