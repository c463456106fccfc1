"""The command `drop`: a file into a drop folder, whole.

Belongs here: the copy. Does not belong here: what the file holds (`settlements`), who takes it (a sensor, `run`).
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from ledger_pipelines.config.connections import AmazonConnectionConfig
from ledger_pipelines.errors import ConfigurationError, DataError
from ledger_pipelines.storage.atomic import make_folder, replacing


def drop_file(connection: AmazonConnectionConfig, file: Path) -> Path:
    """Put a copy of a file into the drop folder, whole: under a hidden name first, then renamed.

    Returns:
        Where it is now.

    Raises:
        ConfigurationError: There is no such file, or the connection has no drop folder.
        DataError: It is larger than the connection allows, or another file of that name waits there.
    """
    if connection.drop is None:
        raise ConfigurationError("The connection has no drop folder.", remedy="Give it `drop: {path: ...}`.")
    is_file(file)
    size = file.stat().st_size
    if size > connection.drop.max_bytes:
        raise DataError(
            f"{file.name} has {size} bytes; the connection takes {connection.drop.max_bytes} at most.",
            remedy="Is it a settlement file? If so raise drop.max_bytes.",
            code="too-large",
        )
    folder = Path(connection.drop.path)
    make_folder(folder)
    target = folder / file.name.lstrip(".")
    if target.exists():
        if _digest(target) == _digest(file):
            return target
        raise DataError(
            f"Another file named {target.name} waits in the drop folder.",
            remedy="Wait until it has been taken, or give this one another name.",
            code="name-taken",
        )
    with file.open("rb") as source, replacing(target) as copy:
        shutil.copyfileobj(source, copy, 1 << 20)
    return target


def is_file(file: Path) -> None:
    """Raise ConfigurationError unless there is such a file."""
    if not file.is_file():
        raise ConfigurationError(f"There is no file {file}.", remedy="Name a settlement file.")


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
