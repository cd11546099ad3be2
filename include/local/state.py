"""The folder of everything local, and what each service remembers in it."""

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

    is_one_line = False  # it may end with the last lines of the program's log


def local_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Returns the folder of everything local: what LANDFALL_LOCAL names, else `.local`."""
    chosen = environ.get("LANDFALL_LOCAL")
    return Path(chosen).expanduser().resolve() if chosen else PROJECT / ".local"


def read_state(folder: Path) -> dict[str, Any]:
    """Returns what a service remembers (ports, pid, passwords); {} when it never ran here.

    Raises: LocalError when the file is broken.
    """
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
    """Replaces what a service remembers. Only its owner can read it: it holds passwords."""
    folder.mkdir(parents=True, exist_ok=True)
    write_private(folder / STATE_FILE, json.dumps(dict(state), indent=2))


def write_private(path: Path, text: str) -> None:
    """Replaces a file in one step by one that only its owner can read."""
    new = path.with_name(f"{path.name}.{os.getpid()}")
    # The mode is set when the file is created, so that others can read it at no moment.
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    new.replace(path)


@contextmanager
def locked(folder: Path, name: str = "lock", otherwise: LocalError | None = None) -> Iterator[None]:
    """Holds a lock of the folder: `lock` while a program starts or stops services there.

    Waits for another program that holds it, or raises `otherwise` at once.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / name).open("w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (fcntl.LOCK_NB if otherwise else 0))
        except BlockingIOError:
            assert otherwise is not None
            raise otherwise from None
        yield
