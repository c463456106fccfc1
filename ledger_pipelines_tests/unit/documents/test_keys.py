"""Keys come out the same after a lost journal, and fit every external-id field."""

from __future__ import annotations

import re
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger_pipelines.documents.keys import canonical, decode, digest, effect_key, external_id

PARTS = {
    "connection": "netsuite", "account": "9123456", "kind": "customerPayment", "source_system": "amazon",
    "source_id": "1/Order|111", "purpose": "payment",
}  # fmt: skip


def test_a_key_is_the_same_in_every_process() -> None:
    assert effect_key(**PARTS) == effect_key(**PARTS) == "JYNG2M2HPTTJQJKJERZ6"  # type: ignore[arg-type]


@given(st.sampled_from(sorted(PARTS)), st.text(min_size=1, max_size=30))
def test_every_part_makes_another_key_of_safe_characters(part: str, value: str) -> None:
    other = effect_key(**{**PARTS, part: value})  # type: ignore[arg-type]
    assert re.fullmatch(r"[A-Z2-7]{20}", other)
    assert (other == effect_key(**PARTS)) is (value == PARTS[part])  # type: ignore[arg-type]


def test_a_revision_is_another_effect() -> None:
    assert effect_key(**PARTS, revision=1) != effect_key(**PARTS)  # type: ignore[arg-type]


def test_parts_do_not_run_into_each_other() -> None:
    assert digest("ab", "c") != digest("a", "bc")


def test_external_ids_keep_only_what_netsuite_can_parse() -> None:
    assert external_id("AZS", "1|2/3 4", "P") == "AZS-1_2_3_4-P"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8)
    | st.decimals(min_value=-10**9, max_value=10**9, places=2, allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)  # fmt: skip


@given(st.dictionaries(st.text(max_size=5), json_values, max_size=4))
def test_canonical_json_is_read_back_exactly_and_has_one_spelling(value: dict[str, object]) -> None:
    text = canonical(value)  # type: ignore[arg-type]
    assert canonical(decode(text)) == text
    assert canonical(dict(reversed(list(value.items())))) == text  # type: ignore[arg-type]


def test_fractions_are_decimals_and_never_floats() -> None:
    assert decode('{"a": 90071992547409.93}') == {"a": Decimal("90071992547409.93")}


@pytest.mark.parametrize(
    "text",
    [b"[" * 100_000, b'"caf\xe9"', b'"\xed\xa0\x80"', b"1e99999999999999999999", b'"\\ud800"', b"9" * 5_000],
    ids=["nested", "Latin-1", "raw surrogate", "endless exponent", "lone surrogate", "5,000 digits"],
)
def test_whatever_is_wrong_with_json_is_one_error_and_no_traceback(text: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode(text)
