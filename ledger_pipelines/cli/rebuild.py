"""The command `rebuild`: the data folder again, from the landed files and the journal.

Belongs here: the order, what is shown and returned. Does not belong here: making anything (`integrations`).
"""

from __future__ import annotations

from contextlib import closing

from ledger_pipelines.cli import shapes, tables
from ledger_pipelines.cli.context import integration_name, load
from ledger_pipelines.cli.output import FINE, NEEDS_A_PERSON, out, print_error, print_json, say
from ledger_pipelines.cli.progress import progress
from ledger_pipelines.cli.settlements import tell_arrival
from ledger_pipelines.cli.work import Failure
from ledger_pipelines.config.load import LoadedConfig
from ledger_pipelines.errors import LedgerError
from ledger_pipelines.integrations.amazon_netsuite.arrival import ArrivalOutcome
from ledger_pipelines.integrations.amazon_netsuite.intake import Arrivals
from ledger_pipelines.integrations.amazon_netsuite.service import build_service
from ledger_pipelines.integrations.opening import is_by_day, open_by_day
from ledger_pipelines.sync.plan import Plan

BEFORE_START = "before-start-date"


def rebuild(integration: str | None, *, calls: bool, as_json: bool) -> int:
    """Settlements from landed files; then, unless told not to ask, books, plans and statements of each.

    A shop has no landed files: unless told not to ask, both its sides are read again and paired.
    One that fails stops neither the others nor another integration. 1 when something could not be made again.
    """
    loaded = load(quiet=as_json)
    names = (
        list(loaded.config.integrations) if integration is None else [integration_name(loaded, integration)]
    )
    files = [name for name in names if not is_by_day(loaded, name)]
    sources = dict.fromkeys(loaded.config.integration(name).source for name in files)
    outcomes = [outcome for source in sources for outcome in Arrivals.of(loaded, source).restore()]
    plans: list[Plan] = []
    failures: list[Failure] = []
    for name in names if calls else ():
        if is_by_day(loaded, name):
            _shop(loaded, name, failures)
        else:
            _integration(loaded, name, plans, failures)
    if as_json:
        print_json(
            {
                "settlements": [_shape(one) for one in outcomes],
                "plans": [shapes.plan(one) for one in plans],
                "failures": shapes.failures(failures),
            }
        )
    else:
        for one in outcomes:
            tell_arrival(one)
        made = sum(one.accepted for one in outcomes)
        out().print(f"{made} of {len(outcomes)} landed files were read again; the others were there, whole.")
        for plan in plans:
            tables.show_plan(plan)
        for failure in failures:
            say(f"Settlement {failure.settlement_id}:" if failure.settlement_id else "")
            print_error(failure.error)
    refused = any(not one.accepted for one in outcomes)
    return NEEDS_A_PERSON if refused or failures or loaded.left_out else FINE


def _integration(loaded: LoadedConfig, name: str, plans: list[Plan], failures: list[Failure]) -> None:
    """Every settlement's turn. What ends a turn ends only that one."""
    with closing(build_service(loaded, name)) as service, progress() as tell:
        for sid in service.settlements():
            try:
                plans += service.rebuild(sid, tell)
            except LedgerError as error:
                if error.code != BEFORE_START:
                    failures.append(Failure(sid, error))


def _shop(loaded: LoadedConfig, name: str, failures: list[Failure]) -> None:
    """Its snapshots and its pairs, by reading; nothing is written to either side."""
    with closing(open_by_day(loaded, name)) as service, progress() as tell:
        try:
            service.initial_sync(tell, rebuilt=True)
        except LedgerError as error:
            failures.append(Failure("", error))


def _shape(outcome: ArrivalOutcome) -> dict[str, object]:
    return {
        "settlement_id": outcome.settlement_id,
        "status": str(outcome.status),
        "sha256": outcome.sha256,
        "message": outcome.message,
    }
