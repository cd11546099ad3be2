"""The rejects: rows of files that were refused, kept until somebody settles them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import Connection
from psycopg.types.json import Jsonb

from include.landfall.ledger.claims import Claimant
from include.landfall.postgres.statements import statement


@dataclass(frozen=True)
class RejectedRow:
    """A row of a file that was refused, with its first reason, and the others in `more`.

    `number` counts rows from 1, `line` physical lines: of an arrival of several files those of the
    part, which `key` and, in a zip file, `member` name. `cells` are the row's cells by column,
    where it could be cut into cells.
    """

    number: int
    key: str | None
    member: str | None
    line: int | None
    column_name: str | None
    reason: str
    sqlstate: str
    message: str
    raw: str | None
    cells: dict[str, str | None] | None
    more: list[dict[str, str | None]] | None

    @property
    def part(self) -> str | None:
        """The name of the part, where the arrival has several files."""
        return self.member or self.key


def close_replaced(connection: Connection, load_ids: Sequence[int], by: str) -> None:
    """Closes rejects, samples and nulled cells of loads that another load takes the place of."""
    connection.execute(
        "UPDATE landfall.rejects SET state = 'superseded', settled_at = clock_timestamp(),"
        " settled_by = %s WHERE load_id = ANY(%s) AND state IN ('open', 'sample', 'nulled')",
        [by, list(load_ids)],
    )


def keep_samples(
    connection: Connection, claimant: Claimant, load_id: int, samples: Sequence[RejectedRow]
) -> None:
    """Writes samples of the rows for which a file was refused, in place of earlier ones."""
    connection.execute(
        "DELETE FROM landfall.rejects WHERE load_id = %s AND state = 'sample'", [load_id]
    )
    values = claimant.values(load_id=load_id)
    with connection.cursor() as cursor:
        cursor.executemany(
            statement("ledger/keep_sample"),
            (
                {
                    **values,
                    **row.__dict__,
                    "key": row.key or values["key"],
                    "cells": row.cells and Jsonb(row.cells),
                    "more": row.more and Jsonb(row.more),
                }
                for row in samples
            ),
        )
