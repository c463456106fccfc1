"""What of an Omni account can be switched, and what its contract leaves open.

Belongs here: the switches with their defaults. Does not belong here: what they do. Where cin7-omni.md says "inferred",
"unknown" or names two observations that disagree, the answer is a setting here.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Settings(BaseModel):
    """`GET` and `POST /cin7/settings` on the control port."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    per_second: int | None = Field(3, ge=1, description="calls a second; None = no limit (9)")
    per_minute: int | None = Field(60, ge=1, description="calls a minute; None = no limit (9)")
    per_day: int | None = Field(5000, ge=1, description="calls a day; None = no limit (9)")
    account_wide: bool = Field(
        False, description="one budget for all connections; else each has its own (9: both reported)"
    )
    refused_calls_count: bool = Field(True, description="a refused call counts, too (9, inferred)")
    duplicate_mode: Literal["item", "request400"] = Field(
        "item", description="a reference or e-mail that is taken: the record fails, or the whole request (7)"
    )
    ignore_case: bool = Field(
        True, description="texts in `where`, and SKUs of lines, match without regard to case (not documented)"
    )
    base_currency: str = Field("AUD", description="the account's currency (5)")
    rates: dict[str, Decimal] = Field(
        default_factory=lambda: {"NZD": Decimal("1.09"), "USD": Decimal("0.65"), "GBP": Decimal("0.52")},
        description="currencyRate looked up when an order does not send it: order amount = base amount x rate",
    )
    tax_status: Literal["Incl", "Excl", "Exempt"] = Field("Incl", description="of orders that do not say")
    tax_rate: Decimal = Field(Decimal(10), description="percent, of orders that do not say")
    require_tax_rate: bool = Field(
        True, description="a new order that sends taxStatus must send taxRate (6.1, reported)"
    )
    unknown_member: Literal["unlinked", "created"] = Field(
        "unlinked", description="what a memberEmail that no contact has does (10.1: unknown)"
    )
    refuse_void_of_dispatched: bool = Field(
        True, description="a dispatched order is not voided; else its stock comes back (6.4, 13.2)"
    )
    locked_refuses_all: bool = Field(
        True, description="a locked order refuses every PUT, not only a void (6.4)"
    )
    void_kept_days: int | None = Field(
        183, ge=0, description="voided orders vanish after so many days; None = never (6.4)"
    )
    stock_rows_at_every_branch: bool = Field(
        True, description="Stock has a row for each option at each branch, also where nothing ever moved"
    )
    pascal_case: bool = Field(False, description="names on the wire as the help pages print them (1.6)")
    errors_key: bool = Field(True, description="write results carry `errors` when there are none (7)")
    longest_query: int | None = Field(
        2048,
        ge=1,
        description="bytes of a query string, 404 beyond; None = any (4: clients chunk IN by 20; the number is assumed)",
    )
    main_branch: int = Field(3, description="branch of orders that name none (6.1)")
