"""A value of every type that a feed can declare is loaded unchanged from CSV and Parquet."""
# ruff: noqa: E501  the tables of cases

from __future__ import annotations

import csv
import datetime as dt
import io
import itertools
from dataclasses import replace
from decimal import Decimal
from uuid import UUID

import psycopg
import pyarrow as pa
import pytest
from psycopg import sql

from include.landfall.errors import DataError, HeaderMismatch, RefusedCell
from include.landfall.feed.model import Feed
from include.landfall.load import load
from include.landfall.s3.listing import find_arrival
from tests.support.file_bytes import parquet_bytes

LONG = "ü€😀\n\t'\"\\,;{}" * 5000

# By declared type: the text in the file, or (the text in the file, what Postgres then shows).
CSV = {
    "smallint": ["-32768", "32767", "0"],
    "integer": ["-2147483648", "2147483647", (" +7 ", "7"), ("0x10", "16"), ("1_000", "1000")],
    "bigint": ["-9223372036854775808", "9223372036854775807"],
    "numeric": ["1" * 500 + "." + "9" * 500, "NaN", "-Infinity", ("1e3", "1000"), "0.10"],
    "numeric(15,2)": ["-9999999999999.99", "9999999999999.99", ("1.005", "1.01"), "NaN"],
    "numeric(38,10)": ["-" + "9" * 28 + "." + "9" * 10, ("1", "1.0000000000")],
    "numeric(9)": ["999999999", ("1.5", "2")],
    "numeric(1000,500)": ["9" * 500 + "." + "9" * 500],
    "real": ["3.4028235e+38", "-1e-45", "NaN", "Infinity", "-0", "0.1"],
    "double precision": ["1.7976931348623157e+308", "-5e-324", "NaN", "-Infinity", "-0", "0.1"],
    "boolean": [("true", "t"), ("false", "f"), ("yes", "t"), ("OFF", "f"), ("1", "t"), ("n", "f")],
    "text": ["", LONG, " blanks ", "NULL", "\\N", "\\x41", "\ufeff", "\U0010ffff"],
    "varchar": ["", LONG],
    "varchar(3)": ["", "ü€😀", ("abc   ", "abc")],
    "char": [("", " "), "a", "😀"],
    "char(3)": ["abc", ("a", "a  "), ("ü€😀   ", "ü€😀")],
    "bytea": ["\\x", "\\x00ff", ("a\\001", "\\x6101"), ("ü", "\\xc3bc")],
    "date": ["0001-01-01", "9999-12-31", "4713-11-24 BC", "5874897-12-31", "infinity", "2024-02-29"],
    "time": ["00:00:00", "24:00:00", "23:59:59.999999", ("23:59:60", "24:00:00"), ("1:00 PM", "13:00:00")],
    "time(0)": [("00:00:00.5", "00:00:01")],
    "timetz": ["24:00:00-15:59", "00:00:00+15:59", ("12:00", "12:00:00+00")],
    "timestamp": ["4713-11-24 00:00:00 BC", "294276-12-31 23:59:59.999999", "-infinity",
                  ("2013-01-01T12:00:00.1234567", "2013-01-01 12:00:00.123457")],
    "timestamp(3)": [("2013-01-01 12:00:00.0005", "2013-01-01 12:00:00.001")],
    "timestamptz": [("2013-01-01 12:00:00+05:30", "2013-01-01 06:30:00+00"), "infinity",
                    ("2013-01-01 12:00", "2013-01-01 12:00:00+00"),
                    ("294276-12-31 23:59:59.999999Z", "294276-12-31 23:59:59.999999+00")],
    "interval": ["178000000 years", "-178000000 years", "1 mon -1 days +00:00:00.000001",
                 ("P1Y2M3DT4H5M6S", "1 year 2 mons 3 days 04:05:06"), "infinity"],
    "uuid": ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff",
             ("{6B94A9A4AE004D909DD16E1E4FD63C8A}", "6b94a9a4-ae00-4d90-9dd1-6e1e4fd63c8a")],
    "json": ['{"a": 1,  "a": [null]}', " 1 ", '"ü"'],
    "jsonb": [('{"b": 1, "a": 1.50, "b": 2}', '{"a": 1.50, "b": 2}'), "1e-5".replace("1e-5", "0.00001")],
    "inet": ["0.0.0.0", "255.255.255.255", "10.0.0.0/8", "::", "::ffff:1.2.3.4", "fe80::1/64"],
    "integer[]": ["{}", "{1,NULL,-2147483648}", ("[0:1]={1,2}", "[0:1]={1,2}"), "{{1,2},{3,4}}"],
    "text[]": ["{}", '{"",NULL,"NULL","a,b","\\"\\\\"}'],
    "numeric(5,2)[]": [("{1.005,NULL}", "{1.01,NULL}")],
    "timestamptz[]": [('{"2013-01-01 12:00+01"}', '{"2013-01-01 11:00:00+00"}')],
    "uuid[]": ["{00000000-0000-0000-0000-000000000001,NULL}"],
    "inet[]": ["{10.0.0.1,NULL}"],
    "jsonb[]": ['{"{\\"a\\": 1}",NULL}'],
    "raw.mood": ["sad", "very happy", "ünder"],
    "raw.mood[]": ['{sad,NULL,"very happy"}'],
    '"Odd Types"."My Mood"': ["Yes"],
    "raw.small": ["1", "100", (" 7 ", "7")],
    "raw.short": ["abcde"],
    "raw.tags": ["{a,b}"],
    "money": [("12.5", "$12.50")],
    "point": ["(1,2)"],
    "int4range": ["[1,5)"],
}  # fmt: skip

# The first server version that reads these texts. Older servers refuse them; so must the engine.
SINCE = {
    ("integer", "0x10"): 160_000,
    ("integer", "1_000"): 160_000,
    ("interval", "infinity"): 170_000,
}

DEFINITIONS = """
CREATE SCHEMA raw; CREATE SCHEMA "Odd Types";
CREATE TYPE raw.mood AS ENUM ('sad', 'very happy', 'ünder');
CREATE TYPE "Odd Types"."My Mood" AS ENUM ('Yes');
CREATE DOMAIN raw.small AS integer CHECK (VALUE BETWEEN 1 AND 100);
CREATE DOMAIN raw.short AS varchar(5);
CREATE DOMAIN raw.tags AS text[];
"""


class Lander:
    """Loads files of one column, `x`, each into a new table, and reads the table back."""

    def __init__(self, database, store, client, bucket):
        self.database, self.store, self.client, self.bucket = database, store, client, bucket
        self.tables = (f"t{number}" for number in itertools.count())

    @property
    def server_version(self) -> int:
        with psycopg.connect(self.database.conninfo()) as connection:
            return connection.info.server_version

    def land(self, body: bytes, kind: str, form: str, nullable: bool = True):
        table = next(self.tables)
        column = {"type": kind, "nullable": nullable}
        feed = Feed.model_validate(
            {"feed": table, "source": {"bucket": self.bucket, "pattern": table}, "format": form,
             "target": {"table": f"raw.{table}"}, "columns": {"x": column}}
        )  # fmt: skip
        self.client.put_object(Bucket=self.bucket, Key=table, Body=body)
        arrival = find_arrival(self.client, self.bucket, table)
        load(feed, arrival, store=self.store, warehouse=self.database)
        return self.read(table)

    def read(self, table: str) -> list[str | None]:
        query = "SELECT CASE WHEN x IS NOT NULL THEN format('%s', x) END FROM raw.{} ORDER BY ctid"
        with psycopg.connect(self.database.conninfo()) as connection:
            connection.execute("SET TimeZone = 'UTC'; SET lc_monetary = 'C'")
            rows = connection.execute(sql.SQL(query.replace("{}", table)))
            return [row[0] for row in rows.fetchall()]

    def land_parquet(self, array: pa.Array, kind: str, **options):
        return self.land(parquet_bytes({"x": array}, **options), kind, "parquet")


@pytest.fixture(scope="module")
def lander(warehouse_server, object_store, client, module_mocker):
    # Making a client takes a tenth of a second, and each type needs a load.
    module_mocker.patch("include.landfall.s3.client.make_client", return_value=client)
    admin = replace(warehouse_server, dbname="postgres").conninfo()
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute("CREATE DATABASE test_types")
    database = replace(warehouse_server, dbname="test_types")
    with psycopg.connect(database.conninfo()) as connection:
        connection.execute(DEFINITIONS)
    client.create_bucket(Bucket="test-types")
    yield Lander(database, object_store, client, "test-types")
    for entry in client.list_objects_v2(Bucket="test-types")["Contents"]:
        client.delete_object(Bucket="test-types", Key=entry["Key"])
    client.delete_bucket(Bucket="test-types")
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute("DROP DATABASE test_types WITH (FORCE)")


def as_csv(texts):
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerows([["x"], *([text] for text in texts)])
    return out.getvalue().encode() + b"\n"  # a blank line: NULL, where there is one column


@pytest.mark.parametrize("kind", CSV)
def test_a_type_keeps_its_extremes_and_null_from_csv(lander, kind):
    pairs = [(pair, pair) if isinstance(pair, str) else pair for pair in CSV[kind]]
    pairs = [pair for pair in pairs if SINCE.get((kind, pair[0]), 0) <= lander.server_version]
    cells = lander.land(as_csv(text for text, _ in pairs), kind, "csv")
    # The order of the file is not kept: suspects come after the other rows.
    assert sorted(cells, key=str) == sorted([*(shown for _, shown in pairs), None], key=str)


@pytest.mark.parametrize(("kind", "text"), SINCE)
def test_what_only_a_newer_server_reads_an_older_one_refuses(lander, kind, text):
    if SINCE[kind, text] <= lander.server_version:
        assert lander.land(as_csv([text]), kind, "csv")
    else:
        with pytest.raises(RefusedCell, match=text):
            lander.land(as_csv([text]), kind, "csv")


UTC = dt.UTC
DAY, NOON = dt.date(2013, 1, 1), dt.datetime(2013, 1, 1, 12, 0, 0, 123456)  # noqa: DTZ001
ID = UUID("6b94a9a4-ae00-4d90-9dd1-6e1e4fd63c8a")
I64 = [-(2**63), 2**63 - 1, None]
SHOWN64 = ["-9223372036854775808", "9223372036854775807", None]

# (the file's type, its values, the declared type, what Postgres then shows)
PARQUET = [
    *((getattr(pa, f"int{bits}")(), [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1, None], kind,
       [str(-(2 ** (bits - 1))), str(2 ** (bits - 1) - 1), None])
      for bits, kind in ((8, "smallint"), (16, "smallint"), (32, "integer"), (64, "bigint"),
                         (8, "bigint"), (32, "bigint"), (16, "integer"), (64, "numeric"))),
    *((getattr(pa, f"uint{bits}")(), [0, 2**bits - 1, None], kind, ["0", str(2**bits - 1), None])
      for bits, kind in ((8, "smallint"), (16, "integer"), (32, "bigint"), (64, "numeric"),
                         (64, "numeric(20)"))),
    (pa.int64(), [1, None, 5], "smallint", ["1", None, "5"]),
    (pa.int64(), [1, -5], "numeric(15,2)", ["1.00", "-5.00"]),
    (pa.int64(), I64, "numeric(38,10)", [f"{SHOWN64[0]}.0000000000", f"{SHOWN64[1]}.0000000000", None]),
    (pa.int64(), [2**53], "double precision", ["9.007199254740992e+15"]),
    (pa.decimal128(38, 10), [Decimal("-9" + "9" * 27 + ".9999999999"), None], "numeric(38,10)",
     ["-" + "9" * 28 + ".9999999999", None]),
    (pa.decimal128(9, 2), [Decimal("1.50"), None], "numeric", ["1.50", None]),
    (pa.decimal128(9, 4), [Decimal("1.0050")], "numeric(9,2)", ["1.01"]),
    (pa.decimal128(38, 0), [Decimal("9" * 28)], "numeric(38,10)", ["9" * 28 + ".0000000000"]),
    (pa.decimal256(60, 5), [Decimal("9" * 55 + ".99999"), None], "numeric", ["9" * 55 + ".99999", None]),
    (pa.decimal256(76, 0), [Decimal("-" + "9" * 76)], "numeric(76)", ["-" + "9" * 76]),
    (pa.float32(), [3.4028234663852886e38, float("nan"), None], "real", ["3.4028235e+38", "NaN", None]),
    (pa.float32(), [0.5], "double precision", ["0.5"]),
    (pa.float16(), [0.5, None], "real", ["0.5", None]),
    (pa.float64(), [1.7976931348623157e308, 5e-324, float("-inf"), -0.0, None], "double precision",
     ["1.7976931348623157e+308", "5e-324", "-Infinity", "-0", None]),
    (pa.bool_(), [True, False, None], "boolean", ["t", "f", None]),
    *((kind, ["", "ü€😀", None], "text", ["", "ü€😀", None])
      for kind in (pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string()),
                   pa.dictionary(pa.int8(), pa.large_string()))),
    (pa.string(), [" 12 ", "1e3", "7", None], "numeric(15,2)", ["7.00", None, "12.00", "1000.00"]),
    (pa.string(), ["sad", None], "raw.mood", ["sad", None]),
    (pa.dictionary(pa.int32(), pa.string()), ["sad", None, "sad"], "raw.mood", ["sad", None, "sad"]),
    (pa.string(), ['{"b":1,"a":2}'], "jsonb", ['{"a": 2, "b": 1}']),
    (pa.string(), ["7"], "raw.small", ["7"]),
    (pa.string(), ["{1,2}"], "integer[]", ["{1,2}"]),
    *((kind, [b"", b"\0\xff\\", None], "bytea", ["\\x", "\\x00ff5c", None])
      for kind in (pa.binary(), pa.large_binary(), pa.binary_view())),
    (pa.binary(2), [b"\0\xff", None], "bytea", ["\\x00ff", None]),
    (pa.binary(16), [ID.bytes, None], "uuid", [str(ID), None]),
    (pa.binary(16), [ID.bytes, None], "bytea", ["\\x" + ID.hex, None]),
    (pa.date32(), [dt.date(1, 1, 1), dt.date(9999, 12, 31), None], "date", ["0001-01-01", "9999-12-31", None]),
    (pa.date64(), [DAY, None], "date", ["2013-01-01", None]),
    *((kind, [dt.time(0), dt.time(23, 59, 59), None], "time", ["00:00:00", "23:59:59", None])
      for kind in (pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns"))),
    (pa.time64("us"), [dt.time(23, 59, 59, 999999)], "time", ["23:59:59.999999"]),
    (pa.time64("ns"), [1_500], "time", ["00:00:00.000002"]),
    *((pa.timestamp(unit), [NOON.replace(microsecond=0), dt.datetime(1700, 1, 1), None], "timestamp",  # noqa: DTZ001
       ["2013-01-01 12:00:00", "1700-01-01 00:00:00", None]) for unit in ("s", "ms", "us", "ns")),
    (pa.timestamp("us"), [NOON], "timestamp", ["2013-01-01 12:00:00.123456"]),
    (pa.timestamp("ns"), [1_500], "timestamp", ["1970-01-01 00:00:00.000002"]),
    (pa.timestamp("us"), [NOON], "timestamp(3)", ["2013-01-01 12:00:00.123"]),
    (pa.timestamp("s"), [-62167219200 - 86400], "timestamp", ["0002-12-31 00:00:00 BC"]),
    *((pa.timestamp(unit, zone), [NOON.replace(microsecond=0, tzinfo=UTC), None], "timestamptz",
       ["2013-01-01 12:00:00+00", None])
      for unit, zone in itertools.product(("ms", "us", "ns"), ("UTC", "America/New_York", "+05:30"))),
    (pa.timestamp("ns", "UTC"), [1_500], "timestamptz", ["1970-01-01 00:00:00.000002+00"]),
    (pa.timestamp("us", "UTC"), [NOON.replace(tzinfo=UTC)], "timestamptz(0)", ["2013-01-01 12:00:00+00"]),
    *((pa.duration(unit), [dt.timedelta(days=400, seconds=1), -dt.timedelta(seconds=1), None], "interval",
       ["9600:00:01", "-00:00:01", None]) for unit in ("s", "ms", "us", "ns")),
    (pa.duration("us"), [dt.timedelta(microseconds=-1), dt.timedelta(microseconds=5)], "interval",
     ["-00:00:00.000001", "00:00:00.000005"]),
    (pa.duration("ns"), [1_500, -1_501, -1_499, 1], "interval",
     ["00:00:00.000002", "-00:00:00.000002", "-00:00:00.000001", "00:00:00"]),
    (pa.null(), [None, None], "integer", [None, None]),
    (pa.null(), [None], "text", [None]),
    (pa.list_(pa.int32()), [[1, None], [], None], "integer[]", ["{1,NULL}", "{}", None]),
    (pa.large_list(pa.int64()), [[2**63 - 1]], "bigint[]", ["{9223372036854775807}"]),
    (pa.list_(pa.int64(), 2), [[1, 2], [3, 4]], "bigint[]", ["{1,2}", "{3,4}"]),
    (pa.list_(pa.string()), [["a,b", '"\\', None, "NULL", ""]], "text[]", ['{"a,b","\\"\\\\",NULL,"NULL",""}']),
    (pa.list_(pa.bool_()), [[True, None]], "boolean[]", ["{t,NULL}"]),
    (pa.list_(pa.float64()), [[0.1, float("nan"), float("inf")]], "double precision[]", ["{0.1,NaN,Infinity}"]),
    (pa.list_(pa.float32()), [[0.1]], "real[]", ["{0.1}"]),
    (pa.list_(pa.decimal128(9, 2)), [[Decimal("1.50"), None]], "numeric(9,2)[]", ["{1.50,NULL}"]),
    (pa.list_(pa.date32()), [[DAY, None]], "date[]", ["{2013-01-01,NULL}"]),
    (pa.list_(pa.timestamp("us")), [[NOON, None]], "timestamp[]", ['{"2013-01-01 12:00:00.123456",NULL}']),
    (pa.list_(pa.timestamp("us", "America/New_York")), [[NOON.replace(tzinfo=UTC)]], "timestamptz[]",
     ['{"2013-01-01 12:00:00.123456+00"}']),
    (pa.list_(pa.time64("us")), [[dt.time(1, 2, 3)]], "time[]", ["{01:02:03}"]),
    (pa.list_(pa.binary()), [[b"\0\\", None]], "bytea[]", ['{"\\\\x005c",NULL}']),
    (pa.list_(pa.binary(16)), [[ID.bytes]], "uuid[]", [f"{{{ID}}}"]),
    (pa.list_(pa.duration("us")), [[dt.timedelta(seconds=-1)]], "interval[]", ["{-00:00:01}"]),
    (pa.list_(pa.timestamp("ns")), [[1_500]], "timestamp[]", ['{"1970-01-01 00:00:00.000002"}']),
]  # fmt: skip


@pytest.mark.parametrize(
    ("own", "values", "kind", "shown"), PARQUET, ids=[f"{p[0]} to {p[2]}" for p in PARQUET]
)
def test_a_file_s_own_type_becomes_the_declared_one(lander, own, values, kind, shown):
    assert sorted(lander.land_parquet(pa.array(values, own), kind), key=str) == sorted(
        shown, key=str
    )


WRONG = [
    (pa.float32(), "integer"), (pa.float64(), "real"), (pa.float32(), "numeric"),
    (pa.float64(), "text"), (pa.bool_(), "integer"), (pa.int32(), "date"),
    (pa.date32(), "timestamptz"), (pa.timestamp("us"), "timestamptz"),
    (pa.timestamp("us", "UTC"), "timestamp"), (pa.timestamp("us", "UTC"), "date"),
    (pa.time64("us"), "timetz"), (pa.binary(), "text"),
    (pa.binary(15), "uuid"), (pa.decimal128(9, 2), "boolean"), (pa.int32(), "real"),
    (pa.duration("us"), "time"), (pa.list_(pa.int32()), "integer"), (pa.int32(), "integer[]"),
    (pa.list_(pa.bool_()), "integer[]"), (pa.int32(), "raw.mood"),
    (pa.list_(pa.list_(pa.int32())), "integer[]"),
    (pa.struct([("a", pa.int32())]), "integer"), (pa.map_(pa.string(), pa.string()), "integer[]"),
]  # fmt: skip


@pytest.mark.parametrize(("own", "kind"), WRONG, ids=[f"{own} to {kind}" for own, kind in WRONG])
def test_a_column_of_another_type_is_named_with_both_types(lander, own, kind):
    with pytest.raises(HeaderMismatch) as caught:
        lander.land_parquet(pa.array([None], own), kind)
    error = caught.value
    assert (error.place.column, error.expected, bool(error.found)) == ("x", kind, True)


@pytest.mark.parametrize(
    ("own", "value", "kind"),
    [(pa.int64(), 2**15, "smallint"), (pa.uint64(), 2**63, "bigint"), (pa.int64(), 10**4, "numeric(5,2)"),
     (pa.decimal128(38, 0), Decimal("9" * 29), "numeric(38,10)"), (pa.string(), "x", "integer"),
     (pa.string(), "abcd", "varchar(3)"), (pa.string(), "bad", "raw.mood"), (pa.string(), "101", "raw.small"),
     (pa.list_(pa.int64()), [2**31], "integer[]"), (pa.decimal128(38, 0), Decimal("38849808387931722299260261396"),
     "numeric(38,10)")],
)  # fmt: skip
def test_a_value_too_large_for_the_declared_type_is_refused_with_its_row(lander, own, value, kind):
    values = [None] * 9000 + [value, None]
    with pytest.raises(RefusedCell) as caught:
        lander.land_parquet(pa.array(values, own), kind)
    assert (caught.value.place.row, caught.value.place.column) == (9001, "x")


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_null_where_none_may_be_is_refused_with_its_row(lander, form):
    body = b'x\n"a"\n\n' if form == "csv" else parquet_bytes({"x": ["a", None]})
    with pytest.raises(DataError) as caught:
        lander.land(body, "text", form, nullable=False)
    assert (caught.value.place.row, caught.value.place.column) == (2, "x")
