"""Amazon's Selling Partner API as far as settlements need it: token, Reports API, document storage.

Belongs here: what Amazon does (reference amazon-settlement.md sections 14 to 16). Does not belong here: reading
settlements beyond the summary row that dates a report. Fidelity table: docs/sandbox/amazon.md.
"""

from ledger_pipelines.sandbox.amazon.vendor import AmazonVendor

__all__ = ["AmazonVendor"]
