"""Neto (Maropost Commerce): the store API as a local server with a shop behind it. Source: neto.md.

Belongs here: everything of that vendor. Does not belong here: the product's client.
"""

from ledger_pipelines.sandbox.neto.vendor import NetoVendor

__all__ = ["NetoVendor"]
