"""The command `demo`: a sandbox, Amazon's demo settlements and a shop the whole way into their books, and the shop's orders into Omni.

Belongs here: the order of the show. Does not belong here: any step's work; each is what the product does everywhere.
Data go to a folder of the demo's own, made anew each time; the sandbox's books live in memory and end with it.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
from rich.text import Text

from ledger_pipelines.cli import tables
from ledger_pipelines.cli.context import load
from ledger_pipelines.cli.demo_omni import show_omni
from ledger_pipelines.cli.demo_shop import show_shop
from ledger_pipelines.cli.output import FINE, NEEDS_A_PERSON, out, say
from ledger_pipelines.cli.processes import at_sandbox, running_sandbox, sandbox_environment, stop_on_terminate
from ledger_pipelines.cli.progress import progress
from ledger_pipelines.cli.settlements import take_in, tell_arrival
from ledger_pipelines.cli.work import open_service
from ledger_pipelines.config.connections import AmazonConnectionConfig
from ledger_pipelines.config.load import LoadedConfig
from ledger_pipelines.documents.effects import Mode
from ledger_pipelines.documents.money import plain
from ledger_pipelines.errors import ConfigurationError, DataError
from ledger_pipelines.integrations.amazon_netsuite.results import RunResult
from ledger_pipelines.integrations.opening import is_by_day
from ledger_pipelines.sync.result import Outcome
from ledger_pipelines.systems.amazon.lwa import AmazonConnection
from ledger_pipelines.systems.amazon.spapi import SpApi


def run_demo() -> int:
    """The whole show; 0 when every settlement reconciles.

    Raises:
        ConfigurationError: The configuration is not the sandbox's, or its ports are taken.
    """
    stop_on_terminate()
    began = time.monotonic()
    loaded, name, days = _demo_config(load())
    folder = loaded.config.data_folder
    say(
        "1/6  Starting the sandbox: Amazon, NetSuite, Neto, Saasu and Cin7 Omni on this machine, with books in them ..."
    )
    with running_sandbox(folder / "sandbox.log") as sandbox:
        os.environ.update(sandbox_environment(loaded.config, sandbox.credentials))
        loaded = replace(loaded, config=at_sandbox(loaded.config, sandbox.credentials))
        say("2/6  Fetching the settlement reports from Amazon ...")
        source = loaded.config.integration(name).source
        _fetch(loaded, source)
        for outcome in take_in(loaded, source):
            tell_arrival(outcome)
        say("3/6  Planning, writing, reading back ...")
        with closing(open_service(loaded, name)) as service, progress() as tell:
            settlements = service.settlements()
            if not settlements:
                raise DataError(
                    "The sandbox's Amazon had no settlement.", remedy=f"Its log: {folder / 'sandbox.log'}."
                )
            found: dict[str, RunResult] = {}
            for sid in settlements:
                found[sid] = service.run(None, sid, tell)
                say(f"     settlement {sid}: {'reconciled' if _clean(found[sid]) else 'something is open'}")
            for sid in [sid for sid, one in found.items() if not _clean(one)]:
                # What waited for a later settlement (a refund before its order was paid) is taken up now.
                before, found[sid] = found[sid], service.run(None, sid, tell)
                say(
                    f"     settlement {sid}, again: {'reconciled' if _clean(found[sid]) else 'something is open'}"
                )
                found[sid] = replace(found[sid], flows=(*before.flows, *found[sid].flows))
            results = list(found.values())
        say("4/6  What was written")
        _show(results)
        _show_clearing(sandbox.control)
        fine = all(_clean(one) for one in results)
        if "neto_saasu" in days:
            say("5/6  A Neto shop into its Saasu books ...")
            fine = show_shop(loaded, days["neto_saasu"], sandbox.control) == FINE and fine
        if "neto_cin7" in days:
            say("6/6  The same shop's orders into Cin7 Omni ...")
            fine = show_omni(loaded, days["neto_cin7"], sandbox.control) == FINE and fine
    out().print(Text(f"\nDone in {time.monotonic() - began:.0f} s; nothing is left running.", style="dim"))
    for one in results:
        if one.statement is not None:
            out().print(f"Statement of {one.settlement_id}: {one.statement}", soft_wrap=True, markup=False)
    out().print(
        "Next: `make dev` opens the same in Dagster's UI; README tells how to connect your own accounts."
    )
    return FINE if fine else NEEDS_A_PERSON


def _demo_config(loaded: LoadedConfig) -> tuple[LoadedConfig, str, dict[str, str]]:
    """The configuration with a data folder of the demo's own, and the integrations that run on the sandbox: the one of
    settlements, and those by days, by kind.
    """
    config = loaded.config
    fitting = [
        name
        for name, one in config.integrations.items()
        if config.connections[one.source].sandbox
        and config.connections[one.target].sandbox
        and one.mode is Mode.LIVE
    ]
    settlements = [name for name in fitting if not is_by_day(loaded, name)]
    days = {config.integrations[name].kind: name for name in fitting if is_by_day(loaded, name)}
    if not settlements:
        raise ConfigurationError(
            "The demo writes to the sandbox only, and this configuration has no live integration on it.",
            remedy="Run it with the ledger.yaml that is shipped.",
        )
    folder = config.data_folder / "demo"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    connections = dict(config.connections)
    for name, connection in config.connections.items():
        if isinstance(connection, AmazonConnectionConfig) and connection.drop is not None:
            drop = connection.drop.model_copy(update={"path": str(folder / "drop" / name)})
            connections[name] = connection.model_copy(update={"drop": drop})
    own: dict[str, Any] = {
        "data_dir": str(folder),
        "connections": connections,
        "journal_url": None,
        "journal_url_env": None,
    }
    demo = replace(loaded, config=config.model_copy(update=own))
    return demo, settlements[0], days


def _fetch(loaded: LoadedConfig, name: str) -> None:
    """Every settlement report that Amazon lists, into the drop folder."""
    config = loaded.config.amazon(name)
    if config.api is None or config.drop is None:
        raise ConfigurationError(f"The demo needs api and drop of connection {name}.")
    connection = AmazonConnection.from_env(
        name,
        config.region,
        client_id=config.api.client_id_env,
        client_secret=config.api.client_secret_env,
        refresh_token=config.api.refresh_token_env,
        base_url=config.base_url or "",
        token_url=config.token_address,
        sandbox=config.sandbox,
        state_folder=loaded.config.data_folder / "state",
    )
    with closing(SpApi(connection)) as api:
        for entry in api.list_settlement_reports():
            api.fetch(entry, Path(config.drop.path))


def _clean(one: RunResult) -> bool:
    return one.reconciliation is not None and one.reconciliation.clean


def _show(results: list[RunResult]) -> None:
    """A line a settlement and flow, then the figures."""
    table = tables.plain_table("", ["settlement", "flow", "written", "waiting", "calls"], right=["written", "waiting", "calls"])  # fmt: skip
    for one in results:
        for name in dict.fromkeys(flow.flow for flow in one.flows):
            runs = [flow.result for flow in one.flows if flow.flow == name]
            written = sum(run.counts()[Outcome.WRITTEN] + run.counts()[Outcome.ADOPTED] for run in runs)
            waiting = sum(row.needs_person for row in runs[-1].rows)
            sends = sum(run.sends for run in runs)
            table.add_row(*map(tables.cell, (one.settlement_id, name, written, waiting or "", sends)))
    out().print(table)
    figures = tables.plain_table(
        "\nReconciliation",
        ["settlement", "deposit", "booked", "difference", "clearing", "groups", ""],
        right=["deposit", "booked", "difference", "clearing", "groups"],
    )
    for one in results:
        found = one.reconciliation
        if found is None:
            figures.add_row(one.settlement_id, "", "", "", "", "", Text("not written", style="red"))
            continue
        verdict = Text("reconciled", style="green") if found.clean else Text("OPEN", style="bold red")
        amounts = [
            tables.money_text(a, found.currency)
            for a in (found.deposit, found.booked, found.difference, found.clearing)
        ]
        figures.add_row(one.settlement_id, *amounts, f"{found.resolved}/{found.groups}", verdict)
    out().print(figures)
    for one in results:
        last = {flow.flow: flow.result for flow in one.flows}
        for row in (row for result in last.values() for row in result.rows if row.needs_person):
            out().print(Text(f"  {row.number} {row.reason.text} {row.reason.remedy}"), soft_wrap=True)


def _show_clearing(control: str) -> None:
    """The sandbox's own word on it: the clearing accounts in its trial balance."""
    answer = httpx.get(f"{control}/trial-balance/netsuite", trust_env=False)
    balance = json.loads(answer.raise_for_status().text, parse_float=Decimal, parse_int=Decimal)
    table = tables.plain_table(
        "\nTrial balance of the sandbox's NetSuite", ["account", "", "balance"], right=["balance"]
    )
    for row in balance.get("accounts", []):
        table.add_row(tables.cell(row["number"]), tables.cell(row["name"]), plain(Decimal(row["balance"]), 2))
    out().print(table)
