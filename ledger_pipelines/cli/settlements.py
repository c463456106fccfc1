"""The commands about settlement files: `settlement inspect`, `seed-books`; and taking in what was dropped.

Belongs here: files in, what is shown of them. Does not belong here: reading and accepting them
(`integrations/amazon_netsuite/arrival`, `inspection`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.text import Text

from ledger_pipelines.cli.context import integration_name
from ledger_pipelines.cli.drops import is_file
from ledger_pipelines.cli.output import FINE, NEEDS_A_PERSON, out, print_error, print_json, say
from ledger_pipelines.cli.progress import progress
from ledger_pipelines.cli.tables import cell, plain_table
from ledger_pipelines.config.load import LoadedConfig
from ledger_pipelines.documents.money import exponent, plain
from ledger_pipelines.errors import ConfigurationError, LedgerError
from ledger_pipelines.integrations.amazon_netsuite.arrival import ArrivalOutcome
from ledger_pipelines.integrations.amazon_netsuite.inspection import Inspection
from ledger_pipelines.integrations.amazon_netsuite.inspection import inspect_file as look_into
from ledger_pipelines.integrations.amazon_netsuite.intake import Arrivals
from ledger_pipelines.integrations.amazon_netsuite.sandbox_seeding import seed_files


def inspect_file(file: Path, *, as_json: bool) -> int:
    """Show what a file holds. 0 only when it would be accepted. Raises ConfigurationError: there is no such file."""
    is_file(file)
    found = look_into(file)
    if as_json:
        print_json(found.as_json())
    else:
        _show(file, found)
    return FINE if found.acceptable else NEEDS_A_PERSON


def _show(file: Path, found: Inspection) -> None:
    shape = found.as_json()
    head = plain_table("", ["", ""])
    for name in ("settlement_id", "variant", "encoding", "currency", "start", "end", "deposit_date", "total_amount", "sum_amount", "rows"):  # fmt: skip
        head.add_row(name.replace("_", " "), cell(shape[name]))
    out().print(Text(str(file), style="bold"))
    out().print(head)
    kinds = plain_table(
        "\nBy kind", ["class", "kind", "category", "rows", "amount"], right=["rows", "amount"]
    )
    for one in found.kinds:
        style = "" if one.kind.known else "yellow"
        amount = plain(one.amount, exponent(found.partial.currency or ""))
        row = (one.cls, one.kind.triple, one.kind.category, one.rows, amount)
        kinds.add_row(*(Text(str(value), style=style) for value in row))
    if found.kinds:
        out().print(kinds)
    groups = Counter(str(group.cls) for group in found.groups)
    if groups:
        out().print("\nGroups: " + ", ".join(f"{count} {name}" for name, count in groups.items()))
    for warning in found.warnings:
        out().print(Text(f"note: {warning.sentence()}", style="yellow"), soft_wrap=True)
    for finding in found.partial.findings:
        out().print(Text(f"refused: {finding.sentence()}", style="red"), soft_wrap=True)
    if found.acceptable:
        out().print(Text("\nIt foots and would be accepted.", style="bold green"))
    else:
        out().print(Text("\nIt would be refused.", style="bold red"))


def take_in(loaded: LoadedConfig, name: str) -> Iterator[ArrivalOutcome | LedgerError]:
    """Take in every file that waits in a connection's drop folder, as the sensor does. Files seen before change nothing.

    A file that cannot be taken gives its error, and the others go on.

    Raises:
        OSError: The disk.
    """
    arrivals = Arrivals.of(loaded, name)
    for file in list(arrivals.waiting()):
        try:
            yield arrivals.take(file)
        except LedgerError as error:
            yield error


def seed(loaded: LoadedConfig, integration: str | None, files: Sequence[Path], leave_out: int) -> int:
    """Make the sandbox's books behind files. Raises RefusedError: the target is a real account."""
    if not files:
        raise ConfigurationError("No settlement file was named.", remedy="Name one or more.")
    for file in files:
        is_file(file)
    name = integration_name(loaded, integration)
    with progress() as tell:
        made = seed_files(loaded, name, list(files), leave_out, tell)
    table = plain_table("", ["settlement", "made", "there already", "left out"])
    for one in made:
        counts = ", ".join(f"{count} {kind}" for kind, count in one.counts.items() if count)
        table.add_row(one.settlement_id, cell(counts or "nothing"), cell(one.existing), cell(", ".join(one.left_out_order_ids)))  # fmt: skip
    out().print(table)
    return FINE


def tell_arrival(outcome: ArrivalOutcome | LedgerError) -> None:
    """A line about a file that came, on stderr."""
    if isinstance(outcome, LedgerError):
        print_error(outcome)
        return
    say(outcome.message)
    if outcome.moved_to is not None:
        say(f"  It is in {outcome.moved_to} now, with the reason beside it.")
