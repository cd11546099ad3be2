"""The law for JSON that Arrow parses: what it takes is what Postgres reads from the file's text.

Each value stands in a row of its own. Where Arrow takes the row, the exact parser must take it too,
and the typed value must load as what Postgres reads from the exact parser's cell. LANDFALL_LAW_SEED
chooses other texts, and LANDFALL_LAW_TEXTS their number.
"""
# ruff: noqa: E501  the tables of values

from __future__ import annotations

import json
import os
from dataclasses import replace
from random import Random

import pytest

from include.landfall.feed.dialect import JsonDialect
from include.landfall.postgres.connection import connect
from include.landfall.read.formats.json_arrow import ArrowParser
from include.landfall.read.formats.json_exact import Keys, Parser
from include.landfall.read.rows import Rows
from tests.integration.landfall.test_law import World, differences, without_origin
from tests.support.cell_texts import GENERATORS, MOODS

SEED = int(os.environ.get("LANDFALL_LAW_SEED", "20130101"))
TEXTS = int(os.environ.get("LANDFALL_LAW_TEXTS", "10000")) // 10
TYPES = [
    "smallint", "integer", "bigint", "numeric(15,2)", "numeric(5,5)", "numeric(38,0)",
    "numeric(38,10)", "numeric", "real", "double precision", "boolean", "text", "varchar(5)",
    "char(3)", "bytea", "date", "time", "timestamp", "timestamptz", "interval", "uuid", "inet",
    "law.mood", "law.small", "law.short", "jsonb", "integer[]",
]  # fmt: skip
UNTYPED = {"numeric(38,10)", "numeric", "law.small", "jsonb", "integer[]"}  # without Arrow

pytestmark = pytest.mark.timeout(300)

VALUES = [
    "null", "true", "false", "NaN", "Infinity", "-Infinity", "0", "-0", "1", "+1", "01", "-1", "1.0",
    "1e3", "1E3", "1e-3", "1.5e1", "-0.0", "0.5", ".5", "5.", "0x1F", "1_000", "12.50", "1.005",
    "1.50000", "0.00001", "0.99999", "1.00000", "9999999999999.99", "10000000000000", "1e13", "1e12",
    "32767", "32768", "-32768", "2147483647", "2147483648", "-2147483648", "9223372036854775807",
    "9223372036854775808", "-9223372036854775808", "1" + "0" * 37, "1" + "0" * 38, "9" * 38, "9" * 39,
    "340282366920938463463374607431768211457", "1e37", "1e38", "6e35", "0." + "0" * 44 + "1",
    "1." + "0" * 60, "1e400", "-1e400", "1e-400", "4.9e-324", "2e-324", "1.7976931348623157e308",
    "1.7976931348623159e308", "3.4028235e38", "3.4028236e38", "1e39", "1.4e-45", "1e-46", "0e5",
    "0." + "0" * 45 + "1", "16777217", "0.1", "123456789012345678901234567890",
]  # fmt: skip
TEXT_VALUES = [
    "", " ", " 12", "12 ", "1_000", "0x1F", "+5", "2E+-1", "1e0x1", "1E-0X1", "1.e1", ".5e1", "1e02", "1e+1", "-", ".", "NaN", "nan", "inf", "Infinity", "true",
    "t", "yes", "abc", "abcdef", "ab  ", "ü€😀", "a\nb", 'say "x"', "a\\b", "\\x41", "\\101", "'", "\t",
    "2013-01-01", "01/02/2013", "0000-01-01", "2013-02-30", "infinity", "2013-01-01 12",
    "2013-01-01T12:30:15.1234567Z", "2013-01-01 12:30:15+17", "12:30", "24:00:00", "1 day", "\x7f",
    "127.0.0.1", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "{1,2}", *MOODS,
]  # fmt: skip


def values_for(kind, rng):
    """Values as a file writes them: numbers, texts, and the law's texts for the type as both."""
    generate = GENERATORS.get(kind) or GENERATORS["numeric(15,2)"]
    texts = [generate(rng) for _ in range(TEXTS)]
    written = [*VALUES, *texts, *(json.dumps(text) for text in [*VALUES, *TEXT_VALUES, *texts])]
    return [value for value in written if "\n" not in value]


def arrow_rows(job, values):
    """Returns the rows that Arrow takes, each with its number, and the texts of all cells."""
    keys, rows, texts = Keys.of(job.names, {}), [], {}
    exact = Parser(job.columns, keys, refuses=True)
    for number, value in enumerate(values):
        raw = f'{{"n":{number},"cell":{value}}}'.encode("utf-8", "surrogatepass")
        batch = ArrowParser(job, keys, refuses=True).batch([raw])
        if batch is not None:
            texts[number] = exact.cells(raw)[1]  # raises where the row is no JSON
            rows.append(Rows(len(rows) + 1, batch, without_origin))
    return rows, texts


@pytest.mark.parametrize("kind", TYPES)
def test_what_arrow_takes_loads_as_what_postgres_reads(warehouse, kind):
    rng = Random(f"{SEED} json {kind}")
    values = values_for(kind, rng)
    with connect(warehouse) as connection, connection.transaction(force_rollback=True):
        world = World(connection, kind)
        world.job = replace(world.job, dialect=JsonDialect())
        rows, texts = arrow_rows(world.job, values)
        assert (len(rows) > 30) == (kind not in UNTYPED)
        numbers = [number for number, text in texts.items() if text is not None]
        own = world.read_by_postgres([texts[number] for number in numbers])
        oracle = {numbers[place]: text for place, text in own.items()}
        oracle |= {number: "" for number in texts.keys() - set(numbers) if "short" not in kind}
        assert differences(values, oracle, world.loaded(rows, as_text=False)) == []
        assert differences(values, oracle, world.loaded(rows, as_text=True)) == []
