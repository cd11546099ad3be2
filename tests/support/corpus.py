"""A corpus of small files, each with one malady: what is loaded, and what is a reject.

To add a case, add a line to one of the tables.
"""

from __future__ import annotations

from collections.abc import Iterator

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


def cells() -> Iterator[tuple[str, str, str, str]]:
    """Yields the lines of CELLS: type, bad cell, good cell, SQLSTATE."""
    for line in CELLS.splitlines():
        kind, bad, good, state = (part.strip() for part in line.split("|"))
        yield kind, bad.replace("\\\\", "\\"), good.replace("\\\\", "\\"), state


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

# The SQLSTATE of a row that cannot be cut into cells.
SHAPE_STATES = {
    "fields": "22P04", "quote": "22P04", "carriage_return": "22P04", "encoding": "22021",
    "zero_byte": "22021",
}  # fmt: skip

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
