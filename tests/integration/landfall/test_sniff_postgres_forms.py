"""What `sniff --check` calls readable is read by the real server."""

from __future__ import annotations

import random

from include.landfall.feed.column_types import parse_type
from include.landfall.sniff.postgres_forms import is_read

TEXTS = """\
t tr yes Y no n on of off o 1 0 maybe TRUE +5 -7 007 2147483648 99999999999 1.0 1e3 .5 5. 1_000
NaN -inf infinity Infinity 1e400 1.005 123456789012345.5 {9f1b4a52-1df5-4b59-9d0f-3b5d3c9b1e11}
9F1B4A521DF54B599D0F3B5D3C9B1E11 2026-03-01 2026/3/1 20260301 1-Mar-2026 01Mar2026 31-Feb-2026
2026-Mar-01 29-feb-24 8:30 08:30:61 23:59:60 12:00am 13:00pm 0:30am 24:00 epoch 00:00:00 ٣
""".split()
SPACED = ["8:30 PM", "March 1, 2026", "Sept 1 2026", "1 March 2026 8:30 pm", "2026-03-01 12:00 Z",
          "2026-03-01 12:00 Europe/Berlin", "2026-03-01 25:00", "2026-03-01T12:00+02", "\u00a05",
          "2026 03 01", "2026-03-01 12:00 UTC", "2026-03-01 12:00.5", " 5 "]  # fmt: skip
TYPES = ["boolean", "smallint", "integer", "bigint", "numeric", "numeric(15,2)", "real", "uuid",
         "double precision", "date", "time", "timestamp", "timestamptz"]  # fmt: skip


PARTS = [" ", *"1 12 2026 - / . : mar may march am pm t z + e 05 ,".split()]


def random_texts(count):
    rng = random.Random(20261129)
    return ["".join(rng.choice(PARTS) for _ in range(rng.randint(1, 9))) for _ in range(count)]


def test_each_form_is_one_that_postgres_reads(engine):
    pairs = [
        (text, name)
        for name in TYPES
        for text in [*TEXTS, *SPACED, *random_texts(3000)]
        if is_read(text, parse_type(name))
    ]
    assert {name for _, name in pairs} == {*TYPES}
    values = ", ".join(f"('{text}', '{name}')" for text, name in pairs)
    refused = engine.sql(
        f"SELECT t, n FROM (VALUES {values}) AS v (t, n) WHERE NOT pg_input_is_valid(t, n)"
    )
    assert refused == []
