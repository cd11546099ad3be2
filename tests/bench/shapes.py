"""The shapes of files with which memory is attacked. Each makes its file without holding it."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import zstandard

MB = 1_000_000
COPIED = 1 << 20  # bytes that are written at once
TWO = {"id": "integer", "name": "text"}


@dataclass(frozen=True)
class Shape:
    """A file to load: what it is, its format, the feed's columns, and what writes it to a path.

    `more` is what the feed says beside them.
    """

    name: str
    format: str
    columns: Mapping[str, str]
    write: Callable[[Path], None]
    more: Mapping[str, Any] = field(default_factory=dict)


def shapes(scale: float = 1) -> list[Shape]:
    """Returns every shape. `scale` makes the files smaller, for a first look."""
    size = int(300 * MB * scale)
    return [
        *_csv_shapes(size), *_packed_shapes(scale), *_json_shapes(size), *_parquet_shapes(size),
        *_list_and_orc_shapes(size),
    ]  # fmt: skip


def _csv_shapes(size: int) -> list[Shape]:
    def csv(name: str, text: Callable[[], Iterator[bytes]], columns: Any = TWO) -> Shape:
        return Shape(f"CSV, {name}", "csv", columns, partial(_write_text, text))

    wide = [
        csv(f"{count:,} columns", partial(_wide_text, count, size), _numbered(count))
        for count in (200, 600, 1_599)  # Postgres has room for 1,600, one of them is the load id's
    ]
    long_rows = [
        csv(f"one row of {row:g} MB", partial(_long_row_text, int(row * MB), size))
        for row in (1.5, 60, 130)
    ]
    return [
        csv("rows of 100 kB", partial(_rows_text, 100_000, size)),
        *wide,
        csv(
            "1,500 columns, all suspects",
            partial(_suspects_text, 1_500, size // 30),
            _numbered(1_500),
        ),
        *long_rows,
        csv("an open quote in row 1", partial(_open_quote_text, size)),
        csv("lines that end with CR alone", partial(_cr_text, size * 2 // 3)),
        Shape(
            "CSV, each row a reject",
            "csv",
            TWO,
            partial(_write_text, partial(_rejects_text, size // 30)),
            {"rejects": {"at_most": "100%"}},
        ),
    ]


def _packed_shapes(scale: float) -> list[Shape]:
    size = int(2_000 * MB * scale)
    return [
        Shape(f"CSV, {packing} of {name}", "csv", TWO, partial(_write_packed, packing, text))
        for packing in ("gzip", "zstd")
        for name, text in (
            ("zero bytes", partial(_repeated, b"\0", size)),
            ("one endless line", partial(_repeated, b"a", size)),
        )
    ]


def _json_shapes(size: int) -> list[Shape]:
    def json(name: str, text: Callable[[], Iterator[bytes]], columns: Any = TWO) -> Shape:
        return Shape(f"JSON, {name}", "json", columns, partial(_write_text, text))

    return [
        json("rows of 100 kB", partial(_records_text, 100_000, size)),
        json("600 keys", partial(_wide_records_text, 600, size // 3), _numbered(600)),
        json("one endless line", partial(_endless_text, size)),
    ]


def _parquet_shapes(size: int) -> list[Shape]:
    small_pages = {"write_batch_size": 1}

    def texts(
        name: str, columns: Callable[[int, int], Any], length: int, rows: int, options: Any = ()
    ) -> Shape:
        options = {"compression": "zstd", **dict(options)}
        write = partial(_write_parquet, partial(columns, length), rows, options)
        return Shape(f"Parquet, {name}", "parquet", {"id": "bigint", "name": "text"}, write)

    def wide(count: int, rows: int, **options: Any) -> Shape:
        write = partial(_write_parquet, partial(_integers, count), rows, options)
        name = f"Parquet, {count:,} columns, one row group{' of one page a column' * bool(options)}"
        return Shape(name, "parquet", _numbered(count), write)

    one_page = {"use_dictionary": False, "data_page_size": 1 << 30, "max_rows_per_page": 1 << 30}
    return [
        texts("one row group of short rows", _random_texts, 20, size // 50),
        texts("rows of 20 kB", _random_texts, 20_000, size // 20_000),
        texts("rows of 100 kB", _random_texts, 100_000, size // 100_000),
        texts(
            "rows of 100 kB in small pages", _random_texts, 100_000, size // 100_000, small_pages
        ),
        texts("rows of 5 MB in small pages", _random_texts, 5 * MB, size // (5 * MB), small_pages),
        texts("rows of 5 MB", _random_texts, 5 * MB, size // (5 * MB)),
        texts("one row of 130 MB", _random_texts, 130 * MB, 1),
        texts("one text of 100 kB in every row", _same_text, 100_000, size // 30_000),
        texts("rows of 100 kB after short ones", _short_and_long_texts, 100_000, size // 300),
        wide(200, size // 1_500),
        wide(200, size // 1_500, **one_page),
        wide(600, size // 4_500),
        wide(1_599, size // 12_000),
    ]


def _list_and_orc_shapes(size: int) -> list[Shape]:
    def lists(name: str, format_name: str, write: Callable[..., None], *options: Any) -> Shape:
        columns = {"id": "bigint", "list": "double precision[]"}
        written = partial(write, partial(_lists, 4_096), size // 100_000, *options)
        return Shape(f"{name}, lists of 4,096 doubles", format_name, columns, written)

    def texts(name: str, length: int) -> Shape:
        write = partial(_write_orc, partial(_random_texts, length), size // length)
        return Shape(name, "orc", {"id": "bigint", "name": "text"}, write)

    return [
        lists("Parquet", "parquet", _write_parquet, {"use_dictionary": False}),
        lists("Parquet with a dictionary", "parquet", _write_parquet, {"compression": "zstd"}),
        lists("ORC", "orc", _write_orc),
        texts("ORC, rows of 20 kB", 20_000),
        texts("ORC, rows of 100 kB", 100_000),
    ]


def _numbered(count: int) -> dict[str, str]:
    return {f"c{number}": "integer" for number in range(count)}


# ---- CSV -----------------------------------------------------------------------------------------


def _write_text(text: Callable[[], Iterator[bytes]], path: Path) -> None:
    with path.open("wb") as file:
        for block in text():
            file.write(block)


def _rows_text(row: int, size: int) -> Iterator[bytes]:
    yield b"id,name\n"
    for number in range(size // row):
        yield b"%d,%s\n" % (number, b"a" * row)


def _wide_text(count: int, size: int) -> Iterator[bytes]:
    yield ",".join(_numbered(count)).encode() + b"\n"
    row = b",".join(b"%d" % (number * 7919) for number in range(count)) + b"\n"
    for _ in range(size // 2 // len(row)):
        yield row


def _rejects_text(size: int) -> Iterator[bytes]:
    """The first cell of each row is no number, and each is another text."""
    yield b"id,name\n"
    for number in range(size // 12):
        yield b"x%d,abc\n" % number


def _suspects_text(count: int, size: int) -> Iterator[bytes]:
    """The first cell of each row has a space, which only Postgres reads."""
    header, *rows = _wide_text(count, size * 2)
    yield header
    for row in rows:
        yield b" " + row


def _records_text(row: int, size: int) -> Iterator[bytes]:
    for number in range(max(1, size // row)):
        yield b'{"id": %d, "name": "%s"}\n' % (number, b"a" * row)


def _endless_text(size: int) -> Iterator[bytes]:
    yield b"["
    yield from _repeated(b"[", size)


def _wide_records_text(count: int, size: int) -> Iterator[bytes]:
    row = b"{%s}\n" % b", ".join(b'"c%d": %d' % (n, n * 7919) for n in range(count))
    for _ in range(size // len(row)):
        yield row


def _long_row_text(row: int, size: int) -> Iterator[bytes]:
    """The long row stands in the middle of short ones."""
    yield b"id,name\n"
    for _ in range(size // 2 // COPIED):
        yield b"1,abcdefg\n" * (COPIED // 10)
    yield b"2,"
    yield from _repeated(b"b", row)
    yield b"\n"
    for _ in range(size // 2 // COPIED):
        yield b"1,abcdefg\n" * (COPIED // 10)


def _open_quote_text(size: int) -> Iterator[bytes]:
    yield b'id,name\n1,"a\n'
    for _ in range(size // COPIED):
        yield b"2,abcdefg\n" * (COPIED // 10)


def _cr_text(size: int) -> Iterator[bytes]:
    yield b"id,name\r"
    for _ in range(size // COPIED):
        yield b"2,abcdefg\r" * (COPIED // 10)


def _repeated(letter: bytes, size: int) -> Iterator[bytes]:
    for _ in range(size // COPIED):
        yield letter * COPIED


def _write_packed(packing: str, body: Callable[[], Iterator[bytes]], path: Path) -> None:
    opened: Callable[..., Any] = gzip.open if packing == "gzip" else zstandard.open
    with opened(path, "wb") as packed:
        packed.write(b"id,name\n1,")
        for block in body():
            packed.write(block)


# ---- Parquet -------------------------------------------------------------------------------------

Columns = Callable[[int], dict[str, Any]]  # of so many rows


def _write_parquet(columns: Columns, rows: int, options: dict[str, Any], path: Path) -> None:
    """Writes one row group. pyarrow holds it in memory; this runs in a process of its own."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table(columns(max(rows, 1)))
    pq.write_table(table, path, row_group_size=len(table), **options)


def _write_orc(columns: Columns, rows: int, path: Path) -> None:
    import pyarrow as pa
    import pyarrow.orc as orc

    orc.write_table(pa.table(columns(max(rows, 1))), path, compression="zstd")


def _lists(length: int, rows: int) -> dict[str, Any]:
    """Lists of 1,000 different numbers, which a dictionary may hold."""
    import pyarrow as pa

    numbers = pa.array(
        [random.Random(n).random() for n in range(1_000)] * (rows * length // 1_000 + 1)
    )
    offsets = pa.array(range(0, rows * length + 1, length), pa.int32())
    return {"id": range(rows), "list": pa.ListArray.from_arrays(offsets, numbers[: rows * length])}


def _random_texts(length: int, rows: int) -> dict[str, Any]:
    random_bytes = random.Random(length).randbytes
    return {"id": range(rows), "name": [random_bytes(length // 2).hex() for _ in range(rows)]}


def _same_text(length: int, rows: int) -> dict[str, Any]:
    import pyarrow as pa

    first = pa.repeat(pa.scalar(0, pa.int32()), rows)
    return {"id": range(rows), "name": pa.DictionaryArray.from_arrays(first, ["a" * length])}


def _short_and_long_texts(length: int, rows: int) -> dict[str, Any]:
    """The long rows are together, so the mean says nothing about them."""
    texts = _random_texts(length, 2_000)["name"]
    return {"id": range(rows), "name": ["a"] * (rows - len(texts)) + texts}


def _integers(count: int, rows: int) -> dict[str, Any]:
    import pyarrow as pa

    data = pa.py_buffer(random.Random(count).randbytes(4 * (rows + count)))
    return {
        f"c{number}": pa.Array.from_buffers(pa.int32(), rows, [None, data], offset=number)
        for number in range(count)
    }
