"""One measured run: a file into bench.lineitem, by a feed or by `load_file` without one."""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from include.landfall.connections import store_from_environ, warehouse_from_environ
from include.landfall.feed.yaml_file import read_feed
from include.landfall.load import load
from include.landfall.s3.client import make_client
from include.landfall.s3.listing import find_arrival
from tests.support.airflow_isolation import airflow_environ

from .runs import FEED


def main(way: str, key: str) -> None:
    """Loads the object of this key by a feed, or by `load_file` with types inferred or declared."""
    feed = read_feed(FEED)
    store = store_from_environ(feed.source.connection)
    warehouse = warehouse_from_environ(feed.target.connection)
    with closing(make_client(store)) as client:
        arrival = find_arrival(client, feed.source.bucket, key)
    with tempfile.TemporaryDirectory() as home:
        os.environ.update(airflow_environ(Path(home)))
        # All ways import Airflow and astro, so that only the loads differ.
        from tests.support.plain_loads import columns_of, load_plainly

        if way == "feed":
            load(feed, arrival, store=store, warehouse=warehouse)
        else:
            types = {name: column.type for name, column in feed.columns.items()}
            columns = columns_of(types) if way == "declared" else ()
            load_plainly(store, warehouse, arrival, ("bench", "lineitem"), columns=columns)


if __name__ == "__main__":
    main(*sys.argv[1:])
