"""The `where` language: tokens, grammar, evaluation over the flat fields of a resource.

Belongs here: reading a condition and deciding it. Does not belong here: pages, sorting. Source: cin7-omni.md 4.
`NOT`, `!=`, functions and nested fields are not in it: they are refused, as is a field the resource does not have.
A comparison with an unset field is false, as in SQL.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import InvalidOperation
from typing import Any, Protocol

from ledger_pipelines.sandbox.cin7.answers import Cin7Error
from ledger_pipelines.sandbox.cin7.fields import Field, Kind, Spec, choice, flag, instant, number
from ledger_pipelines.sandbox.codec import Document

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<text>'(?:[^']|'')*')
  | (?P<operator><>|<=|>=|=|<|>)
  | (?P<punctuation>[(),])
  | (?P<date>\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?)
  | (?P<number>[+-]?\d+(?:\.\d+)?)(?![\w.])
  | (?P<word>[A-Za-z_][\w.]*)
    )""",
    re.VERBOSE | re.IGNORECASE,
)
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq, "<>": operator.ne, "<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge,
}  # fmt: skip
_CONSTANTS = frozenset({"TRUE", "FALSE"})
_RESERVED = frozenset({"AND", "OR", "IN", "LIKE", "IS", "NOT", "NULL"})


class Condition(Protocol):
    """Something that holds of a record or does not. Records are given as they are kept (dates as instants)."""

    def holds(self, record: Document) -> bool:
        """Whether it holds."""
        ...

    def must(self) -> Iterator[Compare]:
        """Comparisons without which it cannot hold (for indexes)."""
        ...


@dataclass(frozen=True)
class Compare:
    """`field operator value`. ignore_case: texts compare without regard to case."""

    name: str
    field: Field
    operator: str
    value: object
    ignore_case: bool

    def holds(self, record: Document) -> bool:
        """Whether it holds."""
        found = record.get(self.name)
        if found is None:
            return False
        return _COMPARE[self.operator](_key(self.field, found, self.ignore_case), self.value)

    def must(self) -> Iterator[Compare]:
        """Itself."""
        yield self


@dataclass(frozen=True)
class OneOf:
    """`field IN (...)`."""

    name: str
    field: Field
    values: tuple[object, ...]
    ignore_case: bool

    def holds(self, record: Document) -> bool:
        """Whether it holds."""
        found = record.get(self.name)
        return found is not None and _key(self.field, found, self.ignore_case) in self.values

    def must(self) -> Iterator[Compare]:
        """None."""
        yield from ()


@dataclass(frozen=True)
class Like:
    """`field LIKE pattern`; `%` stands for any characters."""

    name: str
    pattern: re.Pattern[str]

    def holds(self, record: Document) -> bool:
        """Whether it holds."""
        found = record.get(self.name)
        return found is not None and self.pattern.fullmatch(str(found)) is not None

    def must(self) -> Iterator[Compare]:
        """None."""
        yield from ()


@dataclass(frozen=True)
class IsNull:
    """`field IS [NOT] NULL`."""

    name: str
    wanted: bool

    def holds(self, record: Document) -> bool:
        """Whether it holds."""
        return (record.get(self.name) is None) == self.wanted

    def must(self) -> Iterator[Compare]:
        """None."""
        yield from ()


@dataclass(frozen=True)
class Both:
    """`AND`."""

    left: Condition
    right: Condition

    def holds(self, record: Document) -> bool:
        """Whether it holds."""
        return self.left.holds(record) and self.right.holds(record)

    def must(self) -> Iterator[Compare]:
        """Those of both sides."""
        yield from self.left.must()
        yield from self.right.must()


@dataclass(frozen=True)
class Either:
    """`OR`."""

    left: Condition
    right: Condition

    def holds(self, record: Document) -> bool:
        """Whether it holds."""
        return self.left.holds(record) or self.right.holds(record)

    def must(self) -> Iterator[Compare]:
        """None."""
        yield from ()


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str


_END = _Token("end", "")


def parse(texts: list[str], spec: Spec, *, ignore_case: bool) -> Condition | None:
    """The condition of the `where` parameters; several are OR-ed (4); None for none. Raises Cin7Error 400."""
    found: Condition | None = None
    for text in texts:
        if not text.strip():
            continue
        one = _Parser(text, spec, ignore_case).parse()
        found = one if found is None else Either(found, one)
    return found


def lookup(spec: Spec, name: str) -> tuple[str, Field] | None:
    """A field by its name, whatever its case."""
    low = name.lower()
    return next(((own, field) for own, field in spec.items() if own.lower() == low), None)


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    at = 0
    while text[at:].strip():
        found = _TOKEN.match(text, at)
        if found is None:
            raise _bad(f"unexpected '{text[at:].strip()[:20]}'")
        kind = str(found.lastgroup)
        tokens.append(_Token(kind, found[kind]))
        at = found.end()
    return tokens


class _Parser:
    def __init__(self, text: str, spec: Spec, ignore_case: bool) -> None:
        self._spec, self._ignore_case = spec, ignore_case
        self._tokens, self._at = _tokens(text), 0

    def parse(self) -> Condition:
        found = self._either()
        if self._peek() is not _END:
            raise _bad(f"unexpected '{self._peek().text}'")
        return found

    def _peek(self) -> _Token:
        return self._tokens[self._at] if self._at < len(self._tokens) else _END

    def _next(self) -> _Token:
        token = self._peek()
        self._at += 1
        return token

    def _accept(self, word: str) -> bool:
        token = self._peek()
        if token.kind in ("word", "punctuation") and token.text.upper() == word:
            self._at += 1
            return True
        return False

    def _expect(self, word: str) -> None:
        if not self._accept(word):
            raise _bad(f"'{word}' is expected, not '{self._peek().text}'")

    def _either(self) -> Condition:
        found = self._both()
        while self._accept("OR"):
            found = Either(found, self._both())
        return found

    def _both(self) -> Condition:
        found = self._one()
        while self._accept("AND"):
            found = Both(found, self._one())
        return found

    def _one(self) -> Condition:
        if self._accept("("):
            found = self._either()
            self._expect(")")
            return found
        token = self._next()
        if token.kind != "word" or token.text.upper() in _RESERVED:
            raise _bad(f"a field is expected, not '{token.text}'")
        known = lookup(self._spec, token.text)
        if known is None or known[1].kind in (Kind.LIST, Kind.OBJECT):
            raise _bad(f"'{token.text}' is not a field that can be filtered by")
        return self._comparison(*known)

    def _comparison(self, name: str, field: Field) -> Condition:
        token = self._next()
        if token.kind == "operator":
            return Compare(name, field, token.text, self._value(name, field), self._ignore_case)
        match token.text.upper() if token.kind == "word" else "":
            case "IN":
                self._expect("(")
                values = [self._value(name, field)]
                while self._accept(","):
                    values.append(self._value(name, field))
                self._expect(")")
                return OneOf(name, field, tuple(values), self._ignore_case)
            case "LIKE":
                return Like(name, self._pattern(name, field))
            case "IS":
                wanted = not self._accept("NOT")
                self._expect("NULL")
                return IsNull(name, wanted)
        raise _bad(f"an operator is expected after '{name}', not '{token.text}'")

    def _pattern(self, name: str, field: Field) -> re.Pattern[str]:
        token = self._next()
        if token.kind != "text" or field.kind not in (Kind.TEXT, Kind.ENUM):
            raise _bad(f"LIKE wants a text in single quotes, and a text field, not '{name}'")
        parts = _unquoted(token.text).split("%")
        ignoring = re.IGNORECASE if self._ignore_case else 0
        return re.compile(".*".join(re.escape(part) for part in parts), re.DOTALL | ignoring)

    def _value(self, name: str, field: Field) -> object:
        token = self._next()
        text = _unquoted(token.text) if token.kind == "text" else token.text
        usable = token.kind in ("text", "number", "date") or (
            token.kind == "word" and text.upper() in _CONSTANTS and field.kind is Kind.FLAG
        )
        if not usable or (field.kind in (Kind.TEXT, Kind.ENUM) and token.kind == "word"):
            raise _bad(f"a value is expected for '{name}', not '{token.text}'")
        try:
            return _literal(field, text, self._ignore_case)
        except (ValueError, InvalidOperation):
            raise _bad(f"'{text}' is not a value of '{name}'") from None


def _literal(field: Field, text: str, ignore_case: bool) -> object:
    match field.kind:
        case Kind.FLAG:
            return flag(text)
        case Kind.DATE:
            return instant(text)
        case Kind.NUMBER | Kind.INTEGER:
            return number(text)
        case Kind.ENUM if field.choices:
            return choice(field, text).lower()
    return _key(field, text, ignore_case)


def _key(field: Field, value: object, ignore_case: bool) -> object:
    """A kept value as it compares."""
    if field.kind is Kind.ENUM or (field.kind is Kind.TEXT and ignore_case):
        return str(value).lower()
    return str(value) if field.kind is Kind.TEXT else value


def _unquoted(text: str) -> str:
    return text[1:-1].replace("''", "'")


def _bad(why: str) -> Cin7Error:
    return Cin7Error(f"The where clause is invalid: {why}.")
