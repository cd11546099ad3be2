"""Plans a reading: which of the file's columns are read, and which columns the table gets.

A feed that takes no departures needs no plan: its format checks the header itself. For others the
header is read first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from include.landfall.contract import Change, Match, What
from include.landfall.errors import HeaderMismatch
from include.landfall.feed.names import is_name
from include.landfall.frames import NewColumn
from include.landfall.job import Job, PlannedColumn
from include.landfall.read.complete import Completer
from include.landfall.read.formats import format_of
from include.landfall.read.inference import infer_types
from include.landfall.read.unpack import Opened


@dataclass(frozen=True)
class Plan:
    """A reading that is planned.

    `job` has the columns that the table gets, `reading` those that the format reads. `added` are
    columns that the table does not have yet. `is_empty`: the file has no byte and no columns.
    """

    job: Job
    reading: Job
    added: tuple[NewColumn, ...] = ()
    changes: tuple[Change, ...] = ()
    is_empty: bool = False

    def completer(self, member: str) -> Completer:
        """Returns what turns the rows that the format gives into rows of the table.

        `member` is the file's name in a zip file; empty where it is none.
        """
        return Completer(self.job, self.reading, member or None)


def plan(job: Job, opened: Opened) -> Plan:
    """Plans the reading of the job's arrival, which `opened` opens.

    Raises: HeaderMismatch when the feed does not take the file's columns.
    """
    if job.is_strict:
        return Plan(job, replace(job, columns=tuple(c for c in job.columns if c.is_in_file)))
    with opened() as stream:
        names = format_of(job).names_of(stream, job)
    if not names:  # an object of 0 bytes
        return Plan(job, job, is_empty=True)
    match = job.match_columns(names)
    added = _added(job, names, match, opened) if job.rules.new_columns == "evolve" else ()
    if added:
        new = (PlannedColumn(column.name, column.parsed) for column in added)
        job = replace(job, columns=(*job.columns, *new))
        match = job.match_columns(names)
    columns = tuple(column for column in job.columns if column.name not in match.left_out)
    changes = [Change(What.COLUMN_ADDED, column.name, None, column.type) for column in added]
    return Plan(
        replace(job, columns=columns), reading_of(job, match), added, (*match.changes, *changes)
    )


def reading_of(job: Job, match: Match) -> Job:
    """Returns the job of the format: the columns of the match and no others."""
    by_name = {column.name: column for column in job.columns}
    columns = tuple(by_name[label] for label in match.labels if label in by_name)
    return replace(job, columns=columns, match=match)


def _added(job: Job, names: list[str], match: Match, opened: Opened) -> tuple[NewColumn, ...]:
    """Returns the new columns of the file, with types that all of their cells have."""
    if not match.new:
        return ()
    taken = {column.name for column in job.columns}
    in_file = [name.strip() if job.rules.trims else name for name in names]
    for name in match.new:
        if name in taken or in_file.count(name) != 1 or not is_name(name):
            raise HeaderMismatch(
                "a new column of the file cannot be added to the table",
                found=repr(name),
                expected="a name that the file has once and the table does not have, of 1 to 63"
                " bytes, not beginning with _load",
                do="name the column under columns: with from: or ignore: true",
            ).at(column=name)
    count = len(match.new)
    only_new = Match(match.places[-count:], match.labels[-count:], match.names[-count:])
    with opened() as stream:
        stretches = format_of(job).rows(stream, reading_of(job, only_new))
        types = infer_types(stretches, match.new, job.dialect.spelling)
    return tuple(NewColumn(name, types[name]) for name in match.new)
