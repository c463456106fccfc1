"""Is the connection fit for work? Login, file, plan and quota, tax, currency, clock.

Belongs here: questions to the file, each with a finding and a remedy. Does not belong here: printing (`cli`), what the
settings of an integration name (`integrations`). Nothing is written. Facts: saasu.md 2, 3.4, 5.1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import msgspec

from ledger_pipelines.documents.keys import Json
from ledger_pipelines.errors import ConfigurationError, CredentialError, LedgerError
from ledger_pipelines.systems.http import Answer
from ledger_pipelines.systems.looking import Finding
from ledger_pipelines.systems.saasu.client import SaasuClient
from ledger_pipelines.systems.saasu.records import Fields, Record

QUOTAS: Final = {"small": 4000, "growing": 3000, "medium": 6000, "large": 8000, "x-large": 20000}
"""Calls a day by plan, as Saasu lists them (saasu.md 3.4)."""
_SKEW = 120.0  # not money: seconds


@dataclass(frozen=True, slots=True)
class FileIdentity:
    """One file a login may open. plan: Saasu's name of it."""

    id: str
    name: str
    currency: str
    country: str
    plan: str
    tax_registered: bool


def file_identity(record: Record) -> FileIdentity:
    """A file's summary. Raises DataError."""
    of = Fields(record, "file", "Name")
    return FileIdentity(
        id=of.key("Id"),
        name=of.text("Name"),
        currency=of.text("CurrencyCode").upper(),
        country=of.text("Country"),
        plan=of.text("SubscriptionName"),
        tax_registered=of.flag("IsTaxRegistered"),
    )


def check(client: SaasuClient, *, currency: str = "") -> tuple[Finding, ...]:
    """Look at everything; stops after a refused login. One call, and the login; never raises for what Saasu says.

    Args:
        client: Of the connection.
        currency: Base currency the configuration says the file has; "" = not compared.
    """
    return tuple(_findings(client, currency))


def _findings(client: SaasuClient, currency: str) -> Iterator[Finding]:
    try:
        answer = client.answer("/FileIdentities")
        files = [file_identity(one) for one in _rows(answer)]
    except (CredentialError, ConfigurationError) as error:
        yield Finding("login", False, error.message, error.remedy)
        return
    except LedgerError as error:
        ours = error.code in {"quota-spent", "blocked", "throttled"}
        text = error.message if ours else f"Saasu was not reached: {error.message}"
        yield Finding("login", False, text, error.remedy or "Try again later.")
        yield _quota(client, "")
        return
    listed = "; ".join(f"{one.id} {one.name} ({one.currency})" for one in files) or "none"
    yield Finding("login", True, f"Saasu accepts the login; it may open: {listed}.")
    own = next((one for one in files if one.id == str(client.connection.file_id)), None)
    if own is None:
        text = f"File {client.connection.file_id} is not among those the login may open."
        yield Finding("file", False, text, f"Set `file_id` to one of: {listed}.")
        return
    yield Finding("file", True, f"File {own.id} is {own.name}, {own.country}.")
    yield _quota(client, own.plan)
    yield _tax(own)
    if currency:
        yield _currency(own, currency)
    yield from _clock(client, answer)


def _rows(answer: Answer) -> list[dict[str, Json]]:
    try:
        body = answer.json()
    except msgspec.DecodeError:
        body = None
    rows = body.get("FileIdentities") if isinstance(body, dict) else None
    return [one for one in rows if isinstance(one, dict)] if isinstance(rows, list) else []


def _quota(client: SaasuClient, plan: str) -> Finding:
    """Calls of ours today, our share, and the plan's quota where it is one of those that are published."""
    spent = client.spent()
    share = "any number" if spent.limit is None else f"{spent.limit:,}"
    text = f"{spent.used:,} calls made today (UTC), {share} are ours."
    if spent.blocked_until is not None:
        return Finding(
            "quota",
            False,
            f"{text} Saasu throttled or blocked the file; it is left alone until {spent.blocked_until:%Y-%m-%d %H:%M} UTC.",
            "Wait, or look whether another program of the file calls too often.",
        )
    most = QUOTAS.get(plan.strip().casefold())
    if plan:
        text += f" The file's plan is {plan}" + (f": {most:,} calls a day for all programs." if most else ".")
    if most is not None and (spent.limit is None or spent.limit > most):
        remedy = f"Set `calls_per_day_of_plan: {most}`: passing the quota blocks the file for 24 hours."
        return Finding("quota", False, text, remedy)
    if spent.left == 0:
        return Finding("quota", False, text, "The rest waits for tomorrow, or raise `share_of_quota`.")
    return Finding("quota", True, text)


def _tax(own: FileIdentity) -> Finding:
    if own.tax_registered:
        return Finding("tax", True, "The file is registered for tax: sales are `Tax Invoice`.")
    return Finding(
        "tax", True, "The file is not registered for tax: sales are `Sale Invoice`, without tax codes."
    )


def _currency(own: FileIdentity, currency: str) -> Finding:
    if own.currency == currency.upper():
        return Finding("currency", True, f"The file's currency is {own.currency}.")
    return Finding(
        "currency",
        False,
        f"The file's currency is {own.currency or 'not told'}; the connection says {currency.upper()}.",
        f"Set `currency: {own.currency}` in the connection."
        if own.currency
        else "Look in Saasu's file settings.",
    )


def _clock(client: SaasuClient, answer: Answer) -> Iterator[Finding]:
    """Where the answer tells the time: windows of changes are cut by this machine's clock."""
    if answer.server_time is None:
        return
    skew = (client.clock.now() - answer.server_time).total_seconds()
    if abs(skew) > _SKEW:
        remedy = "Let it be set by NTP: what changed is asked for by the clock."
        yield Finding("clock", False, f"This machine's clock is {skew:+.0f} s off.", remedy)
    else:
        yield Finding("clock", True, "Clocks agree.")
