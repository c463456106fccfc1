"""The demo's shop: products and customers that the Neto and the Saasu sandbox seed their own records from.

Belongs here: what the shop sells and who buys, the same for both vendors, from a fixed seed. Does not belong here: any
vendor's field names, orders. The books know most of the shop, not all of it, and some of it wrongly spelt, as happens.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

SEED = 5150
OPENING = "2026-08-31"
"""Day of the books' opening stock; the shop's first order is of the day after."""
_TEAS = (
    ("EB", "English Breakfast"), ("EG", "Earl Grey"), ("DJ", "Darjeeling First Flush"), ("AS", "Assam Gold"),
    ("SE", "Sencha"), ("JA", "Jasmine Pearls"), ("OO", "Oolong Anxi"), ("RO", "Rooibos"), ("CH", "Chamomile"),
    ("PM", "Peppermint"), ("LS", "Lapsang Souchong"), ("CL", "Crème Earl Grey"),
)  # fmt: skip
_SIZES = (
    ("50", "50 g", "9.95", "3.10"),
    ("100", "100 g", "17.50", "5.80"),
    ("250", "250 g", "38.45454545", "13.20"),
)
_WARE = (
    ("POT-600", "Teapot 600 ml", "49.95", "18.40"), ("POT-1L", "Teapot 1 litre", "64.95", "24.10"),
    ("CUP-2", "Two cups with saucers", "32.72727273", "11.00"), ("STRAINER", "Strainer, steel", "12.00", "3.25"),
    ("TIN-200", "Tin for 200 g", "8.18181818", "2.40"), ("INFUSER", "Infuser ball", "6.50", "1.60"),
    ("KETTLE", "Kettle, gooseneck", "129.00", "61.00"), ("HONEY-500", "Manuka honey 500 g", "42.00", "22.50"),
    ("BOOK-TEA", "The Book of Tea", "24.95", "9.00"), ("GIFT-50", "Gift voucher 50", "50.00", "0.00"),
)  # fmt: skip
_TAX_FREE = frozenset({"HONEY-500", "GIFT-50"})
KIT = "KIT-STARTER"
_FIRST = (
    "Priya", "Tom", "Aroha", "Mei", "Oliver", "Charlotte", "Jack", "Amelia", "Noah", "Isla", "Zoë", "Björn", "Siobhán",
    "Łukasz", "Fatima", "Hamish", "Ngaire", "Wei", "Giulia", "André",
)  # fmt: skip
_LAST = (
    "Nair", "Harris", "Ngata", "Chen", "Smith", "Nguyen", "Williams", "O'Brien", "Müller", "Kowalski", "Brown", "Singh",
    "García", "Wilson", "Taylor", "Martin", "Anderson", "Thompson", "White", "Walker",
)  # fmt: skip
_PLACES = (
    ("Sydney", "NSW", "2000", "AU"), ("Newcastle", "NSW", "2300", "AU"), ("Melbourne", "VIC", "3000", "AU"),
    ("Brisbane", "QLD", "4000", "AU"), ("Perth", "WA", "6000", "AU"), ("Hobart", "TAS", "7000", "AU"),
    ("Auckland", "", "1010", "NZ"), ("Portland", "OR", "97201", "US"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Product:
    """One product. price: with tax, AUD, as the shop keeps it (up to 8 decimals); books_code: how the books spell it.

    parent: SKU of the parent of a variant; a parent itself is not sold. components: of a kit, (SKU, quantity).
    books_code is None where the books do not know it.
    """

    sku: str
    name: str
    price: Decimal
    cost: Decimal
    stock: int
    tax_free: bool = False
    parent: str | None = None
    is_parent: bool = False
    components: tuple[tuple[str, int], ...] = ()
    books_code: str | None = None


@dataclass(frozen=True, slots=True)
class Customer:
    """One customer. books_reference: the reference the books keep (a username, or nothing); None = not in the books."""

    username: str
    given: str
    family: str
    email: str
    company: str
    street: str
    city: str
    state: str
    postcode: str
    country: str
    phone: str
    books_reference: str | None = None


@cache
def products() -> tuple[Product, ...]:
    """Sixty: twelve parents with three variants, teaware, and a kit."""
    chooser = random.Random(SEED)
    made: list[Product] = []
    for code, name in _TEAS:
        made.append(Product(f"TEA-{code}", name, Decimal(0), Decimal(0), 0, is_parent=True))
        for size, label, price, cost in _SIZES:
            sku = f"TEA-{code}-{size}"
            made.append(
                Product(
                    sku, f"{name} {label}", Decimal(price), Decimal(cost), chooser.randint(20, 200),
                    parent=f"TEA-{code}", books_code=sku,
                )
            )  # fmt: skip
    for sku, name, price, cost in _WARE:
        made.append(
            Product(
                sku,
                name,
                Decimal(price),
                Decimal(cost),
                chooser.randint(10, 80),
                sku in _TAX_FREE,
                books_code=sku,
            )
        )
    made.append(
        Product(
            KIT, "Starter kit: pot, strainer, English Breakfast", Decimal("72.00"), Decimal(0), 0,
            components=(("POT-600", 1), ("STRAINER", 1), ("TEA-EB-100", 1)),
        )
    )  # fmt: skip
    made.append(
        Product("SAMPLE-1", "Sample sachet", Decimal("0.00"), Decimal("0.05"), 500, books_code="SAMPLE-1")
    )
    # the books do not know the newest tea, and spell two codes their own way
    odd = {
        "TEA-CL-50": None,
        "TEA-CL-100": None,
        "TEA-CL-250": None,
        "TIN-200": "tin-200",
        "INFUSER": "INFUSER ",
    }
    return tuple(
        product if product.sku not in odd else _respelt(product, odd[product.sku]) for product in made
    )


def _respelt(product: Product, code: str | None) -> Product:
    return Product(
        product.sku, product.name, product.price, product.cost, product.stock, product.tax_free, product.parent,
        product.is_parent, product.components, code,
    )  # fmt: skip


@cache
def customers() -> tuple[Customer, ...]:
    """Two hundred; every third is in the books, some of them without a reference, two with one e-mail."""
    chooser = random.Random(SEED + 1)
    made = []
    for number in range(200):
        given, family = chooser.choice(_FIRST), chooser.choice(_LAST)
        place = chooser.choice(_PLACES[:6] if number % 12 else _PLACES[6:])
        plain = "".join(c for c in f"{given}.{family}".lower() if c.isascii() and (c.isalnum() or c == "."))
        username = f"{plain}{number}"
        company = f"{family} & Co Pty Ltd" if number % 5 == 0 else ""
        email = "shared@family.example" if number in (3, 6) else f"{username}@example.com"
        reference = (username if number % 9 else "") if number % 3 == 0 else None
        made.append(
            Customer(
                username, given, family, email, company, f"{chooser.randint(1, 220)} Quay St", *place,
                f"04{chooser.randint(0, 99_999_999):08d}", reference,
            )
        )  # fmt: skip
    return tuple(made)


BOOKS_ONLY = (
    ("TEA-WINTER-100", "Winter Blend 100 g", Decimal("19.95"), Decimal("6.10"), 60),
    ("MUG-ENAMEL", "Enamel mug", Decimal("15.00"), Decimal("5.00"), 40),
    ("CUP SET/4", "Four cups", Decimal("59.00"), Decimal("20.00"), 12),
)
"""(code, name, price with tax, cost, stock): in the books and not in the shop; the last code is no legal SKU."""
