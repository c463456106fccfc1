"""What every resource works with: the store, the clock, the settings, and look-ups of options, contacts, branches.

Belongs here: shared look-ups. Does not belong here: any resource's rules.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from ledger_pipelines.sandbox.cin7.settings import Settings
from ledger_pipelines.sandbox.cin7.store import Row, Store, stamp
from ledger_pipelines.sandbox.clock import SandboxClock
from ledger_pipelines.sandbox.codec import Document
from ledger_pipelines.sandbox.faults import VendorFaults

_CODES = ("productOptionSizeCode", "productOptionCode")


@dataclass
class Account:
    """One Omni account."""

    store: Store
    clock: SandboxClock
    faults: VendorFaults
    at: datetime | None = None
    """The instant it is while a seed is made (naive UTC); None for the clock's."""
    _settings: Settings | None = field(default=None)

    def now(self) -> datetime:
        """The present instant, naive UTC."""
        return self.at or self.clock.now().astimezone(UTC).replace(tzinfo=None)

    def listed(self, row: Row) -> bool:
        """Whether lists show a record by now: later than it was made while a ``search_lag`` is set."""
        made = datetime.fromisoformat(row.made).replace(tzinfo=UTC)
        shown = self.faults.search_visible_at(made)
        return shown == made or shown <= self.clock.now()

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

    def purge(self) -> None:
        """Remove voided orders that are older than they are kept (6.4)."""
        days = self.settings.void_kept_days
        if days is not None:
            until = stamp(self.now() - timedelta(days=days))
            for row in self.store.select(
                "order", "json_extract(body, '$._voidedAt') < ?", (until,), index="voided"
            ):
                with self.store.transaction():
                    self.store.remove("order", row.id)

    # --- look-ups --------------------------------------------------------------------------------------------------

    def branch(self, branch_id: int) -> Row | None:
        """A branch."""
        return self.store.get("branch", branch_id)

    def product(self, product_id: int) -> Row | None:
        """A product."""
        return self.store.get("product", product_id)

    def option(self, code: str) -> Row | None:
        """The option, or size of one, whose code this is; a disabled one, too."""
        for name in _CODES:
            found = self.store.named("option", name, code) if code else None
            if found is not None and (self.settings.ignore_case or found.body[name] == code):
                return found
        return None

    def contact(self, email: str) -> Row | None:
        """The contact with this e-mail."""
        return self.store.named("contact", "email", email) if email else None
