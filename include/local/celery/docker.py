"""Docker and docker compose, called as a person calls them from a shell."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from include.local.state import PROJECT, LocalError

SOCKET = Path("/var/run/docker.sock")
NO_DOCKER = "start Docker; on a Debian machine without it, as root: make docker"


@dataclass(frozen=True)
class Compose:
    """One project of compose files, run by `docker compose`, or by docker-compose 1.29."""

    project: str
    files: tuple[Path, ...]
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)  # it holds passwords

    def command(self, *arguments: str) -> list[str]:
        """Returns the whole command line."""
        files = [part for file in self.files for part in ("-f", str(file))]
        return [*compose_program(), "-p", self.project, *files, *arguments]

    def run(self, *arguments: str) -> str:
        """Runs a compose command; returns its output.

        Raises: LocalError with the end of its output when it fails.
        """
        return call(self.command(*arguments), self.environ)

    def container(self, service: str) -> str:
        """Returns the id of the service's container, running or not.

        Raises: LocalError when the service has none.
        """
        label = f"label=com.docker.compose.project={self.project}"
        service_label = f"label=com.docker.compose.service={service}"
        ids = docker("ps", "-aq", "--filter", label, "--filter", service_label).split()
        if not ids:
            raise LocalError(f"the service {service} has no container", do="make celery")
        return ids[0]


def compose_program() -> list[str]:
    """Returns the command that calls compose on this machine.

    Raises: LocalError when there is no compose.
    """
    if shutil.which("docker") and _answers(["docker", "compose", "version"]):
        return ["docker", "compose"]
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    raise LocalError("there is no docker compose", expected="version 2, or 1.29", do=NO_DOCKER)


def _answers(command: Sequence[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def require_docker() -> None:
    """Checks that a Docker engine answers.

    Raises: LocalError when there is no Docker, or no engine answers.
    """
    if not shutil.which("docker"):
        raise LocalError("there is no Docker on this machine", do=NO_DOCKER)
    if not _answers(["docker", "info"]):
        raise LocalError("no Docker engine answers", do=NO_DOCKER)


def docker(*arguments: str) -> str:
    """Runs a docker command; returns its output.

    Raises: LocalError with the end of its output when it fails.
    """
    return call(["docker", *arguments])


def call(command: Sequence[str], environ: Mapping[str, str] | None = None) -> str:
    """Runs a command; returns its output.

    Raises: LocalError with the end of its output when it fails.
    """
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=PROJECT,
        env={**os.environ, **(environ or {})},
    )  # fmt: skip
    if done.returncode:
        output = "\n".join((done.stdout + done.stderr).strip().splitlines()[-20:])
        raise LocalError(f"`{' '.join(command[:8])} …` failed:\n{output}", do=_advice(output))
    return done.stdout


def _advice(output: str) -> str | None:
    if re.search(r"port is already allocated|address already in use", output):
        return "another program has a port: change LANDFALL_..._PORT in .env"
    if re.search(r"pull access denied|Client\.Timeout|no such host|request canceled|EOF", output):
        return "where no image registry is reached, as root on Debian: make docker"
    return None


def socket_group() -> str:
    """Returns the id of the group that may use the Docker socket."""
    return str(SOCKET.stat().st_gid) if SOCKET.exists() else "0"
