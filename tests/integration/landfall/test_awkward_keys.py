"""Keys of every spelling that S3 takes: each is an object of its own, from listing to undo."""

from __future__ import annotations

from contextlib import closing

import pytest

from include.landfall.connections import Store
from include.landfall.forget import forget
from include.landfall.s3.client import make_client
from tests.support.aws_server import aws_server
from tests.support.engine import Engine

KEYS = [
    "a b.csv", "a%20b.csv", "a+b.csv", "a%2Bb.csv", "\u00e4.csv", "a\u0308.csv", "A.csv", "a.csv",
    "a.csv ", " a.csv", "new%0Aline.csv", "return\r.csv", "tab\t.csv",
    "q?x=1&y=2.csv", "h#x.csv", "quote'\".csv", "back\\slash.csv", "double//slash.csv", "/lead.csv",
    "\U0001f600.csv", "\u202eright.csv", "star*.csv", "[br].csv",
    "%00.csv", "<a>&amp;.csv", "x" * 900 + ".csv",
]  # fmt: skip


@pytest.fixture(scope="module")
def store():
    with aws_server() as server:
        server.asks_for_role = False
        store = Store(server.endpoint, "k", "s")
        with closing(make_client(store)) as client:
            client.create_bucket(Bucket="awkward")
            yield store, client


def test_a_key_of_any_spelling_is_loaded_once_and_can_be_undone(warehouse, store):
    engine = Engine(warehouse, *store, "awkward")
    for number, key in enumerate(KEYS):
        body = f"id,name\n{number},x\n".encode()
        engine.client.put_object(Bucket="awkward", Key=key, Body=body)
    new = engine.new_arrivals()
    assert sorted(each.key for each in new) == sorted(KEYS)
    for each in new:
        assert engine.load(each).outcome == "loaded", each.key
    assert engine.sql("SELECT id FROM raw.t ORDER BY id") == list(range(len(KEYS)))
    assert engine.new_keys() == []
    for number, key in enumerate(KEYS):
        assert forget(engine.feed, key, warehouse=warehouse).rows == 1, key
        assert engine.sql("SELECT id FROM raw.t ORDER BY id") == list(range(number + 1, len(KEYS)))
    assert engine.new_arrivals() == new
