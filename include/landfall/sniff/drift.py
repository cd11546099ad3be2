"""Says where files have drifted from the feed that describes them."""

from __future__ import annotations

from dataclasses import dataclass, field

from include.landfall.arrival import Arrival
from include.landfall.errors import LandfallError
from include.landfall.feed.dialect import CsvDialect
from include.landfall.feed.model import Feed
from include.landfall.sniff.sample import Sample
from include.landfall.sniff.silent import silent_drifts
from include.landfall.sniff.sniffing import whole_rows_of
from include.landfall.sniff.table import propose_csv
from include.landfall.sniff.verify import (
    Reading,
    counted_cells,
    doubts_of,
    job_of,
    read_as_load,
)

COMPARED = ("delimiter", "quote", "escape", "newline", "encoding", "skip_rows", "decimal", "dates")


@dataclass(frozen=True)
class Drift:
    """Where one file departs from its feed. `rows` is how many were read.

    `notes` are what a load would take, or what only the database can judge.
    """

    key: str
    rows: int = 0
    departures: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def drift_of(feed: Feed, arrival: Arrival, sample: Sample) -> Drift:
    """Reads the beginning of a file as the feed says, and names what does not fit.

    Where something does not, it also says in which options the file now looks different.
    """
    try:
        whole = whole_rows_of(feed, sample)
        reading = read_as_load(feed, arrival, whole)
        silent = silent_drifts(feed, job_of(feed, arrival), whole, reading)
    except LandfallError as error:
        drift = unread(arrival, error)
        drift.departures.extend(_looks(feed, sample))
        return drift
    nulled = _nulled(feed, reading)
    departures = doubts_of(reading, sparing=nulled, secret=_secret(feed))
    # The feed's columns are where it says: so no other row is the header.
    looks = _looks(feed, sample, sparing="skip_rows") if departures else []
    looks = [each for each in looks if each not in silent]
    notes = [*nulled.values(), *_not_judged(feed, reading)]
    return Drift(arrival.key, reading.rows, departures + silent + looks, notes)


def _nulled(feed: Feed, reading: Reading) -> dict[str, str]:
    """Returns what is said of cells that do not fit, by columns where such cells become NULL.

    A column without one cell that fits is left to the departures.
    """
    return {
        name: f"{counted_cells(misfit)} of {name} would become NULL by on_bad_cell"
        for name, misfit in reading.doubtful.items()
        if feed.table_columns[name].on_bad_cell == "null" and misfit.count < reading.cells[name]
    }


def _not_judged(feed: Feed, reading: Reading) -> list[str]:
    """Returns of which columns no cell was judged."""
    others = {
        name: str(column.parsed)
        for name, column in feed.columns.items()
        if name in reading.cells and not column.parsed.built_in
    }
    if not others:
        return []
    named = ", ".join(f"{name} ({declared})" for name, declared in others.items())
    return [f"only the database can judge the cells of {named}: landfall validate asks it"]


def unread(arrival: Arrival, error: LandfallError) -> Drift:
    """Returns the drift of a file that cannot be read at all."""
    what_was_found = f": {error.found}" if error.found else ""
    return Drift(arrival.key, 0, [f"{error.what}{what_was_found}"])


def _secret(feed: Feed) -> list[str]:
    """Returns the columns whose cells must not be shown, as in messages of a load."""
    if feed.rejects.keep in {"hashed", "count"}:
        return list(feed.columns)
    return [name for name, column in feed.columns.items() if column.secret]


def _looks(feed: Feed, sample: Sample, sparing: str = "") -> list[str]:
    """Returns the options that the file seems to be written with, where the feed has others."""
    if not isinstance(feed.format.dialect(), CsvDialect):
        return []
    declared = feed.format.model_dump()
    try:
        options = propose_csv(sample).options
    except (LandfallError, ValueError):
        return []
    return [
        f"{name} looks like {options[name].value!r}, the feed has {declared[name]!r}"
        for name in COMPARED
        if name in options and name != sparing and options[name].value not in (declared[name], "")
    ]
