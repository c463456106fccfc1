"""The shipped ledger.yaml with changes, in a folder of its own: written and checked once, and moved for the next folder.

Belongs here: that, and clients of the sandbox, whose addresses are plain. Does not belong here: which changes (`stage`,
`shop_stage`).

Drills open thousands of installations that differ in their folder only; reading YAML and the certificates of the machine
for each takes longer than what is to be tried.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Hashable, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from ruamel.yaml import YAML

from ledger_pipelines.config.load import LoadedConfig, load_config
from ledger_pipelines.integrations.kinds import KINDS

SHIPPED = Path(__file__).parents[1] / "ledger.yaml"
FILE = "ledger.yaml"


@dataclass(frozen=True, slots=True)
class _Made:
    """The first of its kind, and where it lies."""

    folder: Path
    text: str
    loaded: LoadedConfig


_made: dict[Hashable, _Made] = {}


@cache
def _shipped() -> Any:
    return YAML().load(SHIPPED.read_text())


def configured(folder: Path, kind: Hashable, change: Callable[[Any], None]) -> LoadedConfig:
    """Write and load the configuration of a folder.

    Args:
        folder: Where it is written.
        kind: All that `change` depends on, but the folder: two of a kind differ in the folder only.
        change: Changes the document, as ruamel gives it.
    """
    path = folder / FILE
    first = _made.get(kind)
    if first is not None:
        path.write_text(first.text.replace(str(first.folder), str(folder)))
        return _moved(first, folder, path)
    document = deepcopy(_shipped())
    change(document)
    with path.open("w") as out:
        YAML().dump(document, out)
    loaded = load_config(path, KINDS)
    _made[kind] = _Made(folder, path.read_text(), loaded)
    return loaded


def with_changes(settings: Any, changes: Mapping[str, object]) -> None:
    """Change an integration's settings, by dotted name."""
    for name, value in changes.items():
        *way, last = name.split(".")
        place = settings
        for step in way:
            place = place.setdefault(step, {})
        place[last] = value


def _moved(first: _Made, folder: Path, path: Path) -> LoadedConfig:
    def there(text: str) -> str:
        return text.replace(str(first.folder), str(folder))

    config = first.loaded.config
    connections: dict[str, Any] = dict(config.connections)
    for name, one in connections.items():
        drop = getattr(one, "drop", None)
        if drop is not None:
            moved = drop.model_copy(update={"path": there(drop.path)})
            connections[name] = one.model_copy(update={"drop": moved})
    changed = config.model_copy(update={"data_dir": there(config.data_dir), "connections": connections})
    return replace(first.loaded, config=changed, path=path.resolve())


@cache
def _no_certificates() -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def loopback(address: str, timeout: float = 60) -> httpx.Client:
    """A client of one of the sandbox's addresses. It knows no certificate: there is no TLS on the way."""
    return httpx.Client(base_url=address, trust_env=False, timeout=timeout, verify=_no_certificates())
