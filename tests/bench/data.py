"""The files of one table, TPC-H lineitem: CSV, the same packed by gzip and by zstd, Parquet."""

from __future__ import annotations

import gzip
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

import zstandard

from include.local.state import LocalError

NAMES = {
    "csv": "lineitem.csv",
    "gzip": "lineitem.csv.gz",
    "zstd": "lineitem.csv.zst",
    "parquet": "lineitem.parquet",
}
GZIP_LEVEL = 6  # what gzip and zstd do when nobody says otherwise
ZSTD_LEVEL = 3


def make_files(folder: Path, scale: int, ways: list[str]) -> dict[str, Path]:
    """The files of these ways at this scale, made where they are missing. Raises LocalError."""
    place = folder / f"scale-{scale}"
    place.mkdir(parents=True, exist_ok=True)
    csv = place / NAMES["csv"]
    makers: dict[str, Callable[[Path], None]] = {
        "csv": lambda into: _generate("csv", scale, into),
        "gzip": lambda into: _pack(csv, gzip.GzipFile(into, "wb", GZIP_LEVEL)),
        "zstd": lambda into: _pack(csv, _zstd(into)),
        "parquet": lambda into: _generate("parquet", scale, into),
    }
    paths = {way: place / NAMES[way] for way in ways}
    for way, path in paths.items():
        if not path.exists():
            print(f"making {path.name} at scale {scale}", file=sys.stderr)
            fresh = path.with_name(f"new-{path.name}")
            makers[way](fresh)
            fresh.rename(path)  # so that a file that is there is whole
    return paths


def _generate(kind: str, scale: int, into: Path) -> None:
    program = Path(sysconfig.get_path("scripts")) / "tpchgen-cli"
    if not program.exists():
        raise LocalError(
            "there is no tpchgen-cli to make the files",
            do="install requirements-dev.txt, or run make bench, which does",
        )
    made = into.with_name(f"{into.stem}.made")
    subprocess.run(
        [program, kind, "-s", str(scale), "--tables", "lineitem", "--output-dir", made, "--quiet"],
        check=True,
    )
    (made / NAMES[kind]).rename(into)
    shutil.rmtree(made)


def _zstd(into: Path) -> Any:
    return zstandard.open(into, "wb", zstandard.ZstdCompressor(level=ZSTD_LEVEL))


def _pack(plain: Path, packed: Any) -> None:
    with plain.open("rb") as source, packed:
        shutil.copyfileobj(source, packed, 1 << 20)
