"""What the user chose: typed models of ledger.yaml, cross-checked in one place; errors with file, line and remedy.

Belongs here: the models of connections and integrations, reading the file, secrets by environment-variable name.
Does not belong here: settings of one integration (`integrations/<name>/settings.py`), anything that calls out.
"""
