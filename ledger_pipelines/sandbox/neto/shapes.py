"""Neto's shapes: every scalar a text, collections that collapse, envelopes with `Ack` and `Messages`.

Belongs here: how a value is printed. Does not belong here: which values there are. Source: neto.md 3.3, 4.1, 4.2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal

from ledger_pipelines.sandbox.codec import Document
from ledger_pipelines.sandbox.neto.settings import Settings

NULL_INSTANT, NULL_DAY = "0000-00-00 00:00:00", "0000-00-00"


def text(value: object) -> str:
    """Any scalar as text; None is blank."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "True" if value else "False"
    if isinstance(value, Decimal):
        return f"{value:f}"
    return str(value)


def money(value: object, places: int = 2) -> str:
    """An amount with fixed decimals, rounded half away from zero."""
    return f"{Decimal(str(value or 0)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP):f}"


def texts(body: Mapping[str, object]) -> Document:
    """All scalars of an object as texts, nested ones too."""
    return {name: _deep(value) for name, value in body.items()}


def _deep(value: object) -> object:
    if isinstance(value, dict):
        return texts(value)
    if isinstance(value, list):
        return [_deep(one) for one in value]
    return text(value)


def collapsed(values: Sequence[object]) -> object:
    """`""` for none, the bare object for one, a list for several."""
    return "" if not values else values[0] if len(values) == 1 else list(values)


def rows(values: Sequence[object], settings: Settings) -> object:
    """OrderLine and OrderPayment: a list, or with the switch a bare object for one."""
    return values[0] if settings.single_line_as_object and len(values) == 1 else list(values)


def inner(name: str, values: Sequence[object], settings: Settings) -> object:
    """`Categories` and its like: `[{name: x}]` or `{name: x}`, x an object for one and a list for several."""
    if not values:
        return ""
    held = {name: values[0] if len(values) == 1 else list(values)}
    return [held] if settings.outer_lists else held


def nested(name: str, values: Sequence[object]) -> object:
    """`RmaLines` and its like: `{name: object or list}`."""
    return {name: values[0] if len(values) == 1 else list(values)} if values else ""


def as_list(value: object, name: str = "") -> list[object]:
    """What a client sent as one or several: None, one, a list, or `{name: one or several}`."""
    if value in (None, "", {}, []):
        return []
    if isinstance(value, dict) and name and name in value:
        return as_list(value[name])
    if isinstance(value, list):
        return [
            part
            for one in value
            for part in (as_list(one, name) if isinstance(one, dict) and name in one else [one])
        ]
    return [value]


class Answer:
    """One answer being put together: its records, and what is to be said about it."""

    def __init__(self) -> None:
        self.body: Document = {}
        self.errors: list[str] = []
        self.warnings: list[str] = []
        self.done: list[str] = []

    def envelope(self, now: str, settings: Settings) -> Document:
        """The whole answer."""
        ack = "Error" if self.errors else "Warning" if self.warnings else "Success"
        whole = {**({} if self.errors else self.body), "CurrentTime": now, "Ack": ack}
        said: Document = {}
        if self.errors:
            said["Error"] = collapsed(
                [{"Message": m, "SeverityCode": "Error", "Description": m} for m in self.errors]
            )
        if self.warnings:
            said["Warning"] = collapsed([{"Message": m, "SeverityCode": "Warning"} for m in self.warnings])
        if self.done:
            said["Success"] = collapsed([{"Message": m} for m in self.done])
        if said:
            whole["Messages"] = (
                [{name: value} for name, value in said.items()] if settings.messages_as_list else said
            )
        return whole
