"""The kinds of record that are written: where, under which reference of ours, what is never sent, what is too long.

Belongs here: facts about bodies. Does not belong here: sending (`writer`), looking up (`probe`).
Facts: cin7-omni.md 6.1, 6.2 (fields), 10 (other resources), 12 (lengths).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from ledger_pipelines.documents.effects import Refused
from ledger_pipelines.documents.keys import Json
from ledger_pipelines.systems.bodies import number_ids
from ledger_pipelines.systems.cin7.entities import ENTITIES, Cin7Entity
from ledger_pipelines.systems.cin7.records import MAPS


@dataclass(frozen=True, slots=True)
class WriteKind:
    """One kind of record that is written.

    Args:
        entity: The list it is in.
        references: Fields of a body that may hold our reference; the first that does is what it is looked for by.
        read_only: Fields that are read and not sent.
    """

    entity: Cin7Entity
    references: tuple[str, ...]
    read_only: frozenset[str] = frozenset()


_ORDER_READ_ONLY = frozenset(
    {
        "modifiedDate", "productTotal", "total", "currencyId", "source", "status", "cancellationDate", "modifiedCOGSDate",
        "invoiceNumber", "salesPersonEmail", "productId", "parentId", "sizeCodes", "uomQtyShipped", "uomSize", "qtyShipped",
        "holdingQty", "stockControl", "stockMovements",
    }
)  # fmt: skip

KINDS: Final[Mapping[str, WriteKind]] = MappingProxyType(
    {
        "sales_order": WriteKind(ENTITIES["sales_orders"], ("reference",), _ORDER_READ_ONLY),
        "contact": WriteKind(ENTITIES["contacts"], ("email", "integrationRef"), frozenset({"modifiedDate"})),
        "payment": WriteKind(
            ENTITIES["payments"],
            ("transactionRef",),
            frozenset({"modifiedDate", "orderRef", "batchReference"}),
        ),
        "product": WriteKind(ENTITIES["products"], (), frozenset({"modifiedDate"})),
    }
)
"""Kinds of effect."""

VOIDABLE: Final = frozenset({"sales_order"})
"""Kinds that have `isVoid`; voiding is for good (cin7-omni.md 6.4)."""

OPTIONS: Final = "productOptions"
OPTION_CODE: Final = "productOptionCode"

LENGTHS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "reference": 30, "trackingCode": 50, "phone": 50, "mobile": 50, "fax": 50, "email": 250, "memberEmail": 250,
        "branchEmail": 250, "firstName": 250, "lastName": 250, "company": 250, "customerOrderNo": 100, "voucherCode": 30,
        "deliveryInstructions": 2000, "currencyCode": 3,
    }
)  # fmt: skip
"""Most characters of a field (cin7-omni.md 6.1, 12)."""


def shaped(kind: str, body: Mapping[str, Json]) -> dict[str, Json]:
    """What is sent of a body: without `id` and what is read only, ids as numbers (links are filled in as text)."""
    sent = number_ids(body, texts=MAPS, without=KINDS[kind].read_only)
    sent.pop("id", None)
    return sent


def too_long(body: Mapping[str, Json]) -> Refused | None:
    """The refusal of a body with a text longer than its field; it would fail in Cin7 all the same, or be cut."""
    for name, most in LENGTHS.items():
        value = body.get(name)
        if isinstance(value, str) and len(value) > most:
            return Refused("too-long", f"{name} has {len(value)} characters, Cin7 takes {most}: {value[:60]}")
    return None


def same_text(one: object, other: object) -> bool:
    """Whether two references are the same: outer blanks apart, with their case."""
    return isinstance(one, str) and isinstance(other, str) and one.strip() == other.strip()


def option_codes(body: Mapping[str, Json]) -> Iterator[str]:
    """SKUs of the options in a product's body."""
    options = body.get(OPTIONS)
    for one in options if isinstance(options, list) else []:
        code = one.get(OPTION_CODE) if isinstance(one, dict) else None
        if isinstance(code, str):
            yield code.strip()


def searched_by(kind: str, body: Mapping[str, Json], reference: str) -> str:
    """The field of the body that holds our reference, by which the record can be found again; "" = none does."""
    if not reference.strip():
        return ""
    if kind == "product":
        return OPTION_CODE if reference.strip() in option_codes(body) else ""
    for name in KINDS[kind].references:
        value = body.get(name)
        alike = isinstance(value, str) and value.strip().casefold() == reference.strip().casefold()
        if same_text(value, reference) or (name == "email" and alike):
            return name
    return ""
