"""Is the connection fit for work? Login, modules it may read, quota, currency, clock.

Belongs here: questions to the account, each with a finding and a remedy. Does not belong here: printing (`cli`), what the
settings of an integration name (`integrations`). Nothing is written, so whether it may write is not known.
Facts: cin7-omni.md 2 (permissions by module), 5 (currency), 9 (limits).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ledger_pipelines.documents.money import plain
from ledger_pipelines.errors import ConfigurationError, CredentialError, LedgerError
from ledger_pipelines.systems.cin7 import records
from ledger_pipelines.systems.cin7.client import Asked, Cin7Client
from ledger_pipelines.systems.cin7.entities import ENTITIES, MODIFIED
from ledger_pipelines.systems.looking import Finding

SAMPLE: Final = 50
"""Newest orders that are looked at for the account's currency."""
_SKEW = 120.0  # not money: seconds
_OURS = frozenset({"quota-spent", "blocked", "throttled"})


def check(client: Cin7Client) -> tuple[Finding, ...]:
    """Look at everything; stops after a refused login. A call for each module; never raises for what Cin7 says."""
    return tuple(_findings(client))


def _findings(client: Cin7Client) -> Iterator[Finding]:
    branches = ENTITIES["branches"]
    try:
        answer = client.answer(branches.path, Asked(rows=SAMPLE).params())
    except CredentialError as error:
        if error.code != "no-permission":
            yield Finding("login", False, error.message, error.remedy)
            return
        answer = None
    except ConfigurationError as error:
        yield Finding("login", False, error.message, error.remedy)
        return
    except LedgerError as error:
        text = error.message if error.code in _OURS else f"Cin7 was not reached: {error.message}"
        yield Finding("login", False, text, error.remedy or "Try again later.")
        yield _quota(client)
        return
    yield Finding("login", True, "Cin7 accepts the login.")
    orders: tuple[records.Record, ...] = ()
    read: list[str] = []
    try:
        for name, entity in ENTITIES.items():
            newest = name == "sales_orders"
            asked = Asked(order=f"{MODIFIED} DESC" if newest else f"{entity.walk} ASC", rows=SAMPLE)
            try:
                rows = () if entity is branches and answer is not None else client.page(entity.path, asked)
            except CredentialError as refusal:
                yield Finding("modules", False, refusal.message, refusal.remedy)
                continue
            read.append(entity.module)
            orders = rows if newest else orders
    except LedgerError as error:
        yield Finding("modules", False, error.message, error.remedy or "Try again later.")
    if len(read) == len(ENTITIES):
        text = f"The API connection reads {', '.join(read)}. What it may write shows when it writes first."
        yield Finding("modules", True, text)
    yield _quota(client)
    yield from _currency(client, orders)
    if answer is not None and answer.server_time is not None:
        skew = (client.clock.now() - answer.server_time).total_seconds()
        if abs(skew) > _SKEW:
            remedy = "Let it be set by NTP: what changed is asked for by the clock."
            yield Finding("clock", False, f"This machine's clock is {skew:+.0f} s off.", remedy)
        else:
            yield Finding("clock", True, "Clocks agree.")


def _quota(client: Cin7Client) -> Finding:
    spent = client.spent()
    share = "any number" if spent.limit is None else f"{spent.limit:,}"
    text = f"{spent.used:,} calls made today (UTC), {share} are ours."
    if spent.blocked_until is not None:
        return Finding(
            "quota",
            False,
            f"{text} Cin7 asked to wait; the account is left alone until {spent.blocked_until:%Y-%m-%d %H:%M} UTC.",
            "Wait, or look whether another program of the account calls too often.",
        )
    if spent.left == 0:
        return Finding("quota", False, text, "The rest waits for tomorrow, or raise `share_of_quota`.")
    return Finding("quota", True, text)


def _currency(client: Cin7Client, orders: tuple[records.Record, ...]) -> Iterator[Finding]:
    """Cin7 does not tell its base currency; orders of it have a rate of 1, orders in others another."""
    base = client.connection.currency.upper()
    seen: dict[str, records.SalesOrder] = {}
    for row in orders:
        try:
            order = records.sales_order(row)
        except LedgerError as error:
            yield Finding("currency", False, error.message, error.remedy)
            return
        if order.currency:
            seen.setdefault(order.currency, order)
    if not seen:
        return
    told = ", ".join(f"{name} (rate {plain(one.currency_rate)})" for name, one in seen.items())
    own = [name for name, one in seen.items() if one.currency_rate == 1]
    text = f"The newest orders are in {told}; the connection's base currency is {base}."
    if own and base not in own:
        yield Finding(
            "currency", False, text, f"Set `currency: {own[0]}` in the connection, if that is the account's."
        )
    else:
        yield Finding("currency", True, text)
