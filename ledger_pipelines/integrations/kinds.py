"""The kinds of integration there are: what reading ledger.yaml needs to know of each.

Belongs here: per kind its settings model and its cross-check against the two connections. Does not belong here: what
an integration does. One line a kind; the layers above hand `KINDS` to `config.load.load_config`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import BaseModel

from ledger_pipelines.config.connections import AmazonConnectionConfig, NetSuiteConnectionConfig
from ledger_pipelines.config.models import Finding, IntegrationConfig, IntegrationKind
from ledger_pipelines.documents.effects import Mode
from ledger_pipelines.integrations.amazon_netsuite.settings import AmazonNetSuiteSettings
from ledger_pipelines.integrations.neto_cin7.checks import check_neto_cin7
from ledger_pipelines.integrations.neto_cin7.settings import NetoCin7Settings
from ledger_pipelines.integrations.neto_saasu.checks import check_neto_saasu
from ledger_pipelines.integrations.neto_saasu.settings import NetoSaasuSettings


def check_amazon_netsuite(
    integration: IntegrationConfig, source: BaseModel, target: BaseModel
) -> Iterator[Finding]:
    """What a writing mode needs, by currency. In mode plan a gap is shown by the plan itself, row by row."""
    settings = integration.settings_as(AmazonNetSuiteSettings)
    if integration.mode is Mode.TEST and not settings.general.amazon_order_ids:
        yield Finding(
            "settings.general.amazon_order_ids",
            "names no order, and mode is test",
            "Name up to ten Amazon order ids.",
        )
    if (
        integration.mode is Mode.PLAN
        or not isinstance(source, AmazonConnectionConfig)
        or not isinstance(target, NetSuiteConnectionConfig)
    ):
        return
    pays = settings.payment.enabled or settings.refund.enabled
    journals = settings.journal.enabled
    clearing = _without(source, settings.payment.netsuite_payment_account) if pays else ""
    bank = _without(source, settings.journal.amazon_payment_account) if journals else ""
    owner = _without(source, settings.subsidiary) if journals and target.one_world else ""
    if clearing:
        yield Finding(
            "settings.payment.netsuite_payment_account",
            f"has no clearing account for {clearing}, which {integration.source} is paid in",
            "Add a line for each, with an account of type Bank, or take the currency from the connection.",
        )
    if bank:
        yield Finding(
            "settings.journal.amazon_payment_account",
            f"has no bank account for deposits in {bank}",
            "Add a line for each, with the account the deposit arrives in.",
        )
    if owner:
        yield Finding(
            "settings.subsidiary",
            f"has no subsidiary for {owner}, and {integration.target} is a OneWorld account",
            "Add a line for each, with the subsidiary whose books the journal belongs to.",
        )


def _without(source: AmazonConnectionConfig, accounts: Mapping[str, str]) -> str:
    return ", ".join(currency for currency in source.currencies if currency not in accounts)


KINDS = {
    "amazon_netsuite": IntegrationKind(AmazonNetSuiteSettings, check_amazon_netsuite),
    "neto_cin7": IntegrationKind(NetoCin7Settings, check_neto_cin7),
    "neto_saasu": IntegrationKind(NetoSaasuSettings, check_neto_saasu),
}
"""Kind -> declaration. A kind is named `<source system>_<target system>`."""
