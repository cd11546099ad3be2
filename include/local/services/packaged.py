"""Servers that come in a wheel: where their programs are, and what to do without them."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

from include.local.state import LocalError


def packaged_program(title: str, package: str, *names: str) -> Path:
    """Finds the program of one of these names in an installed package.

    Raises: LocalError when the package is not installed, or has no such program.
    """
    try:
        files = importlib.metadata.files(package) or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name in names:
            return Path(str(file.locate())).resolve()
    raise not_installed(title, package)


def not_installed(title: str, package: str) -> LocalError:
    """Returns the error for a server whose package is missing.

    The message calls the server `title`.
    """
    return LocalError(
        f"there is no {title} to start",
        expected=f"the package {package}, which holds one",
        do="install requirements-dev.txt, or run the make target, which does",
    )
