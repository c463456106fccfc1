"""From a Neto store to a Saasu file, end to end on the sandbox; verdicts from its books and from sums over the store."""

import pytest

pytest.register_assert_rewrite("ledger_pipelines_tests.e2e.shop.kit")
