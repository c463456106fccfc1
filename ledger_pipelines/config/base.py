"""The base of all configuration models, and the kinds of word that may stand in a field.

Belongs here: names, environment-variable names, addresses, cron text. Does not belong here: any vendor's fields.
"""

from __future__ import annotations

import ipaddress
import re
from functools import cache
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from ledger_pipelines.config.descriptions import describe_schema

_ENV_NAME = re.compile(r"[A-Z][A-Z0-9_]{1,63}", re.ASCII)
_SLUG = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)
_CRON_FIELD = r"(\*|\d{1,2}(-\d{1,2})?)(/\d{1,2})?"
_CRON = re.compile(rf"{_CRON_FIELD}(,{_CRON_FIELD})*", re.ASCII)
_CRON_WORDS = re.compile(r"(?i)(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|sun|mon|tue|wed|thu|fri|sat)")


class Model(BaseModel):
    """Frozen; a word that is no setting is an error; every field is described by the text below it."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, json_schema_extra=describe_schema
    )


def _environment_name(value: str) -> str:
    letters = value.replace("_", "")
    digits = sum(character.isdigit() for character in letters)
    keylike = len(letters) >= 24 and "_" not in value and digits >= 4
    if not _ENV_NAME.fullmatch(value) or keylike:
        # The value itself is never repeated: it may be the secret.
        raise ValueError(
            "this looks like the secret itself, or is no name of an environment variable; write the variable's "
            "name here (capitals, digits and _, like LEDGER_NETSUITE_CLIENT_ID) and set the value in the environment"
        )
    return value


def _slug(value: str) -> str:
    if not _SLUG.fullmatch(value):
        raise ValueError(
            "a name starts with a lower-case letter and goes on with a-z, 0-9 and _, at most 40 in all"
        )
    return value


def is_this_machine(host: str) -> bool:
    """Whether a host is the loopback address: where a sandbox may be, and plain http may go."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("an address begins with https:// (or http:// for the sandbox) and names a host")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("an address holds no user, password, query or fragment")
    if parts.scheme == "http" and not is_this_machine(parts.hostname):
        raise ValueError("http:// is for the sandbox on this machine only; use https://")
    return value.rstrip("/")


def on_this_machine(address: str | None) -> bool:
    """Whether an address is the loopback's."""
    return address is not None and is_this_machine(urlsplit(address).hostname or "")


@cache
def _zones() -> frozenset[str]:
    """Finding them all takes a file system walk; a file names several zones."""
    return frozenset(available_timezones())


def _time_zone(value: str) -> str:
    if value not in _zones():
        raise ValueError("a time zone is an IANA name, like America/New_York or UTC")
    return value


def _cron(value: str) -> str:
    fields = _CRON_WORDS.sub("1", value).split()
    if len(fields) != 5 or not all(_CRON.fullmatch(field) for field in fields):
        raise ValueError("a schedule has five cron fields: minute hour day month weekday, like '15 6 * * *'")
    return " ".join(value.split())


def _currency(value: str) -> str:
    if not re.fullmatch(r"[A-Z]{3}", value, re.ASCII):
        raise ValueError("a currency is its three-letter ISO 4217 code, like USD")
    return value


EnvName = Annotated[
    str,
    AfterValidator(_environment_name),
    WithJsonSchema({"type": "string", "pattern": "^[A-Z][A-Z0-9_]{1,63}$"}),
]
"""Name of the environment variable that holds a secret; never the secret."""

Slug = Annotated[
    str, AfterValidator(_slug), WithJsonSchema({"type": "string", "pattern": "^[a-z][a-z0-9_]{0,39}$"})
]
"""Name of a connection or an integration: part of asset keys and folder names."""

Address = Annotated[str, AfterValidator(_address), WithJsonSchema({"type": "string", "format": "uri"})]
"""Base address of an API."""

Cron = Annotated[str, AfterValidator(_cron), WithJsonSchema({"type": "string"})]
"""Five cron fields, in the books' time zone."""

Currency = Annotated[
    str, AfterValidator(_currency), WithJsonSchema({"type": "string", "pattern": "^[A-Z]{3}$"})
]
"""ISO 4217 code."""

TimeZoneName = Annotated[str, AfterValidator(_time_zone), WithJsonSchema({"type": "string"})]
"""IANA time zone name."""

Days = Annotated[int, Field(ge=0, le=3660)]
