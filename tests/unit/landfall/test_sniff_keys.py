"""What `landfall sniff` proposes from the key of an object."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from include.landfall.arrival import Arrival
from include.landfall.sniff.keys import name_of, pattern_of
from include.landfall.sniff.sample import Sample
from include.landfall.sniff.sniffing import sniff

ID = "8f3c1e6a-1b2c-4d5e-9f00-0a1b2c3d4e5f"


KEYS = [
    ("shop/orders_2026-01-31.csv.gz", "shop/orders_*.csv.gz", "orders"),
    ("shop/Orders 2026-01-31.csv.gz", "shop/Orders *.csv.gz", "orders"),
    ("2026/01.csv", "*/*.csv", "new_feed"),
    ("shop/2026/01/31/a.csv", "shop/*/*/*/a.csv", "a"),
    ("v12345/2026-01/a.csv", "v12345/*/a.csv", "a"),
    (f"sales/month=2026-01/part-00000-{ID}-c000.snappy.parquet",
     "sales/month=*/part-*.snappy.parquet", "sales"),
    ("x/dt=1/h=2/part-00011", "x/dt=*/h=*/part-*", "x"),
    (f"in/{ID}.json", "in/*.json", "in"),
    ("trips/month=2026-03/part-0001.parquet", "trips/month=*/part-*.parquet", "trips"),
    ("shop/orders/data.json", "shop/orders/data.json", "orders"),
    ("export/data_01.csv", "export/data_*.csv", "data"),
]  # fmt: skip


@pytest.mark.parametrize(("key", "pattern", "name"), KEYS)
def test_a_key_gives_the_pattern_and_the_name(key, pattern, name):
    assert (pattern_of(key), name_of(key)) == (pattern, name)


def test_folders_that_are_partitions_give_columns():
    data = b"id,name,price\n1,a,1.50\n2,b,2.50\n"
    arrival = Arrival(
        "landing", "x/dt=2026-01-31/id=1/a.csv", "e", len(data), datetime(2026, 1, 1, tzinfo=UTC)
    )
    sniffed = sniff([(arrival, Sample(arrival.key, data, True))], "x", "raw.x", is_snapshot=True)
    lines = sniffed.text.splitlines()
    assert "  dt: {type: text, from_key: 'dt=([^/]+)/'}  # from the folder's name" in lines
    assert len([line for line in lines if line.startswith("  id: ")]) == 1
    assert any(line.startswith("  snapshot: dir  # ") for line in lines)
