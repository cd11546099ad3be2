"""Docker by its command line. Every container has the run's label, by which leftovers are found."""

from __future__ import annotations

import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.support.container_servers import run_label


def docker(*arguments: str, check: bool = True, text: str | None = None) -> str:
    """Runs a docker command, and returns what it prints on both channels.

    Raises: AssertionError when the command fails, unless `check` is false.
    """
    result = subprocess.run(
        ["docker", *arguments],
        input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    assert not check or result.returncode == 0, result.stdout
    return result.stdout.strip()


def run_once(image: str, *command: str, **environ: str) -> str:
    """Runs one command in a new container, and returns what it prints."""
    return docker("run", "--rm", *_options(environ), image, *command)


@contextmanager
def running_container(
    image: str, *command: str, options: tuple[str, ...] = (), **environ: str
) -> Iterator[str]:
    """Runs a container for the block, yields its name, and removes it with its volumes."""
    name = f"landfall-test-{uuid.uuid4().hex[:8]}"
    docker("run", "--detach", "--name", name, *options, *_options(environ), image, *command)
    try:
        yield name
    finally:
        docker("rm", "--force", "--volumes", name)


def _options(environ: dict[str, str]) -> list[str]:
    variables = [f"--env={name}={value}" for name, value in environ.items()]
    return [f"--label={key}={value}" for key, value in run_label().items()] + variables


def wait_for(ready: Callable[[], bool], name: str, seconds: float = 120) -> None:
    """Waits until the container is ready.

    Raises: AssertionError with the container's log when the time is over.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if ready():
            return
        time.sleep(0.2)
    raise AssertionError(docker("logs", name))


def succeeds(name: str, *command: str) -> bool:
    """Says whether a command in a running container succeeds, as a health check of Docker does."""
    return not subprocess.run(
        ["docker", "exec", name, *command], capture_output=True, check=False
    ).returncode
