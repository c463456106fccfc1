"""Writing to a Cin7 Omni account: the `Writer` of a connection, class B (search by our reference).

To come; this is its contract. Kinds: `sales_order` (CREATE, UPDATE, VOID), `contact`, `payment`, `product`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from ledger_pipelines.documents.effects import Effect, Ending, Prepared, Remote, WriteClass
from ledger_pipelines.systems.cin7.client import Cin7Client


class Cin7Writer:
    """Implements `documents.effects.Writer`."""

    def __init__(self, client: Cin7Client) -> None:
        self._client = client

    @property
    def connection(self) -> str:
        """Name of the connection."""
        return self._client.connection.name

    @property
    def write_class(self) -> WriteClass:
        """B."""
        return WriteClass.SEARCH

    @property
    def settle_window(self) -> timedelta:
        """From the connection."""
        return self._client.connection.settle_window

    @property
    def batch_size(self) -> int:
        """From the connection."""
        return self._client.connection.records_a_call

    @property
    def workers(self) -> int:
        """One."""
        return 1

    def batch_key(self, effect: Effect) -> str | None:
        """To come."""
        raise NotImplementedError

    def send(self, batch: Sequence[Prepared]) -> Sequence[Ending]:
        """To come."""
        raise NotImplementedError

    def probe(self, effects: Sequence[Effect]) -> Mapping[str, Remote]:
        """To come."""
        raise NotImplementedError
