"""Business rules that complete a transaction before it is saved: defaults, ownership, amounts.

Belongs here: what a stock account fills in or refuses for each transaction type, apart from applications and the
ledger. Source: netsuite.md 8 and 9; sentences without a source are [I] and listed in docs/sandbox/netsuite.md.
"""

from __future__ import annotations

from ledger_pipelines.sandbox.codec import ZERO, Document, number, rounded
from ledger_pipelines.sandbox.netsuite import clock as times
from ledger_pipelines.sandbox.netsuite import periods, sales
from ledger_pipelines.sandbox.netsuite.company import Company
from ledger_pipelines.sandbox.netsuite.errors import invalid_value, missing_values, user_error
from ledger_pipelines.sandbox.netsuite.schema import RecordType
from ledger_pipelines.sandbox.netsuite.store import Row

SALES = frozenset({"invoice", "creditMemo", "salesOrder", "cashSale", "cashRefund"})
_PREFIX = {
    "invoice": "INV", "creditMemo": "CM", "customerPayment": "PYMT", "customerRefund": "CR", "salesOrder": "SO",
    "cashSale": "CS", "cashRefund": "CSR", "journalEntry": "JE", "deposit": "DEP", "itemFulfillment": "IF",
}  # fmt: skip
_AR = ("AcctRec",)
_CASH = ("Bank", "OthCurrAsset", "CredCard", "OthCurrLiab")


def entity_field(record_type: RecordType) -> str:
    """`customer` on payments and refunds, `entity` elsewhere (netsuite.md 13, surprise 6)."""
    return "customer" if "customer" in record_type.by_name else "entity"


def complete(company: Company, record_type: RecordType, body: Document, old: Document | None) -> None:
    """Fill defaults and computed fields of a transaction body in place. Raises NetSuiteError."""
    customer = _customer(company, record_type, body, is_new=old is None)
    body.setdefault("tranDate", company.today().isoformat())
    if not body.get("tranDate"):
        body["tranDate"] = company.today().isoformat()
    _subsidiary_and_currency(company, record_type, body, customer)
    precision = company.precision(body.get("currency"))
    if not body.get("tranId"):
        body["tranId"] = (
            f"{_PREFIX[record_type.name]}{company.store.next_id('tranid:' + record_type.name):05d}"
        )
    if not body.get("transactionNumber"):
        body["transactionNumber"] = str(company.store.next_id("transactionnumber"))
    if record_type.name in SALES:
        _sale(company, record_type, body, customer, precision)
    elif record_type.name == "journalEntry":
        _journal(company, body, precision)
    elif record_type.name in {"customerPayment", "customerRefund"}:
        _receivables(company, record_type, body, customer, precision)
    elif record_type.name == "deposit":
        _deposit(company, body, precision)
    elif record_type.name == "itemFulfillment":
        if not body.get("createdFrom"):
            raise user_error("An item fulfillment is made by transforming a sales order.", "createdFrom")
        body.setdefault("shipStatus", "C")
    periods.default_period(company, body, old)
    for spec in record_type.fields:
        if spec.required and not body.get(spec.name):
            raise missing_values(spec.name)


def _customer(company: Company, record_type: RecordType, body: Document, *, is_new: bool) -> Row | None:
    name = entity_field(record_type)
    if name not in record_type.by_name:
        return None
    if not body.get(name):
        if record_type.by_name[name].required:
            raise missing_values("Customer")
        return None
    row = company.store.master("entity", int(body[name]))
    if row is None:
        raise invalid_value(body[name], name)
    if row.inactive and is_new:
        raise user_error(
            f"The customer {row.name} is inactive and cannot be used on a new transaction.", name
        )
    return row


def _subsidiary_and_currency(
    company: Company, record_type: RecordType, body: Document, customer: Row | None
) -> None:
    if not company.features.oneWorld:
        body.pop("subsidiary", None)
    elif customer is not None:
        primary = str(customer.body.get("subsidiary", "1"))
        wanted = body.setdefault("subsidiary", primary) or primary
        body["subsidiary"] = wanted
        if wanted != primary and not _related(company, customer.id, wanted):
            raise invalid_value(wanted, "subsidiary")
    elif not body.get("subsidiary"):
        if record_type.name == "journalEntry":
            raise missing_values("Subsidiary")
        body["subsidiary"] = _account_subsidiary(company, body.get("account"))
    subsidiary = body.get("subsidiary")
    if not body.get("currency"):
        own = customer.body.get("currency") if customer else None
        body["currency"] = str(own or _account_currency(company, body) or company.base_currency(subsidiary))
    elif customer is not None:
        allowed = {str(customer.body.get("currency", "")), *_extra_currencies(customer)} - {""}
        if allowed and body["currency"] not in allowed:
            raise invalid_value(body["currency"], "currency")
    if body.get("exchangeRate") is None:
        body["exchangeRate"] = company.rate(body["currency"], subsidiary)
    if number(body["exchangeRate"]) <= 0:
        raise invalid_value(body["exchangeRate"], "exchangeRate")


def _extra_currencies(customer: Row) -> set[str]:
    return {str(line.get("currency")) for line in customer.body.get("currencyList", [])}


def _related(company: Company, customer: int, subsidiary: str) -> bool:
    found = company.store.db.execute(
        "SELECT 1 FROM ns_record WHERE family = 'customerSubsidiaryRelationship' AND body ->> '$.entity' = ? "
        "AND body ->> '$.subsidiary' = ?",
        (str(customer), subsidiary),
    ).fetchone()
    return found is not None


def _account_subsidiary(company: Company, account: object) -> str:
    row = company.store.master("account", int(str(account))) if account else None
    owners = row.body.get("subsidiary", []) if row else []
    return str(owners[0]) if owners else "1"


def _account_currency(company: Company, body: Document) -> object:
    row = company.store.master("account", int(str(body["account"]))) if body.get("account") else None
    return row.body.get("currency") if row else None


def account(
    company: Company, body: Document, account_id: str, field: str, kinds: tuple[str, ...] = ()
) -> Row:
    """An account that this transaction may use: active, right kind, subsidiary and currency. Raises NetSuiteError."""
    row = company.store.master("account", int(account_id))
    if row is None or row.inactive or row.body.get("isSummary"):
        raise invalid_value(account_id, field)
    if kinds and row.body.get("acctType") not in kinds:
        raise invalid_value(account_id, field)
    subsidiary = body.get("subsidiary")
    owners = [str(one) for one in row.body.get("subsidiary", [])]
    below = bool(row.body.get("includeChildren")) and _below(company, str(subsidiary), owners)
    if subsidiary and owners and subsidiary not in owners and not below:
        unit = company.store.display("subsidiary", subsidiary)
        raise user_error(f"The {row.name} account cannot be used with the {unit} subsidiary.", field)
    held = row.body.get("currency")
    if (
        row.body.get("acctType") in {"Bank", "CredCard"}
        and held
        and held != body.get("currency")
        and held != company.base_currency(subsidiary)
    ):
        raise invalid_value(account_id, field)
    return row


def _below(company: Company, subsidiary: str, owners: list[str]) -> bool:
    seen = 0
    current: str | None = subsidiary
    while current and seen < 20:
        if current in owners:
            return True
        row = company.store.master("subsidiary", int(current))
        current = row.body.get("parent") if row else None
        seen += 1
    return False


def _default_receivable(company: Company, customer: Row | None) -> str:
    if customer is not None and customer.body.get("receivablesAccount"):
        return str(customer.body["receivablesAccount"])
    return default_account(company, "AcctRec")


def default_account(company: Company, kind: str, number_text: str | None = None) -> str:
    """The first account of a type (of an account number)."""
    key = ("default account", kind, number_text)
    return company.store.remember(key, lambda: _default_account(company, kind, number_text))


def _default_account(company: Company, kind: str, number_text: str | None) -> str:
    found = company.store.db.execute(
        "SELECT id FROM ns_record WHERE family = 'account' AND body ->> '$.acctType' = ?1 "
        "AND (?2 IS NULL OR body ->> '$.acctNumber' = ?2) ORDER BY id LIMIT 1",
        (kind, number_text),
    ).fetchone()
    if found is None:
        raise user_error(f"Please enter value(s) for: Account ({kind})", "account")
    return str(found[0])


def _sale(
    company: Company, record_type: RecordType, body: Document, customer: Row | None, precision: int
) -> None:
    lines: list[Document] = body.get("item") or []
    if not lines:
        raise user_error("You must enter at least one line item for this transaction.", "item")
    sales.number_lines(lines, 0)
    sales.complete_lines(company, body, lines, precision)
    sales.totals(company, body, lines, precision)
    if record_type.name in {"invoice", "creditMemo"}:
        if not body.get("account"):
            body["account"] = _default_receivable(company, customer)
        account(company, body, body["account"], "account", _AR)
    own_terms = customer.body.get("terms") if customer is not None else None
    if record_type.name in {"invoice", "salesOrder"} and not body.get("terms") and own_terms:
        body["terms"] = own_terms
    if record_type.name == "invoice":
        _due_date(company, body)
        if company.features.approvalRouting:
            body.setdefault("approvalStatus", "1")
    if record_type.name in {"cashSale", "cashRefund"}:
        _money_account(company, record_type, body)
    if record_type.name == "salesOrder" and not body.get("orderStatus"):
        body["orderStatus"] = "A" if company.features.approvalRouting else "B"


def _due_date(company: Company, body: Document) -> None:
    if body.get("dueDate"):
        return
    term = company.store.master("term", int(body["terms"])) if body.get("terms") else None
    days = int(term.body.get("daysUntilNetDue") or 0) if term else 0
    body["dueDate"] = times.add_days(body["tranDate"], days)


def _money_account(company: Company, record_type: RecordType, body: Document) -> None:
    """Bank, clearing or Undeposited Funds. `undepFunds` without `account` means Undeposited Funds."""
    if "undepfunds" not in record_type.by_name:
        if not body.get("account"):
            raise missing_values("Account")
    elif body.get("undepFunds") == "T" or (not body.get("account") and body.get("undepFunds") is None):
        body["undepFunds"] = "T"
        body["account"] = default_account(company, "OthCurrAsset", UNDEPOSITED)
    else:
        if not body.get("account"):
            raise missing_values("Account")
        body["undepFunds"] = "F"
    account(company, body, body["account"], "account", _CASH)


UNDEPOSITED = "1099"


def _receivables(
    company: Company, record_type: RecordType, body: Document, customer: Row | None, precision: int
) -> None:
    if not body.get("arAcct"):
        body["arAcct"] = _default_receivable(company, customer)
    account(company, body, body["arAcct"], "arAcct", _AR)
    _money_account(company, record_type, body)
    if record_type.name == "customerPayment":
        if body.get("payment") is None:
            raise missing_values("Payment Amount")
        body["payment"] = rounded(number(body["payment"]), precision)
        if body["payment"] < 0:
            raise invalid_value(body["payment"], "payment")


def _journal(company: Company, body: Document, precision: int) -> None:
    lines: list[Document] = body.get("line") or []
    if not lines:
        raise user_error("You must enter at least one line item for this transaction.", "line")
    sales.number_lines(lines, 0)
    debit = credit = ZERO
    for at, line in enumerate(lines):
        path = f"line.items[{at}]"
        if not line.get("account"):
            raise missing_values("Account")
        row = account(company, body, line["account"], f"{path}.account")
        for side in ("debit", "credit"):
            if line.get(side) is not None:
                line[side] = rounded(number(line[side]), precision)
        if line.get("debit") and line.get("credit"):
            raise user_error("A journal line carries either a debit or a credit, not both.", path)
        if not line.get("debit") and not line.get("credit"):
            raise user_error("Please enter value(s) for: Debit or Credit", path)
        if row.body.get("acctType") in {"AcctRec", "AcctPay"} and not line.get("entity"):
            raise user_error(
                f"Please enter an entity on the line of account {row.name}: receivables and payables need one.",
                f"{path}.entity",
            )
        debit += number(line.get("debit"))
        credit += number(line.get("credit"))
    if debit != credit:
        raise user_error(
            f"The amounts in a journal entry must balance. Debits {debit}, credits {credit}.", "line"
        )
    body["total"] = debit
    body.setdefault("approved", not company.features.approvalRouting)


def _deposit(company: Company, body: Document, precision: int) -> None:
    if not body.get("account"):
        raise missing_values("Account")
    account(company, body, body["account"], "account", ("Bank", "CredCard", "OthCurrAsset"))
    total = ZERO
    for line in body.get("payment") or []:
        if line.get("deposit") is False:
            continue
        header = company.store.db.execute(
            "SELECT type, status, foreigntotal, currency, account FROM ns_transaction WHERE id = ?",
            (line.get("id"),),
        ).fetchone()
        if header is None or header[0] not in {"CustPymt", "CashSale"}:
            raise user_error("Transaction type specified is incorrect.", "payment")
        if str(header[3]) != body["currency"]:
            raise invalid_value(line.get("id"), "payment")
        line["paymentAmount"] = number(header[2])
        total += number(header[2])
    for at, line in enumerate(body.get("other") or []):
        _cash_line(company, body, line, f"other.items[{at}]", precision)
        total += line["amount"]
    for at, line in enumerate(body.get("cashback") or []):
        _cash_line(company, body, line, f"cashback.items[{at}]", precision)
        total -= line["amount"]
    body["total"] = total
    if not (body.get("payment") or body.get("other")):
        raise user_error("You must enter at least one line item for this transaction.", "payment")


def _cash_line(company: Company, body: Document, line: Document, path: str, precision: int) -> None:
    if not line.get("account") or line.get("amount") is None:
        raise missing_values("Account, Amount")
    account(company, body, line["account"], f"{path}.account")
    line["amount"] = rounded(number(line["amount"]), precision)
