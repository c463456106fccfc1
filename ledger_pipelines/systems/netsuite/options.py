"""What a setting may name: accounts, items, subsidiaries ... of this account, one SuiteQL each.

Belongs here: the lists behind `ledger-pipelines options`. Does not belong here: printing them (`cli`).
Facts: netsuite.md 7.3, 8.10.
"""

# ruff: noqa: S608 - identifiers come from the table below; values are bound

from __future__ import annotations

from typing import Final

from ledger_pipelines.errors import ConfigurationError
from ledger_pipelines.systems.looking import Option
from ledger_pipelines.systems.netsuite.client import RECORD, NetSuiteClient
from ledger_pipelines.systems.netsuite.suiteql import SuiteQL

MOST = 1000


_LISTS: Final = {
    "accounts": ("r.fullname", "r.acctnumber", "r.accttype", "account", ("fullname", "acctnumber")),
    "items": ("r.displayname", "r.itemid", "r.itemtype", "item", ("itemid", "displayname")),
    "customers": ("r.companyname", "r.entityid", "r.email", "customer", ("entityid", "companyname")),
    "subsidiaries": ("r.fullname", "r.name", "r.country", "subsidiary", ("fullname",)),
    "currencies": ("r.name", "r.symbol", "r.isbasecurrency", "currency", ("name", "symbol")),
    "departments": ("r.fullname", "r.name", "''", "department", ("fullname",)),
    "classes": ("r.fullname", "r.name", "''", "classification", ("fullname",)),
    "locations": ("r.fullname", "r.name", "''", "location", ("fullname",)),
    "payment_methods": ("r.name", "''", "''", "paymentmethod", ("name",)),
    "terms": ("r.name", "''", "r.daysuntilnetdue", "term", ("name",)),
}


class Options:
    """Lists of one account."""

    def __init__(self, client: NetSuiteClient) -> None:
        self._client = client
        self._connection = client.connection
        self._ql = SuiteQL(client)

    def names(self) -> tuple[str, ...]:
        """Which lists there are."""
        hidden = set() if self._connection.one_world else {"subsidiaries"}
        hidden |= set() if self._connection.multi_currency else {"currencies"}
        return (*(n for n in _LISTS if n not in hidden), "periods", "custom_record_types")

    def read(self, name: str, search: str = "") -> tuple[Option, ...]:
        """One list, at most 1000 rows, inactive ones marked; `search` is a part of the name. One call.

        Raises:
            ConfigurationError: no such list. NetSuiteRefusedError: the role may not see it.
        """
        if name == "periods":
            sql = (
                "SELECT r.id, r.periodname AS name, TO_CHAR(r.startdate,'YYYY-MM-DD') AS number,"
                " CASE WHEN r.closed = 'T' THEN 'closed' WHEN r.arlocked = 'T' THEN 'A/R locked' ELSE 'open' END AS detail"
                " FROM accountingperiod r WHERE r.isquarter = 'F' AND r.isyear = 'F' ORDER BY r.startdate, r.id"
            )
            return tuple(self._ql.query(Option, sql))
        if name == "custom_record_types":
            return self._custom_record_types(search)
        if name not in self.names():
            raise ConfigurationError(
                f"Connection {self._connection.name!r} has no list {name!r}.",
                remedy=f"Choose one of: {', '.join(self.names())}.",
            )
        label, number, detail, table, searched = _LISTS[name]
        where, params = "", []
        if search:
            where = " WHERE " + " OR ".join(f"UPPER(r.{c}) LIKE ?" for c in searched)
            params = [f"%{search.upper()}%"] * len(searched)
        sql = (
            f"SELECT r.id, {label} AS name, {number} AS number, {detail} AS detail, r.isinactive FROM {table} r"
            f"{where} ORDER BY r.id FETCH FIRST {MOST} ROWS ONLY"
        )
        return tuple(
            Option(row.get("id") or "", row.get("name") or row.get("number") or "", row.get("number") or "",
                   row.get("detail") or "", row.get("isinactive") == "T")
            for row in self._ql.rows(sql, params)
        )  # fmt: skip

    def _custom_record_types(self, search: str) -> tuple[Option, ...]:
        """From the metadata catalogue: the role sees the types it may use (netsuite.md 4.11)."""
        body = self._client.json(f"{RECORD}metadata-catalog")
        items = body.get("items") if isinstance(body, dict) else None
        names = (
            [str(i.get("name") or "") for i in items if isinstance(i, dict)]
            if isinstance(items, list)
            else []
        )
        found = sorted(
            n for n in names if n.lower().startswith("customrecord") and search.lower() in n.lower()
        )
        return tuple(Option(n, n) for n in found)
