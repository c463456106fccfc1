"""Saasu: the JSON API at api.saasu.com as a local server, with double-entry books behind it. Source: saasu.md.

Belongs here: everything of that vendor. Does not belong here: the product's client.
"""

from ledger_pipelines.sandbox.saasu.vendor import SaasuVendor

__all__ = ["SaasuVendor"]
