"""The second half of `demo`: the sandbox's shop into its books, and what came of it.

Belongs here: the order of the show. Does not belong here: any step's work; each is what the product does everywhere.
"""

from __future__ import annotations

import json
from collections import Counter
from contextlib import closing
from dataclasses import replace
from decimal import Decimal

import httpx
from rich.text import Text

from ledger_pipelines.cli import by_day, tables
from ledger_pipelines.cli.output import FINE, NEEDS_A_PERSON, out, say
from ledger_pipelines.cli.progress import progress
from ledger_pipelines.config.load import LoadedConfig
from ledger_pipelines.documents.money import plain
from ledger_pipelines.integrations.by_day.results import RunResult
from ledger_pipelines.integrations.neto_saasu.pairing import Pairing
from ledger_pipelines.integrations.neto_saasu.service import NetoSaasu, build_service


def show_shop(loaded: LoadedConfig, name: str, control: str) -> int:
    """Initial sync, run, run again, reconcile. 0 when nothing is unexplained."""
    loaded = _without_limit(loaded, name, control)
    with closing(build_service(loaded, name)) as service, progress() as tell:
        say("     initial sync: reading the shop and the books, pairing what both have ...")
        paired = service.initial_sync(tell)
        done = service.initial()
        reading = service.calls()
        say(
            f"     {len(paired.items)} items and {len(paired.contacts)} customers paired, {reading} calls, nothing written"
        )
        say("     planning and writing six weeks of orders ...")
        first = service.run(None, (), tell)
        say("     again: what is written is never written twice ...")
        second = service.run(None, (), tell)
        say(
            "     a bookkeeper spells two item codes as the store does; what waited for that goes on by itself ..."
        )
        spelt = _spell_alike(service, paired)
        third = service.run(None, (), tell)
        days = first.days
        figures = service.reconcile(days[0], days[-1])
        page = service.report(days[0], days[-1])
        spent = service.spent()
    if done is not None:
        by_day.show_pairing(done.pairing, service)
    out().print(Text("\nFirst run", style="bold"))
    by_day.show_run(first, spent)
    out().print(Text("\nSecond run", style="bold"))
    show_again(second)
    out().print(Text(f"\nThird run, once {' and '.join(spelt)} are spelt alike", style="bold"))
    by_day.show_run(third, spent)
    table = tables.plain_table("\nThe shop against its books", ["", "check", "what was found"])
    for check in figures.checks():
        mark = Text("ok", style="green") if check.passed else Text("open", style="yellow")
        table.add_row(mark, tables.cell(check.name), tables.cell(check.text))
    out().print(table)
    _trial_balance(control, service.setup.account)
    out().print(f"Reconciliation: {page}", soft_wrap=True, markup=False)
    return FINE if figures.explained == figures.difference else NEEDS_A_PERSON


def _without_limit(loaded: LoadedConfig, name: str, control: str) -> LoadedConfig:
    """Saasu's one call a second would make this take minutes: the sandbox's is lifted, and said so."""
    target = loaded.config.integration(name).target
    httpx.post(f"{control}/saasu/settings", json={"rate_limit": False}, trust_env=False).raise_for_status()
    say("     (the sandbox's limit of one Saasu call a second is lifted for this show)")
    quick = loaded.config.saasu(target).model_copy(update={"seconds_between_calls": 0})
    connections = {**loaded.config.connections, target: quick}
    return replace(loaded, config=loaded.config.model_copy(update={"connections": connections}))


def _spell_alike(service: NetoSaasu, paired: Pairing) -> list[str]:
    """What a person would do in Saasu about codes that differ by case or blanks; the codes concerned."""
    items = service.mirror.books().item_by_code
    done = []
    for miss in paired.near_misses:
        if miss.kind != "spelling" or len(miss.there) != 1:
            continue
        path = f"/Item/{items[miss.there[0]].id}"
        item = service.saasu.get(path)
        if isinstance(item, dict):
            body = {name: value for name, value in item.items() if name != "_links"} | {"Code": miss.here}
            done += [miss.here] if service.saasu.write("PUT", path, body).ok else []
    return done


def show_again(result: RunResult) -> None:
    """A run that had nothing to write, in one line."""
    sends = sum(run.result.sends for run in result.runs if run.result is not None)
    actions = Counter(row.action.value for run in result.runs for row in run.plan.rows)
    said = ", ".join(f"{count} {action}" for action, count in sorted(actions.items()))
    out().print(f"{said or 'no rows'}; {sends} writing calls, {result.calls} calls in all.")


def _trial_balance(control: str, file: str) -> None:
    """The sandbox's own word on it."""
    answer = httpx.get(f"{control}/trial-balance/saasu", trust_env=False)
    balance = json.loads(answer.raise_for_status().text, parse_float=Decimal, parse_int=Decimal)
    table = tables.plain_table(
        "\nTrial balance of the sandbox's Saasu file", ["account", "balance"], right=["balance"]
    )
    for row in balance[file]["accounts"]:
        amount = Decimal(str(row["balance"]))
        if amount:
            table.add_row(tables.cell(row["name"]), plain(amount, 2))
    out().print(table)
