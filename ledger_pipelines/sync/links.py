"""Links between effects: what must be confirmed first, and filling in the target's ids just before sending.

Belongs here: finding and resolving `{"$link": key}` in bodies and `$link:key` in origins and target ids.
Does not belong here: the table of links (`storage.journal`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from ledger_pipelines.documents.effects import LINK, Effect, Prepared
from ledger_pipelines.documents.keys import Json, canonical, decode
from ledger_pipelines.errors import DataError

_IN_TEXT = re.compile(re.escape(LINK) + r":([A-Za-z0-9_-]+)")


def needs(effect: Effect) -> tuple[str, ...]:
    """Keys that must be confirmed before this one can be sent: named, or linked to. Its own key never counts."""
    keys = dict.fromkeys(effect.depends_on)
    for text in (effect.origin, effect.target_id):
        keys.update(dict.fromkeys(_IN_TEXT.findall(text)))
    if f'"{LINK}"' in effect.body:
        keys.update(dict.fromkeys(_linked(decode(effect.body))))
    keys.pop(effect.key, None)
    return tuple(keys)


def prepare(effect: Effect, ids: Mapping[str, str], attempt: int = 0) -> Prepared:
    """The effect with its links filled in.

    Raises:
        DataError: the body is not a JSON object, or a link has no id yet.
    """
    body = _filled(decode(effect.body), ids)
    if not isinstance(body, dict):
        raise DataError(f"The request for {effect.number} is not a JSON object.", code="unreadable-body")
    return Prepared(effect, body, _text(effect.origin, ids), _text(effect.target_id, ids), attempt)


def resolved(effect: Effect, ids: Mapping[str, str]) -> Effect:
    """The same effect with links filled in where their ids are known."""
    known = {key: ids.get(key) or f"{LINK}:{key}" for key in needs(effect)}
    if not known:
        return effect
    ready = all(ids.get(key) for key in known)
    body = canonical(_filled(decode(effect.body), ids)) if ready else effect.body
    return replace(
        effect,
        body=body,
        origin=_text(effect.origin, known),
        target_id=_text(effect.target_id, known),
    )


def _linked(value: Json) -> Iterator[str]:
    if isinstance(value, dict):
        link = value.get(LINK)
        if isinstance(link, str) and len(value) == 1:
            yield link
            return
        for item in value.values():
            yield from _linked(item)
    elif isinstance(value, list):
        for item in value:
            yield from _linked(item)


def _filled(value: Json, ids: Mapping[str, str]) -> Json:
    if isinstance(value, dict):
        link = value.get(LINK)
        if isinstance(link, str) and len(value) == 1:
            return _id(link, ids)
        return {name: _filled(item, ids) for name, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, ids) for item in value]
    return value


def _text(text: str, ids: Mapping[str, str]) -> str:
    return _IN_TEXT.sub(lambda match: _id(match.group(1), ids), text)


def _id(key: str, ids: Mapping[str, str]) -> str:
    found = ids.get(key)
    if not found:
        raise DataError(f"The record {key} is linked to has no id in the target yet.", code="link-unresolved")
    return found
