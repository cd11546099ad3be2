"""Postgres as astro sees it, with the engine underneath.

astro makes this class for every Postgres connection (`mends.database.use_the_engine`): it takes
the class `<Module>Database` of a module, so the names here are astro's to choose.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any, cast

import pandas as pd
import psycopg
import sqlalchemy
from astro import settings
from astro.databases.postgres import PostgresDatabase as AstroPostgresDatabase
from astro.exceptions import NonExistentTableException
from astro.query_modifier import QueryModifier
from psycopg import Connection
from sqlalchemy.pool import NullPool
from sqlalchemy.sql import ClauseElement

from include.landfall.connections import Warehouse
from include.landfall.export.query import export
from include.landfall.postgres.connection import connect

from . import dataframes, sources, tables
from .airflow_errors import as_airflow_sees_them, push, who
from .arrivals import ArrivalFile, load_arrival
from .connections import store_of, warehouse_of
from .loading import PlainLoad
from .quoting import quoted
from .statements import ddl_of, execute
from .tables import Name

log = logging.getLogger(__name__)


class PostgresDatabase(AstroPostgresDatabase):
    """astro's Postgres: loads and exports by the engine, quoted names, whole transactions."""

    @cached_property
    def warehouse(self) -> Warehouse:
        """The database of the connection."""
        database = self.table.metadata.database if self.table and self.table.metadata else None
        return warehouse_of(self.conn_id, database)

    @cached_property
    def sqlalchemy_engine(self) -> Any:
        """Broke: SQLAlchemy 2 commits nothing by itself, and astro never did; its connections
        were never closed either; and the hook's engine leaves the connection's extras out.

        Mends: autocommit, no pool to leak, and connections by the hook. Client-side cursors bind
        values as psycopg 2 did, so several statements, and DDL, may have parameters.
        """

        def connection() -> Any:
            made = self.hook.get_conn()
            made.cursor_factory = psycopg.ClientCursor
            return made

        return sqlalchemy.create_engine(
            "postgresql+psycopg://",
            creator=connection,
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
        )

    @contextmanager
    def psycopg(self) -> Iterator[Connection]:
        """A connection of the engine's, in autocommit."""
        with connect(self.warehouse, f"astro {self.conn_id}") as connection:
            yield connection

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A connection in a transaction, which commits at the end."""
        with self.psycopg() as connection, connection.transaction():
            yield connection

    @contextmanager
    def _sqlalchemy_transaction(self) -> Iterator[tuple[Any, Connection]]:
        """One transaction, as SQLAlchemy sees it for the user's SQL, and as psycopg does."""
        engine = self.sqlalchemy_engine.execution_options(isolation_level="READ COMMITTED")
        with engine.begin() as connection:
            yield connection, connection.connection.driver_connection

    # Statements ---------------------------------------------------------------------------------

    def run_sql(
        self,
        sql: str | ClauseElement = "",
        parameters: dict[str, Any] | None = None,
        handler: Any = None,
        query_modifier: QueryModifier | None = None,
        **kwargs: Any,
    ) -> Any:
        """Broke: each statement took a connection of its own, and a text's `autocommit` option is
        gone. Mends: one connection, with the queries before and after, closed at the end."""
        modifier = query_modifier or QueryModifier()
        sql = kwargs.get("sql_statement", sql)
        with self.sqlalchemy_engine.connect() as connection:
            for query in modifier.pre_queries:
                execute(connection, query, parameters)
            result = execute(connection, sql, parameters)
            handled = handler(result) if handler else None
            result.close()
            for query in modifier.post_queries:
                execute(connection, query, parameters)
        return handled

    def run_single_sql_query(
        self, sql: str | ClauseElement = "", parameters: dict[str, Any] | None = None
    ) -> Any:
        """One statement, whose result the caller reads while its connection is open."""
        return execute(self.sqlalchemy_engine.connect(), sql, parameters)

    # Tables -------------------------------------------------------------------------------------

    @staticmethod
    def get_table_qualified_name(table: Any) -> str:
        """Broke, on any Airflow: names were spliced in unquoted. Mends: names are data."""
        if table.metadata and table.metadata.schema:
            return Name.of(table).quoted
        return quoted(table.name)

    def get_sqlalchemy_template_table_identifier_and_parameter(
        self, table: Any, jinja_table_identifier: str
    ) -> tuple[str, str]:
        """What {{table}} becomes in a query: SQLAlchemy would bind the colon in a name."""
        name = self.get_table_qualified_name(table)
        return name.replace(":", "\\:"), name

    def written_columns(self, table: Any, columns: Sequence[str]) -> dict[str, str]:
        """How SQL writes the columns: as they are, else as Postgres folds a bare name.

        What is no column stays as it is: check_column takes an expression too.
        """
        with self.psycopg() as connection:
            found = tables.columns_of(connection, Name.of(table))
        exact = {name: name if name in found else name.lower() for name in columns}
        return {name: quoted(real) if real in found else name for name, real in exact.items()}

    def schema_exists(self, schema: str) -> bool:
        """Whether there is a schema of exactly this name."""
        query = "SELECT 1 FROM pg_namespace WHERE nspname = %s"
        with self.psycopg() as connection:
            return connection.execute(query, [schema]).fetchone() is not None

    def create_schema_if_applicable(
        self, schema: str | None, assume_exists: bool = settings.ASSUME_SCHEMA_EXISTS
    ) -> None:
        """Makes the schema where it is missing."""
        if schema and not assume_exists:
            with self.psycopg() as connection:
                tables.create_schema(connection, schema)

    def table_exists(self, table: Any) -> bool:
        """Whether the table is there."""
        with self.psycopg() as connection:
            return bool(tables.columns_of(connection, Name.of(self._complete(table))))

    def drop_table(self, table: Any) -> None:
        """Drops the table if it is there."""
        with self.psycopg() as connection:
            tables.drop(connection, Name.of(self._complete(table)))

    def row_count(self, table: Any) -> int:
        """The number of rows in the table."""
        query = psycopg.sql.SQL("SELECT count(*) FROM {}")
        with self.psycopg() as connection:
            counted = connection.execute(query.format(Name.of(self._complete(table)).identifier))
            return int((counted.fetchone() or (0,))[0])

    def create_table_using_columns(self, table: Any) -> None:
        """Makes a table of its declared columns, where it is missing."""
        if not self.table_exists(table):
            with self.transaction() as connection:
                self.create_declared(connection, table, Name.of(table))

    def create_declared(self, connection: Connection, table: Any, name: Name) -> None:
        """Makes a table of the declared columns under a name, with their keys and defaults."""
        for statement in ddl_of(table.columns, name):
            connection.execute(statement)

    def declared_columns(self, table: Any) -> dict[str, str]:
        """The declared columns with their types in Postgres's own words."""
        name = Name.of(table).scratch()
        with self.psycopg() as connection, connection.transaction(force_rollback=True):
            self.create_declared(connection, table, name)
            return tables.columns_of(connection, name)

    def _complete(self, table: Any) -> Any:
        return table if table.metadata.schema else self.populate_table_metadata(table)

    # Loads --------------------------------------------------------------------------------------

    def load_file_to_table(
        self,
        input_file: Any,
        output_table: Any,
        normalize_config: dict[str, Any] | None = None,
        if_exists: str = "replace",
        assume_schema_exists: bool = settings.ASSUME_SCHEMA_EXISTS,
        **kwargs: Any,
    ) -> None:
        """Broke: see `mends.database.use_the_engine`. Mends: the load is the engine's, and what
        only pandas can read goes through pandas, all files in one transaction."""
        with as_airflow_sees_them():
            if isinstance(input_file, ArrivalFile):
                push("receipts", [load_arrival(input_file, self, output_table).as_dict()])
                return
            self.create_schema_if_applicable(output_table.metadata.schema, assume_schema_exists)
            reason = sources.why_not(input_file)
            if reason:
                log.warning("Loading %s through pandas, in memory: %s", input_file.path, reason)
                frames = self._frames_of(input_file, normalize_config)
                self._load_frames(frames, output_table, if_exists)
                return
            files = sources.files_of(input_file)
            rows = settings.LOAD_TABLE_AUTODETECT_ROWS_COUNT
            made = PlainLoad(self, output_table, files, if_exists, who(), rows).run()
            push("receipts", [receipt.as_dict() for receipt in made])

    def load_pandas_dataframe_to_table(
        self,
        source_dataframe: pd.DataFrame,
        target_table: Any,
        if_exists: str = "replace",
        chunk_size: int = 0,
    ) -> None:
        """Broke: `copy_expert` is psycopg 2's; columns went by position, unquoted; the table was
        dropped before the copy. Mends: one transaction, columns by name."""
        self.create_schema_if_applicable(target_table.metadata.schema)
        self._load_frames(iter([source_dataframe]), target_table, if_exists)

    def _load_frames(self, frames: Iterator[pd.DataFrame], table: Any, if_exists: str) -> None:
        name = Name.of(table)
        with self.transaction() as connection:
            exists = bool(tables.columns_of(connection, name))
            into = name if not exists or if_exists == "append" else name.scratch()
            for number, frame in enumerate(frames):
                if number == 0 and (into != name or not exists):
                    self._create_for(connection, table, into, frame)
                dataframes.copy(connection, frame, into)
            if into != name:
                tables.take_place(connection, into, name)

    def _create_for(
        self, connection: Connection, table: Any, name: Name, frame: pd.DataFrame
    ) -> None:
        if table.columns:
            self.create_declared(connection, table, name)
        else:
            tables.create(connection, name, dataframes.types_of(frame))

    def _frames_of(self, file: Any, normalize: dict[str, Any] | None) -> Iterator[pd.DataFrame]:
        from astro.files import resolve_file_path_pattern

        found = resolve_file_path_pattern(
            file.path,
            file.conn_id,
            normalize_config=normalize,
            filetype=file.type.name,
            load_options=file.load_options,
        )
        return (self.get_dataframe_from_file(one) for one in found)

    # From table to table ------------------------------------------------------------------------

    def replace_table_from_select(
        self,
        statement: str,
        target_table: Any,
        parameters: dict[str, Any] | None = None,
        query_modifier: QueryModifier | None = None,
    ) -> int:
        """The query's rows take the place of the table's, in one transaction; their number."""
        modifier = query_modifier or QueryModifier()
        name = Name.of(target_table)
        aside = name.scratch()
        query = statement.strip().rstrip(";")
        with self._sqlalchemy_transaction() as (connection, driver):
            for before in modifier.pre_queries:
                execute(connection, before, parameters)
            made = aside.quoted.replace(":", "\\:")
            execute(connection, f"CREATE TABLE {made} AS\n{query}\n", parameters)
            rows = tables.take_place(driver, aside, name)
            for after in modifier.post_queries:
                execute(connection, after, parameters)
        return rows

    def merge_table(
        self,
        source_table: Any,
        target_table: Any,
        source_to_target_columns_map: dict[str, str],
        target_conflict_columns: list[str],
        if_conflicts: Any = "exception",
    ) -> None:
        """Broke: the SQL was composed by psycopg 2 for a connection that is psycopg 3's.
        Mends: composed by psycopg 3."""
        source, target = Name.of(source_table), Name.of(target_table)
        with self.transaction() as connection:
            mapping = source_to_target_columns_map or self._common(connection, source, target)
            conflict = tables.on_conflict(
                if_conflicts, target_conflict_columns, list(mapping.values())
            )
            self._insert(connection, source, target, mapping, conflict)

    def append_table(
        self, source_table: Any, target_table: Any, source_to_target_columns_map: dict[str, str]
    ) -> None:
        """Broke: SQLAlchemy 2 takes no list in `select`. Mends: composed by psycopg 3."""
        source, target = Name.of(source_table), Name.of(target_table)
        with self.transaction() as connection:
            mapping = source_to_target_columns_map or self._common(connection, source, target)
            self._insert(connection, source, target, mapping, None)

    def _common(self, connection: Connection, source: Name, target: Name) -> dict[str, str]:
        """As documented, all columns of the target; never the load ids, which are its own."""
        found = tables.data_columns(tables.columns_of(connection, target))
        if not found:
            raise NonExistentTableException(f"The table {target.quoted} does not exist")
        return {column: column for column in found}

    def _insert(
        self,
        connection: Connection,
        source: Name,
        target: Name,
        mapping: dict[str, str],
        conflict: Any,
    ) -> None:
        rows = tables.insert(connection, source, target, mapping, conflict)
        into = f"{target.quoted} ({', '.join(mapping.values())})"
        # What was run, for the log and the lineage: this text itself is not.
        self.sql = f"INSERT INTO {into} SELECT {', '.join(mapping)} FROM {source.quoted}"  # noqa: S608
        log.info("%s rows: %s", rows, self.sql)

    # Out of the database ------------------------------------------------------------------------

    def export_table_to_pandas_dataframe(
        self, source_table: Any, select_kwargs: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        """The table as a dataframe, without the engine's own column."""
        from astro.dataframes.pandas import PandasDataframe

        with self._sqlalchemy_transaction() as (connection, _):
            query = sqlalchemy.text(self._select(source_table).replace(":", "\\:"))
            return PandasDataframe.from_pandas_df(pd.read_sql(query, con=connection))

    def _select(self, table: Any) -> str:
        name = Name.of(self._complete(table))
        with self.psycopg() as connection:
            columns = tables.data_columns(tables.columns_of(connection, name))
        if not columns:
            raise NonExistentTableException(f"The table {name.quoted} does not exist")
        return f"SELECT {', '.join(map(quoted, columns))} FROM {name.quoted}"  # noqa: S608  quoted

    @staticmethod
    def can_stream_to(file: Any) -> bool:
        """Whether an export to the file can stream through the engine."""
        return file.path.startswith("s3://") and sources.kind_of(file) in {"csv", "parquet"}

    def export_table_to_file(
        self, source_table: Any, target_file: Any, if_exists: str = "exception"
    ) -> None:
        """Writes the table to a file; to S3 as CSV or Parquet in constant memory."""
        if not self.can_stream_to(target_file):
            super().export_table_to_file(source_table, target_file, if_exists)
            return
        with as_airflow_sees_them():
            store = store_of(target_file.conn_id)
            bucket, key = sources.place_of(target_file.path)
            if if_exists != "replace" and sources.exists(store, bucket, key):
                raise FileExistsError(f"{target_file.path} file already exists.")
            # psycopg reads %, and a name may hold one; with no parameters it must be left alone.
            written = export(
                self._select(source_table),
                None,
                warehouse=self.warehouse,
                store=store,
                bucket=bucket,
                key=key,
                format=cast("Any", sources.kind_of(target_file)),
                compression=cast("Any", sources.compression_of(key)),
            )
            log.info("Exported %s rows, %s bytes, to %s", written.rows, written.bytes, written.uri)
