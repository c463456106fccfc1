"""Writing to a Saasu file: the `Writer` of a connection, class B (search by our reference).

Belongs here: which call carries an effect, what is sent. Does not belong here: what an answer means (`endings`), looking up
(`probe`), when to send again (`sync`). Facts: saasu.md 3.3 (LastUpdatedId), 4.3 (PUT replaces the whole), 5, 7.

Saasu knows no idempotency key (saasu.md 0.1): every record carries our reference where people see it, too, and a lost answer
is looked for after the settle window. Calls: a creation or deletion 1, a change 2 (read, replace), one at a time: Saasu
allows one a second, so more at once would only wait.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from ledger_pipelines.documents.effects import (
    Action,
    CredentialsRefused,
    Effect,
    Ending,
    NotSent,
    Prepared,
    Refused,
    Remote,
    Unknown,
    WriteClass,
)
from ledger_pipelines.documents.keys import Json
from ledger_pipelines.errors import CredentialError, LedgerError, TransientError, UnknownOutcomeError
from ledger_pipelines.faultpoints import reached
from ledger_pipelines.systems.bodies import number_ids
from ledger_pipelines.systems.http import Answer, classify
from ledger_pipelines.systems.saasu import endings
from ledger_pipelines.systems.saasu.client import SaasuClient, SaasuRefusedError
from ledger_pipelines.systems.saasu.probe import AUTO_NUMBER, PATHS, Probe
from ledger_pipelines.systems.saasu.records import Record, without_links

DELETABLE: Final = frozenset({"invoice", "payment", "journal"})
"""Kinds that VOID deletes; an item or a contact is made inactive by an UPDATE instead (saasu.md 5.5, 5.6)."""

_TEXTS = frozenset({"ContactId", "LastUpdatedId", "TwitterId", "SkypeId"})
"""Fields that end with `Id` and hold text: `ContactId` is the free reference of a contact (saasu.md 5.5)."""

READ_ONLY: Final = frozenset(
    {
        "Id", "TransactionId", "CreatedDateUtc", "LastModifiedDateUtc", "LastModifiedByUserId", "LastModifiedBy",
        "InvoiceStatus", "TotalAmount", "TotalTaxAmount", "AmountPaid", "AmountOwed", "PaymentCount", "PaymentStatus",
        "BillingContactFirstName", "BillingContactLastName", "BillingContactOrganisationName", "ShippingContactFirstName",
        "ShippingContactLastName", "ShippingContactOrganisationName", "Attachments", "StockOnHand", "CurrentValue",
        "OnOrder", "Committed",
    }
)  # fmt: skip
"""Fields of a record that are read and not sent back."""


class SaasuWriter:
    """Implements `documents.effects.Writer`."""

    def __init__(self, client: SaasuClient) -> None:
        self._client = client
        self._probe = Probe(client)

    @property
    def connection(self) -> str:
        """Name of the connection."""
        return self._client.connection.name

    @property
    def write_class(self) -> WriteClass:
        """B: no key of ours is unique in Saasu, all of them can be searched by (saasu.md 0.1, 7)."""
        return WriteClass.SEARCH

    @property
    def settle_window(self) -> timedelta:
        """From the connection: Saasu does not say how long it may work on a request."""
        return self._client.connection.settle_window

    @property
    def batch_size(self) -> int:
        """One: no call writes two documents (an invoice brings its own payment along)."""
        return 1

    @property
    def workers(self) -> int:
        """One: a call a second is all there is."""
        return 1

    def batch_key(self, effect: Effect) -> str | None:
        """One call each."""
        del effect
        return None

    def send(self, batch: Sequence[Prepared]) -> Sequence[Ending]:
        """Write; one ending for each, in order. Never raises for anything Saasu or the network does."""
        return [self._one(prepared) for prepared in batch]

    def probe(self, effects: Sequence[Effect]) -> Mapping[str, Remote]:
        """What the file holds; see `Probe.find`.

        Raises:
            TransientError, CredentialError: Saasu was not reached, or refuses us.
            UnknownOutcomeError: it answered, and nothing is learnt from it.
        """
        try:
            return self._probe.find(effects)
        except (TransientError, CredentialError, UnknownOutcomeError):
            raise
        except (LedgerError, ArithmeticError, ValueError) as error:
            raise UnknownOutcomeError(f"Looking records up in Saasu taught nothing: {error}") from error

    # --- one record --------------------------------------------------------------------------------------------------

    def _one(self, prepared: Prepared) -> Ending:
        effect = prepared.effect
        if effect.kind not in PATHS:
            return Refused("unknown-kind", f"Nothing is known of {effect.kind!r} in Saasu.")
        try:
            match effect.action:
                case Action.CREATE:
                    return self._create(prepared)
                case Action.UPDATE:
                    return self._update(prepared)
                case Action.VOID:
                    return self._void(prepared)
                case _:
                    return Refused("unknown-action", f"{effect.action} writes nothing.")
        except LedgerError as error:
            return classify(error) or Unknown(str(error))

    def _create(self, prepared: Prepared) -> Ending:
        effect, path = prepared.effect, PATHS[prepared.effect.kind]
        body = with_numbers(prepared.body)
        answer = self._write("POST", path, body)
        if answer.is_html or not answer.ok:
            return endings.refused(answer, self._client.refusal(answer, "POST", path), effect.action)
        return endings.created(answer, effect.kind, effect.external_id, _number(effect.kind, body))

    def _update(self, prepared: Prepared) -> Ending:
        effect = prepared.effect
        if effect.kind == "contactAggregate":
            return Refused("update-not-supported", "A contact and its company are changed one by one.")
        held = self._target(prepared)
        if not isinstance(held, Mapping):
            return held
        reached("saasu.read")
        record_id = str(held.get("TransactionId") or held.get("Id") or prepared.target_id)
        path = f"{PATHS[effect.kind]}/{record_id}"
        body = merged(held, with_numbers(prepared.body))
        answer = self._write("PUT", path, body)
        if answer.is_html or not answer.ok:
            return endings.refused(answer, self._client.refusal(answer, "PUT", path), effect.action)
        return endings.changed(answer, Remote(record_id, effect.external_id, _number(effect.kind, body)))

    def _void(self, prepared: Prepared) -> Ending:
        effect = prepared.effect
        if effect.kind not in DELETABLE:
            return Refused(
                "void-not-supported", f"A {effect.kind} of Saasu is not deleted; make it inactive instead."
            )
        target = prepared.target_id
        if not target.isdecimal():
            held = self._target(prepared)
            if not isinstance(held, Mapping):
                return held
            target = str(held.get("TransactionId") or "")
        path = f"{PATHS[effect.kind]}/{target}"
        answer = self._write("DELETE", path)
        if answer.is_html or not answer.ok:
            return endings.refused(answer, self._client.refusal(answer, "DELETE", path), effect.action)
        return endings.deleted(answer, Remote(target, effect.external_id))

    def _target(self, prepared: Prepared) -> Record | Ending:
        """The record to change as it is now. Nothing is written yet: a failure is a definite no."""
        effect = prepared.effect
        gone = Refused(endings.GONE, f"{effect.number}: its {effect.kind} is not in Saasu any more.")
        try:
            target = prepared.target_id or self._found(effect)
            held = self._probe.record(effect.kind, target) if target else None
        except SaasuRefusedError as error:
            return endings.refused_words(error.text, error.status, effect.action)
        except CredentialError as error:
            return CredentialsRefused(str(error))
        except LedgerError as error:
            return NotSent(str(error), error.retry_after if isinstance(error, TransientError) else None)
        return gone if held is None else held

    def _found(self, effect: Effect) -> str:
        """The id of the record under our reference, "" = none."""
        remote = self._probe.find([replace(effect, action=Action.CREATE)]).get(effect.key)
        ours = remote is not None and remote.external_id == effect.external_id
        return remote.remote_id if remote is not None and ours else ""

    def _write(self, method: str, path: str, body: Json = None) -> Answer:
        answer = self._client.write(method, path, body)
        reached("saasu.answered")
        return answer


def with_numbers(body: Mapping[str, Json]) -> dict[str, Json]:
    """The body with ids as the integers Saasu wants (links are filled in as text), without links of its own."""
    return number_ids(body, texts=_TEXTS, without=frozenset({"_links"}))


def merged(held: Record, body: Mapping[str, Json]) -> dict[str, Json]:
    """What a PUT sends: the record as it was read with the body's fields over it; lists are replaced whole.

    What is read only stays out. A rate of exchange stays the one that was read, rather than being looked up anew.
    """
    kept = {
        name: without_links(value)
        for name, value in held.items()
        if name not in READ_ONLY and name != "_links"
    }
    if kept.get("AutoPopulateFxRate"):
        kept["AutoPopulateFxRate"] = False
    return {**kept, **body, "LastUpdatedId": held.get("LastUpdatedId")}


def _number(kind: str, body: Mapping[str, Json]) -> str:
    """What people know the record by, as far as we sent it."""
    name = {
        "invoice": "InvoiceNumber",
        "item": "Code",
        "company": "Name",
        "payment": "Reference",
        "journal": "Reference",
    }
    number = str(body.get(name.get(kind, "")) or "")
    return "" if number.casefold() == AUTO_NUMBER else number
