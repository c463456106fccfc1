"""The last part of `demo`: the same store's orders into Cin7 Omni, then what the warehouse did.

Belongs here: the order of the show. Does not belong here: any step's work; each is what the product does everywhere.
"""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from decimal import Decimal

import httpx
from rich.text import Text

from ledger_pipelines.cli import by_day, tables
from ledger_pipelines.cli.demo_shop import show_again
from ledger_pipelines.cli.output import FINE, NEEDS_A_PERSON, out, say
from ledger_pipelines.cli.progress import progress
from ledger_pipelines.config.load import LoadedConfig
from ledger_pipelines.documents.effects import Action
from ledger_pipelines.documents.keys import Json
from ledger_pipelines.documents.money import plain
from ledger_pipelines.integrations.by_day.results import RunResult
from ledger_pipelines.integrations.neto_cin7.service import NetoCin7, build_service
from ledger_pipelines.sync.result import Outcome

_ON_THEIR_WAY = ("Pick", "Pack", "Pending Pickup", "Pending Dispatch")


def show_omni(loaded: LoadedConfig, name: str, control: str) -> int:
    """Initial sync, run, run again, then one order shipped and one cancelled. 0 when Omni's own ledger adds up."""
    loaded = _without_limits(loaded, name, control)
    with closing(build_service(loaded, name)) as service, progress() as tell:
        say("     initial sync: the store was read already, so only what changed since is asked of it ...")
        by_day.show_pairing(service.initial_sync(tell), service)
        say(f"     {service.calls()} calls, nothing written")
        say("     planning and writing the orders, many in one call ...")
        first = service.run(None, (), tell)
        out().print(Text("\nFirst run", style="bold"))
        by_day.show_run(first, service.spent())
        say("     again: what is written is never written twice ...")
        second = service.run(None, (), tell)
        out().print(Text("\nSecond run", style="bold"))
        show_again(second)
        say("     the store ships one order and cancels another ...")
        moved = _move(service, first)
        third = service.run(None, (), tell)
        out().print(Text(f"\nThird run, once {moved}", style="bold"))
        by_day.show_run(third, service.spent())
        page = service.report(first.days[0], third.days[-1])
    adds_up = _ledger(control)
    out().print(f"Reconciliation: {page}", soft_wrap=True, markup=False)
    sent = sum(run.result.sends for run in second.runs if run.result is not None)
    return FINE if adds_up and not sent else NEEDS_A_PERSON


def _without_limits(loaded: LoadedConfig, name: str, control: str) -> LoadedConfig:
    """Omni's 60 calls a minute would make this take minutes: the sandbox's limits are lifted, and said so."""
    target = loaded.config.integration(name).target
    lifted = {"per_second": None, "per_minute": None}
    httpx.post(f"{control}/cin7/settings", json=lifted, trust_env=False).raise_for_status()
    say("     (the sandbox's limits of 3 calls a second and 60 a minute are lifted for this show)")
    wide = {"seconds_between_calls": 0, "calls_per_minute": 600}
    quick = loaded.config.cin7(target).model_copy(update=wide)
    connections = {**loaded.config.connections, target: quick}
    return replace(loaded, config=loaded.config.model_copy(update={"connections": connections}))


def _move(service: NetoCin7, result: RunResult) -> str:
    """What a warehouse would do in the store with two orders that are on their way and in Omni; in words."""
    written = {
        row.number
        for run in result.runs
        if run.flow == "orders" and run.result is not None
        for row in run.result.rows
        if row.outcome is Outcome.WRITTEN and row.action == Action.CREATE
    }
    orders = service.mirror.shop().orders
    waiting = sorted(number for number in written if orders[number].status in _ON_THEIR_WAY)
    shipped, cancelled = waiting[0], waiting[1]
    states = ((shipped, "Dispatched"), (cancelled, "Cancelled"))
    body: list[Json] = [{"OrderID": number, "OrderStatus": status} for number, status in states]
    service.neto.write("UpdateOrder", {"Order": body})
    return f"{shipped} is shipped and {cancelled} cancelled"


def _ledger(control: str) -> bool:
    """The sandbox's own word on it: orders by status, and whether stock and totals are what its documents come to."""
    answer = httpx.get(f"{control}/ledger/cin7", trust_env=False)
    ledger = json.loads(answer.raise_for_status().text, parse_float=Decimal, parse_int=Decimal)
    table = tables.plain_table(
        "\nSales orders of the sandbox's Omni account",
        ["status", "orders", "dispatched", "total"],
        right=["orders", "dispatched", "total"],
    )
    for status, sums in ledger["sales"].items():
        total = plain(Decimal(str(sums["total"])), 2)
        table.add_row(*map(tables.cell, (status, sums["count"], sums["dispatched"], total)))
    out().print(table)
    for difference in ledger["differences"]:
        out().print(Text(f"  {difference}", style="red"))
    return bool(ledger["adds_up"])
