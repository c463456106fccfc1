"""What is printed and where: results on stdout, everything else on stderr; exit codes.

Belongs here: the consoles, JSON, one readable message an error, the log of the unexpected.
Does not belong here: what a command shows (`tables`).
"""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ledger_pipelines.errors import ConfigurationError, LedgerError

if TYPE_CHECKING:
    from rich.console import Console

FINE = 0
NEEDS_A_PERSON = 1
WRONG_USE = 2
STOPPED = 130


@cache
def out() -> Console:
    """Console of results."""
    from rich.console import Console  # noqa: PLC0415 (quick --help)

    # Into a file or a pipe, rows stay whole enough for grep.
    return Console(highlight=False, width=None if sys.stdout.isatty() else 160)


@cache
def err() -> Console:
    """Console of progress and errors."""
    from rich.console import Console  # noqa: PLC0415 (quick --help)

    return Console(stderr=True, highlight=False)


def print_json(value: Any) -> None:
    """One JSON value on stdout; Decimals as text, instants in UTC."""
    import msgspec  # noqa: PLC0415 (quick --help)

    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value, order="sorted")).decode() + "\n")
    sys.stdout.flush()


def say(text: str) -> None:
    """A line of progress on stderr."""
    err().print(text, markup=False, soft_wrap=True)


def code_of(error: LedgerError) -> int:
    """2 for what the user typed or configured, 1 for everything else."""
    return WRONG_USE if isinstance(error, ConfigurationError) else NEEDS_A_PERSON


def print_error(error: LedgerError) -> None:
    """One message and its remedy, for people."""
    from rich.text import Text  # noqa: PLC0415 (quick --help)

    text = Text("error: ", style="bold red")
    text.append(error.message, style="")
    err().print(text, soft_wrap=True)
    if error.remedy:
        err().print(Text(f"       {error.remedy}"), soft_wrap=True)


def log_file() -> Path:
    """Where the full report of something unexpected goes."""
    here = Path(".ledger")
    return (here / "logs" if here.is_dir() else Path(tempfile.gettempdir())) / "ledger-pipelines-error.log"


def secret_values(environ: Iterable[tuple[str, str]]) -> list[str]:
    """Values of our own environment variables: none of them may be printed."""
    return [value for name, value in environ if name.startswith("LEDGER_") and name != "LEDGER_CONFIG"]


def report_unexpected(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """The hook for exceptions nobody foresaw: a short line for the user, the whole in a file, secrets masked."""
    from ledger_pipelines.systems.secrets import Redactor  # noqa: PLC0415 (quick --help)

    clean = Redactor(secret_values(os.environ.items())).clean
    whole = clean("".join(traceback.format_exception(kind, error, trace)))
    path = log_file()
    where = str(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(f"{datetime.now(UTC).isoformat()} {' '.join(sys.argv[1:3])}\n{whole}\n")
        path.chmod(0o600)
    except OSError:
        where = "(it could not be written)"
        sys.stderr.write(whole)
    sys.stderr.write(
        f"error: something went wrong that this program did not foresee: {kind.__name__}: {clean(str(error))[:300]}\n"
        f"       The full report is in {where}. What was written before is in the journal: `ledger-pipelines status`.\n"
    )
