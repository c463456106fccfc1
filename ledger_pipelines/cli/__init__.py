"""Commands a person types. Thin: each calls the rooms below and shows what they answer.

Belongs here: arguments, tables for people, JSON for scripts, exit codes. Does not belong here: any rule of the product.
Heavy modules are imported inside the commands, so that `--help` is quick.
"""

from ledger_pipelines.cli.app import main

__all__ = ["main"]
