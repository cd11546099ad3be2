"""The folder that remembers: ports, pids and passwords of the local services."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from include.landfall.errors import LandfallError

PROJECT = Path(__file__).resolve().parents[2]
STATE_FILE = "service.json"


class LocalError(LandfallError):
    """A local service or program cannot do what was asked; the message says what to do."""


def local_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Where everything local lives: `.local` of the project, or what LANDFALL_LOCAL names."""
    chosen = environ.get("LANDFALL_LOCAL")
    return Path(chosen).expanduser().resolve() if chosen else PROJECT / ".local"


def read_state(folder: Path) -> dict[str, Any]:
    """What a service wrote about itself; empty when it never ran here. Raises LocalError."""
    path = folder / STATE_FILE
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise LocalError(
            f"{path} cannot be read",
            found=str(error),
            do="python -m include.local clean (deletes the local services and their data)",
        ) from error
    return dict(state)


def write_state(folder: Path, state: Mapping[str, Any]) -> None:
    """Replace the service's state in one step. Only its owner can read it: it holds passwords."""
    folder.mkdir(parents=True, exist_ok=True)
    fresh = folder / f"{STATE_FILE}.{os.getpid()}"
    # Created with its mode, not given it afterwards: it is never readable by others.
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(dict(state), file, indent=2)
    fresh.replace(folder / STATE_FILE)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One program at a time starts or stops services in a folder; the second one waits."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
