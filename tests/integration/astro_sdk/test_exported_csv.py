"""The CSV of `export_to_file`: as pandas wrote it for the Astro SDK."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from include.astro_sdk.csv_spelling import as_pandas
from include.landfall.connections import Warehouse


@pytest.mark.parametrize(
    ("type_name", "value", "text"),
    [
        ("boolean", "true", "True"),
        ("boolean", "false", "False"),
        ("boolean", None, None),
        ("timestamp with time zone", "2013-01-01 12:00+01", "2013-01-01 11:00:00+00:00"),
        ("timestamp with time zone", "2013-01-01 1:00:00.5+00", "2013-01-01 01:00:00.500000+00:00"),
        ("timestamp with time zone", "infinity", "infinity"),
        ("timestamp with time zone", "0044-03-15 12:00+00 BC", "0044-03-15 12:00:00+00 BC"),
        ("timestamp without time zone", "2013-01-01 12:00", "2013-01-01 12:00:00"),
        ("double precision", "1", "1.0"),
        ("double precision", "1.5", "1.5"),
        ("double precision", "-inf", "-inf"),
        ("double precision", "NaN", None),
        ("real", "2", "2.0"),
        ("numeric", "1.10", "1.10"),
        ("bigint", "7", "7"),
        ("date", "2013-01-01", "2013-01-01"),
        ("text", "it's", "it's"),
        ("integer[]", "{1,2}", "[1, 2]"),
        ("integer[]", "{1,NULL}", "[1, None]"),
        ("integer[]", "{}", "[]"),
        ("integer[]", None, None),
        ("integer[]", "{{1,2},{3,4}}", "{{1,2},{3,4}}"),
        ("numeric(5,2)[]", "{1.5}", "[1.50]"),
        ("boolean[]", "{t,f}", "[True, False]"),
        ("double precision[]", "{1,2.5}", "[1.0, 2.5]"),
        ("text[]", '{a,"b c"}', "['a', 'b c']"),
        ("text[]", """{it's,"a\\\\b"}""", """["it's", 'a\\\\b']"""),
    ],
)  # fmt: skip
def test_a_cell_of_exported_csv_is_what_pandas_wrote(
    warehouse: Warehouse, type_name: str, value: Any, text: str | None
) -> None:
    spelled = as_pandas('"c 50%"', type_name)
    with psycopg.connect(warehouse.conninfo()) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f'CREATE TEMP TABLE t ("c 50%" {type_name})'.encode())
        connection.execute(b"INSERT INTO t VALUES ($$%b$$)" % value.encode() if value is not None
                           else b"INSERT INTO t VALUES (NULL)")  # fmt: skip
        query = f"SELECT x.v::text FROM (SELECT {spelled} FROM t) AS x (v)"
        assert connection.execute(query.encode()).fetchone() == (text,)
