"""The servers of a test run in containers: pinned images, and ports of 127.0.0.1 only.

By default testcontainers publishes ports on every address, and so does Ryuk, the container that
removes the others. Here both are switched off. Every container has a label with its run, and the
next run removes what a killed one left.
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
LABEL = "landfall.test-run"  # machine, process id and start of the process that started it
STAND_IN = "landfall.stand-in"
USER = "landfall"


def pinned_images() -> dict[str, str]:
    """Reads the pinned image of each service."""
    lines = [line.split() for line in PINS.read_text().splitlines() if not line.startswith("#")]
    return {service: image for image, service in lines}


@contextmanager
def postgres_container() -> Iterator[tuple[Warehouse, str]]:
    """Runs PostgreSQL for the block; yields its connection and a note on its image."""
    prepare_testcontainers()
    from testcontainers.community.postgres import PostgresContainer

    password = secrets.token_urlsafe(16)
    container = PostgresContainer(
        pinned_images()["postgres"],
        username=USER,
        password=password,
        dbname="warehouse",
        driver=None,
    ).with_command("-c fsync=off -c max_wal_size=4GB")
    with run_container(container, 5432) as port:
        yield Warehouse(LOCALHOST, port, "warehouse", USER, password), _image_note(container)


@contextmanager
def minio_container() -> Iterator[tuple[Store, str]]:
    """Runs MinIO for the block; yields its connection, and its version with a note on its image."""
    prepare_testcontainers()
    from testcontainers.community.minio import MinioContainer

    secret = secrets.token_urlsafe(16)
    container = MinioContainer(pinned_images()["minio"], access_key=USER, secret_key=secret)
    # testcontainers sets variables that MinIO deprecated long ago.
    container.with_env("MINIO_ROOT_USER", USER).with_env("MINIO_ROOT_PASSWORD", secret)
    with run_container(container, 9000) as port:
        version = container.exec(["minio", "--version"]).output.decode().split()[2]
        yield (
            Store(f"http://{LOCALHOST}:{port}", USER, secret),
            f"{version} {_image_note(container)}",
        )


@contextmanager
def seaweedfs_container() -> Iterator[tuple[Store, str]]:
    """Runs SeaweedFS for the block; yields its connection and a note on its image."""
    prepare_testcontainers()
    from testcontainers.core.container import DockerContainer
    from testcontainers.core.wait_strategies import HttpWaitStrategy

    secret = secrets.token_urlsafe(16)
    container = DockerContainer(
        pinned_images()["seaweedfs"],
        command="mini -dir=/data -webdav=false -admin.ui=false -master.telemetry=false",
        env={"AWS_ACCESS_KEY_ID": USER, "AWS_SECRET_ACCESS_KEY": secret},
    ).waiting_for(HttpWaitStrategy(8333, "/healthz"))
    with run_container(container, 8333) as port:
        yield Store(f"http://{LOCALHOST}:{port}", USER, secret), _image_note(container)


STORES = {"minio": minio_container, "seaweedfs": seaweedfs_container}


def prepare_testcontainers() -> None:
    """Sets testcontainers up and removes leftovers. Call it before testcontainers is imported."""
    # If testcontainers takes this machine for a container, it uses the address of Docker's bridge,
    # which the tests may not reach.
    os.environ.setdefault("TESTCONTAINERS_CONNECTION_MODE", "docker_host")
    os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")
    remove_leftover_containers()


@contextmanager
def run_container(container: Any, port: int) -> Iterator[int]:
    """Runs a container for the block; yields the port of this machine that leads to its port."""
    # This is how docker-py writes "a free port of this address". with_exposed_ports cannot say it.
    container.ports = {str(port): (LOCALHOST, None)}
    container.with_kwargs(labels=run_label())
    with container:
        yield int(container.get_exposed_port(port))


def _image_note(container: Any) -> str:
    label = container.get_wrapped_container().labels.get(STAND_IN)
    return f"(stand-in: {label})" if label else ""


def run_label() -> dict[str, str]:
    """Makes the label of the containers that this process starts."""
    from include.local.services.process import Process

    process = Process.of(os.getpid())
    return {LABEL: f"{platform.node()} {process.pid} {process.started}"}


def remove_leftover_containers() -> None:
    """Removes the containers of runs that were killed before they could do so."""
    import docker
    from docker.errors import NotFound

    with closing(docker.from_env()) as client:
        for container in client.containers.list(
            all=True, filters={"label": LABEL}, ignore_removed=True
        ):
            if _has_ended(container.labels[LABEL]):
                try:
                    container.remove(force=True, v=True)
                except NotFound:  # another process of this run has removed it
                    continue


def _has_ended(run: str) -> bool:
    from include.local.services.process import Process

    node, pid, started = run.split()
    # The processes of another machine cannot be seen here, so its containers stay.
    return node == platform.node() and not Process(int(pid), float(started)).alive()
