"""YAML as plain text with places, whatever libyaml makes of it."""

from __future__ import annotations

import pytest

from ledger_pipelines.config.document import parse
from ledger_pipelines.config.problems import Place
from ledger_pipelines.errors import ConfigurationError

WORDS = (
    "0400",
    "0.02",
    "no",
    "on",
    "1:30",
    "0o17",
    "2026-01-31",
    "1_000",
    "neto",
    "nullable",
    "~/ledger",
    "=",
    "<<",
)


@pytest.mark.parametrize("word", WORDS)
def test_a_bare_word_stays_what_was_written(word: str) -> None:
    assert parse(f"one: {word}\ntwo: [{word}]\n", "f").value == {"one": word, "two": [word]}
    assert parse(f"{word}: x\n", "f").value == {word: "x"}


@pytest.mark.parametrize("word", ["", "~", "null", "Null", "NULL", "!!null x"])
def test_only_null_is_none(word: str) -> None:
    assert parse(f"one: {word}\ntwo: '{word}'\n", "f").value == {"one": None, "two": word}
    assert parse("one: !!str\ntwo: !!str null\n", "f").value == {"one": "", "two": "null"}


def test_places_count_letters_not_bytes() -> None:
    document = parse("é: 1\nconnections: {Zürich: [a, ü, c], b: 2}\n", "f")
    assert document.place(("connections", "Zürich", 2)) == Place(2, 30)
    assert document.place(("connections", "b", "x")) == Place(2, 34)


@pytest.mark.parametrize(
    "text",
    ["a: " + "[" * 400_000, "a: " + "{b: " * 100_000, "- " * 100_000 + "a", "a: " + "[" * 51 + "]" * 51],
)
def test_too_deep_is_an_error_and_does_not_end_the_process(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"f:1:\d+: too many values, too deep"):
        parse(text, "f")
    assert parse("a: " + "[" * 40 + "]" * 40, "f").problems == []


def test_many_values_by_anchors_are_an_error() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    with pytest.raises(ConfigurationError, match="too many values"):
        parse("\n".join(lines), "f")
