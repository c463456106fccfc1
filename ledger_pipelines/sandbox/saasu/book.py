"""What every resource works with: the store, the clock, the settings, and look-ups of accounts and tax codes.

Belongs here: shared look-ups. Does not belong here: any resource's rules.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal

from ledger_pipelines.sandbox.clock import SandboxClock
from ledger_pipelines.sandbox.codec import Document
from ledger_pipelines.sandbox.faults import VendorFaults
from ledger_pipelines.sandbox.saasu.answers import SaasuError, link
from ledger_pipelines.sandbox.saasu.fields import day
from ledger_pipelines.sandbox.saasu.money import number
from ledger_pipelines.sandbox.saasu.settings import Settings
from ledger_pipelines.sandbox.saasu.store import Row, Store

RECEIVABLE, PAYABLE, TAX_COLLECTED, TAX_PAID, EXCHANGE = 8001, 8002, 8003, 8004, 8005
"""Ids of the built-in accounts of every file."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request, its credentials checked. params: query, names in lower case; record_id: None on lists and inserts."""

    method: str
    file: int
    login: str
    params: dict[str, str]
    body: object
    base: str
    echo: str
    record_id: int | None = None

    def href(self, path: str, **query: object) -> str:
        """A link to a path of this API, with the file and, for an access key, the key (as Saasu does)."""
        more = "".join(f"&{name}={value}" for name, value in query.items())
        return f"{self.base}/{path}?FileId={self.file}{self.echo}{more}"

    def detail(self, path: str, record_id: int) -> list[Document]:
        """The links of one row."""
        return [link("detail", self.href(f"{path}/{record_id}"))]


@dataclass
class Book:
    """One Saasu installation: all files of all logins."""

    store: Store
    clock: SandboxClock
    faults: VendorFaults | None = None
    _settings: Settings | None = field(default=None)

    def listed(self, row: Row) -> bool:
        """Whether lists show a record by now: later than it was made while a ``search_lag`` is set."""
        if self.faults is None:
            return True
        made = datetime.fromisoformat(row.created).replace(tzinfo=UTC)
        shown = self.faults.search_visible_at(made)
        return shown == made or shown <= self.clock.now()  # a clock that was set back hides nothing by itself

    def now(self) -> datetime:
        """The present instant, naive UTC."""
        return self.clock.now().astimezone(UTC).replace(tzinfo=None)

    @property
    def settings(self) -> Settings:
        """The switches in force."""
        if self._settings is None:
            kept = self.store.setting("settings")
            self._settings = Settings() if kept is None else Settings.model_validate(kept)
        return self._settings

    def change_settings(self, changes: Document) -> Settings:
        """Change switches. Raises pydantic.ValidationError."""
        changed = Settings.model_validate(self.settings.model_dump(mode="json") | changes)
        with self.store.transaction():
            self.store.put_setting("settings", changed.model_dump(mode="json"))
        self._settings = changed
        return changed

    def reload(self) -> None:
        """Forget what was remembered of the store."""
        self._settings = None

    # --- look-ups --------------------------------------------------------------------------------------------------

    def file(self, file: int) -> Row:
        """A file's own record. Raises SaasuError."""
        row = self.store.get(file, "fileidentity", file)
        if row is None:
            raise SaasuError("The file does not exist.", 401)
        return row

    def account(self, file: int, account_id: object) -> Row:
        """An account that can be posted to. Raises SaasuError."""
        row = None if account_id is None else self.store.get(file, "account", int(str(account_id)))
        if row is None or row.body["AccountLevel"] == "Header":
            raise SaasuError("The referenced account does not exist.")
        return row

    def tax_code(self, file: int, code: object) -> Row | None:
        """A tax code by its code; None for none. Raises SaasuError for an unknown or inactive one."""
        if code is None or code == "":
            return None
        found = next(
            self.store.select(file, "taxcode", "json_extract(body, '$.Code') = ?", (str(code),)), None
        )
        if found is None or not found.body["IsActive"]:
            raise SaasuError(f"The tax code '{code}' is invalid.")
        return found

    @staticmethod
    def rate(code: Row | None) -> Decimal:
        """The rate, as a fraction."""
        return Decimal(0) if code is None else number(code.body["Rate"])

    def currency(self, file: int) -> str:
        """The file's base currency."""
        return str(self.file(file).body["CurrencyCode"])

    def refuse_locked(self, *days: object) -> None:
        """Refuse a date in a locked period. Raises SaasuError (own wording: 8.2)."""
        locked = self.settings.locked_until
        for one in days:
            if locked is not None and one is not None and day(one) <= date.fromisoformat(locked):
                raise SaasuError(
                    f"The date {day(one).isoformat()} is in a locked period (locked until {locked})."
                )


def matches(row: Row, call: Call, where: dict[str, str]) -> bool:
    """Whether text fields equal what the query asks, without regard to case. where: query name -> field."""
    for asked, name in where.items():
        wanted = call.params.get(asked)
        if wanted and str(row.body.get(name) or "").casefold() != wanted.casefold():
            return False
    return True
