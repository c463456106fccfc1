"""A connection of Cin7: its defaults, its address, what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger_pipelines_tests.unit.config.test_load import HEAD, load, said

GOOD = """
  omni:
    system: cin7
    auth: {username_env: CIN7_USER, key_env: CIN7_KEY}
    start_date: 2026-01-01
"""


def test_user_name_and_key_are_all_that_must_be_named(tmp_path: Path) -> None:
    config = load(tmp_path, HEAD + GOOD).config
    omni = config.cin7("omni")
    assert omni.variables() == ("CIN7_USER", "CIN7_KEY")
    assert (omni.calls_per_day, omni.calls_per_minute, omni.records_a_call, omni.dispatches_a_call) == (
        4000,
        60,
        50,
        1,
    )


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("    base_url: https://evil.example\n", "base_url is not Cin7's"),
        ("    sandbox: true\n", "sandbox: true needs base_url, on this machine"),
        ("    records_a_call: 251\n", "records_a_call"),
        ("    calls_per_minute: 0\n", "calls_per_minute"),
        ("    key: abc\n", "key"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(tmp_path: Path, more: str, words: str) -> None:
    [problem] = said(tmp_path, HEAD + GOOD + more)
    assert words in problem


@pytest.mark.parametrize(
    "more",
    ["    base_url: https://api.cin7.com\n", "    sandbox: true\n    base_url: http://127.0.0.1:8703\n"],
)
def test_addresses_that_may_be_called(tmp_path: Path, more: str) -> None:
    assert load(tmp_path, HEAD + GOOD + more).problems == ()


def test_a_connection_of_another_system_is_none_of_cin7(tmp_path: Path) -> None:
    config = load(tmp_path, HEAD + GOOD).config
    with pytest.raises(Exception, match="Connection omni is cin7, not saasu"):
        config.saasu("omni")
