"""What a setting may name: warehouses, payment methods, order statuses, shipping methods of this store.

Belongs here: the lists behind `ledger-pipelines options`. Does not belong here: printing them (`cli`).
Facts: neto.md 8.1, 9.3, 11. No API lists tax codes or sales channels: tax codes show on orders only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from ledger_pipelines.errors import ConfigurationError
from ledger_pipelines.systems.looking import Option
from ledger_pipelines.systems.neto.client import NetoClient
from ledger_pipelines.systems.neto.documents import method, warehouse
from ledger_pipelines.systems.neto.entities import ENTITIES
from ledger_pipelines.systems.neto.reader import NetoReader
from ledger_pipelines.systems.neto.shapes import Fields

STATUSES: Final = (
    "Quote", "New", "On Hold", "New Backorder", "Backorder Approved", "Pick", "Pack", "Pending Pickup", "Pending Dispatch",
    "Dispatched", "Uncommitted", "Cancelled",
)  # fmt: skip
"""Of orders (neto.md 8.1)."""


def _warehouse(fields: Fields) -> Option:
    one = warehouse(fields.body)
    return Option(
        one.id, one.name or one.reference, one.reference, "primary" if one.primary else "", not one.active
    )


def _payment_method(fields: Fields) -> Option:
    one = method(fields.body)
    return Option(one.id, one.name, "", one.acc_code, not one.active)


def _shipping_method(fields: Fields) -> Option:
    return Option(fields.text("id"), fields.text("name"), "", fields.text("status"))


_READ: Final[Mapping[str, Callable[[Fields], Option]]] = {
    "warehouses": _warehouse,
    "payment_methods": _payment_method,
    "shipping_methods": _shipping_method,
}
_STATUSES: Final = "order_statuses"


class Options:
    """Lists of one store."""

    def __init__(self, client: NetoClient) -> None:
        self._name = client.connection.name
        self._reader = NetoReader(client)

    def names(self) -> tuple[str, ...]:
        """Which lists there are."""
        return (*_READ, _STATUSES)

    def read(self, name: str, search: str = "") -> tuple[Option, ...]:
        """One list, inactive ones marked; `search` is a part of the name. One or two calls; none for statuses.

        Raises:
            ConfigurationError: no such list. CredentialError, TransientError, PermanentError: as `NetoClient.read`.
        """
        if name not in self.names():
            raise ConfigurationError(
                f"Connection {self._name!r} has no list {name!r}.",
                remedy=f"Choose one of: {', '.join(self.names())}.",
            )
        if name == _STATUSES:
            found = [Option(status, status) for status in STATUSES]
        else:
            found = [_READ[name](fields) for fields in self._reader.records(ENTITIES[name])]
        wanted = search.casefold()
        return tuple(one for one in found if wanted in one.name.casefold() or wanted in one.number.casefold())
