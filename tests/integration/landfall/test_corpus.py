"""A corpus of small files, each with one malady: which rows are loaded, and which are rejects.

To add a case, add a line to one of the tables.
"""

from __future__ import annotations

import pytest

from include.landfall.errors import LandfallError

# The type, the bad cell as the file has it, a good cell, and the SQLSTATE of the server.
CELLS = """\
smallint        | 32768                       | 7                | 22003
smallint        | -32769                      | -7               | 22003
smallint        | 1.5                         | 1                | 22P02
smallint        | x                           | 1                | 22P02
integer         | 2147483648                  | 1                | 22003
integer         | abc                         | 1                | 22P02
integer         | 1 2                         | 1                | 22P02
integer         | "1,000"                     | 1000             | 22P02
integer         | 1e3                         | 1000             | 22P02
integer         | ٣                           | 3                | 22P02
bigint          | 9223372036854775808         | 9                | 22003
bigint          | 1L                          | 1                | 22P02
numeric(4,2)    | 100.00                      | 99.99            | 22003
numeric(4,2)    | 1e9                         | 1e1              | 22003
numeric(4,2)    | "1,5"                       | 1.5              | 22P02
numeric(4,2)    | --1                         | -1               | 22P02
numeric(4,2)    | $5                          | 5                | 22P02
numeric         | 1.2.3                       | 1.2              | 22P02
real            | 1e39                        | 1e38             | 22003
real            | 1e-50                       | 1e-30            | 22003
real            | one                         | 1                | 22P02
double precision| 1e400                       | 1e300            | 22003
double precision| 1.2.3                       | 1.2              | 22P02
double precision| 0x1G                        | 1                | 22P02
boolean         | perhaps                     | yes              | 22P02
boolean         | 2                           | 1                | 22P02
date            | 2013-02-30                  | 2013-02-28       | 22008
date            | 2013-13-01                  | 2013-12-01       | 22008
date            | 0000-01-01                  | 0001-01-01       | 22008
date            | 31.12.2013                  | 2013-12-31       | 22008
date            | someday                     | today            | 22007
date            | 2013-1                      | 2013-01-01       | 22007
time            | 25:00                       | 24:00            | 22008
time            | 10:60                       | 10:59            | 22008
time            | noon-ish                    | 12:00            | 22023
timetz          | 10:00+99                    | 10:00+01         | 22009
timestamp       | 2013-02-30 10:00            | 2013-02-28 10:00 | 22008
timestamp       | 2013-01-01 25:00            | 2013-01-01 24:00 | 22008
timestamp       | 2013-01-01T                 | 2013-01-01       | 22007
timestamptz     | 2013-01-01 10:00+99         | 2013-01-01 10:00 | 22009
timestamptz     | 2013-01-01 10:00 Mars/Base  | 2013-01-01 10:00 | 22023
interval        | three days                  | 3 days           | 22007
interval        | 1 fortnight                 | 2 weeks          | 22007
uuid            | not-a-uuid                  | 4a4b5cf0-7f2d-4b7e-9f3a-000000000001 | 22P02
uuid            | 4a4b5cf0-7f2d-4b7e-9f3a-00000000000 | 4a4b5cf0-7f2d-4b7e-9f3a-000000000001 | 22P02
json            | {                           | {}               | 22P02
json            | "{'a': 1}"                  | "{""a"": 1}"     | 22P02
jsonb           | {                           | {}               | 22P02
jsonb           | nul                         | null             | 22P02
jsonb           | "{""a"": ""\\u0000""}"      | {}               | 22P05
inet            | 300.1.1.1                   | 10.1.1.1         | 22P02
inet            | 10.1.1.1/33                 | 10.1.1.1/32      | 22P02
bytea           | \\xZZ                       | \\xFF            | 22023
bytea           | \\x1                        | \\x01            | 22023
bytea           | a\\b                        | ab               | 22P02
varchar(3)      | four                        | two              | 22001
varchar(3)      | äöüß                        | äöü              | 22001
char(2)         | abc                         | ab               | 22001
bit(3)          | 1010                        | 101              | 22026
bit(3)          | 102                         | 101              | 22P02
varbit(3)       | 1010                        | 10               | 22001
integer[]       | "{1,x}"                     | "{1,2}"          | 22P02
integer[]       | "{1"                        | {1}              | 22P02
integer[]       | 1                           | {1}              | 22P02
text[]          | "{a"                        | {a}              | 22P02
varchar(3)[]    | {four}                      | {two}            | 22001
mood            | angry                       | sad              | 22P02
mood            | Sad                         | sad              | 22P02
email           | nobody                      | a@b              | 23514
short           | four                        | two              | 22001
positive        | -1                          | 1                | 23514
positive        | x                           | 1                | 22P02
given           |                             | 1                | 23502
money           | five                        | 5                | 22P02
"""
TYPES = (
    "CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE DOMAIN given AS integer NOT NULL;"
    " CREATE DOMAIN email AS text CHECK (VALUE LIKE '%@%'); CREATE DOMAIN short AS varchar(3);"
    " CREATE DOMAIN positive AS integer CHECK (VALUE > 0)"
)


def cells():
    for line in CELLS.splitlines():
        kind, bad, good, state = (part.strip() for part in line.split("|"))
        bad, good = bad.replace("\\\\", "\\"), good.replace("\\\\", "\\")
        yield pytest.param(kind, bad, good, state, id=f"{kind} {bad}")


def rejects_of(engine, columns="line, column_name, reason, sqlstate, raw"):
    return engine.sql(f"SELECT {columns} FROM landfall.rejects ORDER BY row_number")


@pytest.mark.parametrize(("kind", "bad", "good", "state"), list(cells()))
def test_a_bad_cell_is_a_reject_and_the_other_rows_are_loaded(engine, kind, bad, good, state):
    engine.sql(TYPES)
    engine.be(columns={"id": "integer", "v": kind}, rejects={"at_most": 1})
    receipt = engine.load(f"id,v\n1,{good}\n2,{bad}\n3,{good}\n")
    assert rejects_of(engine) == [(3, "v", "cell", state, f"2,{bad}")]
    assert engine.sql("SELECT id FROM raw.t ORDER BY id") == [1, 3]
    assert (receipt.rows, receipt.rejected) == (2, 1)


# A file of the columns id and name; the ids that are loaded; and line, reason and text of rejects.
SHAPES = {
    "too few fields": (b"1,a\n2\n3,c\n", [1, 3], [(3, "fields", "2")]),
    "too many fields": (b"1,a\n2,b,\n3,c\n", [1, 3], [(3, "fields", "2,b,")]),
    "three fields": (b"1,a\n2,b,x\n3,c\n", [1, 3], [(3, "fields", "2,b,x")]),
    "the first row": (b"1\n2,b\n", [2], [(2, "fields", "1")]),
    "the last row without an end": (b"1,a\n2", [1], [(3, "fields", "2")]),
    "every row": (b"1\n2\n", [], [(2, "fields", "1"), (3, "fields", "2")]),
    "a row of blanks": (b"1,a\n \n3,c\n", [1, 3], [(3, "fields", " ")]),
    "another delimiter": (b"1,a\n2;b\n3,c\n", [1, 3], [(3, "fields", "2;b")]),
    "after blank lines": (b"1,a\n\n\n2\n3,c\n", [1, 3], [(5, "fields", "2")]),
    "with CRLF": (b"1,a\r\n2\r\n3,c\r\n", [1, 3], [(3, "fields", "2")]),
    "after a row of three lines": (b'1,"a\nb\nc"\n2\n3,c\n', [1, 3], [(5, "fields", "2")]),
    "a row of two lines": (b'1,a\n"2\n"\n3,c\n', [1, 3], [(3, "fields", '"2\n"')]),
    "text after a closing quote": (b'1,a\n2,"b"x\n3,c\n', [1, 3], [(3, "quote", '2,"b"x')]),
    "a blank after a closing quote": (b'1,a\n2,"b" \n3,c\n', [1, 3], [(3, "quote", '2,"b" ')]),
    "a backslash before a quote": (
        b'1,a\n2,"b \\"c\\" d"\n3,c\n', [1, 3], [(3, "quote", '2,"b \\"c\\" d"')],
    ),
    "a quote in an unquoted field": (b'1,a\n2,5" b\n3,c\n', [1, 3], [(3, "quote", '2,5" b')]),
    "two quotes in an unquoted field": (
        b'1,a\n2,5" by 6"\n3,c\n', [1, 3], [(3, "quote", '2,5" by 6"')],
    ),
    "a blank before a quote": (b'1,a\n2, "b"\n3,c\n', [1, 3], [(3, "quote", '2, "b"')]),
    "a quote that stays open at the end": (b'1,a\n2,b\n3,"c\n', [1, 2], [(4, "quote", '3,"c')]),
    "a quote that stays open in the middle": (
        b'1,a\n2,"b\n3,c\n4,d\n', [1, 3, 4], [(3, "quote", '2,"b')],
    ),
    "a quote that a later cell closes": (
        b'1,a\n2,"b\n3,"c"\n4,d\n', [1, 3, 4], [(3, "quote", '2,"b')],
    ),
    "quotes that cut two rows": (  # row 1.7 of the faults
        b'1,5" pipe\n2,"b\n', [], [(2, "quote", '1,5" pipe\n2,"b')],
    ),
    "orders that sit inside a note": (  # row 1.15
        b'1,"a 5 inch pipe\n2,b\n3,"left at the door"\n4,d\n', [2, 3, 4],
        [(2, "quote", '1,"a 5 inch pipe')],
    ),
    "a link after empty quotes": (b'1,a\n2,""https://x"\n', [1], [(3, "quote", '2,""https://x"')]),
    "a price before a name": (b'1,a\n2,"$78"All\n', [1], [(3, "quote", '2,"$78"All')]),
    "LATIN1": (b"1,a\n2,\xe9\n3,c\n", [1, 3], [(3, "encoding", "2,\\xe9")]),
    "LATIN1 in quotes": (b'1,a\n2,"\xe9"\n3,c\n', [1, 3], [(3, "encoding", '2,"\\xe9"')]),
    "LATIN1 among UTF-8": ("1,é\n".encode() + b"2,\xe9\n", [1], [(3, "encoding", "2,\\xe9")]),
    "a letter cut off": (b"1,a\n2,\xc3\n3,c\n", [1, 3], [(3, "encoding", "2,\\xc3")]),
    "a letter cut off at the end": (b"1,a\n2,\xc3", [1], [(3, "encoding", "2,\\xc3")]),
    "an overlong letter": (b"1,a\n2,\xc0\xaf\n3,c\n", [1, 3], [(3, "encoding", "2,\\xc0\\xaf")]),
    "half of a surrogate pair": (
        b"1,a\n2,\xed\xa0\x80\n", [1], [(3, "encoding", "2,\\xed\\xa0\\x80")],
    ),
    "a zero byte": (b"1,a\n2,b\0\n3,c\n", [1, 3], [(3, "zero_byte", "2,b\\x00")]),
    "a zero byte in quotes": (b'1,a\n2,"\0"\n3,c\n', [1, 3], [(3, "zero_byte", '2,"\\x00"')]),
    "a row of zero bytes": (b"1,a\n\0\0\0\n3,c\n", [1, 3], [(3, "zero_byte", "\\x00" * 3)]),
    "a carriage return": (b"1,a\n2,b\rx\n3,c\n", [1, 3], [(3, "carriage_return", "2,b\rx")]),
    "two rows with a CR between": (
        b"1,a\n2,b\r3,c\n4,d\n", [1, 4], [(3, "carriage_return", "2,b\r3,c")],
    ),
    "a CR at the very end": (b"1,a\n2,b\r", [1], [(3, "carriage_return", "2,b")]),
}  # fmt: skip


@pytest.mark.parametrize("name", SHAPES)
def test_a_row_that_cannot_be_cut_into_cells_is_a_reject(engine, name):
    body, ids, rejects = SHAPES[name]
    engine.be(rejects={"at_most": 9})
    receipt = engine.load(b"id,name\n" + body)
    assert rejects_of(engine, "line, reason, raw") == rejects
    assert engine.sql("SELECT id FROM raw.t ORDER BY id") == ids
    assert (receipt.rows, receipt.rejected) == (len(ids), len(rejects))


# The table's own rule; rows of the file; the ids that are loaded; line, column, reason, SQLSTATE.
RULES = {
    "NOT NULL": ("name text NOT NULL", "1,a\n2,\n3,c\n", [1, 3], (3, "name", "null", "23502")),
    "CHECK": (
        "name text CHECK (name <> 'b')", "1,a\n2,b\n3,c\n", [1, 3], (3, None, "check", "23514"),
    ),
    "CHECK of two columns": (
        "name text, CHECK (name <> 'b' OR id > 2)", "1,a\n2,b\n3,b\n", [1, 3],
        (3, None, "check", "23514"),
    ),
    "CHECK of a length": (
        "name text CHECK (length(name) < 3)", "1,a\n2,long\n3,c\n", [1, 3],
        (3, None, "check", "23514"),
    ),
    "UNIQUE": ("name text UNIQUE", "1,a\n2,a\n3,c\n", [1, 3], (3, None, "unique", "23505")),
    "UNIQUE of an expression": (
        "name text, EXCLUDE (lower(name) WITH =)", "1,a\n2,A\n3,c\n", [1, 3],
        (3, None, "exclusion", "23P01"),
    ),
    "NULLS NOT DISTINCT": (
        "name text UNIQUE NULLS NOT DISTINCT", "1,\n2,\n3,c\n", [1, 3],
        (3, None, "unique", "23505"),
    ),
    "PRIMARY KEY": (
        "name text PRIMARY KEY", "1,a\n2,a\n3,c\n", [1, 3], (3, None, "unique", "23505"),
    ),
    "PRIMARY KEY without a value": (
        "name text PRIMARY KEY", "1,a\n2,\n3,c\n", [1, 3], (3, "name", "null", "23502"),
    ),
    "a key that is deferred": (
        "name text UNIQUE DEFERRABLE INITIALLY IMMEDIATE", "1,a\n2,a\n3,c\n", [1, 3],
        (3, None, "unique", "23505"),
    ),
    "EXCLUDE": (
        "name text, EXCLUDE USING btree (name WITH =)", "1,a\n2,a\n3,c\n", [1, 3],
        (3, None, "exclusion", "23P01"),
    ),
    "FOREIGN KEY": (
        "name text REFERENCES public.names", "1,a\n2,x\n3,c\n", [1, 3],
        (3, None, "foreign_key", "23503"),
    ),
    "a row of a partition that is not there": (
        "name text) PARTITION BY LIST (name", "1,a\n2,x\n3,c\n", [1, 3],
        (3, None, "check", "23514"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("suspect", ["", " "], ids=["fast path", "text path"])
@pytest.mark.parametrize("rule", RULES)
def test_a_row_that_breaks_a_rule_of_the_table_is_a_reject(engine, rule, suspect):
    definition, body, ids, reject = RULES[rule]
    engine.sql(
        "CREATE TABLE public.names (name text PRIMARY KEY);"
        " INSERT INTO public.names VALUES ('a'), ('c');"
        f" CREATE SCHEMA raw; CREATE TABLE raw.t (id integer, _load_id bigint, {definition})"
    )
    if "PARTITION" in definition:
        engine.sql("CREATE TABLE raw.t1 PARTITION OF raw.t FOR VALUES IN ('a', 'c')")
    engine.be(rejects={"at_most": 1})
    receipt = engine.load("id,name\n" + body.replace("\n2,", f"\n{suspect}2,"))
    line, column, reason, state = reject
    raw = suspect + body.splitlines()[line - 2]
    assert rejects_of(engine) == [(line, column, reason, state, raw)]
    assert engine.sql("SELECT id FROM raw.t ORDER BY id") == ids
    assert (receipt.rows, receipt.rejected) == (len(ids), 1)


def test_the_corpus_has_at_least_120_files():
    assert len(list(cells())) + len(SHAPES) + len(RULES) >= 120


def test_all_reasons_of_a_row_are_told(engine):
    engine.be(
        columns={"id": {"type": "integer", "nullable": False}, "day": "date", "n": "smallint"},
        rejects={"at_most": 1},
    )
    engine.load("id,day,n\n1,2013-01-01,1\n,2013-02-30,x\n")
    (more,) = rejects_of(engine, "more")
    assert rejects_of(engine, "line, column_name, reason") == [(3, "id", "null")]
    assert [(m["column"], m["reason"]) for m in more] == [("day", "cell"), ("n", "cell")]


def test_a_key_that_an_earlier_file_has_is_a_reject(engine):
    engine.sql("CREATE SCHEMA raw; CREATE TABLE raw.t (id integer PRIMARY KEY, name text)")
    engine.be(rejects={"at_most": 1})
    engine.load("id,name\n1,a\n2,b\n", "a.csv")
    engine.load("id,name\n2,c\n3,d\n", "b.csv")
    assert rejects_of(engine, "key, line, message") == [
        ("b.csv", 2, 'duplicate key value violates unique constraint "t_pkey"; '
         "Key (id)=(2) already exists.")
    ]  # fmt: skip
    assert engine.rows() == [(1, "a"), (2, "b"), (3, "d")]


MARKER = "jane.doe.4711"
HIDDEN = [
    ({"keep": "hashed"}, "text"),
    ({"keep": "count"}, "text"),
    ({"keep": "raw"}, {"type": "text", "secret": True}),
]
RULES_OF_TABLE = {
    "a cell": ("", f"x,{MARKER}"),
    "too many fields": ("", f"1,{MARKER},"),
    "a quote": ("", f'1,"{MARKER}"x'),
    "a key": ("CREATE UNIQUE INDEX ON raw.t (name)", f"1,{MARKER}\n2,{MARKER}"),
    "a CHECK": ("ALTER TABLE raw.t ADD CHECK (name !~ 'doe')", f"1,{MARKER}"),
    "a trigger": (
        "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " RAISE EXCEPTION 'no %', NEW.name; END $$;"
        " CREATE TRIGGER no BEFORE INSERT ON raw.t FOR EACH ROW EXECUTE FUNCTION no()",
        f"1,{MARKER}",
    ),
}


@pytest.mark.parametrize("at_most", [9, 0])
@pytest.mark.parametrize(("rejects", "name"), HIDDEN, ids=["hashed", "count", "secret"])
@pytest.mark.parametrize("fault", RULES_OF_TABLE)
def test_a_text_that_is_not_to_be_kept_is_nowhere(engine, caplog, fault, rejects, name, at_most):
    rule, body = RULES_OF_TABLE[fault]
    engine.sql(f"CREATE SCHEMA raw; CREATE TABLE raw.t (id integer, name text); {rule}")
    engine.be(columns={"id": "integer", "name": name}, rejects={**rejects, "at_most": at_most})
    shown = ""
    try:
        shown = str(engine.load("id,name\n" + body).as_dict())
    except LandfallError as error:
        shown = f"{error} {error.__dict__}"
    kept = engine.sql("SELECT to_jsonb(r)::text FROM landfall.rejects r")
    kept += engine.sql("SELECT to_jsonb(l)::text FROM landfall.ledger l")
    assert MARKER not in f"{shown} {kept} {caplog.text}"
