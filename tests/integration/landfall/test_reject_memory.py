"""A load takes the same memory for any number of rejects."""

from __future__ import annotations

import tracemalloc

import pytest

from include.landfall.errors import DataError
from include.landfall.feed import rejects
from include.landfall.transfer import Transfer
from include.landfall.write import rejected

ROWS = 24_000
MOST_BYTES = 150  # of memory for each further reject: its number, and its share of a block
LONG = 1 << 20  # bytes


@pytest.fixture
def peaks(mocker):
    """The most bytes that Python's objects took while texts of rejects were found, load by load."""
    peaks, find = [], Transfer._find_origins

    def measure(*arguments):
        tracemalloc.start()
        try:
            find(*arguments)
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()

    mocker.patch.object(Transfer, "_find_origins", measure)
    return peaks


@pytest.fixture
def checked(engine):
    """The engine, with a table that takes no negative ids: a load learns of them from Postgres."""
    engine.sql("CREATE SCHEMA raw; CREATE TABLE raw.t (id integer CHECK (id > 0), name text)")
    return engine


@pytest.mark.parametrize("at_once", [ROWS // 8, 10 * ROWS], ids=["passes", "one pass"])
def test_texts_of_many_rejects_are_not_in_memory_at_once(checked, peaks, mocker, at_once):
    mocker.patch.object(rejected, "ORIGINS_AT_ONCE", at_once)
    mocker.patch.object(rejected, "FETCHED", 1000)
    checked.be(rejects={"at_most": "100%"})
    for rows in (ROWS // 3, ROWS):
        body = "id,name\n" + "".join(f"-{n},{n:050}\n" for n in range(1, rows + 1))
        checked.load(body)
    assert peaks[1] - peaks[0] < MOST_BYTES * (ROWS - ROWS // 3)
    query = (
        "SELECT count(*)::int, min(line), max(line), count(*) FILTER (WHERE raw ="
        " format('-%s,%s', line - 1, lpad((line - 1)::text, 50, '0')))::int"
        " FROM landfall.rejects WHERE state = 'open'"
    )
    assert checked.sql(query) == [(ROWS, 2, ROWS + 1, ROWS)]


def test_samples_of_a_refused_file_are_bounded_in_number_and_bytes(checked, mocker):
    mocker.patch.object(rejects, "MOST_SAMPLES", 150)
    checked.be(rejects={"at_most": 200})
    rows = "".join(f"-{n},a\n" for n in range(1, 302))
    with pytest.raises(DataError, match="301 of 301 rows"):
        checked.load("id,name\n" + rows)
    assert checked.sql("SELECT count(*) FROM landfall.rejects WHERE state = 'sample'") == [150]
    long = "".join(f"-{n},{'x' * LONG}\n" for n in range(1, 31)) + "y,z\n"
    with pytest.raises(DataError, match="31 of 31 rows") as refused:
        checked.be().load("id,name\n" + long, "b.csv")
    assert refused.value.place.line == 2
    kept = checked.sql("SELECT line FROM landfall.rejects WHERE key = 'b.csv' ORDER BY line")
    assert kept[0] == 2
    assert kept[-1] == 32  # the first of each reason
    assert len(kept) < 20
