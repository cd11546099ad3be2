"""The engine over real servers."""

from __future__ import annotations

import pytest

from tests.support.engine import Engine


@pytest.fixture
def engine(warehouse, object_store, client, bucket) -> Engine:
    """An engine with a database and a bucket of the test's own."""
    return Engine(warehouse, object_store, client, bucket)
