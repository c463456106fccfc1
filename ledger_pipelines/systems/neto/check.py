"""Is the connection fit for work? The key, the clock, what can be seen.

Belongs here: questions to the store, each with a finding and a remedy. Does not belong here: printing (`cli`).
Nothing is written, so whether the key may write is not looked at: Neto tells that only of a write (neto.md 3.4).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Final

from ledger_pipelines.documents.keys import Json
from ledger_pipelines.errors import ConfigurationError, LedgerError, PermanentError
from ledger_pipelines.systems.looking import Finding
from ledger_pipelines.systems.neto.client import NetoAnswer, NetoClient
from ledger_pipelines.systems.neto.documents import method, warehouse
from ledger_pipelines.systems.neto.entities import ENTITIES, NetoEntity
from ledger_pipelines.systems.neto.reader import NetoReader
from ledger_pipelines.systems.neto.shapes import Fields, as_list

SKEW: Final = timedelta(minutes=2)
RECENT: Final = timedelta(days=31)
_RIGHTS: Final = "Give the key's user the right to see {}, in Neto under Staff Users."


def check(client: NetoClient) -> Iterator[Finding]:
    """Look at everything; stops after a refused key. About 11 calls; never raises for what Neto says."""
    try:
        answer = client.read("GetCurrencySettings", {})
    except (PermanentError, ConfigurationError) as error:
        yield Finding("credentials", False, error.message, error.remedy)
        return
    except LedgerError as error:
        yield Finding(
            "credentials", False, f"Neto was not reached: {error.message}", error.remedy or "Try again later."
        )
        return
    yield Finding("credentials", True, f"The store {client.connection.base} accepts the key.")
    yield _clock(client, answer)
    yield _currency(answer)
    reader = NetoReader(client)
    yield _told("sees warehouses", lambda: _warehouses(reader))
    yield _told("sees payment methods", lambda: _methods(reader))
    yield _told("sees shipping methods", lambda: _count(reader, "shipping_methods"))
    for name in ("products", "customers", "orders", "payments", "rmas"):
        yield _told(f"sees {name}", lambda entity=ENTITIES[name]: _recent(client, entity))  # type: ignore[misc]


def _told(name: str, ask: Callable[[], str]) -> Finding:
    try:
        return Finding(name, True, ask())
    except LedgerError as error:
        return Finding(name, False, str(error), error.remedy or _RIGHTS.format(name.removeprefix("sees ")))


def _clock(client: NetoClient, answer: NetoAnswer) -> Finding:
    """`CurrentTime` is taken for UTC (inferred: neto.md 3.3)."""
    theirs, ours = answer.current_time, client.clock.now()
    if theirs is None:
        return Finding("clock", True, "Neto does not tell its time; the clocks were not compared.")
    skew = (ours - theirs).total_seconds()
    if abs(skew) > SKEW.total_seconds():
        return Finding(
            "clock",
            False,
            f"Neto's time is {theirs:%Y-%m-%d %H:%M:%S}, this machine's {ours:%Y-%m-%d %H:%M:%S} UTC: {skew:+.0f} s.",
            "Let this machine's clock be set by NTP; if it is right, tell the makers: Neto may not be giving UTC.",
        )
    return Finding(
        "clock", True, f"Clocks agree; the store's days are those of {client.connection.time_zone.key}."
    )


def _currency(answer: NetoAnswer) -> Finding:
    found = as_list(answer.body.get("CurrencySettings"))
    if not found or not isinstance(found[0], dict):
        return Finding("currency", True, "Neto does not tell its currency; the connection's setting counts.")
    fields = Fields(found[0], "the store's currency settings")
    code, rate = fields.text("DEFAULTCURRENCY") or "no currency", fields.text("GST_AMT")
    return Finding(
        "currency", True, f"The store sells in {code}" + (f"; its tax is {rate} %." if rate else ".")
    )


def _warehouses(reader: NetoReader) -> str:
    found = [warehouse(fields.body) for fields in reader.records(ENTITIES["warehouses"])]
    return f"{len(found)} warehouses: " + ", ".join(f"{one.name} ({one.id})" for one in found)


def _methods(reader: NetoReader) -> str:
    found = [method(fields.body) for fields in reader.records(ENTITIES["payment_methods"])]
    active = [one.name for one in found if one.active]
    return f"{len(active)} active payment methods: {', '.join(active)}"


def _count(reader: NetoReader, name: str) -> str:
    return f"{len(reader.records(ENTITIES[name]))} {name.replace('_', ' ')}"


def _recent(client: NetoClient, entity: NetoEntity) -> str:
    """Whether there is one of the last month. One call: Neto has no counts."""
    since = client.clock.now() - RECENT
    asked: dict[str, Json] = {
        f"{entity.filtered}From": since.strftime("%Y-%m-%d %H:%M:%S"), "Page": 0, "Limit": 1,
        "OutputSelector": list(entity.selectors[:1]),
    }  # fmt: skip
    answer = client.read(entity.action, {"Filter": asked})
    found = as_list(answer.body.get(entity.response), entity.inner)
    return f"{entity.action} answers; " + (
        f"{entity.name} of the last {RECENT.days} days are there."
        if found
        else f"none in the last {RECENT.days} days."
    )
