"""What most commands begin with: the configuration, loud about what was left out of it.

Belongs here: loading, choosing a connection or integration by name. Does not belong here: what is done with it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ledger_pipelines.cli.output import say
from ledger_pipelines.errors import ConfigurationError

if TYPE_CHECKING:
    from ledger_pipelines.config.connections import AnyConnection
    from ledger_pipelines.config.load import LoadedConfig


def load(path: Path | None = None, *, quiet: bool = False) -> LoadedConfig:
    """The configuration; what was left out of it is said on stderr. Raises ConfigurationError."""
    from ledger_pipelines.config.load import config_path, load_config  # noqa: PLC0415 (quick --help)
    from ledger_pipelines.integrations.kinds import KINDS  # noqa: PLC0415

    loaded = load_config(path or config_path(os.environ), KINDS)
    if not quiet:
        for one in loaded.left_out:
            say(f"LEFT OUT: {one.section.removesuffix('s')} {one.name}")
        for problem in loaded.problems:
            say(f"  {problem}")
    return loaded


def connection(loaded: LoadedConfig, name: str) -> AnyConnection:
    """A connection by name. Raises ConfigurationError: there is none, or it was left out, and why."""
    found = loaded.config.connections.get(name)
    if found is None:
        _explain(loaded, "connections", name, list(loaded.config.connections))
    assert found is not None  # noqa: S101 (_explain raises)
    return found


def integration_name(loaded: LoadedConfig, name: str | None) -> str:
    """The integration meant: by name, or the only one. Raises ConfigurationError."""
    names = list(loaded.config.integrations)
    if name is None:
        if len(names) == 1:
            return names[0]
        raise ConfigurationError("Which integration?", remedy=f"There are: {', '.join(names) or 'none'}.")
    if name not in names:
        _explain(loaded, "integrations", name, names)
    return name


def drop_connection(loaded: LoadedConfig, name: str | None) -> str:
    """The connection with a drop folder: by name, or the only one. Raises ConfigurationError."""
    from ledger_pipelines.config.connections import AmazonConnectionConfig  # noqa: PLC0415 (quick --help)

    having = [
        key
        for key, one in loaded.config.connections.items()
        if isinstance(one, AmazonConnectionConfig) and one.drop is not None
    ]
    if name is None and len(having) == 1:
        return having[0]
    if name is None:
        raise ConfigurationError(
            "Which connection's drop folder?",
            remedy=f"Name it: --connection {'|'.join(having) or '(none has one)'}.",
        )
    if name not in having:
        connection(loaded, name)
        raise ConfigurationError(
            f"Connection {name} has no drop folder.", remedy="Give it `drop: {path: ...}`."
        )
    return name


def _explain(loaded: LoadedConfig, section: str, name: str, names: list[str]) -> None:
    kind = section.removesuffix("s")
    if any(one.section == section and one.name == name for one in loaded.left_out):
        raise ConfigurationError(
            f"The {kind} {name} is left out because of the problems above.",
            remedy="Correct the configuration.",
        )
    raise ConfigurationError(
        f"There is no {kind} {name}.", remedy=f"There are: {', '.join(names) or 'none'}."
    )
