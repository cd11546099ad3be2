"""The engine on real servers."""

from __future__ import annotations

import pytest

from tests.support.engine import Engine


@pytest.fixture
def engine(warehouse, object_store, client, bucket) -> Engine:
    """An engine with a database and a bucket for this test alone."""
    return Engine(warehouse, object_store, client, bucket)
