"""Bodies of writes: what links were filled in as text goes out as the number a vendor wants.

Belongs here: what is alike for vendors whose ids are integers. Does not belong here: any vendor's fields (`systems/<vendor>`).
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from ledger_pipelines.documents.keys import Json


def number_ids(
    body: Mapping[str, Json],
    *,
    texts: AbstractSet[str] = frozenset(),
    without: AbstractSet[str] = frozenset(),
) -> dict[str, Json]:
    """The body, at every depth, with the digits in fields whose name ends with `Id` as integers.

    Args:
        body: As planned.
        texts: Fields that end with `Id` and hold text, or a map of the account's own names.
        without: Fields that are left out.
    """

    def numbered(name: str, value: Json) -> Json:
        if name in texts:
            return value
        if isinstance(value, dict):
            return number_ids(value, texts=texts, without=without)
        if isinstance(value, list):
            return [numbered("", one) for one in value]
        digits = isinstance(value, str) and value.isascii() and value.isdecimal()
        return int(str(value)) if digits and name.endswith("Id") else value

    return {name: numbered(name, value) for name, value in body.items() if name not in without}
