"""The fixtures of PostgreSQL and the object store, for tests that need real servers.

The tests are the same for servers in containers and for embedded ones (see server_choice.py). A
server that cannot start ends the run at once: tests that could not run must not look green.
"""

from __future__ import annotations

import functools
import inspect
import os
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from include.landfall.connections import Store, Warehouse
from tests.support.container_servers import STORES, postgres_container
from tests.support.databases import ReusedDatabase
from tests.support.run_summary import RunSummary
from tests.support.server_choice import chosen_servers, chosen_store

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

FOLDER_PREFIX = "landfall-test-"

# A server's connection, and a note on its image for the summary of the run.
Serve = Callable[[], AbstractContextManager[tuple[Any, str]]]


# ---- the servers of the run ----------------------------------------------------------------------


@pytest.fixture(scope="session")
def warehouse_server(pytestconfig: pytest.Config) -> Iterator[Warehouse]:
    """A PostgreSQL server and its superuser, for the whole run."""
    in_containers = chosen_servers()[0] == "containers"
    with _serve(postgres_container if in_containers else _embedded_postgres) as (warehouse, note):
        with psycopg.connect(warehouse.conninfo()) as connection:
            row = connection.execute("SHOW server_version").fetchone()
        _add_to_summary(pytestconfig, f"PostgreSQL {row[0].split()[0]} {note}")
        yield warehouse


@pytest.fixture(scope="session")
def object_store(pytestconfig: pytest.Config) -> Iterator[Store]:
    """An S3 service and its key, for the whole run."""
    in_containers = chosen_servers()[0] == "containers"
    with _serve(STORES[chosen_store()] if in_containers else _embedded_store) as (store, note):
        _add_to_summary(pytestconfig, f"{_server_header(store)} {note}")
        yield store


def _add_to_summary(config: pytest.Config, server: str) -> None:
    RunSummary.of(config).servers.add(server.strip())


def _server_header(store: Store) -> str:
    """The name that an object store gives itself: SeaweedFS's has a version, MinIO's has none."""
    from include.landfall.s3.client import make_client

    with closing(make_client(store)) as client:
        return client.list_buckets()["ResponseMetadata"]["HTTPHeaders"]["server"]


@contextmanager
def _serve(serve: Serve) -> Iterator[tuple[Any, str]]:
    server = serve()
    try:
        connection_and_note = server.__enter__()
    except Exception as error:  # noqa: BLE001  whatever it is, the tests cannot run
        pytest.exit(f"{serve.__name__.strip('_')} cannot start: {error!r}", returncode=3)
    try:
        yield connection_and_note
    finally:
        server.__exit__(None, None, None)


@contextmanager
def _embedded_postgres() -> Iterator[tuple[Warehouse, str]]:
    from include.local.services.postgres_server import start_postgres

    remove_leftover_servers(Path(tempfile.gettempdir()))
    server = start_postgres(_new_folder("pg"), durable=False)
    yield server.warehouse, ""
    server.remove()


@contextmanager
def _embedded_store() -> Iterator[tuple[Store, str]]:
    from include.local.services.object_store import start_object_store

    remove_leftover_servers(Path(tempfile.gettempdir()))
    server = start_object_store(_new_folder("s3"))
    yield server.store, ""
    server.remove()


def _new_folder(service: str) -> Path:
    return Path(tempfile.mkdtemp(prefix=f"{FOLDER_PREFIX}{service}-{os.getpid()}-"))


def remove_leftover_servers(folder: Path) -> None:
    """Stops and removes the embedded servers of runs that were killed before they could do so."""
    from include.local.services.object_store import find_object_store
    from include.local.services.postgres_server import find_postgres
    from include.local.services.process import Process

    for path in folder.glob(f"{FOLDER_PREFIX}*"):
        service, pid = path.name.removeprefix(FOLDER_PREFIX).split("-")[:2]
        if Process.of(int(pid)) is None:
            server = find_postgres(path) if service == "pg" else find_object_store(path)
            if server is not None:
                server.remove()


# ---- a database for a test -----------------------------------------------------------------------


@pytest.fixture(scope="session")
def reused_database(warehouse_server: Warehouse) -> Iterator[ReusedDatabase]:
    """The database that the tests of this process use one after the other."""
    database = ReusedDatabase(warehouse_server)
    yield database
    database.drop()


@pytest.fixture
def warehouse(reused_database: ReusedDatabase) -> Iterator[Warehouse]:
    """An empty database for one test."""
    with reused_database.take() as warehouse:
        yield warehouse


# ---- a bucket for a test -------------------------------------------------------------------------


@pytest.fixture(scope="session", autouse=True)
def quick_clients() -> Iterator[None]:
    """Lets botocore make a client in 20 ms of processor time instead of 240: tests make thousands.

    All clients share one loader of its files, and the aliases of its events and the signatures of
    its handlers, which are the same for all.
    """
    import botocore.hooks
    import botocore.session

    loader = botocore.session.create_loader()
    aliases = botocore.hooks.EventAliaser(None)  # it remembers each name
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.session, "create_loader", lambda *_: loader)
        patch.setattr(
            botocore.hooks.EventAliaser, "_alias_event_name",
            lambda _, name, alias=aliases._alias_event_name: alias(name),
        )  # fmt: skip
        patch.setattr(botocore.hooks, "accepts_kwargs", _accepts_kwargs)
        yield


def _accepts_kwargs(handler: Any) -> bool:
    # Not by the bound method, which would keep its client for ever.
    return _function_accepts_kwargs(getattr(handler, "__func__", handler))


@functools.lru_cache(maxsize=1000)
def _function_accepts_kwargs(function: Any) -> bool:
    return inspect.getfullargspec(function).varkw is not None


@pytest.fixture(scope="session")
def client(object_store: Store) -> Iterator[S3Client]:
    """A client of the run's object store, made as the engine makes its clients."""
    from include.landfall.s3.client import make_client

    client = make_client(object_store)
    yield client
    client.close()


@contextmanager
def fresh_bucket(client: S3Client, name: str | None = None) -> Iterator[str]:
    """Creates a bucket, and deletes it with its objects after the block."""
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
    """The bucket that the tests of this process share: SeaweedFS needs 0.2 s for a new one."""
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
    """AIRFLOW_CONN_WAREHOUSE (the test's database) and AIRFLOW_CONN_LANDING, in the environment."""
    from include.local.services.environ import connections

    values = connections(warehouse, object_store)
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return values
