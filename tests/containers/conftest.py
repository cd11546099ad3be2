"""The tests that need Docker. Where it does not run they end the run: they are no result then."""

from __future__ import annotations

import pytest

from tests.support.container_servers import sweep
from tests.support.servers import no_docker


def pytest_configure() -> None:
    """Before anything is collected. Called for a conftest that is found late, too."""
    reason = no_docker()
    if reason:
        pytest.exit(f"tests/containers: {reason}. Start it, or run `make docker`", returncode=3)
    sweep()
