"""The commands about the work itself: `plan`, `run`, `status`, `errors`, `retry`, `ignore`, `resume`.

Belongs here: which settlements a command is about, calling the application service, what is shown and returned.
Does not belong here: planning, writing, reconciling (`integrations`, `sync`).
"""

from __future__ import annotations

import getpass
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Protocol, TypeVar

from ledger_pipelines.cli import by_day, shapes, tables
from ledger_pipelines.cli.context import integration_name, load
from ledger_pipelines.cli.output import FINE, NEEDS_A_PERSON, out, print_error, print_json, say
from ledger_pipelines.cli.progress import progress
from ledger_pipelines.cli.settlements import take_in, tell_arrival
from ledger_pipelines.config.load import LoadedConfig
from ledger_pipelines.documents.money import Money
from ledger_pipelines.errors import ConfigurationError, CredentialError, DataError, LedgerError
from ledger_pipelines.integrations.amazon_netsuite.arrival import Arrival
from ledger_pipelines.integrations.amazon_netsuite.results import RunResult, SettlementStatus
from ledger_pipelines.integrations.amazon_netsuite.service import build_service
from ledger_pipelines.integrations.by_day.results import DayStatus
from ledger_pipelines.integrations.open_items import OpenItem
from ledger_pipelines.integrations.opening import is_by_day, open_by_day
from ledger_pipelines.sync.plan import Plan
from ledger_pipelines.sync.result import ApplyResult
from ledger_pipelines.telling import Progress

T = TypeVar("T")


class Worklist(Protocol):
    """What every integration can be asked."""

    def resume(self, progress: Progress | None = None) -> ApplyResult:
        """Finish what earlier runs left."""
        ...

    def errors(self) -> list[OpenItem]:
        """What is open."""
        ...

    def retry(self, names: Sequence[str], who: str, why: str) -> list[str]:
        """Take up again; the keys concerned."""
        ...

    def ignore(self, names: Sequence[str], who: str, why: str) -> list[str]:
        """Count as resolved; the keys concerned."""
        ...

    def close(self) -> None:
        """Close what was opened."""
        ...


class Service(Worklist, Protocol):
    """What the commands need of an integration of settlements (`integrations.amazon_netsuite.service`)."""

    name: str

    def settlements(self) -> list[str]:
        """Ids of the accepted settlements, oldest first."""
        ...

    def plans(self, flow: str | None, settlement_id: str, progress: Progress | None = None) -> list[Plan]:
        """Fresh plans; nothing is written."""
        ...

    def expected_clearing(self, settlement_id: str) -> Money:
        """What the plans leave on the clearing account."""
        ...

    def run(self, flow: str | None, settlement_id: str, progress: Progress | None = None) -> RunResult:
        """Plan and export."""
        ...

    def status(self) -> list[SettlementStatus]:
        """Where each settlement stands."""
        ...


def open_service(loaded: LoadedConfig, name: str) -> Service:
    """The integration of that name, over the settlements that were accepted. Raises ConfigurationError."""
    return build_service(loaded, name)


def open_worklist(loaded: LoadedConfig, name: str) -> Worklist:
    """The integration of that name, whatever its kind. Raises ConfigurationError."""
    return open_by_day(loaded, name) if is_by_day(loaded, name) else build_service(loaded, name)


@dataclass(frozen=True, slots=True)
class Failure:
    """A settlement whose turn ended in an error; the others went on."""

    settlement_id: str
    error: LedgerError


def plan(integration: str, flow: str | None, partition: str | None, *, as_json: bool) -> int:
    """Show what would be written, for every settlement or one. 1 when a row is blocked: a person has to decide."""
    loaded = load()
    name = integration_name(loaded, integration)
    if is_by_day(loaded, name):
        return by_day.plan(loaded, name, flow, partition, as_json=as_json)
    refused = _take_in(loaded, name) if partition is None else 0
    with closing(open_service(loaded, name)) as service, progress() as tell:
        found, failures = _each(_chosen(service, partition), lambda sid: service.plans(flow, sid, tell))
        plans = [one for some in found for one in some]
        whole = dict.fromkeys(one.partition for one in plans) if flow is None else {}
        clearing = {sid: service.expected_clearing(sid) for sid in whole}
    if as_json:
        print_json(
            {
                "plans": [shapes.plan(one) for one in plans],
                "expected_clearing": {sid: str(amount) for sid, amount in clearing.items()},
                "failures": shapes.failures(failures),
            }
        )
    else:
        for one in plans:
            tables.show_plan(one)
        for sid, amount in clearing.items():
            style = "bold red" if amount else "bold green"
            out().print(f"Settlement {sid} leaves {amount} on the clearing account.", style=style)
        _tell_failures(failures)
    blocked = any(row.action.value == "blocked" for one in plans for row in one.rows)
    return NEEDS_A_PERSON if blocked or refused or failures else FINE


def run(integration: str, flow: str | None, partition: str | None, *, as_json: bool) -> int:
    """Run now. Without a partition: what waits in the drop folder, and every settlement that is not reconciled yet."""
    loaded = load()
    name = integration_name(loaded, integration)
    if is_by_day(loaded, name):
        return by_day.run(loaded, name, flow, partition, as_json=as_json)
    refused = _take_in(loaded, name) if partition is None else 0
    with closing(open_service(loaded, name)) as service:
        chosen = _chosen(service, partition)
        if partition is None:
            done = {one.settlement.settlement_id for one in service.status() if _is_done(one)}
            chosen = [sid for sid in chosen if sid not in done]
        with progress() as tell:
            results, failures = _each(chosen, lambda sid: service.run(flow, sid, tell))
    if as_json:
        print_json({"runs": [shapes.run(one) for one in results], "failures": shapes.failures(failures)})
    else:
        if not chosen:
            out().print("Nothing to do: every settlement is reconciled.")
        for one in results:
            tables.show_run(one)
        _tell_failures(failures)
    return NEEDS_A_PERSON if refused or failures or any(one.exit_code for one in results) else FINE


def _take_in(loaded: LoadedConfig, name: str) -> int:
    """Take in what waits in the drop folder of the source; how many files were refused or could not be taken."""
    refused = 0
    for outcome in take_in(loaded, loaded.config.integration(name).source):
        if isinstance(outcome, LedgerError):
            tell_arrival(outcome)
            refused += 1
            continue
        if outcome.status is not Arrival.SAME_CONTENT:
            tell_arrival(outcome)
        refused += not outcome.accepted
    return refused


def initial_sync(integration: str, *, as_json: bool) -> int:
    """Pair a shop and its books. Raises ConfigurationError: the integration has none."""
    loaded = load()
    return by_day.initial_sync(loaded, _shop(loaded, integration), as_json=as_json)


def reconcile(integration: str, partition: str | None, *, as_json: bool) -> int:
    """Compare a shop with its books. Raises ConfigurationError: the integration has none."""
    loaded = load()
    return by_day.reconcile(loaded, _shop(loaded, integration), partition, as_json=as_json)


def _shop(loaded: LoadedConfig, integration: str) -> str:
    name = integration_name(loaded, integration)
    if not is_by_day(loaded, name):
        raise ConfigurationError(
            f"{name} is about settlements: it has no initial sync, and reconciles settlement by settlement.",
            remedy=f"ledger-pipelines run {name}.",
        )
    return name


def status(*, as_json: bool) -> int:
    """Every settlement, every shop. 1 when something is open, or left out of the configuration."""
    loaded = load(quiet=as_json)
    found: dict[str, list[SettlementStatus]] = {}
    stores: dict[str, DayStatus] = {}
    for name in loaded.config.integrations:
        if is_by_day(loaded, name):
            with closing(open_by_day(loaded, name)) as shop:
                stores[name] = shop.status()
            continue
        with closing(open_service(loaded, name)) as service:
            found[name] = service.status()
    if as_json:
        settlements = {name: [shapes.status(one) for one in some] for name, some in found.items()}
        print_json(
            {
                "integrations": settlements
                | {name: by_day.status_shape(one) for name, one in stores.items()},
                "left_out": [str(problem) for problem in loaded.problems],
            }
        )
    else:
        for name, some in found.items():
            tables.show_status(name, some)
        for one in stores.values():
            by_day.show_status(one)
    open_items = any(one.open_items for some in found.values() for one in some)
    open_items = open_items or any(one.open_items for one in stores.values())
    return NEEDS_A_PERSON if open_items or loaded.left_out else FINE


def errors(search: str, *, as_json: bool) -> int:
    """Everything open, of every integration. 1 when there is any."""
    loaded = load(quiet=as_json)
    found: list[OpenItem] = []
    for name in loaded.config.integrations:
        with closing(open_worklist(loaded, name)) as service:
            found += service.errors()
    wanted = search.lower()
    fitting = [
        one
        for one in found
        if any(part.lower().startswith(wanted) for part in (one.number, one.key, one.partition, one.code))
    ]
    if as_json:
        print_json([shapes.open_item(one) for one in fitting])
    else:
        tables.show_open_items(fitting)
    return NEEDS_A_PERSON if fitting else FINE


def retry(number: str, who: str | None, why: str) -> int:
    """Take records up again, wherever they are."""
    reason = why or "asked for on the command line"
    return _act(
        number, "will be tried again with the next run", lambda s: s.retry([number], who_is(who), reason)
    )


def ignore(number: str, who: str | None, why: str) -> int:
    """Count records as settled by hand, wherever they are."""
    return _act(number, "is off the list", lambda s: s.ignore([number], who_is(who), why))


def resume(integration: str | None, *, as_json: bool) -> int:
    """Settle unknown outcomes and send what is approved."""
    loaded = load()
    name = integration_name(loaded, integration)
    with closing(open_worklist(loaded, name)) as service, progress() as tell:
        result = service.resume(tell)
    if as_json:
        print_json(shapes.result(result))
    else:
        tables.show_result(result)
    return result.exit_code


def _act(number: str, words: str, act: Callable[[Worklist], list[str]]) -> int:
    loaded = load()
    touched: list[str] = []
    missing: DataError | None = None
    for name in loaded.config.integrations:
        with closing(open_worklist(loaded, name)) as service:
            try:
                touched += act(service)
            except DataError as error:
                missing = error
    if not touched:
        raise missing or ConfigurationError("There is no usable integration.")
    say(f"{number} {words} ({len(touched)} {'record' if len(touched) == 1 else 'records'}).")
    return FINE


def who_is(given: str | None) -> str:
    """The person named, or whoever is logged in."""
    return given or getpass.getuser()


def _is_done(one: SettlementStatus) -> bool:
    booked = one.reconciliation is not None and one.reconciliation.clean
    return booked and one.carried_out and not one.open_items


def _chosen(service: Service, partition: str | None) -> list[str]:
    known = service.settlements()
    if partition is None:
        if not known:
            say("No settlement has been accepted yet: `ledger-pipelines drop FILE` brings one.")
        return known
    if partition not in known:
        raise ConfigurationError(
            f"There is no settlement {partition} in {service.name}.",
            remedy=f"There are: {', '.join(known[-10:]) or 'none'}.",
        )
    return [partition]


def _each(settlements: Sequence[str], act: Callable[[str], T]) -> tuple[list[T], list[Failure]]:
    """Each settlement's turn; an error ends that turn only, but refused credentials end all."""
    found: list[T] = []
    failures: list[Failure] = []
    for sid in settlements:
        try:
            found.append(act(sid))
        except (ConfigurationError, CredentialError):
            raise
        except LedgerError as error:
            failures.append(Failure(sid, error))
    return found, failures


def _tell_failures(failures: Sequence[Failure]) -> None:
    for failure in failures:
        say(f"Settlement {failure.settlement_id}:")
        print_error(failure.error)
