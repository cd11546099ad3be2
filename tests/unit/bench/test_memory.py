"""How the bench of memory tells what became of a load, and that its files are what they say."""

from __future__ import annotations

import datetime as dt

import pyarrow.parquet as pq
import pytest

from tests.bench.machine import Machine
from tests.bench.measure import Usage
from tests.bench.memory import Attack, outcome_of, section
from tests.bench.shapes import shapes

MACHINE = Machine(2, 8, "Linux x86_64", "3.11.7", "18.6", dt.date(2026, 1, 2), 1, 1)


@pytest.mark.parametrize(
    ("exit_code", "printed", "outcome"),
    [
        (0, "loaded a.csv\n", "loaded"),
        (5, "\na row is too long\n  line: 3\n", "a row is too long"),
        (1, "", "no message"),
        (-9, "", "killed by signal 9"),
    ],
)
def test_the_outcome_is_the_first_line_of_the_error(exit_code, printed, outcome):
    assert outcome_of(exit_code, printed) == outcome


def test_a_load_above_the_limit_is_marked():
    small = Attack("CSV, short", Usage(1.0, {}, 300_000_000, 200_000_000), "loaded")
    large = Attack("CSV, long", Usage(2.0, {}, 300_000_000, 257_000_000), "a row is too long")
    text = section([small, large], MACHINE)
    assert "| CSV, short | 200 | 1.0 | loaded | kept |" in text
    assert "| CSV, long | 257 | 2.0 | a row is too long | BROKEN |" in text
    assert "2026-01-02" in text


# The others have rows that are large at every scale.
SMALL = [s for s in shapes(0.0001) if " MB" not in s.name and "kB after" not in s.name]


@pytest.mark.parametrize("shape", SMALL, ids=lambda shape: shape.name)
def test_a_shape_makes_its_file(shape, tmp_path):
    path = tmp_path / "file"
    shape.write(path)
    if shape.format == "parquet":
        assert pq.ParquetFile(path).schema_arrow.names == list(shape.columns)
    else:
        assert path.stat().st_size > 0
