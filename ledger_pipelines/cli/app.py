"""The commands themselves: arguments, what is called, the exit code.

Belongs here: one short function a command. Does not belong here: anything but calling and showing.
Exit codes: 0 fine, 1 something needs a person, 2 wrong use or configuration.
"""

# ruff: noqa: PLC0415 - every command imports what it needs itself, so that `--help` is quick

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, CycloptsError, Parameter

from ledger_pipelines.cli.output import (
    FINE,
    NEEDS_A_PERSON,
    STOPPED,
    WRONG_USE,
    code_of,
    out,
    print_error,
    print_json,
    report_unexpected,
    say,
)
from ledger_pipelines.errors import LedgerError
from ledger_pipelines.machine import explained

Json = Annotated[
    bool, Parameter(name="--json", negative="", help="Print JSON for scripts instead of tables.")
]
Partition = Annotated[
    str | None,
    Parameter(
        name="--partition",
        help="Settlement id; for a shop a day, or a range of days like 2026-09-01..2026-09-30. Default: all that is open.",
    ),
]
Who = Annotated[
    str | None, Parameter(name="--who", help="Your name, for the log. Default: the user logged in.")
]


def _version() -> str:
    from importlib.metadata import version

    return version("ledger-pipelines")


app = App(
    name="ledger-pipelines",
    help="Shops, subscriptions and marketplaces into the books: planned, exactly once, to the cent.",
    version=_version,
    help_format="plaintext",  # markdown would cost a third of the time to the first line
    help_epilogue="Exit codes: 0 fine, 1 something needs a person, 2 wrong use. Configuration: LEDGER_CONFIG, or ./ledger.yaml.",
)
settlement = App(name="settlement", help="Look at a settlement file.")
config = App(name="config", help="About the configuration file.")
app.command(settlement)
app.command(config)


@app.command
def demo() -> int:
    """Sandbox, settlements the whole way into the books, and what came of it. Leaves nothing running."""
    from ledger_pipelines.cli.demo import run_demo

    return run_demo()


@app.command
def dev(*, port: int = 3000) -> int:
    """Dagster UI on 127.0.0.1 with the sandbox beside it; Ctrl-C stops both.

    Parameters
    ----------
    port
        Port of the UI.
    """
    from ledger_pipelines.cli.processes import run_dev

    return run_dev(port)


@app.command
def sandbox(*, port: int = 8700, seed: Literal["demo", "empty"] = "demo", state: Path | None = None) -> int:
    """The vendors' APIs as local servers: control on PORT, Neto on PORT+1, Saasu +2, NetSuite +6, Amazon +7.

    Parameters
    ----------
    port
        Control port.
    seed
        What new books begin with.
    state
        File that keeps the books between runs. Default: memory.
    """
    from ledger_pipelines.cli.processes import sandbox_in_foreground

    return sandbox_in_foreground(port, seed, state)


@app.command
def check(*, json: Json = False) -> int:
    """Look at the configuration, then at each connection: secrets, login, clock, rights, what it can see."""
    from ledger_pipelines.cli.connections import check as look
    from ledger_pipelines.cli.context import load
    from ledger_pipelines.cli.tables import show_findings

    loaded = load(quiet=True)
    found = list(look(loaded))
    if json:
        print_json(found)
    else:
        show_findings(found)
    return FINE if all(one.ok for one in found) else NEEDS_A_PERSON


@app.command
def options(connection: str, kind: str | None = None, /, *, search: str = "", json: Json = False) -> int:
    """The accounts, items, subsidiaries ... that a setting may name, asked of the account itself.

    Parameters
    ----------
    connection
        Name of a connection.
    kind
        One list only, like `accounts`.
    search
        Part of a name.
    """
    from ledger_pipelines.cli.connections import options as lists
    from ledger_pipelines.cli.context import connection as named
    from ledger_pipelines.cli.context import load
    from ledger_pipelines.cli.tables import show_options

    loaded = load()
    named(loaded, connection)
    found = list(lists(loaded.config, connection, kind, search))
    if json:
        print_json(found)
    else:
        for one in found:
            show_options(one)
    return FINE


@settlement.command
def inspect(file: Path, /, *, json: Json = False) -> int:
    """Read a settlement file as it would be read, and show what is in it. Exit code 0 only if it would be accepted.

    Parameters
    ----------
    file
        The file as Amazon gives it.
    """
    from ledger_pipelines.cli.settlements import inspect_file

    return inspect_file(file, as_json=json)


@app.command
def drop(file: Path, /, *, connection: str | None = None) -> int:
    """Put a settlement file into the drop folder of a connection, whole.

    Parameters
    ----------
    file
        The file as Amazon gives it.
    connection
        Which, where there are several.
    """
    from ledger_pipelines.cli.context import drop_connection, load
    from ledger_pipelines.cli.drops import drop_file

    loaded = load()
    target = drop_file(loaded.config.amazon(drop_connection(loaded, connection)), file)
    say(f"{file.name} is in {target}.")
    return FINE


@app.command(name="seed-books")
def seed_books(*files: Path, leave_out: int = 0, integration: str | None = None) -> int:
    """Give the sandbox's NetSuite the customers, items, orders and invoices behind settlement files.

    Parameters
    ----------
    files
        Settlement files.
    leave_out
        How many orders of each file to leave out, for the unmatched cases.
    integration
        Whose target, where there are several.
    """
    from ledger_pipelines.cli.context import load
    from ledger_pipelines.cli.settlements import seed

    return seed(load(), integration, files, leave_out)


@config.command
def schema() -> int:
    """Print the JSON Schema of ledger.yaml, for editors."""
    import json as text

    from ledger_pipelines.config.schema import json_schema
    from ledger_pipelines.integrations.kinds import KINDS

    sys.stdout.write(text.dumps(json_schema(KINDS), indent=2, default=str) + "\n")
    return FINE


@config.command(name="sandbox-env")
def sandbox_env(*, control: str = "http://127.0.0.1:8700") -> int:
    """Print `export` lines with the running sandbox's public credentials: eval "$(ledger-pipelines config sandbox-env)".

    Parameters
    ----------
    control
        Control address of the sandbox.
    """
    from ledger_pipelines.cli.context import load
    from ledger_pipelines.cli.processes import print_environment

    return print_environment(load().config, control)


@config.command
def reference() -> int:
    """Print the reference tables of every field but the integrations' own settings (Markdown)."""
    from ledger_pipelines.config.reference import reference as tables

    sys.stdout.write(tables())
    return FINE


@app.command
def plan(
    integration: str, flow: str | None = None, /, *, partition: Partition = None, json: Json = False
) -> int:
    """What would be written, why, and for how much. Writes nothing to the target.

    Parameters
    ----------
    integration
        Name of the integration.
    flow
        One flow only.
    """
    from ledger_pipelines.cli.work import plan as show

    return show(integration, flow, partition, as_json=json)


@app.command
def run(
    integration: str, flow: str | None = None, /, *, partition: Partition = None, json: Json = False
) -> int:
    """Run now: plan, and write what the plan says, as the integration's mode allows.

    Parameters
    ----------
    integration
        Name of the integration.
    flow
        One flow only.
    """
    from ledger_pipelines.cli.work import run as carry_out

    return carry_out(integration, flow, partition, as_json=json)


@app.command(name="initial-sync")
def initial_sync(integration: str, /, *, json: Json = False) -> int:
    """Read a shop and its books whole and pair what both have already. Needed once; writes to neither side.

    Parameters
    ----------
    integration
        Name of the integration.
    """
    from ledger_pipelines.cli.work import initial_sync as pair

    return pair(integration, as_json=json)


@app.command
def reconcile(integration: str, /, *, partition: Partition = None, json: Json = False) -> int:
    """Compare a shop with its books as both were last read: by day, by payment method, each difference explained.

    Parameters
    ----------
    integration
        Name of the integration.
    """
    from ledger_pipelines.cli.work import reconcile as compare

    return compare(integration, partition, as_json=json)


@app.command
def status(*, json: Json = False) -> int:
    """What has been written, what is open, what waits for a person."""
    from ledger_pipelines.cli.work import status as show

    return show(as_json=json)


@app.command
def errors(search: str = "", /, *, json: Json = False) -> int:
    """Every record that waits for a person: the reason and the one thing to do.

    Parameters
    ----------
    search
        Document number, or its beginning.
    """
    from ledger_pipelines.cli.work import errors as show

    return show(search, as_json=json)


@app.command
def log(number: str = "", /, *, verify: bool = False, json: Json = False) -> int:
    """Every write of a document, done or not, with its history: by order id, settlement id, NetSuite id or key.

    Parameters
    ----------
    number
        Document number or its beginning, external id, NetSuite id, or key.
    verify
        Check instead that nobody altered the log: each line holds the hash of the one before.
    """
    from ledger_pipelines.cli import log as rows
    from ledger_pipelines.errors import ConfigurationError

    if not verify and not number:
        raise ConfigurationError("Which document?", remedy="Give its number, or --verify.")
    return rows.verify() if verify else rows.show(number, as_json=json)


@app.command
def adopt(key: str, /, *, remote_id: str = "", why: str, who: Who = None) -> int:
    """Take a record of the target for ours: a held write that you found there and compared.

    Parameters
    ----------
    key
        Key of the write (`log` shows it), or its external id.
    remote_id
        The target's id; left out: the one the write already names.
    why
        What you saw.
    """
    from ledger_pipelines.cli.log import adopt as take
    from ledger_pipelines.cli.work import who_is

    return take(key, remote_id, who_is(who), why)


@app.command
def retry(number: str, /, *, why: str = "", who: Who = None) -> int:
    """Let a refused or held record be sent again, once its cause is gone.

    Parameters
    ----------
    number
        Document number or key, as `errors` shows it.
    why
        For the log.
    """
    from ledger_pipelines.cli.work import retry as again

    return again(number, who, why)


@app.command
def ignore(number: str, /, *, why: str, who: Who = None) -> int:
    """Take a record off the list for good: you settled it by hand.

    Parameters
    ----------
    number
        Document number or key, as `errors` shows it.
    why
        What you did, for the log.
    """
    from ledger_pipelines.cli.work import ignore as leave

    return leave(number, who, why)


@app.command
def resume(integration: str | None = None, /, *, json: Json = False) -> int:
    """Settle outcomes that are unknown, and finish what earlier runs left.

    Parameters
    ----------
    integration
        Name of the integration, where there are several.
    """
    from ledger_pipelines.cli.work import resume as finish

    return finish(integration, as_json=json)


@app.command
def rebuild(integration: str | None = None, /, *, calls: bool = True, json: Json = False) -> int:
    """Make again what was lost of the data folder: settlements from landed files; books, plans, statements. Writes nothing.

    Parameters
    ----------
    integration
        Name of the integration. Default: all.
    calls
        With --no-calls only the settlements are made again, from the landed files; the target is not asked.
    """
    from ledger_pipelines.cli.rebuild import rebuild as make_again

    return make_again(integration, calls=calls, as_json=json)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    sys.excepthook = report_unexpected
    try:
        code = app(
            None if arguments is None else list(arguments),
            exit_on_error=False,
            print_error=True,
            result_action="return_value",
        )
    except CycloptsError:
        return WRONG_USE
    except LedgerError as error:
        print_error(error)
        return code_of(error)
    except BrokenPipeError:
        # The reader (head, less) has seen enough.
        sys.stderr.close()
        return FINE
    except Exception as error:
        refusal = explained(error)
        if refusal is None:
            raise
        print_error(refusal)
        return code_of(refusal)
    except KeyboardInterrupt:
        say("Stopped.")
        return STOPPED
    out().file.flush()
    return code if isinstance(code, int) else FINE
