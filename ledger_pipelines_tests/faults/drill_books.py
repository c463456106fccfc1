"""The sandbox's books in a form in which two runs can be compared: no ids, no numbers, no instants.

Belongs here: what counts as the same. Does not belong here: running anything.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Any

Json = Any
_LEFT_OUT = frozenset(
    {
        "id", "tranId", "transactionNumber", "createdDate", "lastModifiedDate", "created", "lastModified", "recordId",
        "lineUniqueKey", "uniquekey", "links", "line", "refName",
    }
)  # fmt: skip
_MASTER = frozenset(
    {"account", "accountingPeriod", "currency", "subsidiary", "customer", "term", "paymentMethod"}
)
_TRANSACTIONS = frozenset(
    {"invoice", "salesOrder", "cashSale", "customerPayment", "creditMemo", "customerRefund", "journalEntry"}
)


@dataclass(frozen=True, slots=True)
class Picture:
    """One state of the books: records, ledger lines and links as texts, each with how often it is there."""

    records: Counter[str]
    ledger: Counter[str]
    links: Counter[str]
    accounts: Mapping[str, str]

    def differences(self, other: Picture) -> list[str]:
        """What this one has and `other` (a run that was never disturbed) has not, and the reverse. Empty: the same."""
        found: list[str] = []
        for what, mine, theirs in (
            ("record", self.records, other.records),
            ("ledger line", self.ledger, other.ledger),
            ("link", self.links, other.links),
        ):
            found += [f"too many: {what} {text} x{count}" for text, count in sorted((mine - theirs).items())]
            found += [f"lost: {what} {text} x{count}" for text, count in sorted((theirs - mine).items())]
        for account in sorted({*self.accounts, *other.accounts}):
            mine_, theirs_ = self.accounts.get(account, "0"), other.accounts.get(account, "0")
            if mine_ != theirs_:
                found.append(f"account {account}: {mine_} instead of {theirs_}")
        return found

    def without(self, kinds: tuple[str, ...]) -> Picture:
        """The same without records of some kinds."""
        kept = {
            text: count
            for text, count in self.records.items()
            if not text.startswith(tuple(f"{k} " for k in kinds))
        }
        return replace(self, records=Counter(kept))

    def lost(self, other: Picture) -> int:
        """Records and ledger lines that `other` has and this one has not."""
        return (other.records - self.records).total() + (other.ledger - self.ledger).total()

    def doubled(self, other: Picture) -> int:
        """Records and ledger lines that this one has beyond `other`."""
        return (self.records - other.records).total() + (self.ledger - other.ledger).total()


def picture(dump: Mapping[str, Json], trial_balance: Mapping[str, Json]) -> Picture:
    """The comparable form of `GET /dump/netsuite` and `GET /trial-balance/netsuite`."""
    names = _names(dump["records"])
    records: Counter[str] = Counter()
    for kind, rows in dump["records"].items():
        if kind not in _MASTER:
            records.update(f"{kind} {_text(_plain(row, names))}" for row in rows)
    ledger: Counter[str] = Counter()
    for row in dump["ledger"]:
        of = names.get(str(row["transaction"]), "?")
        cells = {
            k: row.get(k)
            for k in ("account", "currency", "foreigndebit", "foreigncredit", "amount", "entity")
        }
        ledger[f"{of} {_text(_plain(cells, {}))}"] += 1
    links: Counter[str] = Counter()
    for row in dump["links"]:
        ends = [names.get(str(row[end]), "?") for end in ("previousdoc", "nextdoc")]
        amounts = {k: v for k, v in row.items() if "amount" in k or k == "linktype"}
        links[f"{ends[0]} -> {ends[1]} {_text(_plain(amounts, {}))}"] += 1
    accounts = {
        f"{line['number']} {line['currency']}": _number(line["balance"]) for line in trial_balance["accounts"]
    }
    return Picture(records, ledger, links, accounts)


def _names(records: Mapping[str, Json]) -> dict[str, str]:
    """Transactions by internal id: their external ids."""
    return {
        str(row["id"]): str(row.get("externalId") or f"{kind} of {row.get('otherRefNum')}")
        for kind, rows in records.items()
        if kind in _TRANSACTIONS
        for row in rows
    }


def _plain(value: Json, names: Mapping[str, str]) -> Json:
    if isinstance(value, dict):
        if "id" in value and set(value) <= {"id", "refName"}:
            return names.get(str(value["id"]), str(value["id"]))
        return {k: _plain(v, names) for k, v in value.items() if k not in _LEFT_OUT}
    if isinstance(value, list):
        return sorted((_plain(v, names) for v in value), key=_text)
    if isinstance(value, str | int | Decimal) and not isinstance(value, bool):
        return _number(value)
    return value


def _number(value: str | int | Decimal) -> str:
    try:
        return f"{Decimal(str(value)).normalize():f}"
    except InvalidOperation:
        return str(value)


def _text(value: Json) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def doubles(external_ids: Iterable[str]) -> list[str]:
    """External ids that are there more than once."""
    return sorted(name for name, count in Counter(external_ids).items() if count > 1)
