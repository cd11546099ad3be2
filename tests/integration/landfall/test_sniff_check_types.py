"""`sniff --check` names each cell that a load would refuse, and none that it would take."""

from __future__ import annotations

import json

from include.landfall.feed.column_types import parse_type
from include.landfall.sniff.postgres_forms import is_read

# What each type holds, and what it does not.
CELLS = {
    "smallint": (["1", "-32768", " 7 "], ["32768", "1.5", "x"]),
    "integer": (["2147483647", "+5"], ["2147483648", "1e3", "5 EUR"]),
    "bigint": (["9223372036854775807"], ["9223372036854775808", "yes"]),
    "numeric": (["1.50", "1e5", "NaN", "00.1", "-.5"], ["abc", "1,5", "1.2.3", "1e140000"]),
    "numeric(5,2)": (["999.99", "1.005", "9.9949"], ["1000", "999.995", "n/a", "Infinity"]),
    "numeric(18,2)": (["9999999999999999.99"], ["10000000000000000"]),
    "numeric(3,-2)": (["99949"], ["99950", "1e6"]),
    "real": (["1e-40", "3e37", "inf"], ["1e39", "1e-60", "one"]),
    "double precision": (["1e300", "NaN", "-Infinity"], ["1e400", "1e-400", "1,5"]),
    "boolean": (["true", "N", "off", "1"], ["maybe", "2", "wahr"]),
    "text": (["", "anything"], []),
    "varchar": (["anything"], []),
    "varchar(3)": (["abc", "abc   ", "äöü", "日本語"], ["abcd", "    x"]),
    "char(2)": (["ab", "a", "ab  "], ["abc"]),
    "bytea": (["\\x00ff", "plain", "a\\\\b", "\\101", "\\x 0a 0b"], ["\\x0", "\\xzz", "a\\b"]),
    "date": (["2026-02-28", "1-Mar-2026", "infinity"], ["2026-02-30", "soon", "2026"]),
    "time": (["23:59", "8:30 PM", "12:00:00.5"], ["25:00", "noon"]),
    "time(0)": (["23:59:59.9"], ["8h"]),
    "timetz": (["08:30+02", "8:30 PM", "12:00Z"], ["25:00+01", "8:30 nowhere"]),
    "timestamp": (["2026-02-28 10:00", "2026-02-28T10:00:00.5"], ["2026-02-28 25:00", "x"]),
    "timestamp(3)": (["2026-02-28 10:00:00.1234"], ["10 Uhr"]),
    "timestamptz": (["2026-02-28 10:00+01"], ["2026-13-01 00:00Z", "0"]),
    "uuid": (["9f1b4a52-1df5-4b59-9d0f-3b5d3c9b1e11"], ["9f1b4a52", "none", " "]),
    "json": (['{"a": 1}', " [1] ", "null", '"\\u0000"', '"\\ud800"'], ["{'a': 1}", "x", "NaN", ""]),
    "jsonb": (['{"a": [1e5]}', '"\\u00e4"', '"\\ud83d\\ude00"'],
              ["{", '"\\u0000"', '{"\\ud800": 1}', "01", "Infinity"]),
    "inet": (["10.0.0.1", "10.0.0.0/8", "::1", "fe80::/10"], ["10.0.0.256", "10.0.0.1/33", "host"]),
    "interval": (["1 day", "2 hours 5 mins", "P1DT2H", "3 days 04:05:06", "-1 year 2 mons", "P1Y"],
                 ["a while", "P", "1 day 2 days", "5 parsecs"]),
    "bit(3)": (["101"], ["10", "1011", "102"]),
    "varbit(3)": (["", "1", "101"], ["1011", "abc"]),
    "integer[]": (["{1,2,NULL}", "{}", " {1} "], ["1,2", "{a}", "{1,}", "{1"]),
    "text[]": (['{a,"b,c"}', '{"x\\"y"}'], ["a", '{"a}', "{a}b"]),
    "varchar(2)[]": (["{ab,c}"], ["{abc}"]),
    "jsonb[]": (['{"{\\"a\\": 1}"}'], ["{x}"]),
}  # fmt: skip


def test_what_is_judged_is_what_postgres_says(engine):
    pairs = [(text, name) for name, (good, bad) in CELLS.items() for text in [*good, *bad]]
    query = "SELECT pg_input_is_valid(%s, %s)"
    says = {pair: engine.sql(query, *pair)[0] for pair in pairs}
    assert {pair: is_read(pair[0], parse_type(pair[1])) for pair in pairs} == says
    assert says == {
        (text, name): text in good for name, (good, bad) in CELLS.items() for text in [*good, *bad]
    }


def test_each_cell_that_no_longer_fits_is_named_with_its_line(landfall, engine, tmp_path):
    types = {f"c{at}": name for at, name in enumerate(CELLS)}
    feed = tmp_path / "t.yaml"
    feed.write_text(json.dumps({
        "feed": "t", "source": {"bucket": engine.bucket, "pattern": "in/*"},
        "target": {"table": "raw.t"}, "format": {"delimiter": "\t", "quote": None},
        "columns": types,
    }))  # fmt: skip

    def line(which: int, at: int) -> str:
        return "\t".join((cells[which] or cells[0])[at % len(cells[which] or cells[0])]
                         for cells in CELLS.values())  # fmt: skip

    head = "\t".join(types) + "\n"
    engine.put(head + "".join(f"{line(0, at)}\n" for at in range(6)), "in/1.csv")
    assert landfall("sniff", "--check", str(feed))[:2] == (0, "fits        in/1.csv  6 rows read\n")
    assert landfall("load", "--feed", str(feed))[0] == 0
    engine.put(head + f"{line(0, 0)}\n{line(1, 0)}\n{line(1, 1)}\n", "in/2.csv")
    code, text, _ = landfall("sniff", "--check", str(feed), "--json")
    drift = [json.loads(each) for each in text.splitlines()][-1]["departures"]
    expected = [
        f"2 cells of {name} may not fit its type {parse_type(types[name])},"
        f" the first in line 3: {CELLS[types[name]][1][0]!r}"
        for name in types
        if CELLS[types[name]][1]
    ]
    assert (code, drift) == (5, expected)
