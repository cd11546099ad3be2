"""Staging: the temporary tables of one load, and how their rows go into the target."""

from __future__ import annotations

from psycopg import Connection, sql

from include.landfall.feed.model import Feed
from include.landfall.job import LOAD_ID, ROW_NUMBER
from include.landfall.postgres.errors import postgres_errors
from include.landfall.postgres.statements import table
from include.landfall.write.dispositions import Disposition, StagedRows
from include.landfall.write.target import TYPED, TargetColumn

TEXTS = sql.Identifier("pg_temp", "landfall_texts")  # suspects: every cell as text


class Staging:
    """The target of one load, and the tables where rows wait that cannot be copied into it."""

    def __init__(
        self,
        connection: Connection,
        feed: Feed,
        disposition: Disposition,
        columns: list[TargetColumn],
        load_id: int,
    ) -> None:
        self.connection = connection
        self.columns = columns
        self.target = table(feed.target.table)
        self.has_texts = False
        self.text_columns: list[str] = []
        self._disposition = disposition
        self._load_id = load_id

    @property
    def names(self) -> list[str]:
        """The names of the feed's columns."""
        return [column.planned.name for column in self.columns]

    def keep_as_text(self, text_columns: list[str]) -> None:
        """Makes TYPED a staging table for the typed rows: these columns as text, and a load id."""
        self.text_columns = text_columns
        changes = [sql.SQL("ADD {} bigint").format(sql.Identifier(LOAD_ID))]
        changes += [sql.SQL("ALTER {} TYPE text").format(sql.Identifier(c)) for c in text_columns]
        self.connection.execute(
            sql.SQL("ALTER TABLE {} {}").format(TYPED, sql.SQL(", ").join(changes))
        )

    def create_texts(self) -> None:
        """Creates TEXTS, unless it is there."""
        if self.has_texts:
            return
        columns = [sql.SQL("{} text").format(sql.Identifier(name)) for name in self.names]
        self.connection.execute(
            sql.SQL("CREATE TEMP TABLE landfall_texts ({} bigint, {}) ON COMMIT DROP").format(
                sql.Identifier(ROW_NUMBER), sql.SQL(", ").join(columns)
            )
        )
        self.has_texts = True

    def insert(self, staging: sql.Identifier) -> int:
        """Puts all rows of a staging table into the target, and returns how many went in."""
        with postgres_errors():
            return self.connection.execute(self.insert_statement(staging)).rowcount

    def insert_statement(self, staging: sql.Identifier = TEXTS) -> sql.Composed:
        """Returns the statement that puts staged rows into the target, ready for a WHERE."""
        texts = set(self.text_columns if staging is TYPED else self.names)
        values = [
            column.from_text if name in texts else sql.Identifier(name)
            for name, column in zip(self.names, self.columns)
        ]
        rows = StagedRows(staging, [*self.names, LOAD_ID], [*values, sql.Literal(self._load_id)])
        return self._disposition.insert(self.target, rows)
