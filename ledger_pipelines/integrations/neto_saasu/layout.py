"""An order as lines of a Saasu invoice, to the cent, or why it cannot be.

Belongs here: which lines there are and what they come to by Saasu's arithmetic. Does not belong here: the arithmetic
(`arithmetic`), tax codes (`taxes`), items (`skus`), the rest of the request (`invoice_body`). Facts: saasu.md 5.8, 6.1;
neto.md 8.4.

No line is ever put in to make a total fit, but for the rounding item a user has named, up to the cents they allow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from ledger_pipelines.documents.keys import Json
from ledger_pipelines.documents.money import ZERO, Money, plain, round_half_away, tidy
from ledger_pipelines.documents.sales import Charge, ChargeKind, Component, SalesDocument, SalesLine
from ledger_pipelines.errors import DataError
from ledger_pipelines.integrations.by_day.unreadable import UnreadableError
from ledger_pipelines.integrations.neto_saasu.arithmetic import Priced, priced
from ledger_pipelines.integrations.neto_saasu.books import INCOME
from ledger_pipelines.integrations.neto_saasu.context import Context
from ledger_pipelines.integrations.neto_saasu.settings import TaxBasis, UnknownSku
from ledger_pipelines.integrations.neto_saasu.skus import UNKNOWN_SKU, kit_parts, sellable
from ledger_pipelines.integrations.neto_saasu.taxes import OrderTaxes
from ledger_pipelines.integrations.sales_amounts import charge_taxes, is_cents, kit_shares, tax_on, tax_within
from ledger_pipelines.integrations.shop import UnresolvedError, unresolved
from ledger_pipelines.sync.plan import Reason
from ledger_pipelines.systems.saasu.records import SaasuTaxCode

ITEM_LAYOUT = "I"
SERVICE_LAYOUT = "S"
SETTING = "orders_to_saasu"

_CHARGE_NAMES = {
    ChargeKind.SHIPPING: "Shipping",
    ChargeKind.SURCHARGE: "Surcharge",
    ChargeKind.SHIPPING_DISCOUNT: "Shipping discount",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the request. item: InventoryId in item layout; account: AccountId in service layout ("" else).

    amount: what Saasu makes of it, with tax when the invoice `IsTaxInc`; tax: its tax as Saasu computes it. setup: it is on an
    item that the settings name, not on one of a SKU.
    """

    description: str
    tax_code: str
    priced: Priced
    amount: Decimal
    tax: Decimal
    item: Json = None
    account: str = ""
    setup: bool = False

    def to_json(self) -> dict[str, Json]:
        """As the request has it (saasu.md 5.8)."""
        if self.account:
            return {
                "Description": self.description,
                "TaxCode": self.tax_code,
                "AccountId": self.account,
                "TotalAmount": self.amount,
            }
        return {
            "Description": self.description,
            "TaxCode": self.tax_code,
            "InventoryId": self.item,
            "Quantity": self.priced.quantity,
            "UnitPrice": self.priced.unit_price,
            "PercentageDiscount": self.priced.percent,
        }


@dataclass(frozen=True, slots=True)
class Layout:
    """The lines of an invoice. layout: I (items) or S (service). total, tax: as Saasu will compute them.

    notes: free text of the order, for the document.
    """

    layout: str
    is_tax_inc: bool
    lines: tuple[Line, ...]
    total: Money
    tax: Decimal
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Part:
    """An amount of the order on its way to a line.

    what: for people. sku: of the store, or code of a set-up item with `setup` (the setting's name). amount: what the line
    must come to, in the invoice's basis.
    """

    what: str
    description: str
    sku: str
    quantity: Decimal
    amount: Decimal
    code: SaasuTaxCode
    unit_price: Decimal | None = None
    percent: Decimal = ZERO
    setup: str = ""


class _BlockedError(Exception):
    """The order cannot be laid out. Never leaves this module."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.text)
        self.reason = reason


def lay_out(ctx: Context, order: SalesDocument) -> Layout | Reason:
    """The order's lines, or why it has to wait. Sums to the order's grand total, always.

    Reasons: those of `skus.sellable` and `taxes`, `unresolved-setting`, `quantity-decimals`, `amount-decimals`,
    `tax-basis`, `does-not-foot`, `negative-total`.
    """
    try:
        return _LayingOut(ctx, order).layout()
    except _BlockedError as blocked:
        return blocked.reason
    except UnresolvedError as error:
        return unresolved(error)
    except UnreadableError:
        raise
    except DataError as error:
        return Reason(error.code, f"Order {order.number}: {error.message}", error.remedy)


def is_inclusive(ctx: Context, order: SalesDocument) -> bool:
    """Whether the invoice's amounts contain tax."""
    return order.has_tax or ctx.settings.orders_to_saasu.amounts is TaxBasis.INCLUSIVE


@dataclass(frozen=True, slots=True)
class _LayingOut:
    ctx: Context
    order: SalesDocument

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
        parts = self._parts()
        service = self._is_service(parts)
        lines = [line for part in parts for line in self._lines(part, service=service)]
        lines += self._rounding(lines, service=service)
        total = self._total(lines)
        if total != order.grand_total:
            raise _BlockedError(self._does_not_foot(lines, total))
        return Layout(
            layout=SERVICE_LAYOUT if service else ITEM_LAYOUT,
            is_tax_inc=self.inclusive,
            lines=tuple(lines),
            total=total,
            tax=sum((line.tax for line in lines), ZERO),
            notes=self._notes(),
        )

    @property
    def inclusive(self) -> bool:
        return is_inclusive(self.ctx, self.order)

    @property
    def grossing(self) -> bool:
        """Whether tax has to be put on amounts that the order has without."""
        return self.inclusive and not self.order.has_tax

    @property
    def taxes(self) -> OrderTaxes:
        return OrderTaxes(self.ctx, self.order)

    # --- parts -----------------------------------------------------------------------------------------------------

    def _parts(self) -> list[_Part]:
        parts: list[_Part] = []
        coupons: dict[str, tuple[SaasuTaxCode, Decimal]] = {}
        for line in self.order.lines:
            if _is_note(line):
                continue
            code = self._line_code(line)
            coupon = line.coupon + (tax_on(line.coupon, code.rate) if self.grossing else ZERO)
            tax = line.tax if self.grossing else ZERO
            parts += self._of_line(line, code, line.amount - line.coupon + tax + coupon)
            if coupon:
                coupons[code.code] = (code, coupons.get(code.code, (code, ZERO))[1] + coupon)
        for code, coupon in coupons.values():
            what = "Coupon" if len(coupons) == 1 else f"Coupon ({code.code})"
            parts.append(self._set_up("discount_item", what, "Coupon", -coupon, code))
        return parts + self._charges()

    def _line_code(self, line: SalesLine) -> SaasuTaxCode:
        after = line.amount - line.coupon
        code = self.taxes.code(after, line.tax, line.tax_code)
        what = f"line {_named(line)}"
        differs = self.taxes.differs(what, after, line.tax, code)
        if differs is not None:
            raise _BlockedError(differs)
        return code

    def _of_line(self, line: SalesLine, code: SaasuTaxCode, amount: Decimal) -> list[_Part]:
        components = kit_parts(self.ctx, line)
        if components:
            return self._of_kit(line, components, code, amount)
        unit = line.unit_price
        if self.grossing:
            unit = unit + unit * code.rate
        return [
            _Part(
                what=_named(line),
                description=line.description or line.item,
                sku=line.item,
                quantity=line.quantity,
                amount=amount,
                code=code,
                unit_price=unit,
                percent=line.discount_percent,
            )
        ]

    def _of_kit(
        self, line: SalesLine, components: Sequence[Component], code: SaasuTaxCode, amount: Decimal
    ) -> list[_Part]:
        """The kit's amount shared by what its parts are worth, or equally where none has a worth (neto.md 8.4)."""
        if not is_cents(amount):
            raise _BlockedError(self._unwritable(_named(line), amount, line.quantity))
        shares = kit_shares(components, Money(amount, self.order.currency))
        return [
            _Part(
                what=f"{one.item} of kit {_named(line)}",
                description=f"{self._name(one.item)} (part of {line.description or line.item})",
                sku=one.item,
                quantity=one.quantity * line.quantity,
                amount=share.amount,
                code=code,
            )
            for one, share in zip(components, shares, strict=True)
        ]

    def _name(self, sku: str) -> str:
        product = self.ctx.shop.items.get(sku)
        return product.name if product is not None and product.name else sku

    def _charges(self) -> list[_Part]:
        parts = []
        charges = [charge for charge in self.order.charges if charge.amount or charge.tax]
        for charge, tax in zip(charges, self._charge_taxes(charges), strict=True):
            what = _CHARGE_NAMES[charge.kind]
            code = self.taxes.code(charge.amount, charge.tax)
            if charge.tax is not None:
                differs = self.taxes.differs(what.lower(), charge.amount, charge.tax, code)
                if differs is not None:
                    raise _BlockedError(differs)
            description = f"{what} - {charge.description}" if charge.description else what
            amount = charge.amount + (tax if self.grossing else ZERO)
            parts.append(self._set_up(_ITEM_OF[charge.kind], what, description, amount, code))
        return parts

    def _charge_taxes(self, charges: Sequence[Charge]) -> list[Decimal]:
        """Tax of each charge: the store's; where it tells none, what Saasu's code makes of it."""

        def computed(charge: Charge) -> Decimal:
            return self.taxes.computed(charge.amount, self.taxes.code(charge.amount, None))

        return charge_taxes(self.order, charges, computed)

    def _set_up(self, field: str, what: str, description: str, amount: Decimal, code: SaasuTaxCode) -> _Part:
        named = getattr(self.ctx.settings.orders_to_saasu, field)
        return _Part(what, description, named, Decimal(1), amount, code, amount, setup=f"{SETTING}.{field}")

    # --- lines -----------------------------------------------------------------------------------------------------

    def _is_service(self, parts: Sequence[_Part]) -> bool:
        """Whether the order is written by account. Any other trouble with a SKU than that it is unknown blocks."""
        unknown: Reason | None = None
        for part in parts:
            if part.setup:
                continue
            found = sellable(self.ctx, part.sku)
            if isinstance(found, Reason):
                if found.code != UNKNOWN_SKU:
                    raise _BlockedError(_of_order(self.order, found))
                unknown = unknown or found
        if unknown is None:
            return False
        if self.ctx.settings.orders_to_saasu.layout is UnknownSku.BLOCK:
            raise _BlockedError(_of_order(self.order, unknown))
        return True

    def _lines(self, part: _Part, *, service: bool) -> list[Line]:
        if service:
            return [self._service_line(part)]
        lines = priced(part.amount, part.quantity, part.unit_price, part.percent)
        if lines is None:
            raise _BlockedError(self._unwritable(part.what, part.amount, part.quantity))
        item = self._item(part)
        return [
            Line(
                part.description,
                part.code.code,
                one,
                one.amount,
                self._tax(one.amount, part.code),
                item,
                setup=bool(part.setup),
            )
            for one in lines
        ]

    def _item(self, part: _Part) -> Json:
        if part.setup:
            return self.ctx.books.set_up_item(part.sku, part.setup).id
        found = sellable(self.ctx, part.sku)
        if isinstance(found, Reason):
            raise _BlockedError(_of_order(self.order, found))
        return found.value

    def _service_line(self, part: _Part) -> Line:
        setting = f"{SETTING}.default_line_account"
        named = self.ctx.settings.orders_to_saasu.default_line_account
        if named is None:
            raise UnresolvedError(
                f"Order {self.order.number} is to be written by account, and {setting} is not set.",
                remedy="Name an income account, or choose orders_to_saasu.layout: block.",
            )
        if not is_cents(part.amount):
            raise _BlockedError(self._unwritable(part.what, part.amount, part.quantity))
        account = self.ctx.books.account(named, setting, INCOME)
        description = part.description
        if not part.setup:
            description = f"{plain(part.quantity)} x {part.description}"
            description += f" ({part.sku})" if part.sku != part.description else ""
        one = Priced(Decimal(1), tidy(part.amount))
        tax = self._tax(part.amount, part.code)
        return Line(description, part.code.code, one, tidy(part.amount), tax, account=account.id)

    def _tax(self, amount: Decimal, code: SaasuTaxCode) -> Decimal:
        return tax_within(amount, code.rate) if self.inclusive else tax_on(amount, code.rate)

    def _total(self, lines: Sequence[Line]) -> Money:
        amount = sum((line.amount for line in lines), ZERO)
        if not self.inclusive:
            amount += sum((line.tax for line in lines), ZERO)
        return Money(amount, self.order.currency)

    def _rounding(self, lines: Sequence[Line], *, service: bool) -> list[Line]:
        """A line for the cents that the order's total has and its parts have not, where a user allows it.

        Of an invoice without tax only the order's own rounding: what Saasu makes of the tax otherwise is no rounding.
        """
        choices = self.ctx.settings.orders_to_saasu
        missing = (self.order.grand_total - self._total(lines)).amount
        if not missing or choices.rounding_item is None or abs(missing) > choices.rounding_most:
            return []
        if not self.inclusive and missing != self.order.difference.amount:
            return []
        part = self._set_up("rounding_item", "Rounding", "Rounding", missing, self.taxes.free())
        return self._lines(part, service=service)

    # --- words -----------------------------------------------------------------------------------------------------

    def _notes(self) -> tuple[str, ...]:
        texts = (line.description or line.item for line in self.order.lines if _is_note(line))
        return tuple(text for text in texts if text)

    def _does_not_foot(self, lines: Sequence[Line], total: Money) -> Reason:
        order = self.order
        missing = order.grand_total - total
        shown = "; ".join(_shown(line, with_tax=not self.inclusive) for line in lines) or "no lines"
        code = "does-not-foot"
        remedy = "Correct the order in the store"
        if order.difference:
            remedy += ", or name a rounding item and the cents it may take (orders_to_saasu.rounding_item, rounding_most)."
        elif not self.inclusive:
            code = "tax-basis"
            remedy = (
                "Choose orders_to_saasu.amounts: inclusive, so that amounts are written with the store's tax."
            )
        else:
            remedy += ": the tax of its lines and charges is not the tax of the order."
        return Reason(
            code,
            f"Order {order.number} says {order.grand_total}, its lines come to {total} in Saasu, a difference of {missing}: "
            f"{shown}.",
            remedy,
        )

    def _unwritable(self, what: str, amount: Decimal, quantity: Decimal) -> Reason:
        number = self.order.number
        if not is_cents(amount):
            return Reason(
                "amount-decimals",
                f"Order {number}, {what}: {plain(amount, 2)} has fractions of a cent, which Saasu does not keep.",
                "Correct the line in the store.",
            )
        if not quantity:
            return Reason(
                "quantity-decimals",
                f"Order {number}, {what}: {plain(amount, 2)} for a quantity of 0.",
                "Correct the line in the store.",
            )
        return Reason(
            "quantity-decimals",
            f"Order {number}, {what}: a quantity of {plain(quantity)} has more than the 3 decimals Saasu keeps.",
            "Correct the quantity in the store.",
        )


_ITEM_OF = {
    ChargeKind.SHIPPING: "shipping_item",
    ChargeKind.SURCHARGE: "surcharge_item",
    ChargeKind.SHIPPING_DISCOUNT: "discount_item",
}


def _is_note(line: SalesLine) -> bool:
    """Text without an amount: it goes into the document's notes, not onto a line."""
    return line.text_only or (not line.quantity and not line.amount and not line.coupon)


def _named(line: SalesLine) -> str:
    return f"{plain(line.quantity)} x {line.item}" if line.item else line.description


def _shown(line: Line, *, with_tax: bool) -> str:
    amount = line.amount + (line.tax if with_tax else ZERO)
    many = f"{plain(line.priced.quantity)} x " if line.priced.quantity != 1 else ""
    return f"{many}{line.description} {plain(round_half_away(amount, 2), 2)}"


def _of_order(order: SalesDocument, reason: Reason) -> Reason:
    return Reason(reason.code, f"Order {order.number}: {reason.text}", reason.remedy)
