"""`load_file` of files without a feed, as the attacks use it: tables whose rows have no load id."""

from __future__ import annotations

import logging
import random
from dataclasses import dataclass, field
from typing import Any

from psycopg import sql

from include.landfall.arrival import Arrival
from include.landfall.connections import Store, Warehouse
from include.landfall.load import Receipt
from tests.chaos.cases import COLUMNS, SMALL, Case, File, Servers, State, wait_until

TASK = "the task"


def load_plainly(
    store: Store, warehouse: Warehouse, arrival: Arrival, table: str, if_exists: str, task: str
) -> Receipt:
    """Loads one file into a table of the schema chaos, as the task named so."""
    # Airflow and astro take seconds to import, and only these attacks need them.
    from tests.support import plain_loads

    logging.getLogger("include.astro_sdk").setLevel(logging.WARNING)
    return plain_loads.load_plainly(store, warehouse, arrival, ("chaos", table), if_exists, task)


@dataclass
class PlainCase(Case):
    """One table, and the files that are loaded into it without a feed. No row of them is bad."""

    bad: dict[str, str] = field(default_factory=dict)
    if_exists: str = "append"

    def job(self, file: File, task: str = TASK) -> dict[str, Any]:
        """Makes the job for a loading process."""
        plain = {"table": self.name, "if_exists": self.if_exists, "task": task}
        return {"plain": plain, "arrival": file.arrival.as_dict()}

    def load(self, file: File, task: str = TASK, **changes: Any) -> Receipt:
        """Loads the file in this process."""
        servers = {"store": self.servers.store, "warehouse": self.servers.warehouse, **changes}
        return load_plainly(arrival=file.arrival, **servers, **self.job(file, task)["plain"])

    def ledger(self) -> list[tuple[str, str, int | None, str]]:
        """Reads version, status, rows and the loading task of each load of the table."""
        query = "SELECT version, status, rows, loaded_by FROM landfall.ledger WHERE target = %s"
        return self.servers.execute(f"{query} ORDER BY load_id", f"chaos.{self.name}")

    def check_rejects(self, *files: File) -> None:
        """Checks that the table has the files' columns and no other."""
        query = "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
        query += " AND NOT attisdropped ORDER BY attnum"
        names = self.servers.execute(query, f"chaos.{self.name}")
        assert [name for (name,) in names] == list(COLUMNS)

    def check_quiet(self) -> None:
        """Waits until the load's backends are gone, and with them its locks."""
        query = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name ~ '^(landfall load_file|astro)'"
        )
        wait_until(lambda: self.servers.execute(query) == [(0,)])


def plain_case(servers: Servers, if_exists: str) -> PlainCase:
    """Makes a table's name that no other round has used."""
    case = servers.case()
    servers.execute("CREATE SCHEMA IF NOT EXISTS chaos")
    return PlainCase(servers, case.name, case.feed, case.values, if_exists=if_exists)


def make_table(case: PlainCase, rng: random.Random) -> tuple[tuple[File, ...], State]:
    """Puts rows into the table, or makes none; returns the files that stay, and its rows.

    In some rounds it has other types, or another order of columns, than the file to come.
    """
    state = rng.choice(
        ["none", "same", "same", *["types", "order"] * (case.if_exists == "replace")]
    )
    if state == "none":
        return (), {}
    if state == "same":
        old = case.put("old", SMALL)
        case.load(old, task="another task")
        return ((old,) if case.if_exists == "append" else ()), {"old": SMALL}
    names = list(COLUMNS) if state == "types" else list(reversed(COLUMNS))
    columns = ", ".join(f"{name} {'bigint' if name == 'id' else 'text'}" for name in names)
    case.servers.execute(f"CREATE TABLE chaos.{case.name} ({columns})")
    insert = "INSERT INTO chaos.{} (id, tag) SELECT n, 'old' FROM generate_series(1, {}) AS n"
    query = sql.SQL(insert).format(sql.Identifier(case.name), sql.Literal(SMALL))
    case.servers.execute(query)
    return (), {"old": SMALL}
