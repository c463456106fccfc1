"""What a product made in a Neto store from elsewhere must be: its SKU and its name.

Belongs here: the store's own rules, whichever system the product comes from. Does not belong here: which products are made (the flows),
how the store is written to (`systems.neto.writer`). Facts: neto.md 4.1, 6.3.
"""

from __future__ import annotations

import re
from typing import Final

from ledger_pipelines.documents.keys import Json
from ledger_pipelines.sync.plan import Reason

LONGEST_SKU: Final = 24
LONGEST_NAME: Final = 150
_SKU: Final = re.compile(rf"[A-Za-z0-9._-]{{1,{LONGEST_SKU}}}", re.ASCII)


def legal_sku(code: str) -> bool:
    """Whether a code can be a SKU as it is."""
    return _SKU.fullmatch(code) is not None


def illegal_sku(code: str, system: str) -> Reason:
    """Why a code of another system cannot be one."""
    why = "a SKU has letters, digits, dash, underscore and full stop only"
    if len(code) > LONGEST_SKU:
        why = f"it has {len(code)} characters, and a SKU has {LONGEST_SKU} at most"
    return Reason(
        "illegal-sku",
        f"The code {code!r} of {system} cannot be a SKU: {why}.",
        f"Change the code in {system}, or make the product in the store by hand and leave the item out.",
    )


def name_fields(name: str, code: str, whole: str) -> dict[str, Json]:
    """Name of a product: one longer than the store takes is cut, and kept whole as description."""
    told = " ".join(name.split()) or code
    fields: dict[str, Json] = {"Name": told[:LONGEST_NAME].rstrip()}
    if len(told) > LONGEST_NAME:
        fields["Description"] = whole
    return fields
