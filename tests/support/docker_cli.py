"""Docker by its command line, as a reader would use it; what a killed run leaves is swept."""

from __future__ import annotations

import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.support.container_servers import label


def docker(*arguments: str, check: bool = True, text: str | None = None) -> str:
    """What a docker command prints, on both channels. Raises AssertionError when it fails."""
    result = subprocess.run(
        ["docker", *arguments],
        input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    assert not check or result.returncode == 0, result.stdout
    return result.stdout.strip()


def run_once(image: str, *command: str, **environ: str) -> str:
    """What a container prints that runs one command to its end."""
    return docker("run", "--rm", *_options(environ), image, *command)


@contextmanager
def running(
    image: str, *command: str, options: tuple[str, ...] = (), **environ: str
) -> Iterator[str]:
    """The name of a container that runs meanwhile; gone afterwards, its volumes too."""
    name = f"landfall-test-{uuid.uuid4().hex[:8]}"
    docker("run", "--detach", "--name", name, *options, *_options(environ), image, *command)
    try:
        yield name
    finally:
        docker("rm", "--force", "--volumes", name)


def _options(environ: dict[str, str]) -> list[str]:
    variables = [f"--env={name}={value}" for name, value in environ.items()]
    return [f"--label={key}={value}" for key, value in label().items()] + variables


def wait_for(answer: Callable[[], bool], name: str, seconds: float = 120) -> None:
    """Return when the container answers. Raises AssertionError with its log when it does not."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if answer():
            return
        time.sleep(0.2)
    raise AssertionError(docker("logs", name))


def succeeds(name: str, *command: str) -> bool:
    """Whether a command in a running container ends well, as Docker asks for its health."""
    return not subprocess.run(
        ["docker", "exec", name, *command], capture_output=True, check=False
    ).returncode
