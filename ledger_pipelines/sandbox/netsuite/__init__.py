"""NetSuite: SuiteTalk REST records, SuiteQL and real books, as one local server.

Belongs here: everything of the emulated account. Written from the reference (docs/sandbox/netsuite.md has the
fidelity table); knows nothing of any client.
"""

from ledger_pipelines.sandbox.netsuite.records.custom import FieldDefinition, ListDefinition, RecordDefinition
from ledger_pipelines.sandbox.netsuite.vendor import NetSuiteVendor

__all__ = ["FieldDefinition", "ListDefinition", "NetSuiteVendor", "RecordDefinition"]
