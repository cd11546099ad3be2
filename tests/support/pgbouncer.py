"""A real PgBouncer in front of a database."""

from __future__ import annotations

import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from include.landfall.connections import Warehouse
from include.local.services.account import server_account
from include.local.services.process import LOCALHOST, Process, free_ports, is_free, wait_until
from tests.support.find_pgbouncer import find_pgbouncer

SETTINGS = """
[databases]
{dbname} = host={host} port={port} dbname={dbname} user={user} password={password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
default_pool_size = {pool}
logfile = {folder}/log
pidfile = {folder}/pid
{more}
"""


@contextmanager
def pgbouncer(
    warehouse: Warehouse, pool: int, mode: str = "transaction", more: str = ""
) -> Iterator[Warehouse]:
    """Starts PgBouncer with so many sessions for all clients, and yields its address.

    `more` are further settings.
    """
    program = find_pgbouncer()
    assert program is not None  # its tests are not collected where it is missing
    account, folder = server_account(), Path(tempfile.mkdtemp(prefix="landfall-pgbouncer-"))
    account.own(folder)
    (listen,) = free_ports(1)
    own = {"listen": listen, "pool": pool, "folder": folder, "mode": mode, "more": more}
    settings = SETTINGS.format(**vars(warehouse), **own)
    account.write_secret(folder / "ini", settings)
    started = account.run(program, "-d", "-q", folder / "ini")
    assert started.returncode == 0, started.stderr
    assert wait_until(lambda: not is_free(listen), 10), (folder / "log").read_text()
    process = Process.of(int((folder / "pid").read_text()))
    assert process is not None
    try:
        yield replace(warehouse, host=LOCALHOST, port=listen)
    finally:
        process.stop(signal.SIGINT, signal.SIGTERM)
        shutil.rmtree(folder)
