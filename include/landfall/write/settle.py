"""Settles a load: the one transaction of its claim, its rows, its counts and its ledger row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

import psycopg
from psycopg import Connection

from include.landfall.contract import Change, What
from include.landfall.errors import DataError, LandfallError
from include.landfall.feed.model import Feed
from include.landfall.ledger import arrivals, changes, claims, duplicates, rejects
from include.landfall.ledger.claims import Claim, Claimant
from include.landfall.ledger.duplicates import EarlierLoad
from include.landfall.ledger.entries import Entry, create_ledger
from include.landfall.postgres.connection import server_encoding, storable
from include.landfall.postgres.errors import hide_words, postgres_errors, refusal, refuses_rows
from include.landfall.write import alter, target
from include.landfall.write.budget import check_budget, rejection_of
from include.landfall.write.deferred import check_all_at_once
from include.landfall.write.dispositions import Disposition
from include.landfall.write.duplicates import check_content, duplicate_of
from include.landfall.write.ledger_behind import check_ledger, rows_gone
from include.landfall.write.own_rows import check_ids, row_changers
from include.landfall.write.rejected import RejectedRows
from include.landfall.write.replaced import remove_replaced
from include.landfall.write.staging import Staging

# Writes the arrival's rows through the staging that it is given, and returns how many were read,
# and how many the target took.
Write = Callable[[Staging, int], tuple[int, int]]


@dataclass(frozen=True)
class Settled:
    """What became of an arrival: the outcome, the load, its rows in the target, and by whom.

    `rejected` is how many rows of the file are rejects, `reasons` how many for which reason;
    `deduplicated` how many lost to a newer row of their key. `changes` are the file's departures
    from the contract, and what was altered in the table. `duplicate_of` names the load that brought
    the same content before.
    """

    outcome: str
    load_id: int
    rows: int
    by: str
    rejected: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    deduplicated: int = 0
    changes: list[Change] = field(default_factory=list)
    duplicate_of: str | None = None


def settle(
    connection: Connection,
    claimant: Claimant,
    disposition: Disposition,
    write: Write,
    *,
    force: bool,
) -> Settled:
    """Runs the transaction of one load; `write` puts the rows in.

    It waits for other loads of the same arrival first. Nothing of a load that fails stays.

    Raises: what `write` raises, FeedError when the target does not fit or is gone, DataError when
    a row is lost.
    """
    with postgres_errors(), connection.transaction():
        claims.lock(connection, claimant)
        if not force:  # a new table would hide that the rows of other files are lost
            arrivals.check_target(connection, claimant.feed)
        newer = None if force else claims.newer(connection, claimant)
        claim = claims.claim(connection, claimant, force)
        if claim is None:
            entry = claims.find(connection, claimant)
            assert entry is not None  # the claim met it
            return _loaded(connection, "already_loaded", entry)
        if newer:
            claims.close(connection, claim.load_id, "superseded")
            return Settled("superseded", newer.load_id, 0, newer.loaded_by)
        filled, earlier = _fill_and_record(
            connection, claimant, disposition, write, claim, force=force
        )
    return Settled(
        "loaded", claim.load_id, filled.rows, claimant.by,
        sum(filled.reasons.values()), filled.reasons, filled.deduplicated, filled.changes,
        earlier.text if earlier else None,
    )  # fmt: skip


def _fill_and_record(
    connection: Connection,
    claimant: Claimant,
    disposition: Disposition,
    write: Write,
    claim: Claim,
    *,
    force: bool,
) -> tuple[_Filled, EarlierLoad | None]:
    """Fills the target, and writes into the ledger what became of the arrival.

    Returns that, and the load that brought the same content before.
    """
    load_id = claim.load_id
    replaced = claims.supersede(connection, claimant, load_id)
    replaced += [load_id] if claim.has_rows else []
    filled = _fill(connection, claimant, disposition, write, load_id, replaced)
    earlier = check_content(connection, claimant, filled.content_hash, replaced, force=force)
    rejects.close_replaced(connection, [*replaced, load_id], claimant.by)
    filled.rejected.keep(claimant.values(load_id=load_id))
    kept = changes.keep(connection, claimant, load_id, filled.changes)
    claims.close(
        connection, load_id, "loaded", filled.rows, filled.reasons, filled.deduplicated,
        filled.content_hash, earlier.load_id if earlier else None,
    )  # fmt: skip
    return filled._replace(changes=kept), earlier


def settle_unrecorded(
    connection: Connection, claimant: Claimant, disposition: Disposition, write: Write
) -> Settled:
    """Runs the transaction of a load that no ledger records: nothing tells it from a second one.

    The feed must have no load id, and tolerate no rejects, because there is no place to keep them.

    Raises: as `settle`.
    """
    with postgres_errors(), connection.transaction():
        claims.lock(connection, claimant)
        filled = _fill(connection, claimant, disposition, write, 0, [])
    return Settled("loaded", 0, filled.rows, claimant.by)


def keep_failure(
    connection: Connection,
    claimant: Claimant,
    error: BaseException,
    seconds: float,
    *,
    force: bool = False,
) -> Settled | None:
    """Writes a failure into the ledger, and samples of the rejected rows that were its reason.

    Returns what became of the load if it arrived after all.
    """
    text = str(error) if isinstance(error, LandfallError) else f"{type(error).__name__}: {error}"
    rejection = rejection_of(error)
    with postgres_errors():
        create_ledger(connection)
        encoding = server_encoding(connection)
        with connection.transaction():
            entry, load_id = claims.keep_failure(
                connection, claimant, storable(text, encoding), seconds,
                rejection.counts if rejection else None, duplicate_of(error), force=force,
            )  # fmt: skip
            if entry is None and load_id:
                are_kept = rejection and claimant.feed.rejects.keep != "count"
                samples = rejection.samples if rejection and are_kept else []
                rejects.keep_samples(connection, claimant, load_id, samples)
            return _loaded(connection, "loaded", entry) if entry else None


def _loaded(connection: Connection, outcome: str, entry: Entry) -> Settled:
    """Returns what the ledger keeps of an arrival that is loaded."""
    earlier = duplicates.load_of(connection, entry.duplicate_of)
    return Settled(
        outcome, entry.load_id, entry.rows or 0, entry.loaded_by,
        entry.rejected or 0, entry.reasons or {}, entry.deduplicated or 0,
        changes.of_load(connection, entry.load_id), earlier.text if earlier else None,
    )  # fmt: skip


class _Filled(NamedTuple):
    """What a file's rows became: in the target, rejected for which reason, deduplicated."""

    rows: int
    reasons: dict[str, int]
    deduplicated: int
    rejected: RejectedRows
    changes: list[Change]
    content_hash: bytes


@contextmanager
def _noted() -> Iterator[None]:
    """Adds to a Ctrl-C that nothing is loaded; not around COMMIT, whose end would be unknown."""
    try:
        yield
    except KeyboardInterrupt as stop:
        stop.add_note("nothing of the file is loaded")
        raise


@contextmanager
def _without_texts(feed: Feed) -> Iterator[None]:
    """Keeps the server's words about a row out of the error, where the feed hides its texts.

    Raises: LandfallError in place of psycopg's.
    """
    try:
        yield
    except psycopg.Error as error:
        refused = refusal(error)
        if feed.hides_texts and refuses_rows(error):
            hide_words(refused)
            refused.found = f"SQLSTATE {error.sqlstate}"
        raise refused from error


@_noted()
def _fill(
    connection: Connection,
    claimant: Claimant,
    disposition: Disposition,
    write: Write,
    load_id: int,
    replaced: list[int],
) -> _Filled:
    """Puts the arrival's rows into the target in place of those that these loads brought."""
    feed = claimant.feed
    _check_empty(claimant)
    altered = alter.fit(connection, feed)
    with _without_texts(feed), target.unaltered(connection, feed) as columns:
        if load_id and feed.target.load_id and not disposition.replaces_feed:
            check_ledger(connection, feed)
        if load_id and not disposition.replaces_feed:
            altered = [*altered, *rows_gone(connection, feed)]
        remove_replaced(connection, feed, disposition, replaced)
        changers = row_changers(connection, feed, disposition) if load_id else None
        staging_of = partial(Staging, connection, feed, disposition, columns, load_id)
        staging, read, written = write_rows(staging_of, write, load_id)
    reasons = check_budget(feed, staging.rejected, read)
    _check_counts(read, written, sum(reasons.values()), staging.deduplicated)
    if changers:
        check_ids(connection, feed, load_id, written, changers)
    kept = [*altered, *departures(staging)]
    return _Filled(
        written, reasons, staging.deduplicated, staging.rejected, kept, staging.ending.content_hash
    )


def departures(staging: Staging) -> list[Change]:
    """Returns what of the file departs from the contract, once its rows are judged."""
    return [*staging.changes, *_padded(staging), *_nulled(staging)]


def _padded(staging: Staging) -> list[Change]:
    """Returns how many rows were padded and are no rejects."""
    count = int.from_bytes(staging.ending.padded, "little").bit_count()
    count -= staging.rejected.count_among(staging.ending.padded) if count else 0
    return [Change(What.ROWS_PADDED, None, None, str(count))] if count else []


def _nulled(staging: Staging) -> list[Change]:
    nulled = staging.rejected.nulled()
    return [Change(What.CELLS_NULLED, c, None, str(count)) for c, count in nulled.items()]


def _check_counts(read: int, written: int, rejected: int, deduplicated: int) -> None:
    """Checks that every row of the file is in the target, rejected or deduplicated."""
    if read != written + rejected + deduplicated:
        others = f" and {deduplicated} deduplicated" if deduplicated else ""
        raise DataError(
            "rows were lost on the way to the table",
            found=f"{written} rows loaded and {rejected} rejected{others}",
            expected=f"the {read} rows read (a rule or trigger may drop rows)",
        )


class _LateRefusal(Exception):
    """A constraint or a trigger that was deferred refuses rows, and nobody knows which."""

    def __init__(self, error: psycopg.Error) -> None:
        super().__init__(error)
        self.error = error


def write_rows(
    staging_of: Callable[[], Staging], write: Write, load_id: int
) -> tuple[Staging, int, int]:
    """Writes the rows, and checks every deferred constraint.

    Returns their staging, and how many were read and written.

    Raises: psycopg.Error when a constraint refuses the file, and no single row of it.
    """
    try:
        return _write_once(staging_of(), write, load_id)
    except _LateRefusal:
        # This time the constraints are checked at once, so that the row is known.
        staging = staging_of()
        check_all_at_once(staging.connection, staging.target)
    try:
        return _write_once(staging, write, load_id)
    except _LateRefusal as refused:
        raise refused.error from None


def _write_once(staging: Staging, write: Write, load_id: int) -> tuple[Staging, int, int]:
    """Writes the rows in a savepoint, as `write_rows` does.

    Raises: _LateRefusal when a deferred constraint or trigger refuses them in the end.
    """
    connection = staging.connection
    with connection.transaction():
        read, written = write(staging, load_id)
        try:
            connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
        except psycopg.Error as error:
            if not refuses_rows(error):
                raise
            raise _LateRefusal(error) from error
    return staging, read, written


def _check_empty(claimant: Claimant) -> None:
    """Refuses an object of 0 bytes that is the whole table, unless the feed takes it."""
    if claimant.arrival.size or not claimant.feed.refuses_empty:
        return
    raise DataError(
        "the object is empty",
        found="0 bytes",
        expected="at least a header",
        do="ask the sender; where it means no rows, write source.empty_objects: load in the feed",
    )
