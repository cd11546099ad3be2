"""Servers for the attacks only, so that a test may stop and start them during a load."""

from __future__ import annotations

import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from include.landfall.s3.client import make_client
from include.local.services.object_store import start_object_store
from include.local.services.postgres_server import find_postgres, start_postgres
from tests.chaos.cases import Servers

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

BUCKET = "chaos"
SIGNALS = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}


@contextmanager
def own_servers() -> Iterator[Servers]:
    """Runs both servers for the block; the database is as durable as in production."""
    with ExitStack() as ending:
        folder = Path(tempfile.mkdtemp(prefix="landfall-chaos-"))
        ending.callback(shutil.rmtree, folder, ignore_errors=True)
        store = start_object_store(folder / "object_store")
        ending.callback(store.remove)
        database = start_postgres(folder / "postgres")
        ending.callback(_remove, database.folder)
        client = make_client(store.store)
        ending.callback(client.close)
        make_bucket(client, BUCKET)
        restart = _restarter(database.folder)
        servers = Servers(database.warehouse, store.store, client, BUCKET, restart).prepare()
        with servers.ending:
            yield servers


def make_bucket(client: S3Client, name: str) -> None:
    """Creates a bucket that keeps versions, as those of many teams do."""
    client.create_bucket(Bucket=name)
    client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})


def _restarter(folder: Path) -> Callable[[str], None]:
    def restart(mode: str) -> None:
        server = find_postgres(folder)
        assert server is not None
        server.process.stop(SIGNALS[mode])
        start_postgres(folder)

    return restart


def _remove(folder: Path) -> None:
    server = find_postgres(folder)
    if server is not None:
        server.remove()
