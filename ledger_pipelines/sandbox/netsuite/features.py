"""The switches of one emulated account.

Belongs here: features, preferences and limits with their defaults. Source: netsuite.md 11 point 12, 6, 9.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict


class Features(BaseModel):
    """Account features and preferences. Names follow netsuite.md 11.12 where it gives one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    account: str = "9123456_SB1"
    oneWorld: bool = True  # noqa: N815  the reference's own names
    legacyTax: bool = True  # noqa: N815
    paymentInstruments: bool = True  # noqa: N815
    approvalRouting: bool = False  # noqa: N815
    invoiceInAdvance: bool = False  # noqa: N815
    autoNumbering: bool = False  # noqa: N815
    autoApplyDefault: bool = False  # noqa: N815
    overridePeriodRestrictions: bool = False  # noqa: N815
    timeZone: str = "America/Los_Angeles"  # noqa: N815
    concurrency: int = 5
    asyncDelaySeconds: float = 0.05  # noqa: N815
    latencySeconds: float = 0.0  # noqa: N815

    @property
    def zone(self) -> ZoneInfo:
        """The account's time zone."""
        return ZoneInfo(self.timeZone)

    def has(self, feature: str) -> bool:
        """Whether a record type's feature is on (no feature needed: True)."""
        return not feature or bool(getattr(self, feature, False))

    @property
    def host(self) -> str:
        """The account's public host (netsuite.md section 1)."""
        return f"{self.account.lower().replace('_', '-')}.suitetalk.api.netsuite.com"
