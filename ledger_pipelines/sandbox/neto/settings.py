"""What of a Neto store can be switched: the store's own settings, and which of several observed shapes it answers in.

Belongs here: the switches. Does not belong here: what they do. Source: neto.md 2.2, 4.2, 14.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Settings(BaseModel):
    """`GET` and `POST /neto/settings` on the control port."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    calls_per_minute: int | None = Field(500, ge=1, description="429 beyond it; None = no limit (2.2)")
    time_zone: str = Field("Australia/Sydney", description="the store's zone: DateInvoiced, *Local")
    currency: str = Field("AUD", description="DEFAULTCURRENCY")
    tax_percent: str = Field("10", description="GST_AMT")
    order_prefix: str = Field("N", description="prefix of order ids")
    single_line_as_object: bool = Field(
        False, description="one OrderLine or OrderPayment as a bare object (4.2)"
    )
    outer_lists: bool = Field(True, description="Categories, PriceGroups, ... inside one more list (4.2)")
    messages_as_list: bool = Field(False, description="Messages as a list of {Error: ...} (3.3)")
    bare_skus: bool = Field(False, description="UpdateItem of one SKU answers a list of texts (4.2)")
    empty_dates: Literal["", "zero"] = Field("", description="null dates as blank or 0000-00-00 (4.1)")
    short_pages: bool = Field(False, description="pages may be shorter than Limit before the end (1.6)")
    stock_touches_item: bool = Field(
        True, description="a stock change moves DateUpdated (6.1: not documented)"
    )
