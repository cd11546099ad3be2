"""The law: a loaded cell is what Postgres itself reads from the file's text.

For every type, 10,000 texts are read three times: by Postgres's input function (a text COPY, and
pg_input_is_valid for those that it refuses), by the engine's fast path, which casts and encodes
them, and by the engine's text path, which stages them as text. All three must refuse the same
texts, which are rejects, and load the others as the same values. LANDFALL_LAW_SEED chooses other
texts, and LANDFALL_LAW_TEXTS their number.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from random import Random

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from psycopg import sql

from include.landfall.arrival import Arrival
from include.landfall.connections import Store
from include.landfall.feed.model import Feed
from include.landfall.frames import Frame, FrameType, Shape
from include.landfall.job import Job
from include.landfall.postgres.connection import connect
from include.landfall.read.casts.columns import cast_column
from include.landfall.read.casts.types import fast_cast_of
from include.landfall.read.framing import Framer
from include.landfall.read.rows import Origin, Rows
from include.landfall.write import copy, target
from include.landfall.write.dispositions import disposition_of
from include.landfall.write.judge import judge
from include.landfall.write.staging import Staging
from include.landfall.write.target import TargetColumn
from tests.support.cell_texts import GENERATORS, MOODS

SEED = int(os.environ.get("LANDFALL_LAW_SEED", "20130101"))
TEXTS = int(os.environ.get("LANDFALL_LAW_TEXTS", "10000"))
SHOWN = 12

pytestmark = pytest.mark.timeout(300)

# pg_input_is_valid for servers before 16: calls the type's own input function, with the modifier.
INPUT = """
SELECT typinput::regproc::text, pronargs,
       CASE WHEN typcategory = 'A' THEN typelem ELSE pg_type.oid END, atttypmod
FROM pg_attribute JOIN pg_type ON pg_type.oid = atttypid JOIN pg_proc ON pg_proc.oid = typinput
WHERE attrelid = 'pg_temp.valid'::regclass AND attname = 'cell'
"""
IS_VALID = """
CREATE FUNCTION pg_temp.is_valid(cell text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM {}({});
    RETURN true;
EXCEPTION WHEN OTHERS THEN
    RETURN false;
END $$
"""


class World:
    """One transaction and one type, read by Postgres and on both paths of the engine."""

    def __init__(self, connection: psycopg.Connection, kind: str) -> None:
        self.connection = connection
        self.feed = Feed.model_validate(
            {
                "feed": "law",
                "source": {"bucket": "law", "pattern": "x"},
                "target": {"table": "law.target"},
                "columns": {"n": "bigint", "cell": kind},
            }
        )
        self.kind = str(self.feed.columns["cell"].parsed)
        connection.execute(sql.SQL("CREATE SCHEMA law"))
        labels = sql.SQL(", ").join(map(sql.Literal, MOODS))
        connection.execute(sql.SQL("CREATE TYPE law.mood AS ENUM ({})").format(labels))
        connection.execute("CREATE DOMAIN law.small AS integer CHECK (VALUE % 7 <> 3)")
        connection.execute("CREATE DOMAIN law.short AS varchar(5) NOT NULL CHECK (VALUE <> 'a')")
        self.columns: list[TargetColumn] = target.prepare(connection, self.feed)
        self.job = Job(
            "law",
            Arrival("law", "x", "e", 1, None),
            Store(),
            tuple(column.planned for column in self.columns),
            1,
        )

    def read_by_postgres(self, texts: list[str]) -> dict[int, str]:
        """The server's reading: the rendition of each text that it takes, by the text's number.

        A date is not taken when another order of day and month makes another day of it.
        """
        readings = []
        for order in ("DMY", "MDY"):
            with self.connection.transaction(force_rollback=True):
                self.connection.execute(f"SET LOCAL DateStyle = 'ISO, {order}'")
                readings.append(self._read_by_postgres(texts))
        other, own = readings
        return {n: text for n, text in own.items() if other.get(n, text) == text}

    def _read_by_postgres(self, texts: list[str]) -> dict[int, str]:
        run = self.connection.execute
        run("CREATE TEMP TABLE texts (n bigint, cell text)")
        self._copy_text("texts", enumerate(texts))
        run(f"CREATE TEMP TABLE valid (n bigint, cell {self.kind})")
        invalid = "SELECT * FROM texts WHERE NOT {}"
        run(f"CREATE TEMP TABLE refused AS {invalid.format(self._is_valid())}")
        run("ALTER TABLE refused ADD PRIMARY KEY (n); ANALYZE refused")
        refused = {row[0] for row in run("SELECT n FROM refused")}
        self._copy_text("valid", ((n, t) for n, t in enumerate(texts) if n not in refused))
        return self._renditions("valid")

    def _is_valid(self) -> str:
        """The SQL expression that is true when the server's input function takes a cell."""
        if self.connection.info.server_version >= 160_000:
            return f"pg_input_is_valid(cell, '{self.kind}')"
        name, count, *rest = self.connection.execute(INPUT).fetchone()
        arguments = ["cell::cstring", *map(str, rest)][:count]
        self.connection.execute(IS_VALID.format(name, ", ".join(arguments)))
        return "pg_temp.is_valid(cell)"

    def _copy_text(self, table: str, rows: object) -> None:
        with self.connection.cursor().copy(f"COPY {table} FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)

    def _renditions(self, table: str) -> dict[int, str]:
        rows = self.connection.execute(f"SELECT n, format('%s', cell) FROM {table}")
        return dict(rows.fetchall())

    def loaded(self, rows: list[Rows], as_text: bool) -> dict[int, str]:
        """The engine's reading of the batches: with the fast path, or all as text.

        A text that it refuses must be a reject, so the rejects are counted.
        """
        try:
            with self.connection.transaction():
                staging = self._load(rows, as_text)
                renditions = self._renditions("law.target")
                count = sum(r.batch.num_rows for r in rows)
                assert len(renditions) + staging.rejected.count() == count
                raise Done(renditions)
        except Done as done:
            return done.renditions

    def _load(self, rows: list[Rows], as_text: bool) -> Staging:
        framer = Framer(self.job)
        staging = Staging(
            self.connection, self.feed, disposition_of(self.feed), self.columns, load_id=1
        )
        frames = [Shape(self.job.names, framer.text_columns).frame()]
        for each in rows:
            everything = list(range(each.batch.num_rows))
            frames += framer._suspect_frames(each, everything) if as_text else framer.frames(each)
        frames.append(Frame(FrameType.END, sum(r.batch.num_rows for r in rows)))
        read, written = copy.copy(iter(frames), staging)
        assert read == sum(r.batch.num_rows for r in rows)
        assert written + judge(staging) + staging.rejected.count() == read
        return staging


class Done(Exception):
    """Rolls an attempt back, and carries its result."""

    def __init__(self, renditions: dict[int, str]) -> None:
        self.renditions = renditions


def without_origin(positions: Sequence[int]) -> list[Origin]:
    return [Origin(None, "")] * len(positions)


def batches(numbers: list[int], texts: list[str], rng: Random) -> list[Rows]:
    """The texts as slices of one batch, with offsets into it, as a file's batches have them."""
    whole = pa.record_batch(
        {"n": pa.array([str(n) for n in numbers]), "cell": pa.array([texts[n] for n in numbers])}
    )
    rows, start = [], 0
    while start < len(numbers):
        size = rng.choice([1, 7, 1000, 5000])
        rows.append(Rows(start + 1, whole.slice(start, size), without_origin))
        start += size
    return rows


def vouched(world: World, numbers: list[int], texts: list[str]) -> list[int]:
    """The numbers of the texts that the fast path vouches for."""
    fast_cast = fast_cast_of(world.columns[1].planned)
    if fast_cast is None or not numbers:
        return []
    _, doubtful = cast_column(pa.array([texts[n] for n in numbers]), fast_cast)
    if doubtful is None:
        return numbers
    return pa.array(numbers).filter(pc.invert(doubtful)).to_pylist()


def differences(
    texts: list[str], oracle: dict[int, str], reading: dict[int, str]
) -> list[tuple[str, ...]]:
    """The shortest texts that two readings differ on: text, Postgres's reading, the engine's."""
    wrong = [n for n in oracle.keys() | reading.keys() if oracle.get(n) != reading.get(n)]
    wrong.sort(key=lambda n: (len(texts[n]), texts[n]))
    return [(texts[n], str(oracle.get(n)), str(reading.get(n))) for n in wrong[:SHOWN]]


@pytest.fixture
def connection(warehouse):
    with connect(warehouse) as connection:
        yield connection


@pytest.mark.parametrize("kind", GENERATORS)
def test_every_way_reads_a_text_as_postgres_does(connection, kind):
    rng = Random(f"{SEED} {kind}")
    texts = [GENERATORS[kind](rng) for _ in range(TEXTS)]
    with connection.transaction(force_rollback=True):
        world = World(connection, kind)
        oracle = world.read_by_postgres(texts)
        refused = [n for n in range(TEXTS) if n not in oracle]
        assert min(len(oracle), len(refused)) > TEXTS // 40 or kind in ONE_SIDED, "a weak generator"

        rows = batches(list(range(TEXTS)), texts, rng)
        hint = f"LANDFALL_LAW_SEED={SEED}: text, Postgres, landfall"
        assert differences(texts, oracle, world.loaded(rows, as_text=False)) == [], hint
        assert differences(texts, oracle, world.loaded(rows, as_text=True)) == [], hint
        if kind.split("(")[0] not in JUDGED_BY_THE_SERVER:
            doubted_by_none = dict.fromkeys(vouched(world, refused, texts), "vouched for")
            assert differences(texts, {}, doubted_by_none) == [], hint


# Postgres takes every text for these types.
ONE_SIDED = {"text", "varchar"}
# Their binary input is the text itself, so the server judges it on the fast path too.
JUDGED_BY_THE_SERVER = {"varchar", "char", "json", "jsonb", "law.mood"}
