"""SQLite functions behind SuiteQL: exact decimal arithmetic, Oracle dates, labels.

Belongs here: value functions registered on the connection. Dates are the stored form of `clock.STORED`; numbers are
canonical decimal text. Does not belong here: parsing (suiteql). Source: netsuite.md 7.1, 7.2.
"""

from __future__ import annotations

import calendar
import re
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal, DivisionByZero, InvalidOperation

from ledger_pipelines.sandbox.codec import plain
from ledger_pipelines.sandbox.netsuite.clock import STORED, parse_instant
from ledger_pipelines.sandbox.netsuite.company import Company

IS_DATE = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dD$")
_ORACLE = {
    "YYYY": "%Y", "RRRR": "%Y", "YY": "%y", "RR": "%y", "MONTH": "%B", "MON": "%b", "MM": "%m", "DD": "%d", "DAY": "%A", "DY": "%a",
    "HH24": "%H", "HH12": "%I", "HH": "%I", "MI": "%M", "SS": "%S", "AM": "%p", "PM": "%p", "DDD": "%j",
    "Q": "", "IW": "%V", "WW": "%U",
}  # fmt: skip
_FORMAT = re.compile("|".join(sorted(_ORACLE, key=len, reverse=True)) + r'|"[^"]*"', re.IGNORECASE)
ACCOUNT_FORMAT = "MM/DD/YYYY"


class QueryValueError(ValueError):
    """A value that a function cannot use; the text is for the query's author."""


def _date(value: object) -> datetime | None:
    return datetime.strptime(value, STORED) if isinstance(value, str) and IS_DATE.match(value) else None  # noqa: DTZ007  wall time


def _number(value: object) -> Decimal | None:
    if value is None or value == "":
        return None
    try:
        return Decimal(str(value).strip())
    except InvalidOperation:
        raise QueryValueError(f"'{value}' is not a number") from None


def add(left: object, right: object, sign: int = 1) -> str | None:
    """Sum of two numbers, or a date plus days."""
    day, other = _date(left), _date(right)
    if day is not None and other is not None:
        return plain(Decimal((day - other).total_seconds()) / 86400)
    if day is not None or other is not None:
        number = _number(right if day is not None else left)
        moment = day or other
        if number is None or moment is None:
            return None
        return (moment + timedelta(seconds=float(number * 86400) * sign)).strftime(STORED)
    a, b = _number(left), _number(right)
    return None if a is None or b is None else plain(a + sign * b)


def subtract(left: object, right: object) -> str | None:
    """Difference of two numbers, a date minus days, or days between two dates."""
    return add(left, right, -1)


def multiply(left: object, right: object) -> str | None:
    """Product."""
    a, b = _number(left), _number(right)
    return None if a is None or b is None else plain(a * b)


def divide(left: object, right: object) -> str | None:
    """Quotient to 28 digits. Raises QueryValueError for a zero divisor."""
    a, b = _number(left), _number(right)
    if a is None or b is None:
        return None
    try:
        return plain(a / b)
    except (DivisionByZero, InvalidOperation):
        raise QueryValueError("divisor is equal to zero") from None


def negate(value: object) -> str | None:
    """Minus."""
    number = _number(value)
    return None if number is None else plain(-number)


def absolute(value: object) -> str | None:
    """ABS."""
    number = _number(value)
    return None if number is None else plain(abs(number))


def round_half_up(value: object, places: object = 0) -> str | None:
    """ROUND of a number."""
    number = _number(value)
    if number is None:
        return None
    return plain(number.quantize(Decimal(1).scaleb(-int(str(places or 0))), rounding=ROUND_HALF_UP))


def to_number(value: object) -> str | None:
    """TO_NUMBER."""
    number = _number(value)
    return None if number is None else plain(number)


def compare(left: object, right: object) -> int | None:
    """-1, 0 or 1 by number where both are numbers, else by text; None with a null."""
    if left is None or right is None:
        return None
    try:
        a, b = Decimal(str(left)), Decimal(str(right))
    except InvalidOperation:
        first, second = str(left), str(right)
        return (first > second) - (first < second)
    return (a > b) - (a < b)


def collate(left: str, right: str) -> int:
    """Collation of number columns."""
    return compare(left, right) or 0


def _strftime(form: str) -> str:
    def swap(match: re.Match[str]) -> str:
        text = match.group(0)
        return text[1:-1] if text.startswith('"') else _ORACLE[text.upper()]

    return _FORMAT.sub(swap, form.replace("%", "%%"))


def to_date(value: object, form: object = ACCOUNT_FORMAT) -> str | None:
    """TO_DATE / TO_TIMESTAMP. Raises QueryValueError when the text does not fit the format."""
    if value is None or value == "":
        return None
    if _date(value) is not None:
        return str(value)
    wanted, text = _strftime(str(form)), str(value).strip()
    for attempt in (wanted, wanted.split(" ")[0]):
        try:
            return datetime.strptime(text, attempt).strftime(STORED)  # noqa: DTZ007  wall time
        except ValueError:
            continue
    raise QueryValueError(f"'{text}' does not match the date format {form}")


def to_char(value: object, form: object = None) -> str | None:
    """TO_CHAR of a date or number."""
    if value is None:
        return None
    moment = _date(value)
    if moment is None:
        return str(value)
    if form is None:
        return account_date(str(value))
    text = str(form)
    if text.upper() == "Q":
        return str((moment.month - 1) // 3 + 1)
    if text.upper().startswith("FM"):
        return re.sub(r"\b0(\d)", r"\1", moment.strftime(_strftime(text[2:])))
    return moment.strftime(_strftime(text))


def truncate(value: object, form: object = None) -> str | None:
    """TRUNC of a date (to day, month, year, quarter) or of a number."""
    if value is None:
        return None
    moment = _date(value)
    if moment is None:
        number = _number(value)
        places = int(str(form or 0))
        return (
            None
            if number is None
            else plain(number.quantize(Decimal(1).scaleb(-places), rounding=ROUND_DOWN))
        )
    unit = str(form or "DD").upper()
    moment = moment.replace(hour=0, minute=0, second=0)
    if unit in {"MM", "MON", "MONTH"}:
        moment = moment.replace(day=1)
    elif unit in {"Y", "YY", "YYYY", "YEAR"}:
        moment = moment.replace(month=1, day=1)
    elif unit == "Q":
        moment = moment.replace(month=(moment.month - 1) // 3 * 3 + 1, day=1)
    elif unit in {"IW", "DAY", "D"}:
        moment -= timedelta(days=moment.weekday() if unit == "IW" else (moment.weekday() + 1) % 7)
    return moment.strftime(STORED)


def extract(part: str, value: object) -> int | None:
    """EXTRACT(part FROM date)."""
    moment = _date(value)
    return None if moment is None else int(getattr(moment, part.lower()))


def add_months(value: object, months: object) -> str | None:
    """ADD_MONTHS; the last day of a month stays a last day."""
    moment = _date(value)
    if moment is None or months is None:
        return None
    count = moment.year * 12 + moment.month - 1 + int(Decimal(str(months)))
    year, month = divmod(count, 12)
    last = calendar.monthrange(year, month + 1)[1]
    was_last = moment.day == calendar.monthrange(moment.year, moment.month)[1]
    return moment.replace(
        year=year, month=month + 1, day=last if was_last else min(moment.day, last)
    ).strftime(STORED)


def last_day(value: object) -> str | None:
    """LAST_DAY of the month."""
    moment = _date(value)
    if moment is None:
        return None
    return moment.replace(day=calendar.monthrange(moment.year, moment.month)[1]).strftime(STORED)


def concat(*values: object) -> str | None:
    """`||` and CONCAT: a null counts as nothing, as in Oracle."""
    text = "".join("" if value is None else account_date(str(value)) for value in values)
    return text or None


def account_date(text: str) -> str:
    """A stored date in the account's format M/D/YYYY; other text unchanged."""
    moment = _date(text)
    return text if moment is None else f"{moment.month}/{moment.day}/{moment.year}"


class ExactSum:
    """SUM without floats."""

    def __init__(self) -> None:
        self.total: Decimal | None = None

    def step(self, value: object) -> None:
        """Add one value."""
        number = _number(value)
        if number is not None:
            self.total = number if self.total is None else self.total + number

    def finalize(self) -> str | None:
        """The sum, or None without values."""
        return None if self.total is None else plain(self.total)


class ExactAverage(ExactSum):
    """AVG without floats."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def step(self, value: object) -> None:
        """Add one value."""
        if value is not None:
            self.count += 1
        super().step(value)

    def finalize(self) -> str | None:
        """The mean, or None without values."""
        return None if self.total is None else plain(self.total / self.count)


class ListAggregate:
    """LISTAGG(value, separator) WITHIN GROUP (ORDER BY key)."""

    def __init__(self) -> None:
        self.parts: list[tuple[str, str]] = []
        self.separator = ""

    def step(self, value: object, separator: object, key: object) -> None:
        """Add one value under its sort key."""
        if value is not None:
            self.separator = str(separator or "")
            self.parts.append((str(key), account_date(str(value))))

    def finalize(self) -> str | None:
        """The values in the order of their keys, or None without values."""
        ordered = sorted(self.parts, key=lambda part: _sort_key(part[0]))
        return self.separator.join(text for _, text in ordered) or None


def _sort_key(text: str) -> tuple[int, Decimal, str]:
    try:
        return 0, Decimal(text), ""
    except InvalidOperation:
        return 1, Decimal(0), text


def register(company: Company) -> None:
    """Install every function on the company's connection."""
    db = company.store.db

    def now() -> float:
        return company.now().timestamp()

    def sysdate() -> str:
        return company.now().astimezone(company.features.zone).strftime(STORED)

    def local(value: object) -> str | None:
        if value is None:
            return None
        return parse_instant(str(value)).astimezone(company.features.zone).strftime(STORED)

    def status_label(code: object, letter: object) -> str | None:
        for item in company.schema.types.values():
            if item.type_code == code:
                text = dict(item.by_name["status"].options).get(str(letter))
                return None if letter is None else f"{item.label} : {text or letter}"
        return None if letter is None else str(letter)

    def type_label(code: str | None) -> str | None:
        for item in company.schema.types.values():
            if item.type_code and item.type_code == code:
                return item.label
        return code

    db.create_collation("ns_decimal", collate)
    db.create_function("ns_now", 0, now)
    db.create_function("ns_sysdate", 0, sysdate)
    db.create_function("ns_local", 1, local)
    db.create_function("ns_status", 2, status_label)
    db.create_function("ns_type", 1, type_label)
    db.create_function("ns_number", 1, to_number, deterministic=True)
    db.create_function("ns_compare", 2, compare, deterministic=True)
    db.create_function("ns_add", 2, add, deterministic=True)
    db.create_function("ns_subtract", 2, subtract, deterministic=True)
    db.create_function("ns_multiply", 2, multiply, deterministic=True)
    db.create_function("ns_divide", 2, divide, deterministic=True)
    db.create_function("ns_negate", 1, negate, deterministic=True)
    db.create_function("ns_abs", 1, absolute, deterministic=True)
    db.create_function("ns_round", -1, round_half_up, deterministic=True)
    db.create_function("ns_to_date", -1, to_date, deterministic=True)
    db.create_function("ns_to_char", -1, to_char, deterministic=True)
    db.create_function("ns_trunc", -1, truncate, deterministic=True)
    db.create_function("ns_extract", 2, extract, deterministic=True)
    db.create_function("ns_add_months", 2, add_months, deterministic=True)
    db.create_function("ns_last_day", 1, last_day, deterministic=True)
    db.create_function("ns_concat", -1, concat, deterministic=True)
    db.create_aggregate("ns_listagg", 3, ListAggregate)  # type: ignore[arg-type]  # typeshed wants integers
    db.create_aggregate("ns_sum", 1, ExactSum)  # type: ignore[arg-type]  # typeshed wants integers
    db.create_aggregate("ns_avg", 1, ExactAverage)  # type: ignore[arg-type]  # typeshed wants integers
