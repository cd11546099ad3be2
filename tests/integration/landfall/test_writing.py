"""The writing side alone: frames in, rows in the target and rejected rows out."""

from __future__ import annotations

import pyarrow as pa
import pytest

from include.landfall.arrival import Arrival
from include.landfall.errors import DataError
from include.landfall.feed.model import Feed
from include.landfall.frames import Frame, FrameType, Shape
from include.landfall.ledger.claims import Claimant
from include.landfall.ledger.entries import create_ledger
from include.landfall.postgres.connection import connect
from include.landfall.read.encode import Encoder
from include.landfall.write import copy as copying
from include.landfall.write.dispositions import disposition_of
from include.landfall.write.judge import judge
from include.landfall.write.settle import settle

TYPED = pa.schema(
    [("id", pa.int32()), ("name", pa.string()), ("doc", pa.string()), ("_load_id", pa.int64())]
)
TEXTS = pa.schema(
    [("number", pa.int64()), ("line", pa.int64()), ("raw", pa.string()),
     ("cells", pa.list_(pa.string()))]
)  # fmt: skip
REJECTS = pa.schema(
    [("number", pa.int64()), ("line", pa.int64()), ("column_name", pa.string()),
     ("reason", pa.string()), ("sqlstate", pa.string()), ("message", pa.string()),
     ("raw", pa.string())]
)  # fmt: skip


def frame(frame_type, schema, rows, jsonb=frozenset(), **more):
    batch = pa.RecordBatch.from_pylist([dict(zip(schema.names, row)) for row in rows], schema)
    return Frame(frame_type, len(rows), Encoder(schema, jsonb).rows(batch), **more)


def typed(first, *rows):
    rows = [(*row, "{}") if len(row) == 2 else row for row in rows]
    return frame(
        FrameType.ROWS, TYPED, [(*row, 1) for row in rows], frozenset({"doc"}), first=first
    )


def suspect(number, *cells):
    cells = [*cells, "{}"] if len(cells) == 2 else [*cells]
    raw = ",".join(cell or "" for cell in cells)
    return frame(FrameType.SUSPECTS, TEXTS, [(number, number + 1, raw, cells)])


def misshapen(number):
    row = (number, number + 1, None, "fields", "22P04", "the row has 1 fields, not 2", "x")
    return frame(FrameType.REJECTS, REJECTS, [row])


class Writing:
    """Settles loads of one feed from frames."""

    def __init__(self, warehouse) -> None:
        self.warehouse = warehouse
        self.rejects = {"at_most": 1000}
        self.columns = {"id": "integer", "name": "varchar(5)", "doc": "jsonb"}

    def feed(self) -> Feed:
        return Feed.model_validate(
            {"feed": "t", "source": {"bucket": "bucket", "pattern": "**"},
             "target": {"table": "raw.t"}, "columns": self.columns, "rejects": self.rejects}
        )  # fmt: skip

    def load(self, *frames, count=None):
        feed = self.feed()
        arrival = Arrival.from_dict(
            {"bucket": "bucket", "key": "a.csv", "etag": "e", "size": 5,
             "last_modified": "2026-01-01T00:00:00+00:00"}
        )  # fmt: skip
        count = sum(f.count for f in frames) if count is None else count
        stream = [
            Shape(list(feed.columns), []).frame(), *frames,
            Frame(FrameType.END, count),
        ]  # fmt: skip

        def write(staging, load_id):
            read, written = copying.copy(iter(stream), staging)
            written += judge(staging)
            staging.rejected.conceal()
            return read, written

        with connect(self.warehouse) as connection:
            create_ledger(connection)
            return settle(
                connection, Claimant.new(feed, arrival), disposition_of(feed), write, force=False
            )

    def query(self, query):
        with connect(self.warehouse) as connection:
            return connection.execute(query).fetchall()

    def rows(self):
        return self.query("SELECT id, name FROM raw.t ORDER BY id")

    def rejected(self, columns="row_number, column_name, reason, sqlstate"):
        return self.query(f"SELECT {columns} FROM landfall.rejects ORDER BY row_number")


@pytest.fixture
def writing(warehouse) -> Writing:
    return Writing(warehouse)


@pytest.fixture
def small_parts(monkeypatch) -> None:
    monkeypatch.setattr(copying, "PART_BYTES", 1)


def test_a_refused_cell_of_the_fast_path_costs_its_row_alone(writing, small_parts):
    settled = writing.load(
        typed(1, (1, "a"), (2, "b")), typed(3, (3, "too long"), (4, "d")), typed(5, (5, "e"))
    )
    assert (settled.rows, settled.rejected, settled.reasons) == (4, 1, {"cell": 1})
    assert writing.rows() == [(1, "a"), (2, "b"), (4, "d"), (5, "e")]
    assert writing.rejected() == [(3, "name", "cell", "22001")]
    assert writing.rejected("cells") == [({"id": "3", "name": "too long", "doc": "{}"},)]


def test_what_jsonb_refuses_is_a_reject(writing):
    writing.load(typed(1, (1, "a", '{"k": 1}'), (2, "b", "{")))
    assert writing.rejected() == [(2, "doc", "cell", "22P02")]
    assert writing.query("SELECT doc FROM raw.t") == [({"k": 1},)]


def test_suspects_that_postgres_takes_go_in(writing):
    settled = writing.load(typed(1, (1, "a")), suspect(2, " 2 ", "b"), typed(3, (3, "c")))
    assert (settled.rows, settled.rejected) == (3, 0)
    assert writing.rows() == [(1, "a"), (2, "b"), (3, "c")]


def test_all_reasons_of_a_row_are_kept(writing):
    writing.columns["id"] = {"type": "integer", "nullable": False}
    settled = writing.load(suspect(1, "x", "too long", "{"), suspect(2, None, "too long", "{}"))
    assert settled.rejected == 2
    assert writing.rejected("row_number, column_name, reason") == [
        (1, "id", "cell"), (2, "id", "null"),
    ]  # fmt: skip
    more = [[(m["column"], m["reason"]) for m in more] for (more,) in writing.rejected("more")]
    assert more == [[("name", "cell"), ("doc", "cell")], [("name", "cell")]]


def test_misshapen_rows_are_kept_as_they_come(writing):
    settled = writing.load(typed(1, (1, "a")), misshapen(2), typed(3, (3, "c")))
    assert settled.reasons == {"fields": 1}
    assert writing.rejected("line, raw, cells") == [(3, "x", None)]


@pytest.mark.parametrize(
    ("constraint", "reason", "state"),
    [
        ("CHECK (id <> 7)", "check", "23514"),
        ("UNIQUE (name)", "unique", "23505"),
        ("EXCLUDE USING btree (name WITH =)", "exclusion", "23P01"),
        ("FOREIGN KEY (id) REFERENCES public.numbers", "foreign_key", "23503"),
    ],
)
def test_a_row_that_a_constraint_refuses_is_a_reject(writing, constraint, reason, state):
    names = [str(i) for i in range(1, 7)] + ["6"] + [str(i) for i in range(8, 2001)]
    with connect(writing.warehouse) as connection:
        connection.execute(
            "CREATE TABLE public.numbers (id integer PRIMARY KEY);"
            " INSERT INTO public.numbers SELECT n FROM generate_series(1, 2000) n WHERE n <> 7;"
            " CREATE SCHEMA raw; CREATE TABLE raw.t"
            f" (id integer, name varchar(5), doc jsonb, _load_id bigint, {constraint})"
        )
    settled = writing.load(typed(1, *[(i, name) for i, name in enumerate(names, 1)]))
    assert (settled.rows, settled.reasons) == (1999, {reason: 1})
    assert writing.rejected("row_number, reason, sqlstate") == [(7, reason, state)]


def test_a_row_too_large_for_an_index_is_a_reject(writing):
    with connect(writing.warehouse) as connection:
        connection.execute(
            "CREATE SCHEMA raw; CREATE TABLE raw.t"
            " (id integer, name text, doc jsonb, _load_id bigint); CREATE INDEX ON raw.t (name)"
        )
    writing.columns["name"] = "text"
    large = "".join(chr(33 + i * i % 89) + chr(33 + i * 7 % 83) for i in range(8000))
    writing.load(typed(1, (1, "a"), (2, large), (3, "c")))
    assert writing.rejected("row_number, reason, sqlstate") == [(2, "row", "54000")]


def test_what_a_trigger_raises_stops_the_file_and_names_the_row(writing):
    writing.load(typed(1, (1, "a")))
    with connect(writing.warehouse) as connection:
        connection.execute(
            "DELETE FROM landfall.ledger; UPDATE raw.t SET _load_id = NULL;"
            " CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN IF NEW.id = 5 THEN RAISE EXCEPTION 'not five' USING ERRCODE = 'P0815';"
            " END IF; RETURN NEW; END $$;"
            " CREATE TRIGGER no BEFORE INSERT ON raw.t FOR EACH ROW EXECUTE FUNCTION no()"
        )
    with pytest.raises(Exception, match="not five") as raised:
        writing.load(*[typed(n, (n, "b")) for n in range(1, 9)])
    assert raised.value.place.row == 5
    assert writing.rows() == [(1, "a")]


def test_a_row_that_a_trigger_drops_is_lost_and_the_file_refused(writing):
    writing.load(typed(1, (1, "a")))
    with connect(writing.warehouse) as connection:
        connection.execute(
            "DELETE FROM landfall.ledger; UPDATE raw.t SET _load_id = NULL;"
            " CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN IF NEW.id = 5 THEN RETURN NULL; END IF; RETURN NEW; END $$;"
            " CREATE TRIGGER no BEFORE INSERT ON raw.t FOR EACH ROW EXECUTE FUNCTION no()"
        )
    with pytest.raises(DataError, match="lost on the way"):
        writing.load(*[typed(n, (n, "b")) for n in range(1, 9)], suspect(9, "x", "a"))


def test_over_the_budget_nothing_is_loaded_and_all_kinds_of_trouble_are_told(writing):
    writing.rejects = {"at_most": 1}
    with pytest.raises(DataError) as refused:
        writing.load(typed(1, (1, "a"), (2, "too long")), misshapen(3), suspect(4, "x", "d"))
    error = refused.value
    assert error.rejection.counts == {"cell": 2, "fields": 1}
    assert (error.place.row, error.place.column, error.found) == (2, "name", "too long")
    assert "rejected: 3 of 4 rows: 2 cell, 1 fields" in str(error)
    assert "also: line 4: the row has 1 fields, not 2" in str(error)
    assert "error budget: 1 row a file" in str(error)
    assert writing.query("SELECT to_regclass('raw.t') IS NULL") == [(True,)]


@pytest.mark.parametrize(("share", "taken"), [("25%", True), ("24%", False)])
def test_a_budget_may_be_a_share_of_the_rows(writing, share, taken):
    writing.rejects = {"at_most": share}
    frames = typed(1, (1, "a"), (2, "b"), (3, "c")), suspect(4, "x", "d")
    if taken:
        assert writing.load(*frames).rejected == 1
    else:
        with pytest.raises(DataError, match="invalid input syntax"):
            writing.load(*frames)


@pytest.mark.parametrize("keep", ["cut", "hashed", "count"])
def test_what_the_feed_does_not_want_to_be_kept_is_not(writing, keep):
    writing.rejects = {"at_most": 9, "keep": keep}
    name = "MARKER" * 50
    settled = writing.load(typed(1, (1, "a")), suspect(2, "MARKER", name), suspect(3, "3", name))
    assert settled.reasons == {"cell": 2}
    text = str(
        writing.query("SELECT r, l FROM landfall.ledger l LEFT JOIN landfall.rejects r ON true")
    )
    assert ("MARKER" in text) == (keep == "cut")
    assert "MARKER" * 45 not in text
    assert len(writing.rejected()) == (0 if keep == "count" else 2)


def test_the_text_of_a_secret_column_is_not_kept(writing):
    writing.columns["name"] = {"type": "varchar(5)", "secret": True}
    with connect(writing.warehouse) as connection:
        connection.execute(
            "CREATE SCHEMA raw; CREATE TABLE raw.t"
            " (id integer, name varchar(5) UNIQUE, doc jsonb, _load_id bigint)"
        )
    writing.load(suspect(1, "x", "hide"), suspect(2, "2", "hidden"), suspect(3, "3", "hid"),
                 suspect(4, "4", "hid"))  # fmt: skip
    assert "hid" not in str(writing.query("SELECT r FROM landfall.rejects r"))
    assert writing.rejected("message")[0] == ('invalid input syntax for type integer: "x"',)


def test_a_file_whose_rows_are_all_bad_is_not_judged_to_its_end(writing, monkeypatch):
    monkeypatch.setattr("include.landfall.write.rejected.ENOUGH", 3)
    monkeypatch.setattr("include.landfall.write.budget.ENOUGH", 3)
    writing.rejects = {"at_most": 1}
    for frames in (
        [suspect(n, "x", "d") for n in range(1, 20)],
        [misshapen(n) for n in range(1, 20)],
        [typed(1, *[(n, "too long") for n in range(1, 2000)])],
    ):
        with pytest.raises(DataError, match="rejected: at least"):
            writing.load(*frames)
