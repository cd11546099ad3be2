"""Runs MinIO, from PATH, else in a container, else built by Go; and uploads the files to it.

SeaweedFS, which the tests use, needs eight times MinIO's CPU for the same bytes, so a load from it
would measure SeaweedFS.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from botocore.exceptions import BotoCoreError, ClientError

from include.landfall.connections import Store
from include.landfall.s3.client import make_client
from include.local.services.process import LOCALHOST, free_ports, wait_until
from include.local.state import LocalError
from tests.support.container_servers import pinned_images, prepare_testcontainers, run_container
from tests.support.server_choice import why_no_docker

BUCKET = "bench"
USER = "landfall"
START_SECONDS = 60
MODULE = "github.com/minio/minio@latest"  # its release tags have no Go module of their own


@dataclass(frozen=True)
class Minio:
    """A running MinIO. `process` is None where Docker hides it in a virtual machine."""

    store: Store
    process: psutil.Process | None


@contextmanager
def run_minio(folder: Path) -> Iterator[Minio]:
    """Runs MinIO for the block, with its objects in `folder`.

    Raises: LocalError when there is no MinIO and none can be built.
    """
    program = _program(folder)
    if program is None and why_no_docker() is None:
        with _container() as minio:
            yield minio
        return
    with _process(program or _build(folder), folder) as minio:
        yield minio


def upload_files(store: Store, paths: list[Path], prefix: str) -> None:
    """Uploads the files as `prefix/name`, except those that are in the bucket already."""
    client = make_client(store)
    if BUCKET not in [bucket["Name"] for bucket in client.list_buckets()["Buckets"]]:
        client.create_bucket(Bucket=BUCKET)
    answer = client.list_objects_v2(Bucket=BUCKET, Prefix=f"{prefix}/")
    sizes = {entry["Key"]: entry["Size"] for entry in answer.get("Contents", [])}
    for path in paths:
        key = f"{prefix}/{path.name}"
        if sizes.get(key) != path.stat().st_size:
            print(f"uploading {key}", file=sys.stderr)
            with path.open("rb") as body:
                client.put_object(Bucket=BUCKET, Key=key, Body=body)
    client.close()


def _program(folder: Path) -> Path | None:
    named = os.environ.get("LANDFALL_MINIO")
    if named and not shutil.which(named):
        raise LocalError("LANDFALL_MINIO names no program", found=named)
    built = folder / "bin" / "minio"
    program = named or shutil.which("minio") or shutil.which(built)
    return Path(program) if program else None


def _build(folder: Path) -> Path:
    go = shutil.which("go")
    if go is None:
        raise LocalError(
            "there is no MinIO to load from",
            expected="minio on PATH or in LANDFALL_MINIO, or Docker, or Go to build it with",
            do="install one of them (with SeaweedFS the bench would measure SeaweedFS)",
        )
    print(f"building MinIO by go install {MODULE}: minutes, once", file=sys.stderr)
    bin_folder = folder / "bin"
    result = subprocess.run(
        [go, "install", MODULE],
        env={**os.environ, "GOBIN": str(bin_folder)}, check=False, capture_output=True, text=True,
    )  # fmt: skip
    if result.returncode:
        raise LocalError("MinIO could not be built", found=result.stderr.strip()[-500:])
    return bin_folder / "minio"


@contextmanager
def _process(program: Path, folder: Path) -> Iterator[Minio]:
    (folder / "minio").mkdir(parents=True, exist_ok=True)
    secret = secrets.token_urlsafe(16)
    port, console = free_ports(2)
    environ = {
        **os.environ, "MINIO_ROOT_USER": USER, "MINIO_ROOT_PASSWORD": secret,
        "MINIO_BROWSER": "off", "MINIO_UPDATE": "off",
    }  # fmt: skip
    with (folder / "minio.log").open("w") as log:
        child = subprocess.Popen(
            [program, "server", "--address", f"{LOCALHOST}:{port}",
             "--console-address", f"{LOCALHOST}:{console}", str(folder / "minio")],
            env=environ, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        store = Store(f"http://{LOCALHOST}:{port}", USER, secret)
        _wait(store, folder / "minio.log", child)
        yield Minio(store, psutil.Process(child.pid))
    finally:
        child.terminate()
        child.wait()


def _wait(store: Store, log: Path, child: subprocess.Popen[bytes]) -> None:
    def ready_or_ended() -> bool:
        return child.poll() is not None or _answers(store)

    if not wait_until(ready_or_ended, START_SECONDS) or child.poll() is not None:
        raise LocalError("MinIO did not start", found=log.read_text()[-500:])


def _answers(store: Store) -> bool:
    client = make_client(store, retries={"max_attempts": 0})
    try:
        client.list_buckets()
    except (BotoCoreError, ClientError):
        return False
    finally:
        client.close()
    return True


@contextmanager
def _container() -> Iterator[Minio]:
    prepare_testcontainers()
    from testcontainers.community.minio import MinioContainer

    secret = secrets.token_urlsafe(16)
    container = MinioContainer(pinned_images()["minio"], access_key=USER, secret_key=secret)
    with run_container(container, 9000) as port:
        store = Store(f"http://{LOCALHOST}:{port}", USER, secret)
        yield Minio(store, _process_of(container))


def _process_of(container: Any) -> psutil.Process | None:
    """The container's process, if this kernel runs it."""
    wrapped = container.get_wrapped_container()
    wrapped.reload()
    pid = wrapped.attrs["State"]["Pid"]
    try:
        process = psutil.Process(pid)
        return process if "minio" in process.name() else None
    except psutil.Error:
        return None
