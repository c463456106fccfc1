"""Whether a record of Cin7's already says what a body wants: numbers by value, dates by instant, texts without outer blanks.

Belongs here: the comparison. Does not belong here: reading the record (`probe`). Facts: cin7-omni.md 5 (null leaves a field as
it is, "" clears it; amounts of foreign orders come back in the base currency), 6.2 (lines: by id, added without one).
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final

from ledger_pipelines.documents.effects import LINK
from ledger_pipelines.documents.keys import Json
from ledger_pipelines.systems.cin7.records import Record
from ledger_pipelines.systems.fields import business_day, instant

AMOUNTS: Final = frozenset(
    {"unitPrice", "unitCost", "uomPrice", "discount", "freightTotal", "surcharge", "discountTotal"}
)
"""Fields that hold money in the order's currency when they are sent."""
DIGITS: Final = 4
"""Decimals Cin7 tells of an amount, at least (cin7-omni.md 5)."""
_ANY_CASE = frozenset({"taxStatus", "type", "email", "memberEmail", "currencyCode"})
_TAX = {"1": "incl", "2": "excl", "3": "exempt"}
_HALF = Decimal("0.5")


def could_be(meant: Decimal, told: Decimal, rate: Decimal) -> bool:
    """Whether an amount that was told, times the rate, is the one meant, as far as the told one's digits go."""
    if rate == 1:
        return told == meant
    digits = max(DIGITS, -int(told.as_tuple().exponent))
    slack = _HALF.scaleb(-digits) * abs(rate)
    return abs(told * rate - meant) <= slack


def says(held: Record, wanted: Record, rate: Decimal) -> bool:
    """Whether a record says all that a body wants. rate: what amounts told are multiplied by to be in the order's currency."""
    return all(_field(name, value, held.get(name), rate) for name, value in wanted.items())


def _field(name: str, wanted: Json, have: Json, rate: Decimal) -> bool:
    if wanted is None:
        return True
    if isinstance(wanted, dict):
        return LINK not in wanted and isinstance(have, dict) and says(have, wanted, rate)
    if isinstance(wanted, list):
        return _list(wanted, have, rate)
    if wanted == "":
        return have is None or have == ""
    if have is None or have == "" or isinstance(have, dict | list):
        return False
    if name in AMOUNTS:
        told, meant = _number(have), _number(wanted)
        return told is not None and meant is not None and could_be(meant, told, rate)
    return _alike(name, wanted, have)


def _list(wanted: list[Json], have: Json, rate: Decimal) -> bool:
    """Lines with an id are changed, lines without are added: each of these needs a line of its own that says the same."""
    left = list(have) if isinstance(have, list) else []
    for one in sorted(wanted, key=lambda line: not (isinstance(line, dict) and line.get("id"))):
        if not isinstance(one, dict):
            found = next((other for other in left if other == one), None)
        elif one.get("id"):
            found = next(
                (o for o in left if isinstance(o, dict) and str(o.get("id")) == str(one["id"])), None
            )
            if found is None and _number(one.get("qty")) == 0:
                continue
            if found is not None and not says(found, {k: v for k, v in one.items() if k != "id"}, rate):
                return False
        else:
            found = next(
                (other for other in left if isinstance(other, dict) and says(other, one, rate)), None
            )
        if found is None:
            return False
        left.remove(found)
    return True


def _alike(name: str, wanted: Json, have: Json) -> bool:
    if isinstance(wanted, bool) or isinstance(have, bool):
        return wanted is have
    if not isinstance(wanted, str) or not isinstance(have, str):
        one, other = _number(wanted), _number(have)
        if one is not None and other is not None and one == other:
            return True
    meant, told = str(wanted).strip(), str(have).strip()
    if name in _ANY_CASE:
        meant, told = meant.casefold(), told.casefold()
    if name == "taxStatus":
        meant, told = _TAX.get(meant, meant), _TAX.get(told, told)
    if meant == told:
        return True
    one_time, other_time = _moment(meant), _moment(told)
    return one_time is not None and one_time == other_time


def _number(value: Json) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        return None
    try:
        found = Decimal(str(value).strip())
    except ArithmeticError:
        return None
    return found if found.is_finite() else None


def _moment(text: str) -> datetime | None:
    """An instant to the second, which is all that Cin7 tells; a bare date is its midnight, UTC."""
    try:
        return instant(text).replace(microsecond=0)
    except ValueError:
        pass
    try:
        return instant(f"{business_day(text).isoformat()}T00:00:00")
    except ValueError:
        return None
