"""An order's amounts as Omni has them: lines, freight, surcharge, discount, tax; or why it cannot be written.

Belongs here: what goes where, and what Omni makes of it. Does not belong here: the rest of the request (`order_body`), whether
a SKU is in step (`catalogue`). Facts: cin7-omni.md 6.1, 6.2, 11.5; neto.md 8.4.

Omni's arithmetic: a line is quantity times unit price less its discount, a total amount; the order is its lines, freight and
surcharge less its discount; Incl and Exempt are that, Excl puts the order's tax rate on it. What comes out must be the store's
grand total to the cent. No line is ever put in to make it so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Context as Digits
from decimal import Decimal
from enum import StrEnum
from typing import Final

from ledger_pipelines.documents.keys import Json
from ledger_pipelines.documents.money import ZERO, Money, nearest, plain, round_half_away, tidy
from ledger_pipelines.documents.sales import Charge, ChargeKind, Component, SalesDocument, SalesLine
from ledger_pipelines.integrations.folding import folded
from ledger_pipelines.integrations.neto_cin7.context import Context
from ledger_pipelines.integrations.neto_cin7.settings import Coupons, Kits, TaxBasis
from ledger_pipelines.integrations.sales_amounts import (
    CENT,
    charge_taxes,
    is_cents,
    kit_shares,
    tax_on,
    tax_within,
)
from ledger_pipelines.sync.plan import Reason

PRICE_DIGITS: Final = 4
"""Decimals of prices, discounts and quantities that Omni is known to keep (cin7-omni.md 5)."""
SORT_STEP: Final = 10
Recipes = Mapping[str, tuple[Component, ...]]
_NONE: Final[Recipes] = {}
_EXACT: Final = Digits(prec=60)


class TaxStatus(StrEnum):
    """Of an order (cin7-omni.md 6.1)."""

    INCLUSIVE = "Incl"
    EXCLUSIVE = "Excl"
    EXEMPT = "Exempt"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the order. reference: the store's own id of it, `integrationRef`. place: warehouse it leaves.

    tax_rate: percent, where it is another than the order's; None = the order's. discount: a total for the line.
    """

    reference: str
    code: str
    name: str
    quantity: Decimal
    unit_price: Decimal
    discount: Decimal
    place: str = ""
    tax_rate: Decimal | None = None

    @property
    def amount(self) -> Decimal:
        """What Omni makes of it."""
        return line_amount(self.quantity, self.unit_price, self.discount)

    def to_json(self, sort: int) -> dict[str, Json]:
        """As the request has it (cin7-omni.md 6.2)."""
        body: dict[str, Json] = {
            "code": self.code,
            "name": self.name,
            "qty": self.quantity,
            "unitPrice": self.unit_price,
            "discount": self.discount,
            "sort": sort,
            "integrationRef": self.reference,
        }
        if self.tax_rate is not None:
            body["taxRate"] = self.tax_rate
        return body


@dataclass(frozen=True, slots=True)
class Layout:
    """An order's amounts. total: as Omni computes it, in cents; exact: whether that took no rounding. notes: texts of lines that are
    notes."""

    lines: tuple[Line, ...]
    tax_status: TaxStatus
    tax_rate: Decimal
    freight: Decimal
    freight_text: str
    surcharge: Decimal
    surcharge_text: str
    discount: Decimal
    discount_text: str
    total: Money
    exact: bool = True
    notes: tuple[str, ...] = ()

    @property
    def expected(self) -> Money | None:
        """What Omni's total is compared with; None where it may keep fractions of a cent."""
        return self.total if self.exact else None

    def to_json(self) -> dict[str, Json]:
        """The fields of the header that are about money (cin7-omni.md 6.1). A charge of nothing is sent, so that it can end."""
        return {
            "taxStatus": self.tax_status.value,
            "taxRate": self.tax_rate,
            "freightTotal": self.freight,
            "freightDescription": self.freight_text,
            "surcharge": self.surcharge,
            "surchargeDescription": self.surcharge_text,
            "discountTotal": self.discount,
            "discountDescription": self.discount_text,
        }


class _BlockedError(Exception):
    """The order cannot be laid out. Never leaves this module."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.text)
        self.reason = reason


def line_amount(quantity: Decimal, unit_price: Decimal, discount: Decimal) -> Decimal:
    """Quantity times price less discount, exactly."""
    return _EXACT.subtract(_EXACT.multiply(quantity, unit_price), discount)


def order_total(lines: Iterable[Decimal], others: Decimal, status: TaxStatus, rate: Decimal) -> Decimal:
    """What Omni makes of an order, in cents (cin7-omni.md 11.5).

    Args:
        lines: What each line comes to.
        others: Freight and surcharge less the order's discount.
        status: Whether tax is put on.
        rate: Percent.
    """
    return round_half_away(exact_total(lines, others, status, rate), 2)


def exact_total(lines: Iterable[Decimal], others: Decimal, status: TaxStatus, rate: Decimal) -> Decimal:
    """The same before it is rounded: whether Omni keeps fractions of a cent of tax is not documented."""
    taxable = sum(lines, others)
    if status is TaxStatus.EXCLUSIVE:
        return _EXACT.multiply(taxable, (Decimal(100) + rate).scaleb(-2))
    return taxable


def priced(
    quantity: Decimal, amount: Decimal, unit_price: Decimal | None = None
) -> tuple[Decimal, Decimal] | None:
    """Unit price and discount with which Omni makes exactly `amount` of a line; None = there are none.

    The source's price stands, its discount follows. Where a price has too many decimals, or the source rounded the line, the
    price is the next one up and the discount takes off less than a cent.

    Args:
        quantity: Signed.
        amount: What the line must come to.
        unit_price: The source's, before discount; None = it has none.
    """
    if quantity != round_half_away(quantity, PRICE_DIGITS):
        return None
    if not quantity:
        return None if amount else (tidy(round_half_away(unit_price or ZERO, PRICE_DIGITS)), ZERO)
    if unit_price is not None and unit_price == round_half_away(unit_price, PRICE_DIGITS):
        discount = line_amount(quantity, unit_price, amount)
        if _fits(discount) and not _against(discount, quantity):
            return tidy(unit_price), tidy(discount)
    for digits in range(PRICE_DIGITS, 1, -1):
        wanted = amount if unit_price is None else max(_EXACT.multiply(quantity, unit_price), amount, key=abs)
        price = nearest(wanted, quantity, digits)
        discount = line_amount(quantity, price, amount)
        if _against(discount, quantity):
            price += Decimal(1).scaleb(-digits)
            discount = line_amount(quantity, price, amount)
        if _fits(discount):
            return tidy(price), tidy(discount)
    return None


def _fits(amount: Decimal) -> bool:
    return amount == round_half_away(amount, PRICE_DIGITS)


def _against(discount: Decimal, quantity: Decimal) -> bool:
    """Whether it would make the line larger."""
    return bool(discount) and (discount > 0) != (quantity > 0)


def lay_out(ctx: Context, order: SalesDocument, recipes: Recipes = _NONE) -> Layout | Reason:
    """The order's amounts, or why it has to wait. Comes to the order's grand total, always.

    recipes: Parts of kits by the key of their line, where they are known to be others than the product has today.

    Reasons: `negative-total`, `does-not-foot`, `tax-basis`, `tax-differs`, `tax-rates`, `amount-decimals`, `quantity-decimals`.
    """
    try:
        return _LayingOut(ctx, order, recipes).layout()
    except _BlockedError as blocked:
        return blocked.reason


@dataclass(frozen=True, slots=True)
class _LayingOut:
    ctx: Context
    order: SalesDocument
    recipes: Recipes

    def layout(self) -> Layout:
        order = self.order
        if order.grand_total.amount < 0:
            raise _BlockedError(
                Reason(
                    "negative-total",
                    f"Order {order.number} comes to {order.grand_total}, below nothing.",
                    "Correct it in the store; money given back belongs in a return (RMA).",
                )
            )
        rate = self._order_rate()
        lines = [made for line in self._sold() for made in self._lines(line, rate)]
        charges = self._charges(rate)
        freight = charges.get(ChargeKind.SHIPPING, ZERO)
        surcharge = charges.get(ChargeKind.SURCHARGE, ZERO)
        discount = self._coupons() - charges.get(ChargeKind.SHIPPING_DISCOUNT, ZERO)
        status = self.status
        others = freight + surcharge - discount
        amounts = [line.amount for line in lines]
        total = Money(order_total(amounts, others, status, rate), order.currency)
        layout = Layout(
            lines=tuple(lines),
            tax_status=status,
            tax_rate=ZERO if status is TaxStatus.EXEMPT else rate,
            freight=tidy(freight),
            freight_text=self._freight_text() if freight else "",
            surcharge=tidy(surcharge),
            surcharge_text=self._surcharge_text() if surcharge else "",
            discount=tidy(discount),
            discount_text=self._discount_text() if discount else "",
            total=total,
            exact=exact_total(amounts, others, status, rate) == total.amount,
            notes=tuple(one.description for one in order.lines if is_note(one) and one.description),
        )
        if layout.total != order.grand_total:
            raise _BlockedError(self._does_not_foot(layout))
        self._check_tax()
        return layout

    # --- tax -------------------------------------------------------------------------------------------------------

    @property
    def status(self) -> TaxStatus:
        """Exempt without any tax; otherwise as the settings say."""
        if not self.order.tax and not any(line.tax for line in self.order.lines):
            return TaxStatus.EXEMPT
        if self.order.has_tax or self.ctx.settings.accounting.amounts is TaxBasis.INCLUSIVE:
            return TaxStatus.INCLUSIVE
        return TaxStatus.EXCLUSIVE

    @property
    def grossing(self) -> bool:
        """Whether tax has to be put on amounts that the order has without."""
        return self.status is TaxStatus.INCLUSIVE and not self.order.has_tax

    def _order_rate(self) -> Decimal:
        """The rate most of the taxed amount has; without any line that is taxed, the setting's."""
        weights: dict[Decimal, Decimal] = {}
        for line in self._sold():
            if line.tax:
                rate = self._rate(line)
                weights[rate] = weights.get(rate, ZERO) + abs(line.amount)
        if not weights:
            return self.ctx.settings.accounting.tax_rate
        return max(weights, key=lambda rate: (weights[rate], rate))

    def _rate(self, line: SalesLine) -> Decimal:
        """Of a line: none where the store has no tax on it."""
        if not line.tax:
            return ZERO
        choices = self.ctx.settings.accounting
        by_name = {folded(name): rate for name, rate in choices.tax_rates.items()}
        return by_name.get(folded(line.tax_code), choices.tax_rate)

    def _put_on(self, amount: Decimal, rate: Decimal) -> Decimal:
        """The amount as it is written: with its tax where that has to be put on."""
        return amount + (tax_on(amount, rate.scaleb(-2)) if self.grossing else ZERO)

    def _check_tax(self) -> None:
        """Whether the rates of the settings make the store's tax, within a cent a part: a wrong rate changes no total."""
        order = self.order
        computed = tax_within if order.has_tax else tax_on
        sold = self._sold()
        made = sum((computed(line.amount - line.coupon, self._rate(line).scaleb(-2)) for line in sold), ZERO)
        charges = _counted(order)
        rate = self._order_rate()
        made += sum(charge_taxes(order, charges, lambda one: self._tax_of(one, rate)), ZERO)
        parts = len(sold) + len(charges)
        if abs(made - order.tax) > CENT * parts:
            raise _BlockedError(
                Reason(
                    "tax-differs",
                    f"Order {order.number} has {plain(order.tax, 2)} of tax in the store; at {plain(rate)} % it is "
                    f"{plain(made, 2)}.",
                    "Correct accounting.tax_rate, or name the rate of the store's tax code under accounting.tax_rates.",
                )
            )

    def _tax_of(self, charge: Charge, rate: Decimal) -> Decimal:
        """Of a charge whose tax the store does not tell."""
        if self.status is TaxStatus.EXEMPT:
            return ZERO
        fraction = rate.scaleb(-2)
        return tax_within(charge.amount, fraction) if self.order.has_tax else tax_on(charge.amount, fraction)

    # --- lines -----------------------------------------------------------------------------------------------------

    def _sold(self) -> list[SalesLine]:
        return [line for line in self.order.lines if not is_note(line)]

    def _lines(self, line: SalesLine, order_rate: Decimal) -> list[Line]:
        rate = self._rate(line)
        coupon = self._put_on(line.coupon, rate)
        amount = line.amount - line.coupon + (line.tax if self.grossing else ZERO)
        if self.ctx.settings.accounting.coupons is Coupons.ORDER:
            amount += coupon
        own_rate = rate if amount and rate != order_rate and self.status is not TaxStatus.EXEMPT else None
        components = self._components(line)
        if components:
            return self._of_kit(line, components, amount, own_rate)
        unit = line.unit_price + (line.unit_price * rate.scaleb(-2) if self.grossing else ZERO)
        name = line.description or line.item
        return [self._line(line, line.key, line.item, name, line.quantity, amount, unit, own_rate)]

    def _line(
        self,
        line: SalesLine,
        reference: str,
        code: str,
        name: str,
        quantity: Decimal,
        amount: Decimal,
        unit: Decimal | None,
        own_rate: Decimal | None,
    ) -> Line:
        found = priced(quantity, amount, unit) if is_cents(amount) else None
        if found is None:
            raise _BlockedError(self._unwritable(line, quantity, amount))
        return Line(reference, code, name, tidy(quantity), *found, line.place, own_rate)

    def _components(self, line: SalesLine) -> tuple[Component, ...]:
        if self.ctx.settings.products.kits is not Kits.COMPONENTS:
            return ()
        if line.components:
            return line.components
        if line.key in self.recipes:
            return self.recipes[line.key]
        product = self.ctx.shop.items.get(line.item)
        return () if product is None else product.components

    def _of_kit(
        self, line: SalesLine, components: Sequence[Component], amount: Decimal, own_rate: Decimal | None
    ) -> list[Line]:
        if not is_cents(amount):
            raise _BlockedError(self._unwritable(line, line.quantity, amount))
        shares = kit_shares(components, Money(amount, self.order.currency))
        made = []
        for place, (one, share) in enumerate(zip(components, shares, strict=True)):
            product = self.ctx.shop.items.get(one.item)
            name = product.name if product is not None and product.name else one.item
            text = f"{name} (part of {line.description or line.item})"
            quantity = one.quantity * line.quantity
            reference = f"{line.key}/{place}"
            made.append(self._line(line, reference, one.item, text, quantity, share.amount, None, own_rate))
        return made

    # --- charges ---------------------------------------------------------------------------------------------------

    def _charges(self, rate: Decimal) -> Mapping[ChargeKind, Decimal]:
        """What each kind comes to, signed as in the order."""
        charges = _counted(self.order)
        found: dict[ChargeKind, Decimal] = {}
        for charge, tax in zip(
            charges, charge_taxes(self.order, charges, lambda one: self._tax_of(one, rate)), strict=True
        ):
            amount = charge.amount + (tax if self.grossing else ZERO)
            if not is_cents(amount):
                raise _BlockedError(
                    Reason(
                        "amount-decimals",
                        f"Order {self.order.number}, {charge.kind.value}: {plain(amount, 2)} has fractions of a cent.",
                        "Correct it in the store.",
                    )
                )
            found[charge.kind] = found.get(charge.kind, ZERO) + amount
        return found

    def _coupons(self) -> Decimal:
        """Of the whole order; nothing where they are on the lines."""
        if self.ctx.settings.accounting.coupons is Coupons.LINES:
            return ZERO
        return sum((self._put_on(line.coupon, self._rate(line)) for line in self._sold()), ZERO)

    def _text(self, kind: ChargeKind) -> str:
        return next(
            (one.description for one in self.order.charges if one.kind is kind and one.description), ""
        )

    def _freight_text(self) -> str:
        return self.ctx.settings.accounting.freight_description or self._text(ChargeKind.SHIPPING)

    def _surcharge_text(self) -> str:
        named = (self.ctx.settings.accounting.surcharge_description, self._text(ChargeKind.SURCHARGE))
        return " - ".join(part for part in named if part)

    def _discount_text(self) -> str:
        return self.ctx.settings.accounting.discount_description

    # --- words -----------------------------------------------------------------------------------------------------

    def _does_not_foot(self, layout: Layout) -> Reason:
        order = self.order
        missing = order.grand_total - layout.total
        shown = [
            f"{plain(line.quantity)} x {line.code or line.name} {plain(line.amount, 2)}"
            for line in layout.lines
        ]
        for what, amount in (
            ("freight", layout.freight), ("surcharge", layout.surcharge), ("discount", -layout.discount),
        ):  # fmt: skip
            if amount:
                shown.append(f"{what} {plain(amount, 2)}")
        if layout.tax_status is TaxStatus.EXCLUSIVE:
            shown.append(f"tax {plain(layout.tax_rate)} %")
        code = "does-not-foot"
        remedy = "Correct the order in the store."
        if not order.difference and layout.tax_status is TaxStatus.EXCLUSIVE:
            code = "tax-basis"
            remedy = "Choose accounting.amounts: inclusive, so that amounts are written with the store's tax."
        return Reason(
            code,
            f"Order {order.number} says {order.grand_total}, Omni makes {layout.total} of it, a difference of {missing}: "
            f"{'; '.join(shown) or 'no lines'}.",
            remedy,
        )

    def _unwritable(self, line: SalesLine, quantity: Decimal, amount: Decimal) -> Reason:
        what = f"Order {self.order.number}, line {plain(quantity)} x {line.item or line.description}"
        if not is_cents(amount):
            return Reason(
                "amount-decimals",
                f"{what}: {plain(amount, 2)} has fractions of a cent.",
                "Correct the line in the store.",
            )
        if not quantity:
            return Reason(
                "quantity-decimals",
                f"{what}: {plain(amount, 2)} for a quantity of 0.",
                "Correct the line in the store.",
            )
        return Reason(
            "quantity-decimals",
            f"{what}: the quantity has more than the {PRICE_DIGITS} decimals Omni is known to keep.",
            "Correct the quantity in the store.",
        )


def is_note(line: SalesLine) -> bool:
    """Text without an amount."""
    return line.text_only or (not line.quantity and not line.amount and not line.coupon)


def _counted(order: SalesDocument) -> list[Charge]:
    return [charge for charge in order.charges if charge.amount or charge.tax]
