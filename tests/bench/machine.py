"""Describes the machine of a measurement, without its name and its paths."""

from __future__ import annotations

import datetime as dt
import os
import platform
from dataclasses import dataclass

import psutil
import psycopg

from include.landfall.connections import Warehouse


@dataclass(frozen=True)
class Machine:
    """The machine of a measurement, with the versions, the date and the number of runs."""

    cores: int
    memory_gib: int
    system: str
    python: str
    postgres: str
    date: dt.date
    runs: int
    scale: int

    @classmethod
    def of(cls, warehouse: Warehouse, runs: int, scale: int) -> Machine:
        """Describes this machine and the server, as of today."""
        with psycopg.connect(warehouse.conninfo()) as connection:
            version = connection.info.server_version
        return cls(
            os.cpu_count() or 1,
            round(psutil.virtual_memory().total / 2**30),
            f"{platform.system()} {platform.machine()}",
            platform.python_version(),
            f"{version // 10_000}.{version % 10_000}",
            dt.datetime.now(dt.UTC).date(),
            runs,
            scale,
        )

    def sentence(self, beside: str = "psql") -> str:
        """Makes the sentence above the tables; `beside` is what each run is compared with."""
        return (
            f"TPC-H lineitem at scale {self.scale}, median of {self.runs} runs, each with one"
            f" of {beside} beside it, measured on {self.date:%Y-%m-%d}: {self.cores} cores,"
            f" {self.memory_gib} GiB, {self.system}, PostgreSQL {self.postgres},"
            f" Python {self.python}."
        )
