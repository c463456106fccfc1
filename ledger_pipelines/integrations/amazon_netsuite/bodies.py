"""Reading again what a planned body says: amounts of journal lines, what is applied, what is carried forward.

Belongs here: looking into bodies this integration makes. Does not belong here: making them (the flow modules).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from ledger_pipelines.documents.effects import Effect
from ledger_pipelines.documents.keys import Json, decode
from ledger_pipelines.documents.money import ZERO, Money
from ledger_pipelines.integrations.amazon_netsuite import settlement_journal
from ledger_pipelines.integrations.amazon_netsuite.readback import JOURNAL


def lines_of(effect: Effect, sublist: str) -> list[dict[str, Json]]:
    """The lines of a sublist of an effect's body; none where it has no such sublist."""
    body = decode(effect.body)
    found = body.get(sublist) if isinstance(body, dict) else None
    items = found.get("items") if isinstance(found, dict) else None
    return [line for line in items if isinstance(line, dict)] if isinstance(items, list) else []


def journal_lines(effect: Effect) -> Sequence[Money] | None:
    """The signed lines of a journal entry (debit positive); None of another document."""
    return list(_signed(lines_of(effect, "line"))) if effect.kind == JOURNAL else None


def _signed(lines: Iterable[dict[str, Json]]) -> Iterable[Money]:
    for line in lines:
        # The journal is in one currency, which its body names by internal id: any code will do for a sum.
        yield Money(_amount(line.get("debit")) - _amount(line.get("credit")), "XXX")


def applied(effect: Effect) -> Decimal:
    """What a document applies to others."""
    return sum((_amount(line.get("amount")) for line in lines_of(effect, "apply")), ZERO)


def forward(effect: Effect) -> Decimal | None:
    """What a settlement journal carries between months; None of another document."""
    if effect.kind != JOURNAL:
        return None
    return settlement_journal.carried(_memos(effect))


def taken(effect: Effect) -> Decimal | None:
    """What a settlement journal takes out of clearing; None of another document."""
    return settlement_journal.taken(_memos(effect)) if effect.kind == JOURNAL else None


def _memos(effect: Effect) -> Iterable[tuple[str, Decimal]]:
    for line in lines_of(effect, "line"):
        yield str(line.get("memo", "")), _amount(line.get("credit")) - _amount(line.get("debit"))


def _amount(value: Json) -> Decimal:
    if isinstance(value, Decimal):
        return value
    return Decimal(str(value)) if isinstance(value, int | str) else ZERO
