"""Which of astro's files the engine can load: their objects, and the format of their text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from include.airflow_bridge.connections import store_of
from include.landfall.arrival import Arrival
from include.landfall.connections import Store
from include.landfall.errors import ObjectMissing
from include.landfall.feed.formats import CsvFormat, ParquetFormat
from include.landfall.feed.source import Source
from include.landfall.s3.client import make_client
from include.landfall.s3.listing import find_arrival, list_arrivals

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

COMPRESSED = (".gz", ".gzip", ".zst", ".zstd")
WILDCARDS = frozenset("*?[")
# What pandas, and so the Astro SDK, reads as missing.
NULLS = (
    "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>",
    "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
)  # fmt: skip
UTF8 = {"utf-8", "utf8", "utf_8", "utf-8-sig", "ascii"}
LONGEST_NUMBER = 30  # digits of a number among `na_values`; one with more is a text
# The options of `pandas.read_csv` that the engine has too.
ENGINE_OPTIONS = {"sep", "delimiter", "quotechar", "na_values", "keep_default_na"}


@dataclass(frozen=True)
class S3Files:
    """The objects of one `load_file`, of one format, in the order of their keys."""

    store: Store
    arrivals: tuple[Arrival, ...]
    format: CsvFormat | ParquetFormat


def reason_for_pandas(file: Any) -> str:
    """Says why the engine cannot load the file, for the log; empty when it can."""
    if urlsplit(file.path).scheme not in {"s3", "s3a"}:
        return "it is not in S3"
    declared = file_type(file)
    if declared and declared not in FORMATS:
        return f"its type is {declared}"
    options = _options(file)
    only_pandas = {name for name in ("dtype", "columns") if options.get(name) is not None}
    more = options.get("kwargs") or {}
    only_pandas |= set(more) - ENGINE_OPTIONS
    if (options.get("encoding") or "utf-8").lower() not in UTF8:
        only_pandas.add("encoding")
    if len(_delimiter(options)) != 1:  # to pandas a longer one is a regular expression
        only_pandas.add("delimiter")
    if isinstance(more.get("na_values"), dict):  # by column
        only_pandas.add("na_values")
    return f"pandas must read it: {', '.join(sorted(only_pandas))}" if only_pandas else ""


def file_type(file: Any, path: str = "") -> str:
    """Returns `csv`, `parquet`, …: as declared, else by the name without a compression's ending."""
    if file.filetype:
        return str(file.filetype.value)
    name = (path or urlsplit(file.path).path).rsplit("/", 1)[-1].lower()
    for ending in COMPRESSED:
        name = name.removesuffix(ending)
    return name.rpartition(".")[2] if "." in name else ""


def files_of(file: Any) -> S3Files:
    """Lists the objects of the file's path: one key, a pattern with wildcards, or a prefix.

    Raises: FileNotFoundError when there is none, ValueError when they are not of one type,
    LandfallError when the store refuses.
    """
    store = store_of(file.conn_id or None)
    with closing(make_client(store)) as client:
        arrivals = tuple(arrivals_at(client, file.path))
    if not arrivals:
        raise FileNotFoundError(f"File(s) not found for path/pattern '{file.path}'")
    types = {file_type(file, arrival.key) for arrival in arrivals}
    if types - FORMATS.keys() or len(types) != 1:
        raise ValueError(
            f"{file.path} means files of the types {sorted(types)}, and one load takes one type:"
            f" {' or '.join(FORMATS)}. What to do: give filetype=, or a narrower pattern."
        )
    return S3Files(store, arrivals, FORMATS[types.pop()](file))


def bucket_and_key(path: str) -> tuple[str, str]:
    """Returns bucket and key of s3://bucket/key, whatever characters the key has."""
    bucket, _, key = path.partition("://")[2].partition("/")
    return bucket, key


def object_exists(store: Store, bucket: str, key: str) -> bool:
    """Returns whether there is such an object."""
    with closing(make_client(store)) as client:
        try:
            find_arrival(client, bucket, key)
        except ObjectMissing:
            return False
    return True


def compression_of(key: str) -> str | None:
    """Returns the compression that the ending of a key names."""
    if key.lower().endswith((".gz", ".gzip")):
        return "gzip"
    return "zstd" if key.lower().endswith((".zst", ".zstd")) else None


def arrivals_at(client: S3Client, path: str) -> list[Arrival]:
    """Lists the objects of a path: one key, a pattern with wildcards, or a prefix."""
    bucket, key = bucket_and_key(path)
    if not WILDCARDS & set(key):
        try:
            # A folder is no file, though some stores have an object of its name.
            if key and not key.endswith("/"):
                return [find_arrival(client, bucket, key)]
        except ObjectMissing:
            pass
        key += "**"  # the documentation has it as a prefix
    return list(list_arrivals(client, Source(bucket=bucket, pattern=key)))


def _options(file: Any) -> dict[str, Any]:
    """The file's options for pandas in one dict; other options are for other databases."""
    from astro.dataframes.load_options import PandasLoadOptions

    given = [each for each in file.load_options or () if isinstance(each, PandasLoadOptions)]
    return given[-1].to_dict() if given else {}


def csv_format(file: Any) -> CsvFormat:
    """Returns the engine's CSV format with the options that the file has for pandas."""
    options = _options(file)
    more = options.get("kwargs") or {}
    nulls = [*(NULLS if more.get("keep_default_na", True) else ()), *_nulls(more.get("na_values"))]
    # To pandas a missing cell may stand in quotes, and missing last cells are missing ones.
    return CsvFormat(
        delimiter=_delimiter(options), quote=more.get("quotechar") or '"',
        nulls=list(dict.fromkeys(nulls)), quoted_nulls="always", ragged="pad",
    )  # fmt: skip


def _delimiter(options: dict[str, Any]) -> str:
    more = options.get("kwargs") or {}
    return str(options.get("delimiter") or more.get("delimiter") or more.get("sep", ",") or "")


def _nulls(na_values: Any) -> list[str]:
    """The texts of pandas' `na_values`: one value or several, and a number in each usual form."""
    if na_values is None:
        return []
    is_one = isinstance(na_values, str) or not isinstance(na_values, Iterable)
    values = [na_values] if is_one else na_values
    return [text for value in values for text in (str(value), *_same_numbers(str(value)))]


def _same_numbers(text: str) -> Iterator[str]:
    """Other texts of the number, because -999 is -999.0 and -999.00 to pandas."""
    with suppress(ArithmeticError):
        number = Decimal(text)
        if number.is_finite() and abs(number.adjusted()) < LONGEST_NUMBER:
            plain = f"{number.normalize():f}"
            yield plain
            point = "" if "." in plain else "."
            yield from (plain + point + "0" * zeros for zeros in range(1, 7))


# The file types that the engine loads, and what makes their formats.
FORMATS: dict[str, Callable[[Any], CsvFormat | ParquetFormat]] = {
    "csv": csv_format,
    "parquet": lambda _: ParquetFormat(),
}
