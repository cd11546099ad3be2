"""`load_file` into Postgres: by the engine where it can, else through pandas."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from include.airflow_bridge.errors import airflow_errors, arrival_errors
from include.airflow_bridge.task import push_xcom, task_identity

from . import dataframes, sources
from .arrivals import ArrivalFile, load_arrivals
from .plain_load import PlainLoad
from .strategies import check_if_exists

if TYPE_CHECKING:
    from .database import PostgresDatabase

log = logging.getLogger(__name__)


def load_file(
    database: PostgresDatabase,
    file: Any,
    table: Any,
    if_exists: str,
    assume_schema_exists: bool,
    normalize_config: dict[str, Any] | None,
) -> None:
    """Loads astro's file into a table; the engine's receipts go to XCom as `receipts`.

    Raises: AirflowException or AirflowFailException, by whether a retry can help;
    AirflowSkipException when an arrival has changed since it was listed; ValueError when
    `if_exists` is neither `replace` nor `append`.
    """
    check_if_exists(if_exists)
    if isinstance(file, ArrivalFile):
        with arrival_errors():
            load_arrivals(file, database.warehouse, table)
        return
    with airflow_errors():
        database.create_schema_if_applicable(table.metadata.schema, assume_schema_exists)
        reason = sources.reason_for_pandas(file)
        if reason:
            frames = dataframes.read_files(database, file, normalize_config)
        else:
            plain = PlainLoad(database, table, sources.files_of(file), if_exists, task_identity())
            reason = plain.reason_for_pandas()
            frames = dataframes.read_objects(database, file, plain.files)
        if reason:
            log.warning("Loading %s through pandas, in memory: %s", file.path, reason)
            dataframes.load(database, frames, table, if_exists)
        else:
            push_xcom("receipts", [receipt.as_dict() for receipt in plain.run()])
