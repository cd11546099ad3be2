"""The engine on real servers."""

from __future__ import annotations

import pytest

from tests.support.engine import Engine
from tests.support.find_pgbouncer import find_pgbouncer

# The end of the run says so: see tests/support/run_summary.py.
collect_ignore = [] if find_pgbouncer() else ["test_pooler.py"]


@pytest.fixture
def engine(warehouse, object_store, client, bucket) -> Engine:
    """An engine with a database and a bucket for this test alone."""
    return Engine(warehouse, object_store, client, bucket)
