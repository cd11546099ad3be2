"""Files of declared dialects on the real server: what is loaded, and what is rejected and why."""

from __future__ import annotations

import pytest

from include.landfall.errors import DataError, MisshapenRow

BUDGET = {"at_most": "100%"}


def rejects(engine):
    return engine.sql("SELECT line, column_name, message, raw FROM landfall.rejects ORDER BY line")


def test_criterion_8_a_date_that_two_orders_fit_is_refused_unless_the_feed_says_which(engine):
    engine.be(columns={"d": "date", "t": "timestamptz", "a": "date[]"}, rejects=BUDGET)
    engine.load("d,t,a\n03/04/2026,,\n,3.4.2026 10:00,\n,,{3/4/2026}\n12/25/2026,2026-03-04,\n")
    assert engine.sql("SELECT d::text FROM raw.t") == ["2026-12-25"]
    assert [row[:2] for row in rejects(engine)] == [(2, "d"), (3, "t"), (4, "a")]
    assert all("which is the month?" in row[2] for row in rejects(engine))
    assert rejects(engine)[0][3] == "03/04/2026,,"


DAYS_OF_DOMAINS = {"raw.day": "03/04/2026", "raw.days": "{03/04/2026}", "raw.later": "3.4.2026",
                   "daterange": '"[03/04/2026,2027-01-01)"'}  # fmt: skip


@pytest.mark.parametrize("own_type", DAYS_OF_DOMAINS)
def test_criterion_8_a_domain_over_date_reads_no_date_that_two_orders_fit(engine, own_type):
    engine.sql("CREATE SCHEMA raw; CREATE DOMAIN raw.day AS date; CREATE DOMAIN raw.days AS date[]")
    engine.sql("CREATE DOMAIN raw.later AS raw.day CHECK (VALUE > '2000-01-01')")
    engine.be(columns={"id": "integer", "d": own_type}, rejects=BUDGET)
    engine.load(f"id,d\n1,{DAYS_OF_DOMAINS[own_type]}\n2,\n")
    assert engine.sql("SELECT id FROM raw.t") == [2]
    assert "which is the month?" in rejects(engine)[0][2]


def test_criterion_8_an_array_of_dates_is_not_read_in_the_order_of_single_ones(engine):
    engine.be(columns={"d": "date[]"}, format={"dates": "DMY"}, rejects=BUDGET)
    engine.load("d\n{03/04/2026}\n{2026-04-03}\n")
    assert engine.sql("SELECT d::text FROM raw.t") == ["{2026-04-03}"]
    assert "dates: reads no date within other text" in rejects(engine)[0][2]


def test_a_domain_reads_cells_as_the_feed_says_that_they_are_spelt(engine):
    """1.234 is no number of decimal commas, whatever Postgres takes it for."""
    engine.sql(
        "CREATE SCHEMA raw; CREATE DOMAIN raw.day AS date; CREATE DOMAIN raw.paid AS numeric"
    )
    engine.be(
        columns={"d": "raw.day", "p": "raw.paid"}, rejects=BUDGET,
        format={"delimiter": ";", "dates": "DMY", "decimal": ","},
    )  # fmt: skip
    engine.load("d;p\n03/04/2026;1,5\n04/04/2026;1.234\n")
    assert engine.sql("SELECT d::text, p::text FROM raw.t") == [("2026-04-03", "1.5")]
    assert "(not " in rejects(engine)[0][2]


@pytest.mark.parametrize(("order", "day"), [("DMY", "2026-04-03"), ("MDY", "2026-03-04")])
def test_criterion_8_the_declared_order_is_read(engine, order, day):
    engine.be(columns={"d": "date"}, format={"dates": order}, rejects=BUDGET)
    engine.load("d\n03/04/2026\n31/12/2026\n12/31/2026\n20261231\n")
    assert day in engine.sql("SELECT d::text FROM raw.t")
    other = "2026-31-12"
    assert [(row[0], other in row[2]) for row in rejects(engine)] == [
        (4 if order == "DMY" else 3, True), (5, False),
    ]  # fmt: skip


def test_criterion_8_backslash_escaped_quotes_are_read_or_refused(engine):
    file = 'id,name\n1,"He said \\"hi\\" to me"\n'
    engine.be(rejects=BUDGET).load(file)
    assert (engine.rows(), len(rejects(engine))) == ([], 1)
    engine.be(format={"escape": "backslash"}).load(file, force=True)
    assert engine.rows() == [(1, 'He said "hi" to me')]


UNFIT = [
    ({"decimal": ","}, "numeric(9,2)", "1.5"),
    ({"decimal": ","}, "double precision", "1.5"),
    ({"decimal": ",", "thousands": "."}, "integer", "1.5"),
    ({"dates": "YMD"}, "date", "03/04/2026"),
    ({"dates": "DMY"}, "timestamp", "20122010"),
    ({"dates": "%d.%m.%Y"}, "timestamptz", "2026-04-03"),
]  # fmt: skip


@pytest.mark.parametrize(("options", "column_type", "cell"), UNFIT)
def test_postgres_refuses_a_cell_with_a_note(engine, options, column_type, cell):
    engine.be(columns={"id": "integer", "v": column_type}, format=options, rejects=BUDGET)
    engine.load(f'id,v\n1,"{cell}"\n2,\n')
    assert engine.sql("SELECT id FROM raw.t") == [2]
    ((line, column, message, raw),) = rejects(engine)
    assert (line, column, raw) == (2, "v", f'1,"{cell}"')
    assert "(not " in message


def test_a_zone_is_the_one_that_the_feed_says(engine):
    engine.be(columns={"t": "timestamptz"}, format={"time_zone": "Europe/Berlin", "dates": "DMY"})
    engine.load("t\n01/07/2026 12:00\n2026-01-01 12:00\n2026-07-01 12:00+00\n2026-07-01\n")
    utc = engine.sql("SELECT to_char(t AT TIME ZONE 'UTC', 'MM-DD HH24') FROM raw.t")
    assert sorted(utc) == ["01-01 11", "06-30 22", "07-01 10", "07-01 12"]


def test_a_footer_that_counts_other_rows_leaves_nothing_behind(engine):
    engine.be(format={"footer": {"pattern": "T,.*", "count_column": 2}})
    with pytest.raises(MisshapenRow, match="the footer counts other rows"):
        engine.load("id,name\n1,a\n2,b\nT,3\n")
    assert engine.statuses() == ["failed"]
    assert engine.load("id,name\n1,a\n2,b\nT,2\n").rows == 2


def test_columns_aligned_by_blanks_are_loaded_and_rejects_keep_their_lines(engine):
    engine.be(
        columns={"id": "integer", "name": "text", "price": "numeric"}, rejects=BUDGET,
        format={"delimiter": "blanks", "nulls": ["NA"], "comment": "#"},
    )  # fmt: skip
    engine.load('  # made\n   id name price\n  x  y  1\n 1 2 3 4\n\n -1 NA NA\n\t7  "a b"  1.50  ')
    assert engine.sql("SELECT id, name, price::text FROM raw.t ORDER BY id") == [
        (-1, None, None), (7, "a b", "1.50"),
    ]  # fmt: skip
    assert [(row[0], row[3]) for row in rejects(engine)] == [(3, "  x  y  1"), (4, " 1 2 3 4")]


def test_a_large_file_of_another_encoding_and_header_is_read_by_a_process_of_its_own(engine):
    engine.be(format={"encoding": "utf-16", "header": False, "delimiter": "|"})
    text = "".join(f"{number}|ü{number:070}\n" for number in range(60_000))
    assert engine.load(text.encode("utf-16")).rows == 60_000
    assert engine.sql("SELECT count(*) FROM raw.t WHERE name LIKE 'ü%%'") == [60_000]


def test_a_truncated_file_of_utf_16_is_refused(engine):
    engine.be(format={"encoding": "utf-16"})
    with pytest.raises(DataError, match="not utf-16 text from byte"):
        engine.load("id,name\n1,a\n".encode("utf-16")[:-1])


def test_a_rejected_row_is_replayed_with_the_cells_as_they_are_spelt(engine):
    engine.be(
        columns={"id": "integer", "v": "numeric(5,2)"}, format={"decimal": ","}, rejects=BUDGET
    )
    engine.load('id,v\n1,"12345,5"\n2,"1,5"\n')
    (cells,) = engine.sql("SELECT cells FROM landfall.rejects")
    assert cells["v"] == "12345.5"
    assert rejects(engine)[0][3] == '1,"12345,5"'


@pytest.mark.parametrize("header", ["id,name,", "id,name"])
def test_4_8_a_feed_can_be_written_for_lines_that_end_with_the_delimiter(engine, header):
    engine.be(format={"ragged": "pad"}, rejects=BUDGET)
    engine.load(f"{header}\n1,a,\n2,b,\n3,c,more\n4\n")
    assert engine.rows() == [(1, "a"), (2, "b"), (4, None)]
    assert [(row[0], row[3]) for row in rejects(engine)] == [(4, "3,c,more")]
