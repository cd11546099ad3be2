"""The report service on this machine until Ctrl-C: what this starts it stops."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from types import FrameType

import psycopg
from rich.console import Console

from include.local.reports.programs import PORTS, USER, ReportService, report_service
from include.local.services import control as services
from include.local.services.control import Services
from include.local.services.program import check_alive
from include.reports.catalogue import SOURCES


def run(home: Path) -> int:
    """Start everything, say where it is, wait for Ctrl-C. Raises LocalError."""
    console = Console(highlight=False)
    before = services.alive(home)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupt)
    try:
        with console.status("starting PostgreSQL, the object store and the report service"):
            found = services.up(home)
            running = report_service(
                home, found.postgres.warehouse, found.object_store.store, ports=PORTS
            )
            service = running.__enter__()
        try:
            _say(console, home, service, _missing(found))
            _watch(service)
        finally:
            console.print("stopping")
            running.__exit__(None, None, None)
    except KeyboardInterrupt:
        return 0
    finally:
        if not before:
            services.down(home)
    return 0


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _missing(found: Services) -> list[str]:
    """The tables of reports that this warehouse does not have yet."""
    tables = [source.table for source in SOURCES.values()]
    with psycopg.connect(found.postgres.warehouse.conninfo()) as connection:
        query = "SELECT t FROM unnest(%s::text[]) AS t WHERE to_regclass(t) IS NULL"
        return [name for (name,) in connection.execute(query, [tables])]


def _say(console: Console, home: Path, service: ReportService, missing: list[str]) -> None:
    header = f'-H "X-API-Key: {service.key}"'
    console.print(f"\n[bold]The report service runs at {service.address}[/]", soft_wrap=True)
    console.print(f"  its key {service.key}")
    console.print(f"  Flower, which shows the workers: {service.flower}")
    console.print(f"  user {USER}, password {service.flower_password}")
    console.print(f"  logs in {home / 'logs'}", soft_wrap=True)
    if missing:
        console.print(f"  there is no {', '.join(missing)} yet: make demo makes them")
    console.print("ask for a report, then how it stands (with the id that the answer has):")
    for line in (
        f"curl {header} {service.address}/reports -d "
        """'{"report": "flights", "first": "2013-07-04", "last": "2013-07-04"}'""",
        f"curl {header} {service.address}/reports/ID",
    ):
        console.print(f"  {line}", markup=False, soft_wrap=True)
    console.print("the connection that lesson 19 asks for:")
    console.print(
        f"  airflow connections add reports --conn-uri http://:{service.key}@"
        f"{service.address.removeprefix('http://')}",
        markup=False, soft_wrap=True,
    )  # fmt: skip
    console.print("Ctrl-C stops what was started here.")


def _watch(service: ReportService) -> None:
    while True:
        check_alive(list(service.programs.values()))
        time.sleep(1)
