"""Cin7 Omni: the REST API as a local server with stock, orders and payments behind it. Source: cin7-omni.md.

Belongs here: everything of that vendor. Does not belong here: the product's client.
"""

from ledger_pipelines.sandbox.cin7.vendor import Cin7Vendor

__all__ = ["Cin7Vendor"]
