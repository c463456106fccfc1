"""What a record type is: fields, sublists with their keys, families, permissions.

Belongs here: the shapes, the little table language of `records/`, and the registry of one account.
Does not belong here: the vendor's own types (records/) or anything that reads or writes data.

The table language, one field a line: `name kind [flags]`. Kinds: text, clob, int, money, number, bool, date,
datetime, email, ref:FAMILY (`ref:*` = any id), enum:a=Label|b=Label, multi:FAMILY, map (subrecord). Flags: ro
(computed; ignored in a request), req, nofilter, max=N, path=other/name.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

COMPUTED = "ro"


@dataclass(frozen=True)
class Field:
    """One field of a body or of a sublist line."""

    name: str
    kind: str
    family: str = ""
    options: tuple[tuple[str, str], ...] = ()
    read_only: bool = False
    required: bool = False
    filterable: bool = True
    max_length: int = 0
    label: str = ""

    @cached_property
    def lower(self) -> str:
        """The name as SuiteQL and case-insensitive matching use it."""
        return self.name.lower()


@dataclass(frozen=True)
class Sublist:
    """One sublist: its line fields and the keys that identify a line (empty: lines are always appended)."""

    name: str
    fields: tuple[Field, ...]
    keys: tuple[str, ...] = ()
    mandatory: bool = False

    @cached_property
    def by_name(self) -> dict[str, Field]:
        """Line fields by lower-case name."""
        return {item.lower: item for item in self.fields}


@dataclass(frozen=True)
class RecordType:
    """One record type of the record service.

    `family` is the set of types within which internal and external ids are unique (netsuite.md 4.6).
    `type_code` is SuiteQL's `transaction.type`; empty for what is not a transaction.
    """

    name: str
    family: str
    label: str
    permission: str
    fields: tuple[Field, ...]
    sublists: tuple[Sublist, ...] = ()
    type_code: str = ""
    table: str = ""
    name_field: str = "name"
    feature: str = ""
    custom: bool = False
    writable: bool = True
    item_type: str = ""
    values: tuple[tuple[str, str], ...] = ()

    @cached_property
    def by_name(self) -> dict[str, Field]:
        """Body fields by lower-case name."""
        return {item.lower: item for item in self.fields}

    @cached_property
    def sublist_by_name(self) -> dict[str, Sublist]:
        """Sublists by lower-case name."""
        return {item.name.lower(): item for item in self.sublists}

    @property
    def is_transaction(self) -> bool:
        """True for types of the transaction family."""
        return self.family == "transaction"


def fields_from(table: str) -> tuple[Field, ...]:
    """Read the table language described at the top of this module. Raises ValueError on a bad line."""
    result = []
    for line in table.strip().splitlines():
        words = line.split(maxsplit=2)
        if not words or words[0].startswith("#"):
            continue
        if len(words) < 2:
            raise ValueError(f"schema line needs a name and a kind: {line!r}")
        result.append(field_from(words[0], words[1], words[2] if len(words) > 2 else ""))
    return tuple(result)


def field_from(name: str, spec: str, flags: str = "") -> Field:
    """Build one field from its words in the table language."""
    kind, _, rest = spec.partition(":")
    marks = flags.split()
    longest = next((int(mark[4:]) for mark in marks if mark.startswith("max=")), 0)
    options: tuple[tuple[str, str], ...] = ()
    if kind == "enum":
        pairs = [pair.partition("=") for pair in rest.split("|")]
        options = tuple((key, (text or key).replace("_", " ")) for key, _, text in pairs)
    return Field(
        name=name,
        kind=kind,
        family=rest if kind in {"ref", "multi"} else "",
        options=options,
        read_only=COMPUTED in marks,
        required="req" in marks,
        filterable="nofilter" not in marks and kind not in {"map", "multi"},
        max_length=longest,
    )


@dataclass
class Schema:
    """The record types of one account, by lower-case name. Types may be added while it runs (SDF deploys)."""

    types: dict[str, RecordType] = field(default_factory=dict)
    body_fields: dict[str, Field] = field(default_factory=dict)
    column_fields: dict[str, Field] = field(default_factory=dict)

    def add(self, record_type: RecordType) -> None:
        """Add or replace a type."""
        self.types[record_type.name.lower()] = record_type

    def find(self, name: str) -> RecordType | None:
        """The type of that name in any letter case, or None."""
        return self.types.get(name.lower())

    def family(self, family: str) -> list[RecordType]:
        """All types of a family, in order of definition."""
        return [item for item in self.types.values() if item.family == family]

    def add_body_field(self, item: Field) -> None:
        """Declare a transaction body field (`custbody_*`) on every transaction type."""
        self.body_fields[item.lower] = item
        for key, record_type in list(self.types.items()):
            if record_type.is_transaction and item.lower not in record_type.by_name:
                self.types[key] = replace(record_type, fields=(*record_type.fields, item))

    def add_column_field(self, item: Field) -> None:
        """Declare a transaction line field (`custcol_*`) on every item and journal sublist."""
        self.column_fields[item.lower] = item
        for key, record_type in list(self.types.items()):
            if not record_type.is_transaction:
                continue
            sublists = tuple(
                replace(sub, fields=(*sub.fields, item))
                if sub.name in {"item", "line"} and item.lower not in sub.by_name
                else sub
                for sub in record_type.sublists
            )
            self.types[key] = replace(record_type, sublists=sublists)
