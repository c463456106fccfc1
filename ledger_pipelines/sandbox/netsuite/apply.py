"""Applications: which payment or credit settles which document, and what stays open.

Belongs here: the `apply`, `credit` and `deposit` links, their checks, and the settlement columns and statuses that
follow from them. Does not belong here: the ledger lines. Source: netsuite.md 8.3 to 8.5, 9.1, 9.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from ledger_pipelines.sandbox.codec import ZERO, Document, number, plain, rounded
from ledger_pipelines.sandbox.netsuite.company import Company
from ledger_pipelines.sandbox.netsuite.errors import invalid_value, user_error
from ledger_pipelines.sandbox.netsuite.schema import RecordType
from ledger_pipelines.sandbox.netsuite.store import Row

_SETTLES = {
    "customerPayment": ("CustInvc",),
    "creditMemo": ("CustInvc",),
    "customerRefund": ("CustCred", "CustPymt"),
}
OVER = "You cannot apply more than your total payments."


@dataclass(frozen=True)
class Open:
    """A document as the apply engine sees it."""

    id: int
    type: str
    status: str | None
    total: Decimal
    entity: int | None
    currency: int | None
    receivable: int | None
    settled: Decimal
    posting: bool

    @property
    def due(self) -> Decimal:
        """What is still open on it."""
        return self.total - self.settled


def load(company: Company, doc: object) -> Open | None:
    """The settlement view of a transaction, or None."""
    found = company.store.db.execute(
        "SELECT id, type, status, foreigntotal, entity, currency, araccount, foreignamountpaid, "
        "foreignpaymentamountused, posting FROM ns_transaction WHERE id = ?",
        (doc,),
    ).fetchone()
    if found is None:
        return None
    settled = number(found[7] if found[1] == "CustInvc" else found[8])
    return Open(
        found[0], found[1], found[2], number(found[3]), found[4], found[5], found[6], settled, found[9] == "T"
    )


def current(company: Company, via: int, *, credits_used: bool = False) -> dict[int, Decimal]:
    """What a record applies now: document id to amount (or, for a payment's `credit` sublist, memo id to amount)."""
    column = "nextdoc" if credits_used else "previousdoc"
    extra = " AND nextdoc <> via" if credits_used else ""
    result: dict[int, Decimal] = {}
    for doc, amount in company.store.db.execute(
        f"SELECT {column}, foreignamount FROM ns_link WHERE via = ? AND linktype = 'Payment'{extra} "  # noqa: S608
        "ORDER BY previousdoc, nextdoc",
        (via,),
    ):
        result[doc] = result.get(doc, ZERO) + number(amount)
    return result


def merge(
    company: Company,
    applied: dict[int, Decimal],
    lines: list[Document] | None,
    field: str,
    available: Decimal | None,
    *,
    replace: bool,
) -> dict[int, Decimal]:
    """Lay the request's lines over the present applications (keyed by `doc`, netsuite.md 4.5, 8.4).

    `available` is the money for lines without an amount (None: no limit). Raises NetSuiteError.
    """
    if lines is None:
        return {}
    result = {} if replace else dict(applied)
    for at, line in enumerate(lines):
        path = f"{field}.items[{at}]"
        if not line.get("doc"):
            raise user_error("Please enter value(s) for: doc", f"{path}.doc")
        doc = int(line["doc"])
        amount = line.get("amount")
        if line.get("apply") is False or (amount is not None and number(amount) == 0):
            result.pop(doc, None)
            continue
        if amount is None:
            if line.get("apply") is None and doc in applied:
                result[doc] = applied[doc]
                continue
            found = load(company, doc)
            due = (found.due + applied.get(doc, ZERO)) if found else ZERO
            left = (
                due if available is None else available - sum(result.values(), ZERO) + result.get(doc, ZERO)
            )
            result[doc] = min(due, max(left, ZERO))
            if result[doc] == 0:
                result.pop(doc)
        else:
            result[doc] = number(amount)
            if result[doc] < 0:
                raise invalid_value(amount, "amount", f"{path}.amount")
    return result


def check(
    company: Company,
    record_type: RecordType,
    row: Row,
    wanted: dict[int, Decimal],
    before: dict[int, Decimal],
    kinds: tuple[str, ...],
    field: str,
) -> None:
    """Refuse an application to a wrong document or beyond what is due. Raises NetSuiteError USER_ERROR."""
    body = row.body
    entity = int(body.get("customer") or body.get("entity") or 0)
    receivable = int(body.get("arAcct") or body.get("account") or 0)
    precision = company.precision(body.get("currency"))
    for doc, amount in wanted.items():
        found = load(company, doc)
        if found is None or found.type not in kinds:
            raise user_error("Transaction type specified is incorrect.", field)
        if amount != rounded(amount, precision):
            raise invalid_value(amount, "amount", field)
        if found.entity != entity:
            raise user_error(f"Transaction {doc} belongs to another customer and cannot be applied.", field)
        if found.currency != int(body["currency"]):
            raise user_error(
                f"Transaction {doc} is in another currency than this {record_type.label}.", field
            )
        if found.receivable != receivable:
            raise user_error(
                f"Transaction {doc} uses another A/R account than this {record_type.label}.", field
            )
        if not found.posting:
            raise user_error(f"Transaction {doc} is not approved and cannot be paid.", field)
        due = found.due + before.get(doc, ZERO)
        if amount > due:
            raise user_error(
                f"{OVER} The amount {plain(amount)} is more than the amount due {plain(due)} on transaction {doc}.",
                field,
            )


@dataclass(frozen=True)
class Request:
    """The application sublists of one write. `given` names those that the request carries."""

    apply: list[Document] | None
    credit: list[Document] | None
    given: frozenset[str]
    replace: frozenset[str]


def write(company: Company, record_type: RecordType, row: Row, request: Request) -> set[int]:
    """Set the applications of a payment, credit memo or refund; returns the documents whose balance moved.

    For a refund also sets `total` on the body. Raises NetSuiteError; the caller's transaction undoes all.
    """
    before = current(company, row.id)
    credits_before = current(company, row.id, credits_used=True)
    is_refund = record_type.name == "customerRefund"
    total = number(row.body.get("payment" if record_type.name == "customerPayment" else "total"))
    wanted_credits = credits_before
    if "credit" in request.given:
        wanted_credits = merge(
            company, credits_before, request.credit, "credit", None, replace="credit" in request.replace
        )
    from_credits = sum(wanted_credits.values(), ZERO)
    wanted = before
    if "apply" in request.given:
        available = None if is_refund else total + from_credits
        wanted = merge(company, before, request.apply, "apply", available, replace="apply" in request.replace)
    elif row.body.get("autoApply") and not before and not is_refund:
        wanted = _oldest_open(company, row, total)
    check(company, record_type, row, wanted, before, _SETTLES[record_type.name], "apply")
    check(company, record_type, row, wanted_credits, credits_before, ("CustCred",), "credit")
    applied = sum(wanted.values(), ZERO)
    if is_refund:
        if not wanted:
            raise user_error("Please choose at least one credit to refund.", "apply")
        row.body["total"] = applied
        total = applied
    elif applied > total + from_credits:
        raise user_error(
            f"{OVER} Applied {plain(applied)}, available {plain(total + from_credits)}.", "apply"
        )
    if from_credits > applied:
        raise user_error(f"{OVER} The credits chosen exceed the documents to pay.", "credit")
    touched = set(before) | set(wanted) | set(credits_before) | set(wanted_credits)
    if wanted != before or wanted_credits != credits_before:
        company.store.db.execute("DELETE FROM ns_link WHERE via = ? AND linktype = 'Payment'", (row.id,))
        _link(company, record_type, row, wanted, wanted_credits)
        return touched
    return set()


def _oldest_open(company: Company, row: Row, total: Decimal) -> dict[int, Decimal]:
    result: dict[int, Decimal] = {}
    left = total
    for doc, unpaid in company.store.db.execute(
        "SELECT id, foreignamountunpaid FROM ns_transaction WHERE type = 'CustInvc' AND entity = ? AND currency = ? "
        "AND araccount = ? AND status = 'A' ORDER BY trandate, id",
        (
            row.body.get("customer") or row.body.get("entity"),
            row.body["currency"],
            row.body.get("arAcct") or row.body.get("account"),
        ),
    ).fetchall():
        if left <= 0:
            break
        part = min(left, number(unpaid))
        if part > 0:
            result[doc] = part
            left -= part
    return result


def _link(
    company: Company, record_type: RecordType, row: Row, wanted: dict[int, Decimal], memos: dict[int, Decimal]
) -> None:
    pool = list(memos.items())
    for doc, amount in wanted.items():
        left = amount
        while left > 0 and pool:
            memo, has = pool[0]
            part = min(left, has)
            _insert_link(company, doc, memo, "CustCred", part, row)
            left -= part
            pool[0] = (memo, has - part)
            if pool[0][1] <= 0:
                pool.pop(0)
        if left > 0:
            _insert_link(company, doc, row.id, record_type.type_code, left, row)


def _insert_link(
    company: Company, previous: int, following: int, following_type: str, amount: Decimal, row: Row
) -> None:
    kind = company.store.db.execute("SELECT type FROM ns_transaction WHERE id = ?", (previous,)).fetchone()[0]
    company.store.insert(
        "ns_link",
        {
            "previousdoc": previous,
            "previousline": 0,
            "previoustype": kind,
            "nextdoc": following,
            "nextline": 0 if following_type == "CustCred" else 1,
            "nexttype": following_type,
            "linktype": "Payment",
            "foreignamount": plain(amount),
            "lastmodifieddate": row.modified_local,
            "via": row.id,
            "visible_at": row.visible_at,
        },
    )


def _sum(company: Company, where: str, doc: int) -> Decimal:
    rows = company.store.db.execute(
        f"SELECT foreignamount FROM ns_link WHERE linktype = 'Payment' AND {where}",  # noqa: S608
        (doc,),
    )
    return sum((number(found[0]) for found in rows), ZERO)


def refresh(company: Company, doc: int, *, touch: bool) -> None:
    """Recompute the settlement columns and the status of a document. `touch` moves its modified stamps too.

    Raises NetSuiteError when more is settled than the document's total.
    """
    found = company.store.db.execute(
        "SELECT type, foreigntotal, exchangerate, posting FROM ns_transaction WHERE id = ?", (doc,)
    ).fetchone()
    if found is None:
        return
    kind, total, rate = found[0], number(found[1]), number(found[2])
    row = company.store.get("transaction", doc)
    if row is None:
        return
    values: Document = {"status": _status(company, kind, row, total)}
    settled = open_amount = None
    if kind == "CustInvc":
        settled = _sum(company, "previousdoc = ?", doc)
        open_amount = total - settled
        values |= {"foreignamountpaid": plain(settled), "foreignamountunpaid": plain(open_amount)}
        if values["status"] == "A" and open_amount == 0:
            values["status"] = "B"
    elif kind in {"CustPymt", "CustCred"}:
        settled = _sum(company, "previousdoc = ?1", doc) + _sum(company, "nextdoc = ?1", doc)
        open_amount = total - settled
        values |= {
            "foreignpaymentamountused": plain(settled),
            "foreignpaymentamountunused": plain(open_amount),
        }
        if kind == "CustCred":
            values["status"] = "B" if open_amount == 0 else "A"
    if open_amount is not None and open_amount < 0:
        raise user_error(f"{OVER} {plain(number(settled))} of {row.body.get('tranId')} is already applied.")
    if touch:
        stamp, local = company.stamps()
        values["lastmodifieddate"] = local
        company.store.db.execute(
            "UPDATE ns_record SET modified = ?, modified_local = ? WHERE family = 'transaction' AND id = ?",
            (stamp, local, doc),
        )
    columns = ", ".join(f"{name} = ?" for name in values)
    company.store.db.execute(
        f"UPDATE ns_transaction SET {columns} WHERE id = ?",  # noqa: S608  fixed names
        (*values.values(), doc),
    )
    if settled is not None and open_amount is not None:
        _refresh_lines(company, doc, kind, settled, open_amount, rate)


def _refresh_lines(
    company: Company, doc: int, kind: str, settled: Decimal, open_amount: Decimal, rate: Decimal
) -> None:
    names = (
        ("foreignamountpaid", "foreignamountunpaid")
        if kind == "CustInvc"
        else ("foreignpaymentamountused", "foreignpaymentamountunused")
    )
    line = 1 if kind == "CustPymt" else 0
    company.store.db.execute(
        f'UPDATE ns_line SET {names[0]} = ?, {names[1]} = ? WHERE "transaction" = ? AND id = 0',  # noqa: S608
        (plain(settled), plain(open_amount), doc),
    )
    based = [plain(rounded(part * rate, 2)) for part in (settled, open_amount)]
    ledger = (
        ("amountpaid", "amountunpaid") if kind == "CustInvc" else ("paymentamountused", "paymentamountunused")
    )
    company.store.db.execute(
        f'UPDATE ns_ledger SET {ledger[0]} = ?, {ledger[1]} = ? WHERE "transaction" = ? AND transactionline = ?',  # noqa: S608
        (*based, doc, line),
    )


def _status(company: Company, kind: str, row: Row, total: Decimal) -> str | None:
    del total
    body = row.body
    if kind == "CustInvc":
        if company.features.approvalRouting and body.get("approvalStatus") in {"1", "3"}:
            return "D" if body["approvalStatus"] == "1" else "E"
        return "A"
    if kind in {"CustPymt", "CashSale"}:
        return "C" if body.get("undepFunds") == "F" or _is_deposited(company, row.id) else "B"
    if kind == "SalesOrd":
        return str(body.get("orderStatus", "B"))
    if kind == "Journal":
        return "B" if body.get("approved", True) else "A"
    if kind == "ItemShip":
        return str(body.get("shipStatus", "C"))
    return {"CustCred": "A", "CashRfnd": "A", "Deposit": "A"}.get(kind)


def _is_deposited(company: Company, doc: int) -> bool:
    found = company.store.db.execute(
        "SELECT 1 FROM ns_link WHERE previousdoc = ? AND linktype = 'DepPay'", (doc,)
    ).fetchone()
    return found is not None


def write_deposit(company: Company, row: Row) -> set[int]:
    """Link the payments of a bank deposit; returns the payments whose status moves. Raises NetSuiteError."""
    before = {
        found[0]
        for found in company.store.db.execute(
            "SELECT previousdoc FROM ns_link WHERE via = ? AND linktype = 'DepPay'", (row.id,)
        )
    }
    company.store.db.execute("DELETE FROM ns_link WHERE via = ? AND linktype = 'DepPay'", (row.id,))
    wanted = set()
    for line in row.body.get("payment") or []:
        if line.get("deposit") is False:
            continue
        doc = int(line["id"])
        if _is_deposited(company, doc) or (doc not in before and _status_of(company, doc) != "B"):
            raise user_error(f"Payment {doc} is already deposited.", "payment")
        wanted.add(doc)
        kind = company.store.db.execute("SELECT type FROM ns_transaction WHERE id = ?", (doc,)).fetchone()[0]
        company.store.insert(
            "ns_link",
            {
                "previousdoc": doc, "previousline": 0, "previoustype": kind, "nextdoc": row.id, "nextline": 0,
                "nexttype": "Deposit", "linktype": "DepPay", "foreignamount": plain(number(line["paymentAmount"])),
                "lastmodifieddate": row.modified_local, "via": row.id, "visible_at": row.visible_at,
            },
        )  # fmt: skip
    return before | wanted


def _status_of(company: Company, doc: int) -> str | None:
    found = company.store.db.execute("SELECT status FROM ns_transaction WHERE id = ?", (doc,)).fetchone()
    return found[0] if found else None
