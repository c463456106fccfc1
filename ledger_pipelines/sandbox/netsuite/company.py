"""One emulated account: its store, schema, features and clock, handed to every module that acts on it.

Belongs here: wiring, type definitions ("SDF deploys"), small look-ups of master data that many rules need.
Does not belong here: rules, protocol, seeds.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Protocol

from ledger_pipelines.sandbox import codec
from ledger_pipelines.sandbox.netsuite import clock as times
from ledger_pipelines.sandbox.netsuite.features import Features
from ledger_pipelines.sandbox.netsuite.records.custom import (
    LISTS as CUSTOM_LISTS,
)
from ledger_pipelines.sandbox.netsuite.records.custom import (
    RECORDS as CUSTOM_RECORDS,
)
from ledger_pipelines.sandbox.netsuite.records.custom import (
    FieldDefinition,
    ListDefinition,
    RecordDefinition,
)
from ledger_pipelines.sandbox.netsuite.records.lists import LISTS
from ledger_pipelines.sandbox.netsuite.records.transactions import TRANSACTIONS
from ledger_pipelines.sandbox.netsuite.schema import Field, RecordType, Schema
from ledger_pipelines.sandbox.netsuite.store import Row, Store

INDEXED = ("custbody_azs_order_id", "custbody_celigo_etail_order_id")


class Clock(Protocol):
    """The sandbox clock."""

    def now(self) -> datetime:
        """The present instant, aware, UTC."""
        ...


class Fault(Protocol):
    """A fault that befalls a part of a call."""

    @property
    def status(self) -> int:
        """Of the answer."""
        ...

    @property
    def applied(self) -> bool:
        """Whether the part was carried out all the same."""
        ...

    @property
    def message(self) -> str | None:
        """What the answer says."""
        ...

    @property
    def seconds(self) -> float:
        """How late it is."""
        ...


class Faults(Protocol):
    """The part of the fault plan that this vendor asks itself."""

    def search_visible_at(self, created: datetime) -> datetime:
        """When a record made at `created` shows in searches."""
        ...

    def on_part(self, kind: str, method: str, target: str) -> Fault | None:
        """The fault of this kind that befalls a batch, or one record of it."""
        ...


class Company:
    """The state of one account. All writing goes through `store.transaction()`."""

    def __init__(self, store: Store, clock: Clock, faults: Faults, base_url: str):
        self.store = store
        self.clock = clock
        self.faults = faults
        self.base_url = base_url.rstrip("/")
        self.schema = Schema()
        self.features = Features()
        self.reload()

    def reload(self) -> None:
        """Read features and type definitions again from the store (after a start, a reset or a restore)."""
        self.store.forget()
        self._latest_visible = self.store.latest_visible()
        kept = self.store.setting("features")
        self.features = Features() if kept is None else Features.model_validate(kept)
        self.schema = Schema()
        for record_type in (*TRANSACTIONS, *LISTS):
            self.schema.add(record_type)
        for record_type in TRANSACTIONS:
            for item in record_type.fields:
                if item.name.startswith("custbody_"):
                    self.schema.body_fields[item.lower] = item
            for sub in record_type.sublists:
                for item in sub.fields:
                    if item.name.startswith("custcol_"):
                        self.schema.column_fields[item.lower] = item
        for made in CUSTOM_LISTS:
            self.schema.add(made.as_record_type())
        for definition in CUSTOM_RECORDS:
            self.schema.add(definition.as_record_type())
        for kind, body in self.store.db.execute("SELECT kind, body FROM ns_definition ORDER BY position"):
            self._install(kind, body)
        self._add_columns()

    def define_record_type(self, definition: RecordDefinition | ListDefinition) -> None:
        """Deploy a custom record type or list, as SDF would; kept with the state."""
        kind = "list" if isinstance(definition, ListDefinition) else "record"
        with self.store.transaction():
            self._keep(kind, definition.scriptid, definition.model_dump_json())
            self._install(kind, definition.model_dump_json())
            if isinstance(definition, ListDefinition):
                self.fill_list(self.schema.types[definition.scriptid])

    def define_field(self, definition: FieldDefinition) -> None:
        """Deploy a transaction body (`custbody_*`) or line (`custcol_*`) field."""
        with self.store.transaction():
            self._keep("field", definition.scriptid, definition.model_dump_json())
            self._install("field", definition.model_dump_json())
            self._add_columns()

    def _keep(self, kind: str, scriptid: str, body: str) -> None:
        self.store.db.execute(
            "INSERT INTO ns_definition (kind, scriptid, body) VALUES (?, ?, ?) "
            "ON CONFLICT (scriptid) DO UPDATE SET body = excluded.body",
            (kind, scriptid, body),
        )

    def _install(self, kind: str, body: str) -> None:
        if kind == "record":
            self.schema.add(RecordDefinition.model_validate_json(body).as_record_type())
        elif kind == "list":
            self.schema.add(ListDefinition.model_validate_json(body).as_record_type())
        else:
            item = FieldDefinition.model_validate_json(body).as_field()
            if item.name.startswith("custcol_"):
                self.schema.add_column_field(item)
            else:
                self.schema.add_body_field(item)

    def _add_columns(self) -> None:
        for name in self.schema.body_fields:
            self.store.add_column("ns_transaction", name, indexed=name in INDEXED)
        for name in self.schema.column_fields:
            self.store.add_column("ns_line", name)

    def fill_list(self, record_type: RecordType) -> None:
        """Store the values of a custom list as its instances (ids 1, 2, 3...)."""
        stamp, local = self.stamps()
        for key, text in record_type.values:
            self.store.put(
                Row(record_type.family, int(key), record_type.name, {"name": text}, name=text, created=stamp,
                    modified=stamp, created_local=local, modified_local=local)
            )  # fmt: skip
            self.store.raise_counter(record_type.family, int(key))

    def fill_lists(self) -> None:
        """Store the values of every custom list that is declared."""
        for record_type in list(self.schema.types.values()):
            if record_type.values:
                self.fill_list(record_type)

    def set_features(self, features: Features) -> None:
        """Replace the features and keep them."""
        with self.store.transaction():
            self.store.put_setting("features", features.model_dump())
        self.features = features

    def now(self) -> datetime:
        """The sandbox's present instant (UTC)."""
        return self.clock.now()

    def today(self) -> date:
        """Today in the account's zone."""
        return self.now().astimezone(self.features.zone).date()

    def stamps(self) -> tuple[str, str]:
        """Now as (UTC text for the record service, account-zone text for SuiteQL)."""
        now = self.now()
        return times.utc_text(now), times.local_stored(now, self.features.zone)

    def visible_at(self) -> float | None:
        """When a record made now shows in searches, as epoch seconds; None when at once."""
        now = self.now()
        visible = self.faults.search_visible_at(now)
        if visible <= now:
            return None
        at = visible.timestamp()
        self._latest_visible = max(at, self._latest_visible or at)
        return at

    def shows_late(self) -> bool:
        """Whether some record may not show in searches yet."""
        return self._latest_visible is not None and self._latest_visible > self.now().timestamp()

    def precision(self, currency: str | None) -> int:
        """Decimal places of a currency by internal id (2 when unknown)."""
        row = self.store.master("currency", int(currency)) if currency else None
        return int(row.body.get("currencyPrecision", 2)) if row else 2

    def base_currency(self, subsidiary: str | None) -> str:
        """The books' currency of a subsidiary (the account's base currency without OneWorld)."""
        row = self.store.master("subsidiary", int(subsidiary)) if subsidiary else None
        return str(row.body.get("currency", "1")) if row else "1"

    def rate(self, currency: str, subsidiary: str | None) -> Decimal:
        """Default exchange rate from a transaction currency to the subsidiary's books (1 within one currency)."""
        base = self.base_currency(subsidiary)
        if currency == base:
            return Decimal(1)
        rates = []
        for one in (currency, base):
            row = self.store.master("currency", int(one))
            rates.append(codec.number(row.body.get("exchangeRate", 1)) if row else Decimal(1))
        return codec.rounded(rates[0] / rates[1], 8).normalize() if rates[1] else Decimal(1)

    def field(self, name: str) -> Field | None:
        """A declared transaction body field."""
        return self.schema.body_fields.get(name)
