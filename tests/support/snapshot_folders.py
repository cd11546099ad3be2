"""Folders of parts that are one arrival each, for tests of snapshots."""

from __future__ import annotations

import json

import pytest

from include.landfall.errors import DataError
from include.landfall.s3.listing import list_arrivals, list_snapshots

HEADER = "id,name\n"
ONE, TWO, THREE = f"{HEADER}1,a\n", f"{HEADER}2,b\n", f"{HEADER}3,c\n"


class Sets:
    """A feed of snapshots under `x/`, and its folders."""

    def __init__(self, engine):
        self.engine = engine
        self.be()

    def be(self, source=None, **changes):
        base = {"bucket": self.engine.bucket, "pattern": "x/*/part-*", "snapshot": "dir"}
        self.engine.be(
            **{"disposition": "replace", "source": {**base, **(source or {})}, **changes}
        )
        return self

    def put(self, folder, *parts, marker="_SUCCESS", body=b""):
        for number, part in enumerate(parts):
            self.engine.put(part, f"x/{folder}/part-{number}")
        if marker:
            self.engine.put(body, f"x/{folder}/{marker}")
        return self

    def manifest(self, folder, *names, **sizes):
        url = f"s3://{self.engine.bucket}/x/{folder}/"
        entries = [{"url": url + name, "mandatory": True} for name in names]
        entries += [
            {"url": f"{url}part-{n[-1]}", "meta": {"content_length": s}} for n, s in sizes.items()
        ]
        return self.put(folder, marker="manifest", body=json.dumps({"entries": entries}))

    def listed(self):
        return {a.key: a for a in list_arrivals(self.engine.client, self.engine.feed.source)}

    def waits(self):
        folders = list_snapshots(self.engine.client, self.engine.feed.source)
        return {each.arrival.key: each.waits_for for each in folders}

    def new(self):
        return self.engine.new_keys()

    def load(self, folder, **options):
        return self.engine.load(self.listed()[f"x/{folder}/"], **options)

    def fails(self, folder, error=DataError, **options):
        with pytest.raises(error) as caught:
            self.load(folder, **options)
        return caught.value
