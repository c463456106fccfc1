"""Exact JSON and money text: decoding without floats, canonical decimal text, rounding to a currency's precision.

Belongs here: conversions between Python values, JSON bytes and the text kept in SQLite.
Does not belong here: what a field means (schema) or how a record looks on the wire (representation).
Source: netsuite.md 9.3 (half-up rounding to the currency's precision, no binary noise in JSON numbers).
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

import msgspec

Document = dict[str, Any]
"""A JSON object: the body of a record as the vendor's API carries it. Its keys are given by a `RecordType`."""

ZERO = Decimal(0)

_decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(float_hook=Decimal)
_wire = msgspec.json.Encoder(decimal_format="number")
_kept = msgspec.json.Encoder(decimal_format="string")


class MalformedJsonError(ValueError):
    """The text is not JSON."""


def loads(raw: bytes | str) -> Any:
    """Decode JSON with every fractional number as an exact `Decimal`. Raises `MalformedJsonError`."""
    try:
        return _decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, InvalidOperation) as error:
        raise MalformedJsonError(str(error)) from error


def dumps(value: Any) -> bytes:
    """Encode for the wire: a `Decimal` becomes a JSON number with exactly its own digits."""
    return _wire.encode(value)


def keep(value: Any) -> str:
    """Encode for the state file: a `Decimal` becomes a string, so that SQLite never reads it as a float."""
    return _kept.encode(value).decode()


def plain(value: Decimal) -> str:
    """Canonical text of a number: no exponent, no trailing zeros, no minus zero (`144.1`, `100`, `0`)."""
    if not value:
        return "0"
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def number(value: object) -> Decimal:
    """Read a kept number (string, int or `Decimal`); None counts as zero."""
    if value is None:
        return ZERO
    return value if isinstance(value, Decimal) else Decimal(str(value))


def rounded(value: Decimal, precision: int) -> Decimal:
    """Round half up to `precision` decimal places (the currency's `currencyPrecision`)."""
    return value.quantize(Decimal(1).scaleb(-precision), rounding=ROUND_HALF_UP)
