"""What NetSuite says after the writes: our documents again, and what they posted to which account.

Belongs here: the snapshot's types and what it proves. Does not belong here: reading it (`read_books`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property

import msgspec

from ledger_pipelines.documents.keys import digest
from ledger_pipelines.documents.money import ZERO
from ledger_pipelines.integrations.amazon_netsuite.books import OurDocument

JOURNAL = "journalEntry"


@dataclass(frozen=True, slots=True)
class AccountSum:
    """What our documents of one settlement posted to one account, debit-positive.

    amount: in the currency of the subsidiary's books. foreign: in the documents' own.
    record: kind of document. memo: of journal lines; "" for the others, which are summed.
    """

    record: str
    account_id: str
    number: str
    name: str
    memo: str
    amount: Decimal
    foreign: Decimal


@dataclass(frozen=True)
class ReadBack:
    """Our documents of one settlement, and the general-ledger sums of them."""

    connection: str
    settlement_id: str
    read_at: datetime
    documents: tuple[OurDocument, ...]
    accounts: tuple[AccountSum, ...]

    @cached_property
    def by_external_id(self) -> dict[str, OurDocument]:
        """Documents by our reference."""
        return {document.external_id: document for document in self.documents}

    def posted(self, account_id: str | None) -> Decimal:
        """Debit-positive sum on one account, in the documents' own currency: rates differ from day to day."""
        return sum((a.foreign for a in self.accounts if a.account_id == account_id), ZERO)

    def journal_lines(self) -> tuple[AccountSum, ...]:
        """The lines of our journals, by account and memo."""
        return tuple(a for a in self.accounts if a.record == JOURNAL)

    def total(self, record: str) -> Decimal:
        """Sum of our documents of one record type, voided ones left out."""
        return sum((abs(d.total) for d in self.documents if d.record == record and not d.voided), ZERO)

    def encode(self) -> bytes:
        """JSON text; decimals as strings."""
        return msgspec.json.encode(self, order="sorted")

    def content_digest(self) -> str:
        """Digest of everything but the instant."""
        return digest(
            msgspec.json.encode((self.settlement_id, self.documents, self.accounts), order="sorted")
        )


def decode_readback(raw: bytes) -> ReadBack:
    """Read what `ReadBack.encode` wrote. Raises msgspec.ValidationError."""
    return msgspec.json.decode(raw, type=ReadBack)
