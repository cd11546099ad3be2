"""Proposes a feed for files that name their columns or keys: JSON, Avro, Parquet, ORC, Arrow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import pyarrow as pa

from include.landfall.arrival import Arrival
from include.landfall.connections import Store
from include.landfall.contract import NEW_LABEL, Rules
from include.landfall.errors import DataError
from include.landfall.feed.formats import FORMATS, read_format
from include.landfall.job import Job
from include.landfall.read.casts.own_types import is_text
from include.landfall.read.formats import format_of
from include.landfall.read.inference import own_type
from include.landfall.read.planning import reading_of
from include.landfall.read.rows import Rows
from include.landfall.sniff.findings import Finding, Proposal
from include.landfall.sniff.header import names_of
from include.landfall.sniff.sample import Sample
from include.landfall.sniff.spelling import PLAIN
from include.landfall.sniff.types import type_of

MOST_ROWS = 20_000
ROWS_EXPECTED = "a file with rows that name their columns, in JSON one object or more"
NESTED = "objects or arrays; format.paths: leads to a key within them, as in city: address.city"


def propose(name: str, arrival: Arrival, sample: Sample) -> Proposal:
    """Returns the columns of a file in the format of this name, with evidence and doubts.

    Raises: DataError when the file is not whole, or has no column.
    """
    # A feed without columns, which takes new ones: so each column of the file is read.
    job = Job(
        "sniff", arrival, Store(), (), None, read_format(name).dialect(),
        rules=Rules(new_columns="evolve"),
    )  # fmt: skip
    with sample.open() as stream:
        names = format_of(job).names_of(stream, job)
    if not names:
        raise DataError("the file has no column", expected=ROWS_EXPECTED, do="name one with rows")
    own = list(dict.fromkeys(names))
    match = job.match_columns(own)
    with sample.open() as stream:
        stretches = list(_first_rows(format_of(job).rows(stream, reading_of(job, match))))
    columns = [[rows.batch.column(NEW_LABEL + each) for rows in stretches] for each in match.new]
    return proposal_of(name, own, list(map(_column, columns)), sample)


def proposal_of(
    name: str, names: Sequence[str], findings: Sequence[Finding], sample: Sample
) -> Proposal:
    """Returns a proposal with these columns, whose names become those that a table can have.

    The names are different.
    """
    made, _ = names_of([names], len(names))
    proposal = Proposal(name)
    if not sample.is_whole:
        proposal.doubts.append(f"only a part was read: {_further_on(name)}")
    for column, own, finding in zip(made, names, findings, strict=True):
        if column != own:
            finding.value = {"type": finding.value, "from": [own]}
            finding.evidence += "; the file's own name is none that a table can have"
        proposal.columns[column] = finding
    return proposal


def _further_on(format_name: str) -> str:
    if not FORMATS[format_name].names_keys:
        return "types and rows further on may differ"
    return (
        "types further on may differ, and a row with another key is rejected: contract: "
        "{new_columns: rescue} keeps such keys"
    )


def _first_rows(stretches: Iterable[Rows]) -> Iterator[Rows]:
    """Yields stretches until there are enough rows."""
    count = 0
    for rows in islice(stretches, MOST_ROWS):
        yield rows
        count += rows.count
        if count >= MOST_ROWS:
            return


def _column(parts: Sequence[pa.Array]) -> Finding:
    """Returns the type of a column, from the file's own type or from its texts."""
    own = parts[0].type if parts else pa.null()
    if not is_text(own) and not pa.types.is_null(own):
        return Finding(own_type(own), f"{own} in the file")
    texts = [text for part in parts for text in part.cast(pa.string()).drop_null().to_pylist()]
    finding = type_of([text for text in texts if text], PLAIN)
    return Finding("jsonb", NESTED) if finding.value == "jsonb" else finding
