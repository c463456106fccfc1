"""A file of the corpus dropped between two good ones, and what lies where afterwards.

Belongs here: one batch through the folder's own look and the connection's intake, the verdict read from the disk. Does
not belong here: the files (`malformed_files`).
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq

from ledger_pipelines.cli.settlements import take_in
from ledger_pipelines.config.load import LoadedConfig, load_config
from ledger_pipelines.errors import LedgerError
from ledger_pipelines.integrations.amazon_netsuite.arrival import ArrivalOutcome
from ledger_pipelines.integrations.amazon_netsuite.inspection import inspect_file
from ledger_pipelines.integrations.kinds import KINDS
from ledger_pipelines.storage.landing import REASON_SUFFIX
from ledger_pipelines_tests.configured import SHIPPED
from ledger_pipelines_tests.faults.drills.malformed_files import BASE, Accepted, FileItem

CONNECTION = "amazon_us"
_GOOD = {
    name: replace(BASE, settlement_id=f"2690000010{n}")
    for n, name in enumerate(("a-good.txt", "zz-good.txt"))
}


@dataclass(frozen=True, slots=True)
class Held:
    """A settlement as it lies in the store."""

    total: Decimal
    sum: Decimal
    rows: int
    sku: str


def carry_out(item: FileItem, folder: Path) -> tuple[list[str], dict[str, int]]:
    """Drop it between two good files, take all in, and look at the disk."""
    loaded = _configured(folder)
    drop = Path(loaded.config.amazon(CONNECTION).drop.path)  # type: ignore[union-attr]  # shipped with one
    drop.mkdir()
    for name, file in _GOOD.items():
        (drop / name).write_bytes(file.v2())
    item.put(drop / item.file)
    before = _look(drop / item.file)
    problems: list[str] = []
    outcomes: list[ArrivalOutcome | LedgerError] = []
    try:
        outcomes = list(take_in(loaded, CONNECTION))
    except Exception as error:  # noqa: BLE001 - whatever stops the batch is the finding
        problems.append(f"the batch was stopped by {type(error).__name__}: {error}")
    problems += [
        f"{type(o).__name__} instead of a verdict: {o}" for o in outcomes if isinstance(o, LedgerError)
    ]
    told = [o for o in outcomes if isinstance(o, ArrivalOutcome)]
    held = stored(folder / "data")
    refused = _aside(drop)
    problems += _good(held)
    problems += _own(item, before, held, refused, told, drop)
    problems += _inspected(item, drop)
    received, accepted = len(_GOOD) + 1, len(held)
    if accepted + len(refused) != received:
        problems.append(f"{received} files received, {accepted} accepted and {len(refused)} put aside")
    if any(path.name.startswith((".staging-", ".landing.")) for path in (folder / "data").rglob(".*")):
        problems.append("something unfinished was left in the data folder")
    return problems, {"received": received, "accepted": accepted, "put aside": len(refused)}


def _configured(folder: Path) -> LoadedConfig:
    loaded = load_config(SHIPPED, KINDS)
    connection = loaded.config.amazon(CONNECTION)
    assert connection.drop is not None
    dropped = connection.model_copy(
        update={"drop": connection.drop.model_copy(update={"path": str(folder / "drop")})}
    )
    config = loaded.config.model_copy(
        update={
            "data_dir": str(folder / "data"),
            "connections": {**loaded.config.connections, CONNECTION: dropped},
        }
    )
    return replace(loaded, config=config)


def stored(data: Path) -> Mapping[str, Held]:
    """Accepted settlements by id, from their files."""
    found = {}
    for manifest in sorted((data / "settlements").rglob("manifest.json")):
        told = json.loads(manifest.read_text(), parse_float=Decimal)
        table = pq.read_table(manifest.parent / "rows.parquet", columns=["amount", "sku"])
        amounts = table.column("amount").to_pylist()
        first = table.column("sku")[0].as_py() if amounts else ""
        found[manifest.parent.name] = Held(
            Decimal(str(told["total"])), sum(amounts, Decimal(0)), len(amounts), first
        )
    return found


def _look(path: Path) -> bytes | str:
    """The content of a plain file, the target of a link, or what else it is."""
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return f"link to {path.readlink()}"
    return path.read_bytes() if stat.S_ISREG(mode) else f"mode {stat.S_IFMT(mode)}"


def _aside(drop: Path) -> Mapping[str, tuple[bytes | str, str]]:
    """Refused files: what they hold, and the reason beside them."""
    folder = drop / "refused"
    if not folder.is_dir():
        return {}
    found = {}
    for path in folder.iterdir():
        if path.name.endswith(REASON_SUFFIX) or path.name.startswith("."):
            continue
        reason = path.with_name(path.name + REASON_SUFFIX)
        found[path.name] = (_look(path), reason.read_text() if reason.exists() else "")
    return found


def _good(held: Mapping[str, Held]) -> list[str]:
    """The files around it: accepted, to the cent."""
    return [
        f"the good file {name} is held as {held.get(file.settlement_id)}, not with {file.total}"
        for name, file in _GOOD.items()
        if (one := held.get(file.settlement_id)) is None or (one.total, one.sum) != (file.total, file.total)
    ]


def _own(
    item: FileItem,
    before: bytes | str,
    held: Mapping[str, Held],
    refused: Mapping[str, tuple[bytes | str, str]],
    told: list[ArrivalOutcome],
    drop: Path,
) -> list[str]:
    """The verdict on the file itself."""
    own = {sid: one for sid, one in held.items() if sid not in {g.settlement_id for g in _GOOD.values()}}
    codes = [finding.code for outcome in told for finding in outcome.errors]
    if os.path.lexists(drop / item.file):
        return [f"the file still lies in the drop folder (told: {codes})"]
    if isinstance(item.verdict, Accepted):
        want = item.verdict
        if refused or len(own) != 1:
            return [f"not accepted: {codes or list(own)}"]
        one = next(iter(own.values()))
        return (
            []
            if one == Held(want.total, want.total, want.rows, want.sku)
            else [f"held as {one}, not as {want}"]
        )
    problems = [f"accepted as {own}, where {item.verdict.code} was due"] if own else []
    if item.verdict.code not in codes:
        problems.append(f"refused as {codes}, where {item.verdict.code} was due")
    if len(refused) != 1:
        return [*problems, f"{len(refused)} files in refused/"]
    content, reason = next(iter(refused.values()))
    if content != before:
        problems.append("the refused file is not what came")
    if len(reason.split()) < 4:
        problems.append(f"the reason beside the refused file says {reason!r}")
    return problems


def _inspected(item: FileItem, drop: Path) -> list[str]:
    """`settlement inspect` says the same of a file, without a traceback; nothing of it is kept."""
    beside = drop.parent / "inspected.txt"
    item.put(beside)
    try:
        acceptable = inspect_file(beside).acceptable
    except LedgerError:
        acceptable = False
    except Exception as error:  # noqa: BLE001 - a traceback is what must not happen
        return [f"inspecting raises {type(error).__name__}: {error}"]
    finally:
        beside.unlink()
    elsewhere = isinstance(item.verdict, Accepted) or item.verdict.code == "wrong-currency"
    return [] if acceptable == elsewhere else [f"inspecting says {'good' if acceptable else 'bad'}"]
