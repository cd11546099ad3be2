"""`make memory`: the peak memory of a load for each shape of file that attacks it."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import yaml

from include.landfall.connections import Store, Warehouse
from include.landfall.errors import LandfallError
from include.landfall.s3.client import make_client
from include.local.services.environ import around_proxies, connections, tools
from include.local.services.object_store import start_object_store
from include.local.services.postgres_server import start_postgres
from include.local.state import LocalError

from .__main__ import bench_folder
from .machine import Machine
from .measure import Usage, measure_any
from .page import PAGE, between_markers, table_of
from .shapes import Shape, shapes
from .verdict import MEMORY_LIMIT

BUCKET = "memory"
HEADS = ["file", "memory, MB", "seconds", "outcome", f"at most {MEMORY_LIMIT / 1e6:.0f} MB"]
OUTCOME_LIMIT = 90


@dataclass(frozen=True)
class Attack:
    """One load of one shape: what it used, and `loaded` or the first line of its error."""

    shape: str
    usage: Usage
    outcome: str

    @property
    def kept(self) -> bool:
        """Whether all processes of the load, shared pages counted once, kept the limit."""
        return self.usage.pss <= MEMORY_LIMIT

    def cells(self) -> list[str]:
        """Returns the cells of its line in a table."""
        peak, seconds = f"{self.usage.pss / 1e6:.0f}", f"{self.usage.seconds:.1f}"
        return [self.shape, peak, seconds, self.outcome, "kept" if self.kept else "BROKEN"]


@dataclass(frozen=True)
class Servers:
    """Where the loads read and write, and a folder for their files."""

    folder: Path
    store: Store
    warehouse: Warehouse

    def attack(self, shape: Shape) -> Attack:
        """Makes the file, loads it into a fresh database, and removes it."""
        path = self.folder / "memory.file"
        try:
            _in_own_process(shape, path)
            self._upload(path)
        finally:
            path.unlink(missing_ok=True)
        self._clear()
        log = self.folder / "memory.log"
        # The tree is measured at every step: a peak may last for a tenth of a second.
        usage, exit_code = measure_any(self._command(shape), self._environ(), {}, log, None, 1)
        return Attack(shape.name, usage, outcome_of(exit_code, log.read_text(errors="replace")))

    def _upload(self, path: Path) -> None:
        client = make_client(self.store)
        if BUCKET not in [bucket["Name"] for bucket in client.list_buckets()["Buckets"]]:
            client.create_bucket(Bucket=BUCKET)
        with path.open("rb") as body:
            client.put_object(Bucket=BUCKET, Key="file", Body=body)
        client.close()

    def _clear(self) -> None:
        with psycopg.connect(self.warehouse.conninfo(), autocommit=True) as connection:
            connection.execute("DROP SCHEMA IF EXISTS bench, landfall CASCADE")

    def _command(self, shape: Shape) -> list[str | Path]:
        feed = self.folder / "memory.yaml"
        declared = {
            "feed": "memory", "source": {"bucket": BUCKET, "pattern": "*"},
            "format": shape.format, "target": {"table": "bench.memory"},
            "columns": dict(shape.columns), **shape.more,
        }  # fmt: skip
        feed.write_text(yaml.safe_dump(declared, sort_keys=False))
        return [sys.executable, "-m", "include.landfall", "load", "--feed", feed, "--key", "file"]

    def _environ(self) -> dict[str, str]:
        spelled = connections(self.warehouse, self.store) | tools(self.warehouse, self.store)
        return {**os.environ, **spelled, **around_proxies()}


def outcome_of(exit_code: int, printed: str) -> str:
    """Returns `loaded`, or what a person reads first about why it was not."""
    if exit_code == 0:
        return "loaded"
    if exit_code < 0:
        return f"killed by signal {-exit_code}"
    line = printed.strip().partition("\n")[0] or "no message"
    return line if len(line) <= OUTCOME_LIMIT else f"{line[:OUTCOME_LIMIT]}…"


def _in_own_process(shape: Shape, path: Path) -> None:
    """Writes the file, and leaves nothing of it in this process's memory."""
    writing = multiprocessing.get_context("spawn").Process(target=shape.write, args=(path,))
    writing.start()
    writing.join()
    if writing.exitcode:
        raise LocalError(f"the file could not be made: {shape.name}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Attacks with each shape, and prints a line for each; returns 1 when a promise is broken."""
    options = _parser().parse_args(arguments)
    chosen = [s for s in shapes(options.scale) if all(w in s.name for w in options.only)]
    try:
        with run_servers(bench_folder()) as servers:
            attacks = [_shown(servers.attack(shape)) for shape in chosen]
            machine = Machine.of(servers.warehouse, 1, 1)
    except LandfallError as error:
        print(error, file=sys.stderr)
        return 2
    if options.scale == 1 and not options.only:
        text = between_markers(PAGE.read_text(), section(attacks, machine), "bench-memory")
        PAGE.write_text(text)
    return 0 if all(attack.kept for attack in attacks) else 1


def section(attacks: Sequence[Attack], machine: Machine) -> str:
    """Makes the Markdown between the page's markers."""
    table = table_of(HEADS, [attack.cells() for attack in attacks])
    return f"{_sentence(machine)}\n\n{table}"


def _sentence(machine: Machine) -> str:
    return (
        f"Measured on {machine.date:%Y-%m-%d}: {machine.cores} cores, {machine.memory_gib} GiB,"
        f" {machine.system}, PostgreSQL {machine.postgres}, Python {machine.python}."
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.memory", description=__doc__)
    parser.add_argument("--scale", type=float, default=1, help="of the files' sizes (1)")
    parser.add_argument(
        "--only", nargs="+", default=[], help="only shapes whose names have all these words"
    )
    return parser


@contextmanager
def run_servers(folder: Path) -> Iterator[Servers]:
    """Runs SeaweedFS and PostgreSQL in the folder. Speed does not matter here."""
    store = start_object_store(folder / "memory-store")
    try:
        postgres = start_postgres(folder / "memory-postgres", durable=False)
        try:
            yield Servers(folder, store.store, postgres.warehouse)
        finally:
            postgres.remove()
    finally:
        store.remove()


def _shown(attack: Attack) -> Attack:
    shape, peak, seconds, outcome, verdict = attack.cells()
    print(f"{verdict:7}{peak:>6} MB{seconds:>7} s  {shape:60} {outcome}", flush=True)
    return attack


if __name__ == "__main__":
    sys.exit(main())
