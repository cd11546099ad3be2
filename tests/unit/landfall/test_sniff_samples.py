"""What `landfall sniff` reads of an object: its beginning, unpacked, or members of a zip file."""

from __future__ import annotations

import gzip
from dataclasses import dataclass, field
from datetime import UTC, datetime

from include.landfall.arrival import Arrival
from include.landfall.sniff.members import read_samples
from include.landfall.sniff.sample import read_sample
from include.landfall.sniff.sniffing import sniff
from tests.support.file_bytes import zip_bytes
from tests.support.memory_store import stored

ROWS = "".join(f"{n},name {n},{n}.50\n" for n in range(1, 21))
ORDERS = f"id,name,price\n{ROWS}".encode()


@dataclass
class HugeObject:
    """An S3 client of one object of 5 GB, made while it is read, that counts its bytes."""

    size: int = 5 << 30
    line: bytes = b"1,name,1.50\n"
    bodies: list = field(default_factory=list)

    def get_object(self, **request):
        start, _, stop = request.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")
        start, stop = int(start), int(stop) + 1 if stop else self.size
        body = HugeBody(self.line, start, stop)
        self.bodies.append(body)
        content_range = f"bytes {start}-{stop - 1}/{self.size}"
        return {"ETag": '"e"', "Body": body, "ContentRange": content_range}


class HugeBody:
    def __init__(self, line, start, stop):
        self.line, self.at, self.stop, self.count = line, start, stop, 0

    def read(self, size=-1):
        size = min(self.stop - self.at if size < 0 else size, self.stop - self.at)
        begin = self.at % len(self.line)
        data = (self.line * (size // len(self.line) + 2))[begin : begin + size]
        self.at, self.count = self.at + size, self.count + size
        return data

    def close(self):
        pass


def test_of_an_object_of_5_gb_at_most_16_mb_are_read():
    client = HugeObject()
    sample = read_sample(
        client, Arrival("b", "k", "e", client.size, datetime(2026, 1, 1, tzinfo=UTC))
    )
    assert (len(sample.data), sample.is_whole) == (4 << 20, False)
    assert sum(body.count for body in client.bodies) <= 16 << 20


def test_a_packed_object_is_sampled_unpacked():
    sample = read_sample(*stored(gzip.compress(ORDERS), "k"))
    assert (sample.data, sample.packing, sample.is_whole) == (ORDERS, "gzip", True)


def proposed(data):
    return sniff(read_samples(*stored(data, "in/all.zip")), "orders", "raw.orders").text


def test_of_a_zip_file_of_several_members_the_pattern_is_proposed(read_yaml):
    text = proposed(zip_bytes(("a.csv", ORDERS), ("readme.txt", "no data"), ("b.csv", ORDERS)))
    assert "DOUBT: 2 members are loaded together: are all of them rows of this table?" in text
    assert "DOUBT: left out: readme.txt" in text
    feed = read_yaml(text)
    assert (feed.source.member, feed.source.pattern) == ("*.csv", "in/all.zip")
    assert list(feed.columns) == ["id", "name", "price"]


def test_a_member_that_is_written_in_another_way_is_named():
    text = proposed(zip_bytes(("a.csv", ORDERS), ("b.csv", ORDERS.replace(b",", b";"))))
    assert "DOUBT: in/all.zip!b.csv is written in another way" in text
    text = proposed(zip_bytes(("a.csv", ORDERS), ("b.csv", ORDERS.replace(b"name,", b"title,", 1))))
    assert "DOUBT: in/all.zip!b.csv has other columns" in text


def test_a_zip_file_of_one_member_needs_no_pattern():
    assert "member" not in proposed(zip_bytes(("a.csv", ORDERS)))
