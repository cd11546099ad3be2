"""Bare zlib, which has no magic number, is refused with its name, and no text is taken for it."""

from __future__ import annotations

import io
import zlib
from random import Random

import pytest

from include.landfall.errors import DataError
from include.landfall.read.packings import unpacked

LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789,;\n" ^\x01._-ABC\u00e9'
# The four beginnings that zlib writes are also: x and ^, x and a delimiter of Hive, two in Latin-1.
BEGINNINGS = [b"x\x01", b"x^", b"x\x9c", b"x\xda"]


def packing_of(data):
    return unpacked(io.BufferedReader(io.BytesIO(data), buffer_size=1 << 18))


@pytest.mark.parametrize("level", [0, 1, 6, 9])
@pytest.mark.parametrize("rows", [0, 1, 1000, 100_000])
def test_bare_zlib_is_refused_by_its_name(level, rows):
    text = "id,name\n" + "".join(f"{n},name {n * 7919}\n" for n in range(rows))
    with pytest.raises(DataError, match="packed with zlib, without the frame of gzip"):
        packing_of(zlib.compress(text.encode(), level))


def test_zlib_of_one_letter_a_million_times_is_refused():
    with pytest.raises(DataError, match="zlib"):
        packing_of(zlib.compress(b"a" * 1_000_000))


def test_text_that_begins_as_zlib_does_is_no_zlib():
    rng = Random(7)
    for _ in range(5_000):
        text = "".join(rng.choices(LETTERS, k=rng.randint(0, 1500)))
        assert packing_of(rng.choice(BEGINNINGS) + text.encode()) is None
