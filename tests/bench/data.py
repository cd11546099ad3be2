"""Makes the files of one table, TPC-H lineitem: CSV, gzip and zstd of the CSV, and Parquet."""

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
GZIP_LEVEL = 6  # the defaults of the programs gzip and zstd
ZSTD_LEVEL = 3


def make_files(folder: Path, scale: float, ways: list[str]) -> dict[str, Path]:
    """Makes the files of these ways at this scale, where they are missing.

    Raises: LocalError when the program that makes them is missing.
    """
    scale_folder = folder / f"scale-{scale}"
    scale_folder.mkdir(parents=True, exist_ok=True)
    csv = scale_folder / NAMES["csv"]
    makers: dict[str, Callable[[Path], None]] = {
        "csv": lambda path: _generate("csv", scale, path),
        "gzip": lambda path: _compress(csv, gzip.GzipFile(path, "wb", GZIP_LEVEL)),
        "zstd": lambda path: _compress(csv, _zstd(path)),
        "parquet": lambda path: _generate("parquet", scale, path),
    }
    paths = {way: scale_folder / NAMES[way] for way in ways}
    for way, path in paths.items():
        if not path.exists():
            print(f"making {path.name} at scale {scale}", file=sys.stderr)
            fresh = path.with_name(f"new-{path.name}")
            makers[way](fresh)
            fresh.rename(path)  # so that a file with the final name is complete
    return paths


def _generate(form: str, scale: float, path: Path) -> None:
    program = Path(sysconfig.get_path("scripts")) / "tpchgen-cli"
    if not program.exists():
        raise LocalError(
            "there is no tpchgen-cli to make the files",
            do="install requirements-dev.txt, or run make bench, which does",
        )
    folder = path.with_name(f"{path.stem}.made")
    subprocess.run(
        [
            program,
            form,
            "-s",
            str(scale),
            "--tables",
            "lineitem",
            "--output-dir",
            folder,
            "--quiet",
        ],
        check=True,
    )
    (folder / NAMES[form]).rename(path)
    shutil.rmtree(folder)


def _zstd(path: Path) -> Any:
    return zstandard.open(path, "wb", zstandard.ZstdCompressor(level=ZSTD_LEVEL))


def _compress(path: Path, compressed: Any) -> None:
    with path.open("rb") as source, compressed:
        shutil.copyfileobj(source, compressed, 1 << 20)
