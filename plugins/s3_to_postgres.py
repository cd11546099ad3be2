"""The hook: files from S3 into Postgres, and query results back, both in constant memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook

from include.airflow_bridge.connections import store_of, warehouse_of
from include.airflow_bridge.errors import airflow_errors, arrival_errors
from include.airflow_bridge.task import loader
from include.airflow_bridge.warnings import load_warnings
from include.landfall.arrival import Arrival
from include.landfall.errors import WrongUse, printable, shorten
from include.landfall.feed.model import Feed

# The engine is imported where it is used, because every parse of a DAG file would pay for pyarrow,
# boto3 and psycopg.
if TYPE_CHECKING:
    from include.landfall.export.query import Exported
    from include.landfall.export.types import Compression, Format, Parameters
    from include.landfall.feed.yaml_file import Feeds
    from include.landfall.load import Receipt


class S3ToPostgresHook(BaseHook):  # type: ignore[misc]
    """Moves data between one S3 connection and one Postgres connection through the engine.

    Memory does not depend on the size of a file, and nothing is written to disk. A failure that a
    retry can help raises AirflowException, any other AirflowFailException, with a message that says
    what was found and what to do.
    """

    def __init__(self, s3_conn_id: str = "landing", postgres_conn_id: str = "warehouse") -> None:
        super().__init__()
        self.s3_conn_id = s3_conn_id
        self.postgres_conn_id = postgres_conn_id

    @classmethod
    def of(cls, feed: Feed) -> S3ToPostgresHook:
        """Makes the hook for the feed's own two connections."""
        with airflow_errors():
            _check_feed(feed)
        return cls(feed.source.connection, feed.target.connection)

    def load(
        self, feed: Feed, arrival: Arrival | dict[str, Any], *, force: bool = False, by: str = ""
    ) -> Receipt:
        """Loads one arrival exactly once; `force` loads it again and replaces its rows.

        `arrival` may be the dict that NewArrivalsSensor hands on. `by` is the loader's name in the
        ledger; without it that is the running task's. The task is skipped when the object has
        changed since it was listed.
        """
        from include.landfall.load import load

        with arrival_errors():
            self._check_feed(feed)
            arrival = _arrival_of(arrival)
            receipt = load(
                feed,
                arrival,
                store=store_of(self.s3_conn_id),
                warehouse=warehouse_of(self.postgres_conn_id),
                force=force,
                by=by or loader(),
            )
        self.log.info("%s: %s, %s rows", printable(arrival.uri), receipt.outcome, receipt.rows)
        for warning in load_warnings(receipt):
            self.log.warning(warning)
        return receipt

    def expire_rejects(self, feed: Feed) -> dict[str, int]:
        """Deletes rejects older than the feed's `rejects.days`; returns how many in which state."""
        from include.landfall.ledger.kept_rejects import expire
        from include.landfall.postgres.connection import connect
        from include.landfall.postgres.errors import postgres_errors

        with airflow_errors():
            self._check_feed(feed)
        with (
            airflow_errors(),
            connect(warehouse_of(self.postgres_conn_id)) as connection,
            postgres_errors(),
        ):
            expired = expire(connection, feed.name, feed.rejects.days)
        self.log.info("%s: deleted %s", feed.name, expired or "nothing")
        return expired

    def tidy(self, feed: Feed, others: Feeds | None = None) -> dict[str, int]:
        """Moves or deletes the objects of the feed's loaded files, as `source.loaded_files` says.

        `others` is the feed's folder: what its other feeds take is not touched. Returns how many
        objects were moved, deleted and kept; the log names each.
        """
        from include.landfall.tidy import tidy

        counts: Counter[str] = Counter()
        with airflow_errors():
            self._check_feed(feed)
            for each in tidy(
                feed,
                store=store_of(self.s3_conn_id),
                warehouse=warehouse_of(self.postgres_conn_id),
                others=others,
            ):
                counts[each.action] += 1
                where = each.reason or each.moved_to or ""
                self.log.info("%s %s %s", each.action, printable(each.key), printable(where))
        self.log.info("%s: %s", feed.name, dict(counts) or "no loaded file is old enough")
        return dict(counts)

    def export(
        self,
        query: str,
        parameters: Parameters | None = None,
        *,
        bucket: str,
        key: str,
        format: Format = "csv",  # noqa: A002  the name that people expect
        compression: Compression | None = None,
        part_size: int | str | None = None,
        manifest: bool = False,
    ) -> Exported:
        """Writes a query's result to s3://bucket/key, completely or not at all.

        `format` is a name, or what a feed has under `format:` that reads the file back. With a
        `part_size` (128 MB) there are objects of about that size: `x-00000.csv` and so on, and
        with `manifest` one that names them, `x-manifest`.
        """
        from include.landfall.export.query import export

        with airflow_errors():
            exported = export(
                query,
                parameters,
                warehouse=warehouse_of(self.postgres_conn_id),
                store=store_of(self.s3_conn_id),
                bucket=bucket,
                key=key,
                format=format,
                compression=compression,
                part_size=part_size,
                manifest=manifest,
            )
        uri = printable(exported.uri)
        self.log.info("%s: %s rows, %s bytes", uri, exported.rows, exported.bytes)
        return exported

    def missing_tables(self, tables: Sequence[str]) -> list[str]:
        """Returns those of the tables that the database does not have.

        Each is schema.table, as a feed has it: `raw.Flights` is another table than `raw.flights`.
        """
        from include.landfall.postgres.catalog import missing_relations
        from include.landfall.postgres.connection import connect
        from include.landfall.postgres.errors import postgres_errors

        with airflow_errors():
            names = _names_of(tables)
        with (
            airflow_errors(),
            connect(warehouse_of(self.postgres_conn_id)) as connection,
            postgres_errors(),
        ):
            return missing_relations(connection, names)

    def _check_feed(self, feed: Feed) -> None:
        """Checks that it is a feed, and warns where it names other connections than the hook has.

        Raises: WrongUse.
        """
        _check_feed(feed)
        of_hook = self.s3_conn_id, self.postgres_conn_id
        of_feed = feed.source.connection, feed.target.connection
        for own, other in zip(of_hook, of_feed, strict=True):
            if own != other:
                self.log.warning(
                    "the hook goes by its connection %r, and the feed %s names %r:"
                    " S3ToPostgresHook.of(feed) goes by the feed's",
                    *(own, feed.name, other),
                )


def _check_feed(feed: object) -> None:
    if not isinstance(feed, Feed):
        raise _wrong("feed", feed, "a Feed, such as read_feed(path) returns")


def _arrival_of(value: object) -> Arrival:
    if isinstance(value, Arrival):
        return value
    try:
        return Arrival.from_dict(dict(value))  # type: ignore[call-overload]
    except (KeyError, TypeError, ValueError, AttributeError):
        expected = "an Arrival, such as find_arrival returns, or a dict of NewArrivalsSensor"
        raise _wrong("arrival", value, expected) from None


def _names_of(tables: Any) -> list[str]:
    is_list = isinstance(tables, Iterable) and not isinstance(tables, str | bytes)
    names = list(tables) if is_list else []
    if not is_list or not all(isinstance(name, str) for name in names):
        raise _wrong("tables", tables, "a list of names, each schema.table")
    return names


def _wrong(argument: str, value: object, expected: str) -> WrongUse:
    return WrongUse(
        f"the argument {argument} is wrong", found=shorten(repr(value)), expected=expected
    )
