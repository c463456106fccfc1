"""The vendors' APIs as local servers, written from the vendors' contracts.

Belongs here: servers that behave as the vendors do, their books, their limits, and the faults a test asks for.
Does not belong here: anything of the product; this package imports nothing else of ``ledger_pipelines``.
Start it with :func:`ledger_pipelines.sandbox.server.run_sandbox`, or in a test with
:func:`ledger_pipelines.sandbox.server.running_sandbox`.
"""
