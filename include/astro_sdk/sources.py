"""What the engine can load of astro's files: which objects, and how their text is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from include.landfall.arrival import Arrival
from include.landfall.connections import Store
from include.landfall.errors import ObjectMissing
from include.landfall.feed.formats import CsvFormat, ParquetFormat
from include.landfall.feed.model import Source
from include.landfall.s3.client import make_client
from include.landfall.s3.listing import find_arrival, list_arrivals

from .connections import store_of

COMPRESSED = (".gz", ".gzip", ".zst", ".zstd")
WILDCARDS = frozenset("*?[")
# What pandas, and so the Astro SDK, reads as missing.
NULLS = (
    "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>",
    "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
)  # fmt: skip
UTF8 = {"utf-8", "utf8", "utf_8", "utf-8-sig", "ascii"}
KNOWN_KWARGS = {"sep", "delimiter", "quotechar", "na_values", "keep_default_na"}


@dataclass(frozen=True)
class S3Files:
    """The objects of one `load_file`, of one format, in the order of their keys."""

    store: Store
    arrivals: tuple[Arrival, ...]
    format: CsvFormat | ParquetFormat


def why_not(file: Any) -> str:
    """Why the engine cannot load the file, for the log; empty when it can."""
    if urlsplit(file.path).scheme not in {"s3", "s3a"}:
        return "it is not in S3"
    kind = kind_of(file)
    if kind not in {"csv", "parquet", ""}:
        return f"its type is {kind}"
    options = _options(file)
    unknown = {name for name in ("dtype", "columns") if options.get(name) is not None}
    unknown |= set(options.get("kwargs") or {}) - KNOWN_KWARGS
    if (options.get("encoding") or "utf-8").lower() not in UTF8:
        unknown.add("encoding")
    return f"pandas must read it: {', '.join(sorted(unknown))}" if unknown else ""


def kind_of(file: Any, path: str = "") -> str:
    """`csv`, `parquet`, …: as declared, or by the name, behind a compression's ending."""
    if file.filetype:
        return str(file.filetype.value)
    name = (path or urlsplit(file.path).path).rsplit("/", 1)[-1].lower()
    for ending in COMPRESSED:
        name = name.removesuffix(ending)
    return name.rpartition(".")[2] if "." in name else ""


def files_of(file: Any) -> S3Files:
    """The objects that the file's path means: one key, a pattern with wildcards, or a prefix.

    Raises: FileNotFoundError when there is none, LandfallError when the store refuses.
    """
    store = store_of(file.conn_id)
    arrivals = tuple(_arrivals(store, file.path))
    if not arrivals:
        raise FileNotFoundError(f"File(s) not found for path/pattern '{file.path}'")
    kinds = {kind_of(file, arrival.key) for arrival in arrivals}
    if kinds - {"csv", "parquet"} or len(kinds) != 1:
        raise ValueError(
            f"{file.path} means files of the types {sorted(kinds)}; one type, csv or parquet, is"
            " loaded at a time. What to do: give filetype=, or a narrower pattern."
        )
    return S3Files(store, arrivals, ParquetFormat() if kinds == {"parquet"} else _csv(file))


def place_of(path: str) -> tuple[str, str]:
    """Bucket and key of s3://bucket/key, whatever the key is made of."""
    bucket, _, key = path.partition("://")[2].partition("/")
    return bucket, key


def exists(store: Store, bucket: str, key: str) -> bool:
    """Whether there is such an object."""
    try:
        find_arrival(make_client(store), bucket, key)
    except ObjectMissing:
        return False
    return True


def compression_of(key: str) -> str | None:
    """What the ending of a key says of compression."""
    if key.lower().endswith((".gz", ".gzip")):
        return "gzip"
    return "zstd" if key.lower().endswith((".zst", ".zstd")) else None


def _arrivals(store: Store, path: str) -> list[Arrival]:
    bucket, key = place_of(path)
    client = make_client(store)
    if not WILDCARDS & set(key):
        try:
            # A folder is no file, though some stores answer for one.
            if key and not key.endswith("/"):
                return [find_arrival(client, bucket, key)]
        except ObjectMissing:
            pass
        key += "**"  # as documented: what begins with it
    return list(list_arrivals(client, Source(bucket=bucket, pattern=key)))


def _options(file: Any) -> dict[str, Any]:
    """The pandas options of the file as one dict; others are for other databases."""
    from astro.dataframes.load_options import PandasLoadOptions

    given = [o for o in file.load_options or () if isinstance(o, PandasLoadOptions)]
    return given[-1].to_dict() if given else {}


def _csv(file: Any) -> CsvFormat:
    options = _options(file)
    more = options.get("kwargs") or {}
    missing = more.get("na_values") or ()
    missing = [missing] if isinstance(missing, str) else list(missing)
    nulls = [*(NULLS if more.get("keep_default_na", True) else ()), *map(str, missing)]
    delimiter = options.get("delimiter") or more.get("delimiter") or more.get("sep") or ","
    return CsvFormat(delimiter=delimiter, quote=more.get("quotechar") or '"', nulls=nulls)
