"""The kinds of integration there are: what reading ledger.yaml needs to know of each.

Belongs here: per kind its settings model and its cross-check against the two connections. Does not belong here: what
an integration does. One line a kind; the layers above hand `KINDS` to `config.load.load_config`.
"""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel

from ledger_pipelines.config.connections import AmazonConnectionConfig, NetSuiteConnectionConfig
from ledger_pipelines.config.models import Finding, IntegrationConfig, IntegrationKind, Mode
from ledger_pipelines.integrations.amazon_netsuite.settings import AmazonNetSuiteSettings


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
    for currency in source.currencies:
        if (settings.payment.enabled or settings.refund.enabled) and (
            currency not in settings.payment.netsuite_payment_account
        ):
            yield Finding(
                "settings.payment.netsuite_payment_account",
                f"has no clearing account for {currency}, which {integration.source} is paid in",
                f"Add {currency}: and a bank account of that currency, or take {currency} from the connection.",
            )
        if settings.journal.enabled and currency not in settings.journal.amazon_payment_account:
            yield Finding(
                "settings.journal.amazon_payment_account",
                f"has no bank account for deposits in {currency}",
                f"Add {currency}: and the account the deposit arrives in.",
            )
        if settings.journal.enabled and target.one_world and currency not in settings.subsidiary:
            yield Finding(
                "settings.subsidiary",
                f"has no subsidiary for {currency}, and {integration.target} is a OneWorld account",
                f"Add {currency}: and the subsidiary whose books the journal belongs to.",
            )


KINDS = {"amazon_netsuite": IntegrationKind(AmazonNetSuiteSettings, check_amazon_netsuite)}
"""Kind -> declaration. A kind is named `<source system>_<target system>`."""
