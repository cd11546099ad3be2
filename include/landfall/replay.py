"""Loads rejects once more: after a fix of the feed, of the table, or of the rows themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from psycopg import Connection

from include.landfall.arrival import Arrival
from include.landfall.connections import Warehouse
from include.landfall.contract import IfMissing
from include.landfall.errors import DataError, FeedError, LandfallError, WrongUse
from include.landfall.feed.lenient import cells_of
from include.landfall.feed.model import Feed
from include.landfall.job import LOAD_ID
from include.landfall.ledger import changes, claims, replays
from include.landfall.ledger.claims import Claimant
from include.landfall.ledger.entries import Entry, create_ledger
from include.landfall.ledger.kept_rejects import (
    OPEN,
    Selection,
    check_all_are_open,
    check_selection,
    rejects_exist,
)
from include.landfall.planned import planned_column
from include.landfall.postgres.catalog import has_column, has_relation
from include.landfall.postgres.connection import connect
from include.landfall.postgres.errors import postgres_errors
from include.landfall.postgres.statements import table
from include.landfall.read.given import given_text
from include.landfall.write import alter, target
from include.landfall.write.dispositions import disposition_of
from include.landfall.write.restage import Cells, judge_rejects, stage_rejects
from include.landfall.write.staging import Staging
from include.landfall.write.target import TargetColumn


@dataclass(frozen=True)
class Batch:
    """The rejects of one load that are replayed in one transaction.

    `edited` are cells in the feed's order, by the rejects' ids; without it all open rejects of the
    load are meant, or those of one `reason`. `unedited` is how many were named and not corrected.
    """

    entry: Entry
    reason: str | None = None
    edited: Mapping[int, Cells] | None = None
    unedited: int = 0


@dataclass(frozen=True)
class ToReplay:
    """The batches of a replay. `settled` are ids that were named and are not open any more."""

    batches: list[Batch]
    settled: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Replayed:
    """What became of the rejects of one load.

    `rows` went into the target, `refused` were refused again for which reason, and `left_out` have
    no cells that could be loaded. `deduplicated` lost to a newer row of their key.
    """

    feed: str
    bucket: str
    key: str
    load_id: int
    rows: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    left_out: int = 0
    deduplicated: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Returns the outcome in values that JSON, and so XCom, can carry."""
        return asdict(self)


def rejects_to_replay(
    feed: Feed,
    *,
    warehouse: Warehouse,
    key: str | None = None,
    reason: str | None = None,
    edited: Mapping[int, Cells] | None = None,
) -> ToReplay:
    """Returns the open rejects of the feed, or of one object or reason, in a batch for each load.

    `edited` are the cells that a person has corrected, by the rejects' ids; then no other is taken,
    and there is neither `key` nor `reason`.

    Raises: WrongUse when one of the ids is no reject of the feed whose load is in the target, or
    when `edited` has a key or a reason beside it.
    """
    if edited is not None and (key is not None or reason is not None):
        raise WrongUse("corrected rows name their rejects: they take neither key nor reason")
    selection = Selection(feed.name, key, reason)
    with connect(warehouse) as connection, postgres_errors(), connection.transaction():
        if rejects_exist(connection):  # perhaps of an earlier version of the ledger
            create_ledger(connection)
        check_selection(connection, selection)
        entries = replays.loads_with_rejects(connection, selection)
        if edited is None:
            return ToReplay([Batch(entry, reason) for entry in entries])
        named = replays.named_rejects(connection, feed.name, edited)
    loaded = {entry.load_id for entry in entries}
    usable = {each.reject_id for each in named if each.state != OPEN or each.load_id in loaded}
    check_all_are_open(feed.name, edited.keys() - usable)
    batches = [_edited_batch(feed, entry, edited, named) for entry in entries]
    settled = [each.reject_id for each in named if each.state != OPEN]
    return ToReplay([batch for batch in batches if batch.edited or batch.unedited], settled)


def _edited_batch(
    feed: Feed,
    entry: Entry,
    edited: Mapping[int, Cells],
    named: list[replays.Named],
) -> Batch:
    open_rejects = [e for e in named if e.load_id == entry.load_id and e.state == OPEN]
    corrected = {
        each.reject_id: _with_given(feed, entry, each, edited[each.reject_id])
        for each in open_rejects
        # A row that could not be cut into cells and is as it was exported has nothing to load.
        if each.raw is None or not _is_as_exported(edited[each.reject_id], cells_of(each.raw, feed))
    }
    return Batch(entry, None, corrected, len(open_rejects) - len(corrected))


def _with_given(feed: Feed, entry: Entry, named: replays.Named, cells: Cells) -> Cells:
    """Returns the cells with those of the row's object, as far as nobody has given them."""
    return [
        _given(feed, name, entry, named) if cell is None and not column.is_in_file else cell
        for (name, column), cell in zip(feed.table_columns.items(), cells, strict=True)
    ]


def _given(feed: Feed, name: str, entry: Entry, named: replays.Named) -> str | None:
    column = planned_column(feed, name)
    if column.is_number:
        return str(named.row_number)
    if named.key != entry.key and column.from_object in {"last_modified", "size", "version"}:
        return None  # the ledger has those of the folder, and not of its parts
    return given_text(column, replace(arrival_of(entry), key=named.key), named.member)


def _is_as_exported(cells: Cells, fields: Cells) -> bool:
    """Returns whether the cells are the fields, though a spreadsheet may have filled up the row."""
    missing = len(cells) - len(fields)
    return list(cells) == [*fields, *[None] * missing]


def replay(feed: Feed, batch: Batch, *, warehouse: Warehouse, by: str = "") -> Replayed:
    """Loads the rejects of a batch once more, in one transaction, each at most once.

    The rows get the load id of their file. Those that are refused again stay open, with their new
    reasons. `by` is whom the ledger names.

    Raises: LandfallError that says what to do. Then nothing has changed.
    """
    entry = batch.entry
    arrival = arrival_of(entry)
    replaces_feed = disposition_of(feed).replaces_feed
    claimant = Claimant.new(feed, arrival, by, replaces_feed=replaces_feed)
    try:
        with (
            connect(
                warehouse, f"landfall replay {feed.name} {entry.key}", feed.limits
            ) as connection,
            postgres_errors(),
            connection.transaction(),
        ):
            create_ledger(connection)
            claims.lock(connection, claimant)
            return _replay(connection, claimant, batch)
    except LandfallError as error:
        error.at(feed=feed.name, object=arrival.uri)
        raise


def arrival_of(entry: Entry) -> Arrival:
    """Returns the arrival that the load has loaded."""
    return Arrival(entry.bucket, entry.key, entry.etag, entry.size, entry.last_modified)


def _replay(connection: Connection, claimant: Claimant, batch: Batch) -> Replayed:
    feed, load_id = claimant.feed, batch.entry.load_id
    nothing = Replayed(feed.name, batch.entry.bucket, batch.entry.key, load_id)
    entry = replays.loaded_entry(connection, load_id)
    if entry is None:  # another version of the object was loaded while this one waited
        return nothing
    _check_target(connection, feed, entry)
    _check_latest(connection, claimant)
    altered = alter.fit(connection, feed)
    with target.unaltered(connection, feed) as columns:
        replayed = _replay_rows(connection, claimant, batch, columns)
    changes.keep(connection, claimant, load_id, altered)
    return replayed


def _replay_rows(
    connection: Connection, claimant: Claimant, batch: Batch, columns: list[TargetColumn]
) -> Replayed:
    feed, load_id = claimant.feed, batch.entry.load_id
    nothing = Replayed(feed.name, batch.entry.bucket, batch.entry.key, load_id)
    if batch.edited is None:
        _check_columns(connection, columns, batch)
        left_out = replays.left_out(connection, load_id, batch.reason)
    else:
        left_out = batch.unedited
    columns = _filled(connection, feed, columns, batch)
    staging = Staging(connection, feed, disposition_of(feed), columns, load_id)
    staging.rejected.names = staging.names
    staged = stage_rejects(staging, load_id, batch.reason, batch.edited, list(feed.table_columns))
    if not staged:
        return replace(nothing, left_out=left_out)
    rows, refused = _judge(connection, staging, staged, claimant.by)
    deduplicated = staging.deduplicated
    replays.keep_replay(connection, load_id, rows, sum(refused.values()), claimant.by, deduplicated)
    return replace(
        nothing, rows=rows, refused=refused, left_out=left_out, deduplicated=deduplicated
    )


def _judge(
    connection: Connection, staging: Staging, staged: int, by: str
) -> tuple[int, dict[str, int]]:
    try:
        with connection.transaction():
            return judge_rejects(staging, staged, by)
    except LandfallError as error:
        if error.place.row:  # in the staging a row's number is the id of its reject
            place = replays.place_of(connection, error.place.row)
            error.place = replace(error.place, **place)
        raise


def _check_target(connection: Connection, feed: Feed, entry: Entry) -> None:
    """Checks that the rows of the load are in the feed's table."""
    if entry.target != feed.target.table:
        raise FeedError(
            f"the file is loaded into {entry.target}",
            found=f"target.table: {feed.target.table}",
            do=f"name {entry.target} in the feed, or load the file again with --force",
        )
    if not has_relation(connection, feed.target.schema_name, feed.target.table_name):
        raise FeedError(
            f"the table {feed.target.table} is gone",
            do="restore the table, or load the file again with --force",
        )
    if feed.target.load_id and not has_column(connection, table(feed.target.table), LOAD_ID):
        raise FeedError(
            f"the table {feed.target.table} has lost its column {LOAD_ID}",
            do="bring the table back with it, or load all files again with --force into the empty"
            " table",
        )


def _check_latest(connection: Connection, claimant: Claimant) -> None:
    """Checks that no later snapshot is loaded: it says which keys there are now."""
    newer = claims.newer(connection, claimant) if claimant.feed.target.is_snapshot else None
    if newer:
        raise DataError(
            "a later snapshot is loaded, and these rejects are of an earlier one",
            found=f"load {newer.load_id}, by {newer.loaded_by}",
            do="dismiss them: landfall rejects --feed ... --dismiss ID ...; where a row is right"
            " today, ask the sender for it in the next snapshot",
        )


def _filled(
    connection: Connection, feed: Feed, columns: list[TargetColumn], batch: Batch
) -> list[TargetColumn]:
    """Returns the columns without those that the load of the file left to the table's default.

    A column for which a person has given a cell is filled all the same.
    """
    load_id = batch.entry.load_id
    missing = changes.missing_columns(connection, load_id, IfMissing.DEFAULT)
    in_cells = replays.cell_names(connection, load_id)
    edited = {
        name
        for cells in (batch.edited or {}).values()
        for name, cell in zip(feed.table_columns, cells)
        if cell is not None
    }
    return [
        column
        for column in columns
        if column.name in edited
        or (
            column.name not in missing
            and (column.planned.if_missing != IfMissing.TABLE_ONLY or column.name in in_cells)
        )
    ]


def _check_columns(connection: Connection, columns: list[TargetColumn], batch: Batch) -> None:
    """Checks that no cell would be lost because there is no column of its name any more."""
    expected = [column.name for column in columns]
    names = replays.columns_beside(connection, batch.entry.load_id, batch.reason, expected)
    if names:
        raise FeedError(
            "rejects have cells of columns that the feed does not have",
            found=", ".join(names),
            expected=", ".join(expected),
            do="write them with landfall rejects --csv, edit them, and give them with --file",
        )
