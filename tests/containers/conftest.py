"""The tests that need Docker. Where it does not run, the run ends: nothing would be tested."""

from __future__ import annotations

import pytest

from tests.support.container_servers import remove_leftover_containers
from tests.support.server_choice import why_no_docker


def pytest_configure() -> None:
    """Runs before anything is collected, also where pytest finds this conftest late."""
    reason = why_no_docker()
    if reason:
        pytest.exit(f"tests/containers: {reason}. Start it, or run `make docker`", returncode=3)
    remove_leftover_containers()
