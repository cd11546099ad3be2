"""scd2: every version of a row stays, with the time from which and to which it was valid."""

from __future__ import annotations

from datetime import datetime

from psycopg import Connection, sql

from include.landfall.feed.model import Feed
from include.landfall.feed.target import IS_CURRENT, OF_SCD2, VALID_FROM, VALID_TO
from include.landfall.postgres.statements import identifiers, statement
from include.landfall.write.merge_parts import Merge, Step, of
from include.landfall.write.merging import Merging, check_columns, keep_newest
from include.landfall.write.moments import check_moments, moment_type

TIMELINE = sql.Identifier("pg_temp", "landfall_timeline")


class Scd2(Merging):
    """A change of a key ends its version and begins another one. No version is ever lost."""

    rights = ("UPDATE", "DELETE")

    def definitions(self, feed: Feed) -> list[sql.Composable]:
        """Returns the columns of a version's time, and the primary key."""
        moment = sql.SQL(str(moment_type(feed)))
        return [
            sql.SQL("{} {} NOT NULL").format(sql.Identifier(VALID_FROM), moment),
            sql.SQL("{} {}").format(sql.Identifier(VALID_TO), moment),
            sql.SQL("{} boolean NOT NULL").format(sql.Identifier(IS_CURRENT)),
            sql.SQL("PRIMARY KEY ({})").format(identifiers([*feed.target.key, VALID_FROM])),
        ]

    def check_target(self, connection: Connection, feed: Feed) -> None:
        """Checks that the table has the columns of a version's time, and that they fit.

        Raises: FeedError.
        """
        check_columns(connection, feed, OF_SCD2)
        check_moments(connection, feed)

    def deduplicate(self, merge: Merge) -> int:
        """Keeps the later row of each key and moment; without `newest` a file has one moment."""
        newest = merge.feed.target.newest
        return keep_newest(merge, [*merge.key, newest] if newest else merge.key)

    def moment(self, merge: Merge) -> datetime:
        """Returns the time of the merge, later than that of every version of the file's keys.

        The server's clock may go back, for instance when another server takes over. The rows that
        came last would then end before those that they change.
        """
        if merge.feed.target.newest:
            return merge.moment
        of_file = "" if merge.feed.target.is_snapshot else "JOIN {incoming} AS i ON {same_key}"
        latest: datetime = merge.value(
            statement("write/moment"),
            moment=sql.Literal(merge.moment),
            of_file=merge.fill(of_file),
        )
        return latest

    def steps(self, merge: Merge, rows: sql.Composable) -> list[Step]:
        """Puts the changes into the timelines of their keys. What changes nothing is left out."""
        return [
            Step(merge.fill("DROP TABLE IF EXISTS {timeline}", timeline=TIMELINE)),
            Step(merge.fill(statement("write/timeline"), rows=rows, **_timeline_parts(merge))),
            _remove_versions(merge),
            _end_versions(merge),
            Step(merge.fill(statement("write/begin_versions"), timeline=TIMELINE)),
        ]

    def expected(self, merge: Merge, rows: sql.Composable) -> sql.Composed:
        """Counts the versions that begin."""
        return merge.fill(
            "(SELECT count(*) FROM {timeline} WHERE _load_source = 2 AND NOT _load_closes)",
            timeline=TIMELINE,
        )

    def take_absent(self, merge: Merge) -> None:
        """Closes the keys that a snapshot does not have."""
        close = merge.fill(statement("write/close_absent"), moment=sql.Literal(merge.moment))
        merge.run(Step(close, merge.absent_keys))


def _remove_versions(merge: Merge) -> Step:
    """Removes a version in whose place another one of its moment comes, or that is deleted."""
    return merge.delete(
        "{timeline} AS i WHERE {same_key} AND t._valid_from = i._load_moment"
        " AND i._load_source = 2 AND i._load_replaces",
        timeline=TIMELINE,
    )


def _end_versions(merge: Merge) -> Step:
    """Ends a version where another one begins. It keeps the id of the load that brought it."""
    ended = merge.fill(
        "{timeline} AS i WHERE {same_key} AND t._valid_from = i._load_moment"
        " AND i._load_source = 1 AND t._valid_to IS DISTINCT FROM i._load_ends",
        timeline=TIMELINE,
    )
    return Step(
        merge.fill(
            "UPDATE {target} AS t SET _valid_to = i._load_ends, _is_current = i._load_ends IS NULL"
            " FROM {ended}",
            ended=ended,
        ),
        merge.fill("SELECT 1 FROM {target} AS t, {ended}", ended=ended),
    )


def _timeline_parts(merge: Merge) -> dict[str, sql.Composable]:
    names = _compared(merge)
    aliases = [sql.Identifier(f"_load_v{position}") for position in range(max(1, len(names)))]
    newest = merge.feed.target.newest
    return {
        "key_of_t": of("t", merge.key),
        "key_of_i": of("i", merge.key),
        "moment": sql.Identifier("i", newest) if newest else sql.Literal(merge.moment),
        "values_of_t": _values(merge, "t", names, aliases),
        "values_of_i": _values(merge, "i", names, aliases),
        "aliases": sql.SQL("ROW({})").format(sql.SQL(", ").join(aliases)),
        "earlier_values": sql.SQL("ROW({})").format(
            sql.SQL(", ").join(sql.SQL("lag({}) OVER earlier").format(each) for each in aliases)
        ),
    }


def _compared(merge: Merge) -> list[str]:
    """Returns the columns in which a change makes a new version."""
    target = merge.feed.target
    beside = {*target.key, target.newest, target.deleted.column if target.deleted else None}
    return [name for name in merge.names if name not in beside]


def _values(
    merge: Merge, row: str, names: list[str], aliases: list[sql.Identifier]
) -> sql.Composable:
    types = {column.name: column.planned.type.name for column in merge.columns}

    def one(name: str, alias: sql.Identifier) -> sql.Composed:
        cast = "::text" if types[name] == "json" else ""  # values of json have no equality
        value = sql.Identifier(row, name)
        return sql.SQL("{}{} AS {}").format(value, sql.SQL(cast), alias)

    return (
        sql.SQL(", ").join(map(one, names, aliases))
        if names
        else sql.SQL("0 AS {}").format(aliases[0])
    )


DISPOSITION = Scd2()
