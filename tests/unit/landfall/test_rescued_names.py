"""No new column is lost, whatever the columns of a file are called."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.orc as orc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.landfall.arrival import Arrival
from include.landfall.connections import Store
from include.landfall.contract import Expected, Rules, What, match_columns, unique_names
from include.landfall.errors import HeaderMismatch
from include.landfall.feed.column_types import parse_type
from include.landfall.feed.formats import read_format
from include.landfall.job import Job, PlannedColumn
from include.landfall.read.formats import format_of
from include.landfall.read.planning import plan
from tests.support.file_bytes import parquet_bytes, workbook_bytes

NAMES = ["", " ", "a", "A", " a", "a_2", "a_3", "A_2", "column", "column_2", "column_3", "column_4"]
names_of_files = st.lists(st.sampled_from(NAMES), max_size=7)


@given(
    names_of_files,
    st.sampled_from(["refuse", "ignore", "rescue", "evolve"]),
    st.booleans(),
    st.booleans(),
    st.lists(st.sampled_from(["a_2", "column_2"]), unique=True),
)
@settings(max_examples=500)
def test_each_column_of_a_file_is_read_refused_or_ignored_once(
    names, new_columns, ignores_case, trims, ignored
):
    rules = Rules(
        new_columns, ignores_case, trims, rescue="spare", ignored=tuple(map(Expected, ignored))
    )
    try:
        match = match_columns(["id", *names], ["id"], rules)
    except HeaderMismatch:
        assert new_columns == "refuse"
        return
    folded = set(map(rules.folded, ignored))
    new = [place for place, name in enumerate(names, 1) if rules.folded(name) not in folded]
    if new_columns == "ignore":
        assert match.places == (0,)
    else:
        assert match.places == (0, *new)
    assert len(set(match.labels)) == len(match.places) == len(match.names)
    changes = [change for change in match.changes if change.what == What.NEW_COLUMN]
    assert len(changes) == (0 if new_columns == "evolve" else len(new))


@given(names_of_files)
def test_a_name_that_the_file_has_is_given_to_no_other_column(names):
    unique = unique_names(names)
    assert len(set(unique)) == len(names)
    for place, name in enumerate(names):
        if name.strip():
            assert unique[names.index(name)] == name, place


# ---- formats -------------------------------------------------------------------------------------


def to_csv(names, values):
    return "".join(",".join(row) + "\n" for row in (names, values)).encode()


def to_excel(names, values):
    return workbook_bytes([name or None for name in names], values)


def to_json(names, values):
    return json.dumps(dict(zip(names, values, strict=True))).encode()


def to_parquet(names, values):
    return parquet_bytes(pa.table([[value] for value in values], names))


def to_orc(names, values):
    orc.write_table(pa.table([[value] for value in values], names), sink := io.BytesIO())
    return sink.getvalue()


WRITERS = {
    "csv": to_csv, "excel": to_excel, "json": to_json, "parquet": to_parquet, "orc": to_orc
}  # fmt: skip
JSONB = PlannedColumn("spare", parse_type("jsonb"))


def rescued(kind, names):
    """The values of the rescue column, from a file whose cells are `0`, `1` and so on."""
    dialect = read_format({"type": kind}).dialect()
    columns = (PlannedColumn("id", parse_type("text")), JSONB)
    arrival = Arrival("b", "k", "e", 1000, datetime(2013, 1, 1, tzinfo=UTC))
    rules = Rules("rescue", rescue="spare")
    job = Job("f", arrival, Store(), columns, 1, dialect, rules=rules)
    data = WRITERS[kind](names, [str(number) for number in range(len(names))])
    planned = plan(job, lambda: io.BytesIO(data))
    (rows,) = format_of(job).rows(io.BytesIO(data), planned.reading)
    (text,) = planned.completer("").rows(rows).batch.column("spare").to_pylist()
    ((_, _, cells),) = format_of(job).origins_of(io.BytesIO(data), planned.reading, [1])
    assert json.loads(planned.completer("").cells(1, cells)[1]) == json.loads(text)
    return json.loads(text)


TWICE = {"csv", "excel"}  # others refuse a file that has a name twice, or cannot have it


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize(
    ("names", "keys"),
    [
        (["id", "column_3", ""], ["column_3", "column_4"]),
        (["id", "", "column_2"], ["column_3", "column_2"]),
        (["id", "a", "a_4", "a"], ["a", "a_4", "a_5"]),
        (["id", "a", "a", "a_3"], ["a", "a_4", "a_3"]),
    ],
)
def test_rescue_keeps_the_value_of_each_new_column_under_a_key_of_its_own(kind, names, keys):
    if len(set(names)) < len(names) and kind not in TWICE:
        return
    if kind == "excel" and not names[-1]:
        return  # a sheet ends with its last name
    assert rescued(kind, names) == {key: str(n) for n, key in enumerate(keys, 1)}


def test_a_spare_cell_takes_no_key_of_a_new_column():
    columns = (PlannedColumn("id", parse_type("text")), JSONB)
    arrival = Arrival("b", "k", "e", 1000, datetime(2013, 1, 1, tzinfo=UTC))
    rules = Rules("rescue", pads=True, rescue="spare")
    dialect = read_format({"type": "csv"}).dialect()
    job = Job("f", arrival, Store(), columns, 1, dialect, rules=rules)
    data = b"id,beyond_1\n1,new,spare\n"
    planned = plan(job, lambda: io.BytesIO(data))
    (rows,) = format_of(job).rows(io.BytesIO(data), planned.reading)
    (text,) = planned.completer("").rows(rows).batch.column("spare").to_pylist()
    assert json.loads(text) == {"beyond_1": "new", "beyond_2": "spare"}
