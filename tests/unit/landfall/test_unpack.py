"""A packed file is unpacked whole, or an error says what is wrong with it."""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import zipfile

import cramjam
import pyarrow as pa
import pytest
import zstandard

from include.landfall.errors import DataError, TruncatedFile
from include.landfall.feed.maxima import MEMORY
from include.landfall.job import Unpacking
from include.landfall.read import unpack as unpack_module
from include.landfall.read import zipped
from include.landfall.read.packings import zstd_window
from include.landfall.read.unpack import open_text
from tests.support.breaking_store import Breaking
from tests.support.file_bytes import zip_bytes

DATA = bytes(n * n % 251 for n in range(300_003))


def snappy(data):
    return bytes(cramjam.snappy.compress(data))


def encrypted():
    """A zip file whose member says that it is encrypted, in both of its headers."""
    data = bytearray(zip_bytes(("a.csv", b"x")))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def unpack(packed, **options):
    store = Breaking(packed)
    with open_text(store, store.arrival(), Unpacking(**options)) as stream:
        return b"".join(iter(lambda: stream.read(70_000), b""))


PACKINGS = {
    "bzip2": bz2.compress, "xz": lzma.compress, "snappy": snappy,
    "lz4": lambda data: pa.compress(data, "lz4", asbytes=True),
    "zip": lambda data: zip_bytes(("a.csv", data)),
}  # fmt: skip
each_packing = pytest.mark.parametrize("packing", PACKINGS)


@each_packing
@pytest.mark.parametrize("data", [DATA, b"", b"x"], ids=["much", "nothing", "one byte"])
def test_a_packing_is_told_by_its_content(packing, data):
    assert unpack(PACKINGS[packing](data)) == data


@pytest.mark.parametrize("packing", ["bzip2", "xz", "snappy", "lz4"])
def test_archives_that_follow_one_another_are_one_file(packing):
    pack = PACKINGS[packing]
    assert unpack(pack(DATA) + pack(b"more") + pack(b"")) == DATA + b"more"


def test_xz_may_have_zeros_between_its_streams():
    assert unpack(lzma.compress(b"one") + bytes(8) + lzma.compress(b"two") + bytes(4)) == b"onetwo"


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_member_may_be_packed_in_each_way(method):
    assert unpack(zip_bytes(("a.csv", DATA), method=method)) == DATA


@each_packing
@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_file_that_is_cut_off_is_an_error(packing, share):
    packed = PACKINGS[packing](DATA)
    with pytest.raises(TruncatedFile, match="cut off or corrupt") as caught:
        unpack(packed[: int(len(packed) * share)])
    assert caught.value.place.object == "s3://b/k"


@each_packing
def test_a_changed_byte_is_an_error(packing):
    packed = bytearray(PACKINGS[packing](DATA))
    packed[len(packed) // 2] ^= 0x55
    with pytest.raises(TruncatedFile, match="cut off or corrupt"):
        unpack(bytes(packed))


@pytest.mark.parametrize("packing", ["bzip2", "xz", "lz4"])
def test_what_follows_an_archive_is_not_passed_over(packing):
    with pytest.raises(TruncatedFile):
        unpack(PACKINGS[packing](DATA) + b"and some more text")


def test_a_member_is_chosen_by_its_name():
    packed = zip_bytes(("readme.txt", b"no data"), ("in/2013.csv", DATA))
    assert unpack(packed, member="*.csv") == DATA


def test_folders_and_files_of_macos_are_no_members():
    packed = zip_bytes(("in/", b""), ("in/a.csv", DATA), ("__MACOSX/in/._a.csv", b"x"))
    assert unpack(packed) == DATA


BESIDE = ["._a.csv", "in/._a.csv", "in/.DS_Store", "Thumbs.db", "desktop.ini"]


@pytest.mark.parametrize("name", BESIDE)
def test_what_a_system_puts_beside_a_file_is_no_member(name):
    assert unpack(zip_bytes((name, b"x"), ("in/a.csv", DATA))) == DATA


REFUSED = {
    "two members": (zip_bytes(("a.csv", b"1"), ("b.csv", b"2")), {}, "a.csv, b.csv"),
    "two that fit": (
        zip_bytes(("a.csv", b"1"), ("b.csv", b"2")),
        {"member": "*.csv"},
        "a.csv, b.csv",
    ),
    "none that fits": (zip_bytes(("a.txt", b"1")), {"member": "*.csv"}, "a.txt"),
    "no member": (zip_bytes(), {}, "has 0 members"),
    "members of one name": (
        zip_bytes(("a.csv", b"1"), ("b.csv", b"2")).replace(b"b.csv", b"a.csv"),
        {"member": "*.csv"},
        "the same name",
    ),
    "encrypted": (encrypted(), {}, "is encrypted"),
    "compress": (b"\x1f\x9d\x90abc", {}, "packed with compress"),
    "lzma": (lzma.compress(DATA, lzma.FORMAT_ALONE), {}, "packed with lzma's old form"),
    "7-Zip": (b"7z\xbc\xaf\x27\x1c", {}, "packed with 7-Zip"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_is_named(case):
    packed, options, message = REFUSED[case]
    with pytest.raises(DataError, match=message):
        unpack(packed, **options)


def test_a_list_of_members_that_takes_the_memory_of_a_load_is_refused(monkeypatch):
    packed = zip_bytes(("a.csv", DATA), *((f"{n}.txt", b"") for n in range(99)))
    assert unpack(packed, member="*.csv") == DATA
    monkeypatch.setattr(zipped, "MOST_DIRECTORY_BYTES", 4_000)
    with pytest.raises(DataError, match="too many members"):
        unpack(packed, member="*.csv")


BOMBS = {
    "gzip": gzip.compress, "zstd": zstandard.compress, "bzip2": bz2.compress, "xz": lzma.compress,
    "lz4": PACKINGS["lz4"], "zip": PACKINGS["zip"],
}  # fmt: skip


@pytest.mark.parametrize("packing", BOMBS)
def test_a_bomb_stops_at_the_ratio(packing, monkeypatch):
    monkeypatch.setattr(unpack_module, "UNPACKED_FREELY", 1 << 20)
    with pytest.raises(DataError, match="more than 50 times its size"):
        unpack(BOMBS[packing](bytes(4_000_000)), ratio=50)


def test_a_small_file_may_have_any_ratio():
    assert len(unpack(gzip.compress(bytes(10_000_000)), ratio=1)) == 10_000_000


def xz_of_window(size: int) -> bytes:
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": size}]
    packed = lzma.LZMACompressor(filters=filters)
    return packed.compress(b"x") + packed.flush()


def zstd_of_window(size: int) -> bytes:
    log = size.bit_length() - 1
    options = zstandard.ZstdCompressionParameters(window_log=log, write_content_size=False)
    packed = zstandard.ZstdCompressor(compression_params=options).compressobj()
    return packed.compress(b"x" * 100) + packed.flush()


@pytest.mark.parametrize("pack", [xz_of_window, zstd_of_window])
def test_an_archive_that_asks_for_much_memory_is_refused_until_the_feed_allows_it(pack):
    """A window of 128 MiB, as `zstd --ultra -22` makes, took the load to 296 MB."""
    assert unpack(pack(64 << 20))
    with pytest.raises(DataError, match="needs more memory") as refused:
        unpack(pack(128 << 20))
    assert "in 256 MB" in refused.value.expected
    megabytes = int(re.search(r"limits: \{memory: (\d+) MB\}", refused.value.do)[1])
    assert 300 < megabytes < 400
    assert unpack(pack(128 << 20), extra_memory=megabytes * 10**6 - MEMORY)


def test_a_zstd_frame_of_one_segment_needs_its_whole_content():
    packed = zstandard.ZstdCompressor(level=22).compress(bytes(200_000))
    assert zstd_window(packed) == 200_000
    assert zstd_window(packed[:5]) == 0
