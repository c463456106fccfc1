"""The answers of all vendors, in one corpus.

Belongs here: the list. Does not belong here: any item.
"""

from __future__ import annotations

from collections.abc import Mapping

from ledger_pipelines_tests.faults.drills import (
    malformed_bodies_cin7,
    malformed_bodies_cin7_writes,
    malformed_bodies_neto,
    malformed_bodies_netsuite,
    malformed_bodies_netsuite_writes,
    malformed_bodies_saasu,
    malformed_bodies_saasu_writes,
)
from ledger_pipelines_tests.faults.drills.malformed_bodies import BodyItem, named

_CORPORA = (
    malformed_bodies_netsuite.corpus,
    malformed_bodies_netsuite_writes.corpus,
    malformed_bodies_neto.corpus,
    malformed_bodies_saasu.corpus,
    malformed_bodies_saasu_writes.corpus,
    malformed_bodies_cin7.corpus,
    malformed_bodies_cin7_writes.corpus,
)


def bodies() -> Mapping[str, BodyItem]:
    """By name."""
    return named(item for corpus in _CORPORA for item in corpus())
