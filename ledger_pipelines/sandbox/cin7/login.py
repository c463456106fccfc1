"""API connections: who may call, and which modules each may read and write.

Belongs here: Basic credentials, permissions. Does not belong here: limits. Source: cin7-omni.md 2. All of it is fake.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from dataclasses import dataclass
from enum import StrEnum

from ledger_pipelines.sandbox.cin7.answers import DENIED, Cin7Error


class Right(StrEnum):
    """What a connection may do with a module."""

    READ = "READ"
    WRITE = "WRITE"
    UPDATE = "UPDATE"
    DELETE = "DELETE"


RIGHTS = {"GET": Right.READ, "POST": Right.WRITE, "PUT": Right.UPDATE, "DELETE": Right.DELETE}
EVERY = frozenset(Right)


@dataclass(frozen=True)
class Connection:
    """One API connection. modules: rights by module; `rest`: those on every other module."""

    username: str
    key: str
    modules: dict[str, frozenset[Right]]
    rest: frozenset[Right] = frozenset()

    def may(self, module: str, method: str) -> bool:
        """Whether it may."""
        return RIGHTS[method] in self.modules.get(module, self.rest)


MAIN = Connection("HarbourTeaAU", "cin7-key-sandbox-not-a-secret", {}, EVERY)
SECOND = Connection("HarbourTeaAU2", "cin7-second-key-sandbox-not-a-secret", {}, EVERY)
READER = Connection("HarbourTeaReader", "cin7-reader-key-sandbox-not-a-secret", {}, frozenset({Right.READ}))
ORDERS = Connection(
    "HarbourTeaOrders",
    "cin7-orders-key-sandbox-not-a-secret",
    {"SalesOrders": frozenset({Right.READ, Right.WRITE, Right.UPDATE}), "Contacts": frozenset({Right.READ})},
)
CONNECTIONS = (MAIN, SECOND, READER, ORDERS)


def identify(authorization: str) -> Connection:
    """The connection of a Basic header. Raises Cin7Error 401."""
    scheme, _, told = authorization.partition(" ")
    if scheme.lower() != "basic":
        raise Cin7Error(DENIED, 401)
    try:
        username, _, key = base64.b64decode(told.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise Cin7Error(DENIED, 401) from None
    for connection in CONNECTIONS:
        if username == connection.username and secrets.compare_digest(key.encode(), connection.key.encode()):
            return connection
    raise Cin7Error(DENIED, 401)


def refuse_module(connection: Connection, module: str, method: str) -> None:
    """Raises Cin7Error 403 when the connection lacks the permission."""
    if not connection.may(module, method):
        raise Cin7Error(
            f"The API connection does not have the permission {RIGHTS[method]} for {module}.", 403
        )
