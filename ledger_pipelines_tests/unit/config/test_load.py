"""Tables of documents: what each gives, with the exact line, column and words."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from ledger_pipelines.config.load import LoadedConfig, UnusableConfigurationError, config_path, load_config
from ledger_pipelines.documents.effects import Mode
from ledger_pipelines.errors import ConfigurationError
from ledger_pipelines.integrations.amazon_netsuite.settings import AmazonNetSuiteSettings
from ledger_pipelines.integrations.kinds import KINDS

AMAZON = """
  shop:
    system: amazon
    seller: Acme
    region: na
    currencies: [USD]
    start_date: 2026-01-01
    drop: {path: drop}
"""
NETSUITE = """
  books:
    system: netsuite
    account: 9123456_SB2
    start_date: 2026-01-01
    auth: {client_id_env: NS_CLIENT, certificate_id_env: NS_CERT, private_key_env: NS_PEM}
"""
LINK = """
integrations:
  settlements:
    kind: amazon_netsuite
    source: shop
    target: books
"""
HEAD = "books: {time_zone: UTC}\nconnections:"
GOOD = HEAD + AMAZON + NETSUITE + LINK


def load(tmp_path: Path, text: str) -> LoadedConfig:
    file = tmp_path / "ledger.yaml"
    file.write_text(text, encoding="utf-8")
    return load_config(file, KINDS)


def said(tmp_path: Path, text: str) -> list[str]:
    """Problems as `line:column field: words`, or of a file that is unusable."""
    try:
        problems = load(tmp_path, text).problems
    except UnusableConfigurationError as error:
        problems = error.problems
    return [
        str(problem).removeprefix(f"{tmp_path / 'ledger.yaml'}:").replace(": ", " ", 1)
        for problem in problems
    ]


def test_a_good_file_gives_typed_choices_with_their_defaults(tmp_path: Path) -> None:
    loaded = load(tmp_path, GOOD + "    settings: {general: {tolerance_per_settlement: 0.10}}\n")
    assert loaded.left_out == ()
    integration = loaded.config.integration("settlements")
    settings = integration.settings_as(AmazonNetSuiteSettings)
    assert integration.mode is Mode.PLAN
    assert settings.general.tolerance_per_settlement == Decimal("0.10")
    assert str(settings.general.tolerance_per_settlement) == "0.10"
    netsuite = loaded.config.netsuite("books")
    assert (netsuite.realm, netsuite.url) == ("9123456_SB2", "https://9123456-sb2.suitetalk.api.netsuite.com")
    assert netsuite.start_date == date(2026, 1, 1)
    assert (netsuite.workers, netsuite.settle_window_seconds) == (2, 960)


def test_relative_places_are_relative_to_the_file(tmp_path: Path) -> None:
    config = load(tmp_path, GOOD).config
    drop = config.amazon("shop").drop
    assert drop is not None
    assert drop.path == str(tmp_path / "drop")
    assert config.data_folder == tmp_path / ".ledger"
    assert config.journal_address({}) == f"sqlite:///{tmp_path}/.ledger/journal.sqlite"


def test_an_account_number_keeps_its_leading_zeros(tmp_path: Path) -> None:
    text = (
        GOOD
        + "    settings: {journal: {carried_forward_account: 0400, transaction_fee_accounts: {Storage: 6030}}}\n"
    )
    settings = load(tmp_path, text).config.integration("settlements").settings_as(AmazonNetSuiteSettings)
    assert settings.journal.carried_forward_account == "0400"
    assert settings.journal.transaction_fee_accounts == {"Storage": "6030"}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param(
            ("region: na", "region: us"),
            ["6:5 connections.shop.region: cannot be 'us'. Allowed: na, eu, fe."],
            id="a word outside a set",
        ),
        pytest.param(
            ("seller: Acme", "seler: Acme"),
            [
                (
                    "5:5 connections.shop.seler: is no setting here. Did you mean seller? Allowed: system, seller, region, "
                    "currencies, slash_dates, sandbox, base_url, token_url, drop, ca_bundle, proxy, api, start_date."
                ),
                (
                    "3:3 connections.shop.seller: is required and not there. "
                    "What you call the seller account; it is written on the settlement records."
                ),
            ],
            id="a misspelt field",
        ),
        pytest.param(
            ("start_date: 2026-01-01\n    drop", "start_date: 1.2.2026\n    drop"),
            [
                (
                    "8:5 connections.shop.start_date: must be a date, not '1.2.2026'. "
                    "Write it as year-month-day, like 2026-01-31."
                )
            ],
            id="a date in another style",
        ),
        pytest.param(
            ("{path: drop}", "{path: drop, max_bytes: big}"),
            ["9:24 connections.shop.drop.max_bytes: must be a whole number, not 'big'."],
            id="a word for a number",
        ),
        pytest.param(
            ("{path: drop}", "{path: drop, poll_seconds: 1}"),
            ["9:24 connections.shop.drop.poll_seconds: must be at least 5, not '1'."],
            id="a number out of bounds",
        ),
        pytest.param(
            ("[USD]", "[USD, euro]"),
            ["7:23 connections.shop.currencies[1]: a currency is its three-letter ISO 4217 code, like USD."],
            id="an entry of a list",
        ),
        pytest.param(
            ("[USD]", "USD"),
            [
                (
                    "7:5 connections.shop.currencies: must be a list, not 'USD'. "
                    "Write [one, two], or one `- entry` a line."
                )
            ],
            id="one word for a list",
        ),
        pytest.param(
            ("    drop: {path: drop}\n", ""),
            ["3:3 connections.shop: nothing would ever arrive: give a drop folder, api, or both."],
            id="no way in",
        ),
        pytest.param(
            ("account: 9123456_SB2", "account: https://x"),
            [
                (
                    "13:5 connections.books.account: does not look right, not 'https://x'. "
                    "It has the form ^[A-Za-z0-9]+([_-][A-Za-z0-9]+)?$."
                )
            ],
            id="a pattern",
        ),
        pytest.param(
            ("account: 9123456_SB2", "account: 9123456_SB2\n    base_url: https://evil.example"),
            [
                (
                    "11:3 connections.books: base_url is not an address of NetSuite "
                    "(https://....suitetalk.api.netsuite.com); leave it out for a real account, or set sandbox: true for "
                    "the sandbox."
                )
            ],
            id="credentials to a stranger",
        ),
        pytest.param(
            (
                "account: 9123456_SB2",
                "account: 9123456_SB2\n    sandbox: true\n    base_url: http://10.1.2.3",
            ),
            [
                "15:5 connections.books.base_url: http:// is for the sandbox on this machine only; use https://."
            ],
            id="plain http to another machine",
        ),
        pytest.param(
            (
                "account: 9123456_SB2",
                "account: 9123456_SB2\n    sandbox: true\n    base_url: https://evil.example",
            ),
            [
                (
                    "11:3 connections.books: sandbox: true needs base_url, on this machine, "
                    "like http://127.0.0.1:8706."
                )
            ],
            id="a sandbox elsewhere",
        ),
        pytest.param(
            ("{client_id_env", "{method: oauth, client_id_env"),
            ["15:5 connections.books.auth: method cannot be 'oauth'. Allowed: m2m, tba."],
            id="a tag of a union",
        ),
        pytest.param(
            (", private_key_env: NS_PEM", ""),
            ["15:5 connections.books.auth: give exactly one of private_key_env and private_key_file_env."],
            id="no key",
        ),
    ],
)
def test_a_problem_names_line_column_field_and_what_would_be_right(
    tmp_path: Path, change: tuple[str, str], expected: list[str]
) -> None:
    assert change[0] in GOOD
    # The integration says in its turn that it waits for the connection; that is another test.
    found = [line for line in said(tmp_path, GOOD.replace(*change)) if " connections." in line]
    assert sorted(found) == sorted(expected)


def test_no_value_that_might_be_a_secret_is_ever_repeated(tmp_path: Path) -> None:
    secret = "3f9c0aE1b7d24c55a9f0e6d8c1b2a394"
    text = GOOD.replace("NS_CLIENT", secret).replace("private_key_env: NS_PEM", f"client_secret: {secret}")
    found = said(tmp_path, text)
    assert not [line for line in found if secret in line]
    assert found[0].startswith(
        "15:12 connections.books.auth.client_id_env: this looks like the secret itself, or is no name of an "
        "environment variable; write the variable's name here"
    )


def test_capital_hex_is_not_taken_for_a_variable_name(tmp_path: Path) -> None:
    found = said(tmp_path, GOOD.replace("NS_CLIENT", "A" * 20 + "0123456789ABCDEF"))
    assert "looks like the secret itself" in found[0]
    assert "0123456789ABCDEF" not in "".join(found)


def test_one_bad_connection_is_left_out_with_what_depends_on_it_and_the_others_work(tmp_path: Path) -> None:
    second = AMAZON.replace("shop:", "shop_uk:").replace("region: na", "region: mars")
    text = (
        HEAD
        + AMAZON
        + second
        + NETSUITE
        + LINK
        + LINK.replace("settlements", "uk")
        .replace("source: shop", "source: shop_uk")
        .replace("\nintegrations:\n", "")
    )
    loaded = load(tmp_path, text)
    assert list(loaded.config.connections) == ["shop", "books"]
    assert list(loaded.config.integrations) == ["settlements"]
    assert [(one.section, one.name) for one in loaded.left_out] == [
        ("connections", "shop_uk"),
        ("integrations", "uk"),
    ]
    assert str(loaded.left_out[1].problems[0]).endswith(
        "integrations.uk.source: the connection shop_uk is left out because of its own problems (line 11). "
        "Correct the connection."
    )


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            ("source: shop", "source: shp"),
            "20:5 integrations.settlements.source: there is no connection 'shp'. Did you mean shop? Allowed: shop.",
        ),
        (
            ("target: books", "target: shop"),
            "21:5 integrations.settlements.target: shop is a amazon connection, not netsuite. Allowed: books.",
        ),
        (
            ("kind: amazon_netsuite", "kind: amazon_netsuit"),
            (
                "19:5 integrations.settlements.kind: cannot be 'amazon_netsuit'. "
                "Did you mean amazon_netsuite? Allowed: amazon_netsuite, neto_cin7, neto_saasu."
            ),
        ),
        (
            ("target: books", "target: books\n    mode: Live"),
            "22:5 integrations.settlements.mode: cannot be 'Live'. Did you mean live? Allowed: plan, test, live.",
        ),
        (
            ("target: books", "target: books\n    mode: test"),
            "18:3 integrations.settlements.settings.general.amazon_order_ids: names no order, and mode is test. ",
        ),
        (
            ("target: books", "target: books\n    mode: live"),
            (
                "integrations.settlements.settings.payment.netsuite_payment_account: has no clearing account for USD, "
                "which shop is paid in."
            ),
        ),
        (
            ("target: books", "target: books\n    schedule: every day"),
            "22:5 integrations.settlements.schedule: a schedule has five cron fields",
        ),
        (
            ("target: books", "target: books\n    settings: {general: {tolerance: 1}}"),
            "22:26 integrations.settlements.settings.general.tolerance: is no setting here. ",
        ),
        (
            ("target: books", "target: books\n    settings: {general: {enable_test_mode: maybe}}"),
            "22:26 integrations.settlements.settings.general.enable_test_mode: must be true or false, not 'maybe'.",
        ),
        (("settlements:", "shop:"), "18:3 integrations.shop: is the name of a connection too."),
        (
            ("settlements:", "Settle-ments:"),
            "18:3 integrations.Settle-ments: a name starts with a lower-case letter",
        ),
    ],
)
def test_an_integration_is_checked_against_its_connections(
    tmp_path: Path, change: tuple[str, str], expected: str
) -> None:
    assert change[0] in LINK
    text = HEAD + AMAZON + NETSUITE + LINK.replace(*change)
    found = said(tmp_path, text)
    assert any(expected in line for line in found), found
    loaded = load(tmp_path, text)
    assert not loaded.config.integrations
    assert list(loaded.config.connections) == ["shop", "books"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "is empty"),
        ("# nothing\n", "is empty"),
        ("a: 1\n---\nb: 2\n", "holds several documents"),
        ("- a\n", "must be a list of `field: value` lines"),
        ("books: {time_zone: UTC\n", ":2:1: not YAML"),
        ("books:\n\ttime_zone: UTC\n", ":2:1: not YAML"),
        ("connections: {}\n", "books: is required and not there. The books that everything ends in."),
        ("books: {time_zone: UTC}\nconections: {}\n", ":2:1: conections: is no setting here. Did you mean connections?"),
        ("books: {time_zone: Mars/Base}\n", ":1:9: books.time_zone: a time zone is an IANA name"),
        ("books: {time_zone: UTC}\nbooks: {time_zone: UTC}\n", (":2:1: books: stands here for the second time; "
         "the first is in line 1. Keep one of the two.")),
        ("books: !!python/object/apply:os.system [echo]\n", ("the tag tag:yaml.org,2002:python/object/apply:os.system "
         "is not allowed")),
        ("books: {time_zone: UTC}\nconnections: [a]\n", ":2:1: connections: must hold names with fields below them"),
        ("books: &a {time_zone: *a}\n", "a value inside itself"),
        ("books: {time_zone: UTC}\njournal_url: postgresql://me:pw@db/x\n",
         ":2:1: journal_url: a password does not belong in this file"),
        ("books: {time_zone: UTC}\ndata_dir: s3://bucket/x\n", "the journal needs journal_url_env"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used_at_all_says_why(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, text)
    assert expected in str(caught.value)
    assert "pw@" not in str(caught.value)


def test_bytes_that_are_no_text_are_named_by_line(tmp_path: Path) -> None:
    file = tmp_path / "ledger.yaml"
    file.write_bytes(b"books:\n  time_zone: UTC # \xe9t\xe9\n")
    with pytest.raises(ConfigurationError, match=r"ledger.yaml:2: not UTF-8"):
        load_config(file, KINDS)


def test_an_absent_file_says_where_it_is_looked_for(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="LEDGER_CONFIG") as caught:
        load_config(tmp_path / "none.yaml", KINDS)
    assert caught.value.code == "no-configuration"
    assert config_path({}) == Path("ledger.yaml")
    assert config_path({"LEDGER_CONFIG": "/etc/x.yaml"}) == Path("/etc/x.yaml")


def test_the_journal_may_be_named_by_a_variable(tmp_path: Path) -> None:
    config = load(tmp_path, GOOD + "journal_url_env: LEDGER_JOURNAL\n").config
    assert config.journal_address({"LEDGER_JOURNAL": "postgresql://x"}) == "postgresql://x"
    with pytest.raises(ConfigurationError, match="LEDGER_JOURNAL"):
        config.journal_address({})
