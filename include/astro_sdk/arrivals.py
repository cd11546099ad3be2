"""A file that is some arrivals of a feed, mostly one: what a mapped `load_file` loads."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attr
from astro.constants import FileType
from astro.files import File

from include.airflow_bridge.connections import store_of
from include.airflow_bridge.errors import verdict, with_samples
from include.airflow_bridge.task import loader, push_xcom
from include.airflow_bridge.timeout import OutOfTime, in_time
from include.airflow_bridge.warnings import load_warnings
from include.landfall.arrival import Arrival
from include.landfall.connections import Warehouse
from include.landfall.errors import (
    FeedError,
    LandfallError,
    ObjectChanged,
    failures_of,
    printable,
    shortened,
)
from include.landfall.feed.model import Feed
from include.landfall.load import Receipt, load_each

from .tables import Name

log = logging.getLogger(__name__)

LONGEST_LABEL = 250  # characters that Airflow's database takes for the label of a mapped task
ERRORS_SHOWN = 10
_Listed = Arrival | Mapping[str, Any]


@attr.define(eq=False)
class ArrivalFile(File):
    """Listed arrivals with their feed. `load_file` loads exactly these versions, each exactly once.

    The feed says how they are loaded (types, NULLs, dialect, disposition); `if_exists` has no
    effect.
    """

    arrivals: tuple[Arrival, ...] = ()
    feed: Feed | None = None

    @classmethod
    def of(cls, arrivals: _Listed | Sequence[_Listed], feed: Feed) -> ArrivalFile:
        """Makes the file of some arrivals, each also as the dict that the sensor gives."""
        several = [arrivals] if isinstance(arrivals, Arrival | Mapping) else arrivals
        listed = tuple(
            each if isinstance(each, Arrival) else Arrival.from_dict(dict(each)) for each in several
        )
        return cls(  # type: ignore[call-arg]  # astro's fields, and astro has no type hints
            path=listed[0].uri,
            conn_id=feed.source.connection,
            filetype=_file_type(feed),
            arrivals=listed,
            feed=feed,
        )

    @property
    def key(self) -> str:
        """The key of the first object."""
        return self.arrivals[0].key if self.arrivals else ""

    @property
    def label(self) -> str:
        """What the UI calls the task that loads the file: its key, or the ends of a long one."""
        more = f" and {len(self.arrivals) - 1} more" if len(self.arrivals) > 1 else ""
        return shortened(self.key, LONGEST_LABEL - len(more)) + more


def _file_type(feed: Feed) -> FileType:
    """Returns astro's name of the feed's format, or text where astro knows no such format.

    Nothing reads an arrival by it, but astro refuses a file without any.
    """
    names = {each.value for each in FileType}
    return FileType(feed.format.type) if feed.format.type in names else FileType.CSV


def _check_source(feed: Feed, arrival: Arrival) -> None:
    """Checks that the object is still the feed's, which may have been edited since the listing.

    Raises: ObjectChanged when it is not.
    """
    source, key = feed.source, arrival.key
    is_folder = bool(source.snapshot)
    names_key = source.names_folder if is_folder else source.matches
    if arrival.bucket == source.bucket and is_folder == key.endswith("/") and names_key(key):
        return
    raise ObjectChanged(
        "the feed has been edited since the object was listed, and does not name it any more",
        expected=f"s3://{source.bucket}/{source.pattern}",
    ).at(feed=feed.name, object=arrival.uri)


def load_arrivals(file: ArrivalFile, warehouse: Warehouse, table: Any) -> None:
    """Loads the arrivals as their feed says; their receipts go to XCom as `receipts`.

    One that is loaded already is only logged, with who has loaded it. An error of one file stops no
    other.

    Raises: the LandfallError of the only file; ObjectChanged where each object has changed, or is
    the feed's no more. Of several files, AirflowException or AirflowFailException with the errors.
    """
    assert file.feed is not None  # ArrivalFile.of sets it
    _check_target(file.feed, table)
    own, changed = _still_own(file.feed, file.arrivals)
    receipts: list[Receipt] = []
    errors: list[LandfallError] = []
    try:
        with in_time():
            for became in _loads(file.feed, own, warehouse):
                if isinstance(became, Receipt):
                    _log_receipt(became)
                    receipts.append(became)
                else:
                    errors.append(became)
    except OutOfTime as error:
        late = own[len(receipts) + len(errors)]
        errors.append(error.at(feed=file.feed.name, object=late.uri))
    except LandfallError as error:  # it would meet the other files too
        errors.append(error)
    push_xcom("receipts", [receipt.as_dict() for receipt in receipts])
    if errors or changed:
        _raise([*changed, *errors], len(receipts), len(file.arrivals))


def _check_target(feed: Feed, table: Any) -> None:
    name = Name.of(table)
    if (name.schema, name.table) != (feed.target.schema_name, feed.target.table_name):
        raise FeedError(
            f"the feed {feed.name} loads into another table",
            found=f"{name.schema}.{name.table}",
            expected=feed.target.table,
            do="output_table=feed_table(feed)",
        )


def _still_own(
    feed: Feed, arrivals: Sequence[Arrival]
) -> tuple[list[Arrival], list[ObjectChanged]]:
    """Returns the arrivals that are still the feed's, and the errors of the others."""
    own, changed = [], []
    for arrival in arrivals:
        try:
            _check_source(feed, arrival)
        except ObjectChanged as error:
            changed.append(error)
        else:
            own.append(arrival)
    return own, changed


def _loads(
    feed: Feed, arrivals: Sequence[Arrival], warehouse: Warehouse
) -> Iterator[Receipt | LandfallError]:
    store = store_of(feed.source.connection)
    for _, became in load_each(feed, arrivals, store=store, warehouse=warehouse, by=loader()):
        yield became


def _raise(errors: list[LandfallError], loaded: int, files: int) -> None:
    """Raises what the errors come to, when some files are not loaded.

    Objects that have changed are no failure: the next run finds their new versions.
    """
    changed = [error for error in errors if isinstance(error, ObjectChanged)]
    failed = [error for error in errors if error not in changed]
    if files == 1 or not (failed or loaded):
        raise errors[0]
    for error in changed:
        log.warning("%s\nnot loaded: the next run lists the feed again", error)
    if failed:
        left = files - loaded - len(errors)
        untried = f", and {left} were not tried" if left else ""
        shown = [str(with_samples(error)) for error in failed[:ERRORS_SHOWN]]
        if len(failed) > ERRORS_SHOWN:
            shown.append(f"and {len(failed) - ERRORS_SHOWN} more, which landfall status shows")
        message = "\n".join([f"{len(failed)} of {files} files failed{untried}", *shown])
        raise verdict(message, any(each.retryable for each in failed), failures_of(failed))


def _log_receipt(receipt: Receipt) -> None:
    log.info(_message(receipt))
    for warning in load_warnings(receipt):
        log.warning(warning)


def _message(receipt: Receipt) -> str:
    where = printable(f"s3://{receipt.bucket}/{receipt.key}")
    if receipt.outcome == "already_loaded":
        return f"{where} was loaded before, by {receipt.by}: {receipt.rows} rows"
    if receipt.outcome == "superseded":
        return f"{where} is not loaded: a newer version is, by {receipt.by}"
    text = f"{where}: {receipt.rows} rows in {receipt.seconds} s, load {receipt.load_id}"
    if receipt.deduplicated:
        text += f"; {receipt.deduplicated} rows lost to a newer row of their key"
    return text
