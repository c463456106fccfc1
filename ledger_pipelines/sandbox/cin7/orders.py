"""Sales orders and credit notes: header, lines, totals, approval, dispatch, void.

Belongs here: their rules, and what they do to stock. Does not belong here: payments.
Source: cin7-omni.md 6, 10.6, 11.5 to 11.9.
"""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from ledger_pipelines.sandbox.cin7 import schemas
from ledger_pipelines.sandbox.cin7.account import Account
from ledger_pipelines.sandbox.cin7.answers import ItemError
from ledger_pipelines.sandbox.cin7.fields import Spec, bind, initial, record_id, shown
from ledger_pipelines.sandbox.cin7.parties import Contacts
from ledger_pipelines.sandbox.cin7.resource import WRITTEN, Resource
from ledger_pipelines.sandbox.cin7.store import Cell, Move, Row, stamp
from ledger_pipelines.sandbox.cin7.totals import in_base, totals
from ledger_pipelines.sandbox.codec import ZERO, Document, number

_FROM_CONTACT = ("firstName", "lastName", "company", "email", "phone", "mobile", "fax")
_HEADER_AMOUNTS = ("freightTotal", "surcharge", "discountTotal")
_LINE_AMOUNTS = ("unitPrice", "discount")
_SYMBOLS = {"GBP": "£", "EUR": "€"}
API_USER = 11
ALL_SENT = 2
"""`logisticsStatus` of an order that went out whole."""
_PRICES = {"wholesale": "wholesalePrice", "vip": "vipPrice", "special": "specialPrice"}


class Lined(Resource):
    """A document with lines. line_spec: fields of a line; prefix: of generated references; naming: in error texts."""

    line_spec: ClassVar[Spec]
    prefix: ClassVar[str]
    verbs = WRITTEN

    def __init__(self, account: Account, contacts: Contacts) -> None:
        super().__init__(account)
        self._contacts = contacts

    def code(self, row: Row) -> str | None:
        """The reference."""
        return row.body.get("reference")

    def completed(self, body: Document, sent: Document, row: Row | None) -> None:
        """Everything that follows from what was sent."""
        self._referenced(body, row)
        if row is None or {"memberId", "memberEmail"} & sent.keys():
            self._linked(body, sent, new=row is None)
        self._placed(body, sent)
        rate = self._priced(body, sent, row)
        self._taxed(body, sent, row)
        for name in _HEADER_AMOUNTS:
            if name in sent:
                body[name] = in_base(sent[name], rate)
        before = [] if row is None else list(row.body["lineItems"])
        body["lineItems"] = self._merged(before, sent.get("lineItems", []), body, rate)
        body["createdBy"] = body["createdBy"] or API_USER
        sums = totals(body, body["lineItems"])
        body["productTotal"], body["total"] = sums.product, sums.taxed

    def _referenced(self, body: Document, row: Row | None) -> None:
        if not body["reference"]:
            known = None if row is None else row.body["reference"]
            body["reference"] = known or f"{self.prefix}-{self.store.next('number')}"
        self.unique(body, "reference", row, f"{self.called} with reference")

    def _linked(self, body: Document, sent: Document, *, new: bool) -> None:
        """The customer, by id, else by e-mail."""
        wanted, email = sent.get("memberId"), str(sent.get("memberEmail") or "")
        if wanted:
            contact = self.store.get("contact", int(wanted))
            if contact is None:
                raise ItemError(f"Member {wanted} not found.")
        else:
            contact = self.account.contact(email)
            if contact is None and email and self.account.settings.unknown_member == "created":
                known = {name: body[name] for name in _FROM_CONTACT}
                contact = self._contacts.insert(known | {"email": email})
        body["memberId"] = 0 if contact is None else contact.id
        if contact is not None:
            body["memberEmail"] = contact.body["email"]
            if new:
                body |= {name: contact.body[name] for name in _FROM_CONTACT if body[name] is None}

    def _placed(self, body: Document, sent: Document) -> None:
        if sent.get("branchEmail") and not sent.get("branchId"):
            found = self.store.named("branch", "email", str(sent["branchEmail"]))
            body["branchId"] = 0 if found is None else found.id
        body["branchId"] = body["branchId"] or self.account.settings.main_branch
        if self.account.branch(int(body["branchId"])) is None:
            raise ItemError(f"Branch {body['branchId']} not found.")

    def _priced(self, body: Document, sent: Document, row: Row | None) -> Decimal:
        """Currency and rate; amounts that are sent are in the order's currency, those that are kept in the base's."""
        settings = self.account.settings
        code = str(body["currencyCode"] or settings.base_currency).upper()
        foreign = code != settings.base_currency
        changed = row is None or row.body["currencyCode"] != code
        if not foreign:
            body["currencyRate"] = Decimal(1)
        elif changed and not sent.get("currencyRate"):
            if code not in settings.rates:
                raise ItemError(f"Currency '{code}' not found.")
            body["currencyRate"] = settings.rates[code]
        body["currencyCode"], body["currencySymbol"] = code, _SYMBOLS.get(code, "$")
        body["currencyId"] = 1 + [settings.base_currency, *settings.rates, code].index(code)
        rate = number(body["currencyRate"])
        if rate <= 0:
            raise ItemError("currencyRate must be more than zero.")
        return rate

    def _taxed(self, body: Document, sent: Document, row: Row | None) -> None:
        settings = self.account.settings
        if row is None and "taxStatus" in sent and "taxRate" not in sent and settings.require_tax_rate:
            raise ItemError("taxRate is required when taxStatus is sent.")
        body["taxStatus"] = body["taxStatus"] or settings.tax_status
        if body["taxRate"] is None:
            body["taxRate"] = settings.tax_rate

    # --- lines -----------------------------------------------------------------------------------------------------

    def _merged(
        self, before: list[Document], sent: list[object], body: Document, rate: Decimal
    ) -> list[Document]:
        """Lines with an id are changed, others added, none removed (6.2)."""
        lines = {line["id"]: line for line in before}
        for one in sent:
            if not isinstance(one, dict):
                raise ItemError("lineItems is invalid.")
            told = {str(name).lower(): value for name, value in one.items()}
            given = record_id(told.get("id") or None) if before else None
            if given is not None and given not in lines:
                raise ItemError(f"Line item {given} not found.")
            bound = bind(self.line_spec, one)
            for name in _LINE_AMOUNTS:
                if name in bound:
                    bound[name] = in_base(bound[name], rate)
            line = self._line(None if given is None else lines[given], bound, body)
            lines[line["id"]] = line
        return list(lines.values())

    def _line(self, known: Document | None, bound: Document, body: Document) -> Document:
        if known is None:
            now = stamp(self.account.now())
            line = initial(self.line_spec) | bound | {"id": self.store.next("line"), "createdDate": now}
            line["sort"] = line["sort"] or len(body["lineItems"])
        else:
            line = known | bound
        if known is None or "code" in bound:
            self._link(line, bound, body)
        return line

    def _link(self, line: Document, bound: Document, body: Document) -> None:
        """To the option whose code is sent; an option's id alone does not link (6.2), an unknown code stays unlinked."""
        option = self.account.option(str(line["code"] or ""))
        if option is None:
            line |= {"productId": 0, "productOptionId": 0, "_size": ""}
            return
        found = option.body
        product = self.account.product(found["productId"])
        style = {} if product is None else product.body
        line |= {
            "productId": found["productId"],
            "productOptionId": found["id"],
            "_size": found["size"] or "",
        }
        defaults = {
            "name": style.get("name"), "styleCode": style.get("styleCode"), "barcode": found["barcode"],
            **{f"option{n}": found[f"option{n}"] for n in (1, 2, 3)},
        }  # fmt: skip
        line |= {name: value for name, value in defaults.items() if bound.get(name) is None}
        if found["size"]:
            line["sizeCodes"] = found["code"]
            one = {"name": found["size"], "code": found["code"], "barcode": found["barcode"]}
            line["sizes"] = [one | {"qty": line["qty"]}]
        if "unitPrice" not in bound:
            line["unitPrice"] = self._price(found, int(body["memberId"] or 0))

    def _price(self, option: Document, member: int) -> Decimal:
        """The customer's price tier."""
        contact = self.store.get("contact", member)
        tier = "" if contact is None else str(contact.body.get("priceColumn") or "").lower()
        special = {name.lower(): value for name, value in (option.get("priceColumns") or {}).items()}
        return number(special.get(tier, option[_PRICES.get(tier, "retailPrice")]))

    def shown(self, record: Document) -> Document:
        """The document on the wire."""
        return shown(self.spec, record) | {
            "lineItems": [shown(self.line_spec, line) for line in record["lineItems"]]
        }


class SalesOrders(Lined):
    """Orders of customers."""

    path, kind, sequence, called, prefix = "SalesOrders", "order", "order", "Sales Order", "SO"
    spec: ClassVar[Spec] = schemas.ORDER
    line_spec: ClassVar[Spec] = schemas.LINE

    def completed(self, body: Document, sent: Document, row: Row | None) -> None:
        """Refusals of what cannot be changed, then everything that follows."""
        voiding = bool(body["isVoid"])
        if row is not None:
            if row.body["isVoid"]:
                raise ItemError(f"{self.called} {row.body['reference']} is void.")
            if row.body.get("_locked") and (voiding or self.account.settings.locked_refuses_all):
                raise ItemError(f"{self.called} {row.body['reference']} is locked.")
        super().completed(body, sent, row)
        if body["invoiceDate"] and not body["invoiceNumber"]:
            body["invoiceNumber"] = self.store.next("invoice")
        dispatched = bool(body["dispatchedDate"])
        if voiding:
            self._void(body, dispatched=dispatched)
        elif dispatched and not body["isApproved"]:
            raise ItemError(f"{self.called} {body['reference']} must be approved before it is dispatched.")
        body["status"] = "VOID" if voiding else "APPROVED" if body["isApproved"] else "DRAFT"
        gone = dispatched and not voiding
        body["logisticsStatus"] = ALL_SENT if gone else 0
        for line in body["lineItems"]:
            line["qtyShipped"] = line["qty"] if gone else ZERO

    def _void(self, body: Document, *, dispatched: bool) -> None:
        if dispatched and self.account.settings.refuse_void_of_dispatched:
            raise ItemError(f"{self.called} {body['reference']} is dispatched and cannot be voided.")
        body["cancellationDate"] = body["_voidedAt"] = stamp(self.account.now())

    def written(self, row: Row) -> None:
        """What the order does to stock: reserve it while it is open, take it once it is dispatched."""
        self.store.move(self.kind, row.id, moves_of(row.body), self.account.now())


def moves_of(order: Document) -> list[Move]:
    """What an order does to stock in its present state (11.7)."""
    if order["isVoid"] or not order["isApproved"]:
        return []
    branch, moves = int(order["branchId"]), []
    for line in order["lineItems"]:
        if line["productOptionId"]:
            cell, quantity = Cell(line["productOptionId"], line["_size"], branch), number(line["qty"])
            moves.append(
                Move(cell, on_hand=-quantity) if order["dispatchedDate"] else Move(cell, open_sales=quantity)
            )
    return moves


class CreditNotes(Lined):
    """What is given back; no effect on stock here (the reference gives none)."""

    path, kind, sequence, called, prefix = "CreditNotes", "credit", "credit", "Credit Note", "CN"
    spec: ClassVar[Spec] = schemas.CREDIT
    line_spec: ClassVar[Spec] = schemas.CREDIT_LINE

    def completed(self, body: Document, sent: Document, row: Row | None) -> None:
        """Number and status."""
        super().completed(body, sent, row)
        body["creditNoteNumber"] = body["creditNoteNumber"] or self.store.next("invoice")
        body["status"] = "APPROVED" if body["isApproved"] else "DRAFT"
