"""Postgres under the method names that astro's operators call.

astro makes this class for every Postgres connection (`patches.database.use_the_engine`), and it is
`astro.databases.postgres.PostgresDatabase` for who makes one by hand. The methods are thin: what
they do is in the modules beside this one, each with its subject.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import pandas as pd
from astro import settings
from astro.databases.postgres import AstroPostgresDatabase
from astro.query_modifier import QueryModifier
from psycopg import Connection

from include.airflow_bridge.connections import warehouse_of
from include.airflow_bridge.errors import airflow_errors
from include.landfall.connections import Warehouse
from include.landfall.postgres.connection import connect

from . import dataframes, declared, exporting, loading, merging, statements, tables
from .quoting import folded, in_sql
from .same_database import name_in
from .statements import Parameters, Statement
from .tables import Name
from .wording import in_words_of_tables


class PostgresDatabase(AstroPostgresDatabase):
    """astro's Postgres, with the engine's loads and exports, quoted names, whole transactions."""

    @cached_property
    def warehouse(self) -> Warehouse:
        """The database of the connection."""
        database = self.table.metadata.database if self.table and self.table.metadata else None
        with airflow_errors():
            return warehouse_of(self.conn_id, database)

    @cached_property
    def hook(self) -> Any:
        """The hook; its connections are psycopg 2's, which takes a tuple for IN."""
        hook = super().hook
        hook.get_conn = lambda: statements.open_connection(self.warehouse, f"astro {self.conn_id}")
        return hook

    @cached_property
    def sqlalchemy_engine(self) -> Any:
        """The engine for the SQL of DAGs: psycopg 2, as in the Astro SDK, and in autocommit.

        Problem: SQLAlchemy 2 commits nothing on its own, and astro's connections stayed open; the
        hook's engine ignores the connection's extras. Fix: the hook's connections, and no pool.
        """
        return statements.make_engine(self.hook.get_conn)

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """Opens one of the engine's connections, in autocommit."""
        with in_words_of_tables(), connect(self.warehouse, f"astro {self.conn_id}") as opened:
            yield opened

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Opens a connection in a transaction, which commits at the end."""
        with self.connect() as connection, connection.transaction():
            yield connection

    def run_sql(
        self,
        sql: Statement = "",
        parameters: Parameters = None,
        handler: Any = None,
        query_modifier: QueryModifier | None = None,
        **kwargs: Any,
    ) -> Any:
        """Runs a statement and returns what the handler makes of its result.

        Problem: each statement took a connection of its own. Fix: one for all, closed at the end.
        """
        statement = kwargs.get("sql_statement", sql)
        modifier = query_modifier or QueryModifier()
        return statements.run(self.sqlalchemy_engine, statement, parameters, handler, modifier)

    def run_single_sql_query(self, sql: Statement = "", parameters: Parameters = None) -> Any:
        """Runs one statement, whose result the caller reads while its connection is open."""
        return statements.execute(self.sqlalchemy_engine.connect(), sql, parameters)

    def replace_table_from_select(
        self,
        statement: str,
        target_table: Any,
        parameters: Parameters = None,
        query_modifier: QueryModifier | None = None,
    ) -> int:
        """Replaces a table's rows by the query's, in one transaction; returns their number."""
        name, modifier = name_in(self, target_table), query_modifier or QueryModifier()
        return statements.replace_table(self, name, statement, parameters, modifier)

    @staticmethod
    def get_table_qualified_name(table: Any) -> str:
        """Returns the table's name in SQL, in quotes only where Postgres needs them."""
        if table.metadata and table.metadata.schema:
            return Name.of(table).in_sql
        return in_sql(table.name)

    def get_sqlalchemy_template_table_identifier_and_parameter(
        self, table: Any, jinja_table_identifier: str
    ) -> tuple[str, str]:
        """Returns what {{table}} becomes in a query, with the colons in names escaped."""
        name = self.get_table_qualified_name(table)
        return statements.escaped(name), name

    def columns_as_sql(self, table: Any, columns: Sequence[str]) -> dict[str, str]:
        """Returns the SQL of columns, or of the expressions among them, as `check_column` needs."""
        with self.connect() as connection:
            return tables.columns_as_sql(tables.columns_of(connection, Name.of(table)), columns)

    def schema_exists(self, schema: str) -> bool:
        """Returns whether there is a schema of this name."""
        with self.connect() as connection:
            return tables.schema_exists(connection, folded(schema))

    def create_schema_if_applicable(
        self, schema: str | None, assume_exists: bool = settings.ASSUME_SCHEMA_EXISTS
    ) -> None:
        """Creates a schema where it is missing."""
        if schema and not assume_exists:
            with self.connect() as connection:
                tables.create_schema(connection, folded(schema))

    def table_exists(self, table: Any) -> bool:
        """Returns whether the table exists."""
        with self.connect() as connection:
            return bool(tables.columns_of(connection, self._name_of(table)))

    def drop_table(self, table: Any) -> None:
        """Drops the table if it exists."""
        with self.connect() as connection:
            tables.drop(connection, self._name_of(table))

    def row_count(self, table: Any) -> int:
        """Counts the rows of the table."""
        with self.connect() as connection:
            return tables.row_count(connection, self._name_of(table))

    def create_table_using_columns(self, table: Any) -> None:
        """Creates a table of its declared columns, where it is missing."""
        if not self.table_exists(table):
            with self.transaction() as connection:
                declared.create(connection, table.columns, Name.of(table))

    def load_file_to_table(
        self,
        input_file: Any,
        output_table: Any,
        normalize_config: dict[str, Any] | None = None,
        if_exists: str = "replace",
        assume_schema_exists: bool = settings.ASSUME_SCHEMA_EXISTS,
        **kwargs: Any,
    ) -> None:
        """Loads a file into a table (see `patches.database.use_the_engine`)."""
        loading.load_file(
            self, input_file, output_table, if_exists, assume_schema_exists, normalize_config
        )

    def load_pandas_dataframe_to_table(
        self,
        source_dataframe: pd.DataFrame,
        target_table: Any,
        if_exists: str = "replace",
        chunk_size: int = 0,
    ) -> None:
        """Loads a dataframe into a table.

        Problem: `copy_expert` is psycopg 2's; columns went by position and without quotes; the
        table was dropped before the copy. Fix: one transaction, and columns by name.
        """
        self._assert_not_empty_df(source_dataframe)
        self.create_schema_if_applicable(target_table.metadata.schema)
        dataframes.load(self, [source_dataframe], target_table, if_exists)

    def merge_table(
        self,
        source_table: Any,
        target_table: Any,
        source_to_target_columns_map: dict[str, str],
        target_conflict_columns: list[str],
        if_conflicts: Any = "exception",
    ) -> None:
        """Merges a table into another.

        Problem: psycopg 2 composed SQL for a connection of psycopg 3. Fix: psycopg 3 composes it.
        """
        names = name_in(self, source_table), Name.of(target_table)
        columns, keys = source_to_target_columns_map, target_conflict_columns
        with self.transaction() as connection:
            self.sql = merging.merge(connection, *names, columns, keys, if_conflicts)

    def append_table(
        self, source_table: Any, target_table: Any, source_to_target_columns_map: dict[str, str]
    ) -> None:
        """Appends a table to another.

        Problem: SQLAlchemy 2 takes no list in `select`. Fix: psycopg 3 composes the SQL.
        """
        names = name_in(self, source_table), Name.of(target_table)
        with self.transaction() as connection:
            self.sql = merging.append(connection, *names, source_to_target_columns_map)

    def export_table_to_pandas_dataframe(
        self, source_table: Any, select_kwargs: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        """Reads the table into a dataframe, without the engine's column."""
        return exporting.frame_of(self, self._name_of(source_table))

    can_stream_to = staticmethod(exporting.can_stream_to)

    def export_table_to_file(
        self, source_table: Any, target_file: Any, if_exists: str = "exception"
    ) -> None:
        """Writes the table to a file; to S3 as CSV or Parquet in constant memory."""
        if self.can_stream_to(target_file):
            exporting.export_table(self, self._name_of(source_table), target_file, if_exists)
        else:
            super().export_table_to_file(source_table, target_file, if_exists)

    def _name_of(self, table: Any) -> Name:
        """The table's name, with the default schema where its author gave none."""
        return Name.of(table if table.metadata.schema else self.populate_table_metadata(table))
