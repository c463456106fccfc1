"""Secrets never show."""

from __future__ import annotations

import base64
import io
import json
import logging
import pickle
import threading
from pathlib import Path
from urllib.parse import quote, quote_plus

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger_pipelines.errors import ConfigurationError
from ledger_pipelines.systems.secrets import RedactingFilter, Redactor, Secret, guard_logs

CANARY = 'c4n4ry/+"ä secret value'


def test_a_secret_shows_nothing_of_itself() -> None:
    secret = Secret(CANARY, name="NS_KEY")
    for text in (repr(secret), str(secret), f"{secret}", f"{secret!r:>40}", repr([secret])):
        assert "c4n4ry" not in text
    for dump in (json.dumps, msgspec.json.encode, pickle.dumps):
        with pytest.raises(TypeError) as caught:
            dump(secret)
        assert "c4n4ry" not in str(caught.value)
    assert secret.reveal() == CANARY


def test_a_missing_variable_is_named_with_its_connection() -> None:
    with pytest.raises(ConfigurationError, match=r"'books'.*NS_KEY") as caught:
        Secret.from_env("NS_KEY", connection="books", environ={})
    assert caught.value.code == "missing-secret"
    assert Secret.from_env("NS_KEY", connection="books", environ={"NS_KEY": "v"}).reveal() == "v"


def test_a_key_file_is_read_and_a_missing_one_named(tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.write_text("PEM")
    assert Secret.from_file_env("P", connection="books", environ={"P": str(key)}).reveal() == "PEM"
    with pytest.raises(ConfigurationError, match="named by P"):
        Secret.from_file_env("P", connection="books", environ={"P": str(tmp_path / "none")})


@given(st.text(min_size=8, max_size=40), st.text(max_size=5), st.text(max_size=5))
def test_every_spelling_of_a_secret_is_masked(value: str, before: str, after: str) -> None:
    redactor = Redactor([Secret(value)])
    spellings = [value, quote(value, safe=""), quote_plus(value), json.dumps(value)[1:-1]]
    for spelling in spellings:
        assert spelling not in redactor.clean(before + spelling + after) or spelling in "***"


@given(st.binary(max_size=7), st.binary(max_size=7))
def test_base64_of_a_text_around_a_secret_is_masked(before: bytes, after: bytes) -> None:
    secret = "a-long-secret-value"
    text = base64.b64encode(before + secret.encode() + after).decode()
    cleaned = Redactor([secret]).clean(text)
    assert "***" in cleaned
    assert cleaned != text


class OneComesMeanwhile(Redactor):
    """Another thread learns a secret just when the known ones have been listed."""

    late: threading.Thread | None = None

    def spellings(self) -> tuple[str, ...]:
        found = super().spellings()
        if self.late is None:
            self.late = threading.Thread(target=self.add, args=("another secret",))
            self.late.start()
            self.late.join(0.1)
        return found


def test_a_secret_that_another_thread_adds_while_the_pattern_is_made_is_masked() -> None:
    """The pattern of the older list would have stood until the next secret was added."""
    redactor = OneComesMeanwhile([Secret(CANARY)])
    redactor._compiled()
    assert redactor.late is not None
    redactor.late.join()
    assert "another" not in redactor.clean("it is another secret")


def test_signed_addresses_are_masked_even_when_unknown() -> None:
    text = "GET https://b.s3.amazonaws.com/d?X-Amz-Credential=AKIA1&X-Amz-Signature=abc123&x=1"
    cleaned = Redactor().clean(text)
    assert "AKIA1" not in cleaned
    assert "abc123" not in cleaned
    assert cleaned.endswith("&x=1")


def test_lines_of_a_private_key_are_masked_one_by_one() -> None:
    redactor = Redactor([Secret("-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0\n-----END KEY-----\n")])
    assert "MIIEvQIBADANBgkqhkiG9w0" not in redactor.clean("key: MIIEvQIBADANBgkqhkiG9w0 !")


def test_the_log_filter_masks_messages_arguments_and_tracebacks() -> None:
    redactor = Redactor(["canary-value"])
    error = ValueError("canary-value")
    caught = (ValueError, error, None)
    record = logging.LogRecord("x", logging.ERROR, __file__, 1, "got %s", ("canary-value",), caught)
    assert RedactingFilter(redactor).filter(record)
    assert "canary-value" not in logging.Formatter().format(record)


def test_a_logger_below_or_beside_the_wire_cannot_show_a_secret_either() -> None:
    # Found by the drill: httpcore.http11 at DEBUG wrote a bearer token, a filter on its parent never saw the record.
    redactor = Redactor(["canary-value"])
    guard_logs(redactor)
    shown = io.StringIO()
    handler = logging.StreamHandler(shown)
    for name in ("httpcore.http11", "anything.else", "oauthlib.oauth1.rfc5849"):
        logger = logging.getLogger(name)
        logger.addHandler(handler)
        level = logger.level
        logger.setLevel(logging.DEBUG)
        try:
            logger.debug("headers %r", [(b"Location", b"https://x/?token=canary-value")])
            logger.debug("plain %d words", 2)
            try:
                int("canary-value")
            except ValueError:
                logger.exception("it broke with %s", "canary-value")
        finally:
            logger.removeHandler(handler)
            logger.setLevel(level)
    text = shown.getvalue()
    assert "canary-value" not in text
    assert text.count("plain 2 words") == 2
    assert "Traceback" in text


def test_a_record_made_without_a_name_does_not_break_the_guard() -> None:
    # Found by the drill: Dagster makes records by logging.makeLogRecord, which begins with nothing but a level.
    guard_logs(Redactor(["canary-value"]))
    assert logging.makeLogRecord({"name": "dagster", "msg": "plain"}).getMessage() == "plain"


class Counting(Redactor):
    """Counts the texts it was given."""

    given = 0

    def clean(self, text: str) -> str:
        Counting.given += 1
        return super().clean(text)


def test_a_record_without_secrets_is_not_cleaned_by_each_of_many_redactors() -> None:
    """A Dagster run makes redactors for each asset; every record at DEBUG went through all of them, a fifth of the run's CPU."""
    kept = [Counting(["canary-value"]) for _ in range(20)]
    for redactor in kept:
        guard_logs(redactor)
    Counting.given = 0
    assert logging.makeLogRecord({}).getMessage() == ""
    made = logging.getLogRecordFactory()("any", logging.INFO, __file__, 1, "plain words", (), None)
    assert made.getMessage() == "plain words"
    assert Counting.given == 0
    told = logging.getLogRecordFactory()("any", logging.INFO, __file__, 1, "a canary-value", (), None)
    assert told.getMessage() == "a ***"


def test_what_a_redactor_learns_between_two_records_is_masked_in_the_second() -> None:
    redactor = Redactor(["canary-value"])
    guard_logs(redactor)
    make = logging.getLogRecordFactory()
    assert (
        make("any", logging.INFO, __file__, 1, "token-of-an-hour", (), None).getMessage()
        == "token-of-an-hour"
    )
    redactor.add("token-of-an-hour")
    assert make("any", logging.INFO, __file__, 1, "token-of-an-hour", (), None).getMessage() == "***"
    other = Redactor(["of another connection"])
    assert "another" in make("any", logging.INFO, __file__, 1, "of another connection", (), None).getMessage()
    guard_logs(other)
    assert (
        "another"
        not in make("any", logging.INFO, __file__, 1, "of another connection", (), None).getMessage()
    )


def test_the_signature_of_a_header_is_masked() -> None:
    cleaned = Redactor().clean('OAuth realm="1", oauth_signature="abc%2Fdef%3D", oauth_version="1.0"')
    assert "abc" not in cleaned
    assert 'oauth_version="1.0"' in cleaned
