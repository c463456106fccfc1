"""What of Saasu can be switched, and what its contract leaves open.

Belongs here: the switches with their defaults. Does not belong here: what they do.
Where saasu.md section 11 says "not found", the answer is a setting here.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Settings(BaseModel):
    """`GET` and `POST /saasu/settings` on the control port."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rate_limit: bool = Field(True, description="one request a second for each file (3.4)")
    daily_quota: int | None = Field(6000, ge=1, description="calls a day for each file; None = none (3.4)")
    block_hours: float = Field(
        24, gt=0, description="how long the file is blocked once the quota is passed (3.4)"
    )
    throttle_status: int = Field(429, description="status of a throttled or blocked answer (unknown: 3.1)")
    throttle_text: str = Field(
        "You have exceeded the number of requests allowed.", description="its body (unknown)"
    )
    retry_after: int | None = Field(None, description="Retry-After of it (unknown); None = not sent")
    strict_pairs: bool = Field(True, description="400 when one end of a date pair is missing (1, Dates)")
    require_last_updated_id: bool = Field(
        True, description="a PUT without LastUpdatedId is refused (3.3, unverified)"
    )
    locked_until: str | None = Field(None, description="last locked day, YYYY-MM-DD (6.7)")
    search_lag_seconds: float = Field(5, ge=0, description="how late Search knows of a write (5.11)")
    tag_lag_seconds: float = Field(0, ge=0, description="how late tags can be read (4.3)")
    item_layout: bool = Field(True, description="the plan has item layout on invoices (3.1: else 403)")
    multi_currency: bool = Field(True, description="the plan has currencies (3.1: else 403)")
    stock_touches_item: bool = Field(
        False, description="a stock move changes the item's LastModifiedDateUtc (unknown)"
    )
    payment_touches_invoice: bool = Field(
        True, description="a payment changes the invoice's LastModifiedDateUtc (unknown)"
    )
    two_factor: bool = Field(False, description="the first login needs a code (2.1)")
    duplicate_rows: bool = Field(
        False, description="the last row of a page comes again on the next (1, Paging)"
    )
