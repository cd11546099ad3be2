"""The servers of a test run in containers: pinned images, ports of 127.0.0.1 only, nothing left.

testcontainers would publish on every address, and so does the container that clears up after it
(Ryuk). Ours do not; what a killed run left is found by its label at the next start.
"""

from __future__ import annotations

import os
import platform
import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from include.landfall.connections import Store, Warehouse

LOCALHOST = "127.0.0.1"
PINS = Path(__file__).parents[1] / "images/pins.txt"
LABEL = "landfall.test-run"  # which process started it, and where
STAND_IN = "landfall.stand-in"
KEY = "landfall"


def pins() -> dict[str, str]:
    """The pinned image of each service."""
    lines = [line.split() for line in PINS.read_text().splitlines() if not line.startswith("#")]
    return {service: image for image, service in lines}


@contextmanager
def postgres_container() -> Iterator[tuple[Warehouse, str]]:
    """PostgreSQL, how to reach it, and what is in its image."""
    settle()
    from testcontainers.community.postgres import PostgresContainer

    password = secrets.token_urlsafe(16)
    container = PostgresContainer(
        pins()["postgres"], username=KEY, password=password, dbname="warehouse", driver=None
    ).with_command("-c fsync=off -c max_wal_size=4GB")
    with started(container, 5432) as port:
        yield Warehouse(LOCALHOST, port, "warehouse", KEY, password), _inside(container)


@contextmanager
def minio_container() -> Iterator[tuple[Store, str]]:
    """MinIO, how to reach it, and its version."""
    settle()
    from testcontainers.community.minio import MinioContainer

    secret = secrets.token_urlsafe(16)
    container = MinioContainer(pins()["minio"], access_key=KEY, secret_key=secret)
    # testcontainers sets the names that MinIO has long deprecated.
    container.with_env("MINIO_ROOT_USER", KEY).with_env("MINIO_ROOT_PASSWORD", secret)
    with started(container, 9000) as port:
        version = container.exec(["minio", "--version"]).output.decode().split()[2]
        yield Store(f"http://{LOCALHOST}:{port}", KEY, secret), f"{version} {_inside(container)}"


@contextmanager
def seaweedfs_container() -> Iterator[tuple[Store, str]]:
    """SeaweedFS, how to reach it, and what is in its image."""
    settle()
    from testcontainers.core.container import DockerContainer
    from testcontainers.core.wait_strategies import HttpWaitStrategy

    secret = secrets.token_urlsafe(16)
    container = DockerContainer(
        pins()["seaweedfs"],
        command="mini -dir=/data -webdav=false -admin.ui=false -master.telemetry=false",
        env={"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": secret},
    ).waiting_for(HttpWaitStrategy(8333, "/healthz"))
    with started(container, 8333) as port:
        yield Store(f"http://{LOCALHOST}:{port}", KEY, secret), _inside(container)


STORES = {"minio": minio_container, "seaweedfs": seaweedfs_container}


def settle() -> None:
    """Before testcontainers is imported, which reads the first of these then."""
    # Where testcontainers takes this machine for a container itself, it would go by the bridge's
    # address, which the tests may not reach.
    os.environ.setdefault("TESTCONTAINERS_CONNECTION_MODE", "docker_host")
    os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")
    sweep()


@contextmanager
def started(container: Any, port: int) -> Iterator[int]:
    """The port of this machine that leads to the container's."""
    # As docker-py spells "any free port of this address"; with_exposed_ports has no word for it.
    container.ports = {str(port): (LOCALHOST, None)}
    container.with_kwargs(labels=label())
    with container:
        yield int(container.get_exposed_port(port))


def _inside(container: Any) -> str:
    label = container.get_wrapped_container().labels.get(STAND_IN)
    return f"(stand-in: {label})" if label else ""


def label() -> dict[str, str]:
    """The label of what this process starts."""
    from include.local.services.process import Process

    process = Process.of(os.getpid())
    return {LABEL: f"{platform.node()} {process.pid} {process.started}"}


def sweep() -> None:
    """Remove the containers of runs that were killed before they could."""
    import docker
    from docker.errors import NotFound

    with closing(docker.from_env()) as client:
        for left in client.containers.list(all=True, filters={"label": LABEL}):
            if _dead(left.labels[LABEL]):
                try:
                    left.remove(force=True, v=True)
                except NotFound:  # another process of this run was faster
                    continue


def _dead(run: str) -> bool:
    from include.local.services.process import Process

    node, pid, started = run.split()
    # Of another machine's processes nothing is known here.
    return node == platform.node() and not Process(int(pid), float(started)).alive()
