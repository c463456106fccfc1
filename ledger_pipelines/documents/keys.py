"""Deterministic keys, canonical bodies, names safe for files and external ids.

Belongs here: anything that must come out the same after a lost journal. Does not belong here: random ids.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache
from typing import TypeAlias

import msgspec

Json: TypeAlias = "bool | int | str | Decimal | list[Json] | dict[str, Json] | None"
"""A JSON value whose fractions are Decimals, never floats."""

_ENCODER = msgspec.json.Encoder(order="sorted", decimal_format="number")
_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_PAIRS = [one + other for one in _LETTERS for other in _LETTERS]
KEY_LENGTH = 20


def canonical(value: Json) -> str:
    """One spelling per value: sorted names, no blanks, exact decimals as JSON numbers."""
    return _ENCODER.encode(value).decode()


def decode(text: str | bytes) -> Json:
    """Read JSON with every fraction as a Decimal. Raises msgspec.DecodeError, whatever is wrong with it."""
    try:
        value: Json = _DECODER.decode(text)
    except UnicodeDecodeError:
        raise msgspec.DecodeError("JSON is malformed: it is not UTF-8") from None
    except RecursionError:
        raise msgspec.DecodeError("JSON is nested too deep") from None
    except ArithmeticError:
        raise msgspec.DecodeError("JSON is malformed: a number is beyond all bounds") from None
    return value


def digest(*parts: str | bytes) -> str:
    """SHA-256 over length-prefixed parts, hexadecimal: ("ab","c") and ("a","bc") differ."""
    return hashlib.sha256(_framed(*parts)).hexdigest()


def _framed(*parts: str | bytes) -> bytes:
    raws = [part.encode() if isinstance(part, str) else part for part in parts]
    return b"".join([b"%d:%b" % (len(raw), raw) for raw in raws])


@lru_cache(maxsize=1_024)
def _begun(*parts: str) -> hashlib._Hash:
    """The hash of the parts before those that differ from effect to effect; to be copied."""
    return hashlib.sha256(_framed(*parts))


@lru_cache(maxsize=262_144)
def effect_key(
    *,
    connection: str,
    account: str,
    kind: str,
    source_system: str,
    source_id: str,
    purpose: str,
    revision: int = 0,
) -> str:
    """The identity of one intended effect (reliability.md 1.2): the first 100 bits of a hash in base 32,
    20 characters of A-Z and 2-7.

    Deterministic, so a lost journal regenerates the same keys; safe in every external-id field
    (NetSuite allows letters, digits, `_` and `-`; a `|` breaks parsing, netsuite.md 1).
    """
    hashed = _begun(connection, account, kind, source_system).copy()
    hashed.update(_framed(source_id, purpose, str(revision)))
    bits = int.from_bytes(hashed.digest()[:13], "big") >> 4
    return "".join([_PAIRS[bits >> place & 1023] for place in range(90, -1, -10)])


def external_id(*parts: str) -> str:
    """Join parts with `-`, every other character than letters, digits, `_`, `-` replaced by `_`."""
    return _UNSAFE.sub("_", "-".join([part for part in parts if part]))


def rows_digest(rows: Iterable[str]) -> str:
    """Digest of an ordered sequence of canonical rows."""
    state = hashlib.sha256()
    for row in rows:
        raw = row.encode()
        state.update(b"%d:%b" % (len(raw), raw))
    return state.hexdigest()
