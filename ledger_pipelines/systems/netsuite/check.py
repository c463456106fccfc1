"""Is the connection fit for work? Credentials, clock, rights, what can be seen.

Belongs here: questions to the account, each with a finding and a remedy. Does not belong here: printing (`cli`).
Nothing is written. Facts: netsuite.md 2.4 (clock within 5 minutes), 3 (permissions), 5 (how a missing right looks).
"""

# ruff: noqa: S608 - identifiers come from a fixed set

from __future__ import annotations

from collections.abc import Callable
from datetime import time

from ledger_pipelines.errors import ConfigurationError, CredentialError, LedgerError, PermanentError
from ledger_pipelines.systems.http import Answer
from ledger_pipelines.systems.looking import Finding
from ledger_pipelines.systems.netsuite.client import SUITEQL, NetSuiteClient
from ledger_pipelines.systems.netsuite.suiteql import ACCOUNT_NOW, SuiteQL, read_now

_TABLES = {
    "transaction": "Transactions > Find Transaction, and View on each type",
    "transactionline": "Transactions > Find Transaction",
    "transactionaccountingline": "Transactions > Find Transaction, Lists > Accounts",
    "customer": "Lists > Customers",
    "item": "Lists > Items",
    "account": "Lists > Accounts",
    "accountingperiod": "Setup > Manage Accounting Periods (View)",
}
_RECORDS = ("invoice", "customerPayment", "creditMemo", "customerRefund", "journalEntry", "salesOrder")


def check(client: NetSuiteClient) -> tuple[Finding, ...]:
    """Look at everything; stops after refused credentials. About 18 calls; never raises for what NetSuite says."""
    ql = SuiteQL(client)
    findings = list(_login(client))
    if not findings[0].ok:
        return tuple(findings)
    connection = client.connection
    tables = dict(_TABLES)
    if connection.multi_currency:
        tables["currency"] = "Lists > Currency"
    if connection.one_world:
        tables["subsidiary"] = "Lists > Subsidiaries"
    findings += [_sees(ql, table, f"Give the role: {right}.") for table, right in tables.items()]
    deploy = "Deploy the SDF project of the settlement records, and give the role its entries."
    findings += [_sees(ql, r, deploy) for r in (connection.summary_record, connection.transaction_record)]
    findings += [_may(client, record) for record in _RECORDS]
    if not connection.one_world:
        findings.append(_single_company(ql))
    if connection.order_id_fields:
        findings.append(_order_fields(ql, connection.order_id_fields))
    return tuple(findings)


def _told(name: str, remedy: str, ask: Callable[[], str]) -> Finding:
    try:
        return Finding(name, True, ask())
    except LedgerError as error:
        return Finding(name, False, str(error), remedy)


def _login(client: NetSuiteClient) -> tuple[Finding, ...]:
    """Credentials, and from the same answer both clocks. One call."""
    try:
        answer = client.read(
            "POST",
            f"{SUITEQL}?limit=1&offset=0",
            body={"q": ACCOUNT_NOW},
            headers={"Prefer": "transient"},
        )
    except (CredentialError, ConfigurationError) as error:
        return (Finding("credentials", False, error.message, error.remedy),)
    except PermanentError as error:
        remedy = "Give the role: REST Web Services, SuiteAnalytics Workbook."
        return (Finding("credentials", False, error.message, remedy),)
    except LedgerError as error:
        return (
            Finding(
                "credentials",
                False,
                f"NetSuite was not reached: {error.message}",
                error.remedy or "Try again later.",
            ),
        )
    first = Finding(
        "credentials", True, f"NetSuite account {client.connection.realm} accepts the credentials."
    )
    return first, _clock(client, answer)


def _clock(client: NetSuiteClient, answer: Answer) -> Finding:
    zone = client.connection.time_zone
    now, server = client.clock.now(), answer.server_time
    if server is not None and abs((now - server).total_seconds()) > 120:
        skew = (now - server).total_seconds()
        remedy = "Let it be set by NTP: more than 5 minutes lock the user out."
        return Finding("clock", False, f"This machine's clock is {skew:+.0f} s off.", remedy)
    try:
        local = read_now(answer)
    except LedgerError as error:
        return Finding("clock", False, str(error), "Give the role: SuiteAnalytics Workbook.")
    ours = now.astimezone(zone).replace(tzinfo=None)
    if local.time() == time(0) and local.date() == ours.date():
        return Finding("clock", True, f"NetSuite told its date only; it fits {zone.key}.")
    if abs((ours - local).total_seconds()) > 600:
        return Finding(
            "clock",
            False,
            f"NetSuite's local time is {local:%Y-%m-%d %H:%M}; in {zone.key} it is {ours:%Y-%m-%d %H:%M}.",
            "Set `time_zone` of the connection to that of the role's user (Home > Set Preferences).",
        )
    return Finding("clock", True, f"Clocks agree; time zone {zone.key} fits.")


def _sees(ql: SuiteQL, table: str, remedy: str) -> Finding:
    def ask() -> str:
        for row in ql.rows(f"SELECT COUNT(*) AS n FROM {table}"):
            return f"{row.get('n') or 0} rows of {table}."
        return f"No rows of {table}."

    return _told(f"sees {table}", remedy, ask)


def _may(client: NetSuiteClient, record: str) -> Finding:
    remedy = f"Give the role the permission on {record} (View to read, Create and Edit to export)."

    def ask() -> str:
        client.read("GET", f"/services/rest/record/v1/{record}?limit=1")
        return f"The role reaches {record} records."

    return _told(f"may use {record}", remedy, ask)


def _single_company(ql: SuiteQL) -> Finding:
    try:
        for row in ql.rows("SELECT COUNT(*) AS n FROM subsidiary"):
            if int(row.get("n") or 0) > 1:
                return Finding("one_world", False, "The account has subsidiaries.", "Set `one_world: true`.")
    except LedgerError:
        pass
    return Finding("one_world", True, "The account is used without subsidiaries.")


def _order_fields(ql: SuiteQL, fields: tuple[str, ...]) -> Finding:
    def ask() -> str:
        columns = ", ".join(f"t.{f}" for f in fields)
        for _ in ql.rows(f"SELECT t.id, {columns} FROM transaction t FETCH FIRST 1 ROWS ONLY"):
            break
        return f"Order ids are looked for in: {', '.join(fields)}."

    return _told("order id fields", "Name existing transaction body fields, like custbody_azs_order_id.", ask)
